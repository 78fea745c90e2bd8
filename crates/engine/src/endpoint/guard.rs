//! A login does not come back while a `claude` that was given an endpoint may still run: it would send the login there.

use std::path::Path;

use clauth_claude::{ClaudeHome, RunningClaude};

use crate::custody::Snapshot;
use crate::error::Kind;
use crate::switch::{Effect, Report};
use crate::{Engine, Error};

impl Engine {
    /// The refusal to put a login into a home in which a `claude` runs under the endpoint `name`.
    pub(crate) fn refuse_running_under(&self, snapshot: &Snapshot, name: &str, again: &str) -> Result<(), Error> {
        let running = self.running_here(snapshot);
        if running.is_empty() {
            return Ok(());
        }
        let pids: Vec<String> = running.iter().map(u32::to_string).collect();
        let (noun, list) = (if pids.len() == 1 { "process" } else { "processes" }, pids.join(", "));
        let what =
            format!("a claude still runs under the endpoint '{name}' ({noun} {list}); it may send a login there");
        let forced = format!("or, if it is sure to be idle: {again}");
        Err(Error::refused(Kind::Protected, what, name, &["end it first", &forced]))
    }

    /// The processes that read the home's own settings.
    fn running_here(&self, snapshot: &Snapshot) -> Vec<u32> {
        let home = &snapshot.home;
        let real = |path: &Path| clauth_claude::real_path(&self.disk, path);
        let places = [real(&home.dir), real(&home.secure)];
        let here = |claude: &RunningClaude| {
            let cwd = claude.cwd.as_deref().is_some_and(|cwd| self.is_project(home, cwd));
            cwd || places.contains(&real(&claude.config_dir))
        };
        let running = clauth_claude::running(&self.host, &self.disk, home);
        running.iter().filter(|claude| here(claude)).map(|claude| claude.pid).collect()
    }

    /// Whether a `claude` that works in `cwd` takes the settings of `home` for its project's, which outrank its own
    /// (facts §1.3). So it is in the directory around the home.
    fn is_project(&self, home: &ClaudeHome, cwd: &Path) -> bool {
        clauth_claude::real_path(&self.disk, &cwd.join(".claude")) == clauth_claude::real_path(&self.disk, &home.dir)
    }

    /// The refusal to begin a session of another profile where it would follow the endpoint that is active in the home.
    pub(crate) fn refuse_project(&self, name: &str) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let Some(endpoint) = self.endpoint_live(&snapshot)?.filter(|endpoint| endpoint != name) else { return Ok(()) };
        if !self.here.as_deref().is_some_and(|here| self.is_project(&snapshot.home, here)) {
            return Ok(());
        }
        let what = format!(
            "in this directory claude takes your own settings for a project's, and would use the endpoint '{endpoint}'"
        );
        let back = format!("or first: clauth switch {name}");
        Err(Error::refused(Kind::Protected, what, name, &["start it in another directory", &back]))
    }

    /// Sessions of other profiles that follow to an endpoint all the same, since they run in the directory around the home.
    pub(crate) fn followers(&self, report: &Report, snapshot: &Snapshot) -> Vec<String> {
        let pinned = |pid: u32| {
            let mut sessions = report.sessions.iter();
            sessions.any(|session| session.pid == pid && session.effect == Effect::Pinned)
        };
        let follows = self.running_here(snapshot).into_iter().filter(|pid| pinned(*pid));
        let told =
            |pid| format!("claude {pid}, a session, takes your settings for its project's and follows to the endpoint");
        follows.map(told).collect()
    }
}
