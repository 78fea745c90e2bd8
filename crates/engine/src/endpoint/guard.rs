//! A login does not come back while a `claude` that was given an endpoint may still run: it would send the login there.

use std::path::Path;

use clauth_claude::{ClaudeHome, RunningClaude};

use crate::custody::Snapshot;
use crate::error::Kind;
use crate::overlay::{Applied, LeftEndpoint};
use crate::profile::ProfileKind;
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

    /// What is to be remembered of an endpoint that is left for nobody, so that no login comes back while a `claude` that had
    /// it runs. Who becomes active in its place was asked about, or is an endpoint.
    pub(crate) fn leaves_behind(
        &self,
        snapshot: &Snapshot,
        to: Option<&str>,
        record: &Applied,
    ) -> Option<LeftEndpoint> {
        if to.is_some() || record.left.is_some() {
            return record.left.clone().filter(|_| to.is_none());
        }
        let endpoint =
            |name: &&String| snapshot.record(name).is_some_and(|record| record.kind == ProfileKind::Endpoint);
        let name = record.profile.as_ref().filter(endpoint)?.clone();
        let claudes = self.running_here(snapshot);
        (!claudes.is_empty()).then(|| LeftEndpoint { name, at: self.host.clock.now(), claudes })
    }

    /// The refusal to put a login into a home in which a `claude` runs that ran when an endpoint was left there for nobody.
    pub(crate) fn refuse_left_running(&self, snapshot: &Snapshot, again: &str) -> Result<(), Error> {
        let Some(left) = self.applied().ok().flatten().and_then(|applied| applied.left) else { return Ok(()) };
        let began = |claude: &RunningClaude| claude.started_at.is_none_or(|at| at <= left.at);
        let running = self.all_running_here(snapshot);
        match running.iter().any(|claude| left.claudes.contains(&claude.pid) && began(claude)) {
            true => self.refuse_running_under(snapshot, &left.name, again),
            false => Ok(()),
        }
    }

    /// The processes that read the home's own settings.
    fn running_here(&self, snapshot: &Snapshot) -> Vec<u32> {
        self.all_running_here(snapshot).iter().map(|claude| claude.pid).collect()
    }

    fn all_running_here(&self, snapshot: &Snapshot) -> Vec<RunningClaude> {
        let home = &snapshot.home;
        let real = |path: &Path| clauth_claude::real_path(&self.disk, path);
        let places = [real(&home.dir), real(&home.secure)];
        let here = |claude: &RunningClaude| {
            let cwd = claude.cwd.as_deref().is_some_and(|cwd| self.is_project(home, cwd));
            cwd || places.contains(&real(&claude.config_dir))
        };
        let running = clauth_claude::running(&self.host, &self.disk, home);
        running.into_iter().filter(here).collect()
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
