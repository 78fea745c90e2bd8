//! `sessions`: every running `claude`, and as whom it runs.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, RunningClaude};
use clauth_durable::Document;
use jiff::Timestamp;

use super::Via;
use crate::custody::Snapshot;
use crate::session::{Place, live};
use crate::{Engine, Error};

/// A running `claude`.
pub struct Session {
    /// Its process id.
    pub pid: u32,
    /// The profile whose session it is, or whose login it uses, unless something outranks it.
    pub profile: Option<String>,
    /// The e-mail of the account that it uses: another than the profile's where somebody signed in as that inside the session.
    pub email: Option<String>,
    /// Where its login comes from.
    pub via: Via,
    /// The config directory that it uses.
    pub config_dir: PathBuf,
    /// Its working directory.
    pub cwd: Option<PathBuf>,
    /// When it began.
    pub since: Option<Timestamp>,
    /// `busy`, `idle`, `waiting`; where it says so.
    pub status: Option<String>,
    /// `interactive`, `bg`, …; where it says so.
    pub kind: Option<String>,
    /// The variables in its environment that outrank its login.
    pub overrides: Vec<&'static str>,
}

/// Everything that `sessions` shows.
pub struct Sessions {
    /// The sessions, by process id.
    pub sessions: Vec<Session>,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// What a session's holder says of it (S1): which process it is, in which directory, since when.
struct Recorded {
    pid: u32,
    config_dir: PathBuf,
    since: Option<Timestamp>,
}

impl Engine {
    /// Every running `claude` that can be seen. Opens no socket and writes nothing.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn sessions(&self) -> Result<Sessions, Error> {
        self.looking().sessions_now()
    }

    fn sessions_now(&self) -> Result<Sessions, Error> {
        let snapshot = self.snapshot_to_show()?;
        let owner = self.owner(&snapshot, None)?;
        let places: Vec<Place> = snapshot.roster.names.iter().map(|name| Place::of(&self.root, name)).collect();
        let mut homes = vec![snapshot.home.clone()];
        homes.extend(places.iter().map(|place| ClaudeHome::at(&place.tree, &self.host, &self.disk)));
        let isolated = places.iter().flat_map(|place| self.isolated(place).unwrap_or_default());
        homes.extend(isolated.map(|dir| ClaudeHome::at(&dir, &self.host, &self.disk)));
        let mut running = clauth_claude::running_in(&self.host, &self.disk, &homes);
        let recorded: Vec<Recorded> = places.iter().flat_map(|place| self.recorded(place)).collect();
        running.iter_mut().for_each(|claude| correct(claude, &recorded));
        running.iter_mut().for_each(|claude| self.find_isolated(claude, &places));
        places.iter().for_each(|place| self.add_unseen(place, &mut running));
        running.sort_unstable_by_key(|claude| claude.pid);
        let owner = owner.profile();
        let sessions = running.into_iter().map(|claude| self.session(claude, &snapshot, &places, owner)).collect();
        Ok(Sessions { sessions, notices: snapshot.notice.into_iter().collect() })
    }

    fn session(&self, claude: RunningClaude, snapshot: &Snapshot, places: &[Place], owner: Option<&str>) -> Session {
        let real = |path: &Path| clauth_claude::real_path(&self.disk, path);
        let dir = real(&claude.config_dir);
        let lives = |place: &&Place| dir == real(&place.tree) || claude.config_dir.starts_with(&place.isolated);
        let own = places.iter().find(|place| claude.config_dir == place.tree || lives(place));
        let (via, profile) = match own {
            Some(place) => (Via::Session, Some(place.name.as_str())),
            None if dir == snapshot.home_id => (Via::Live, owner),
            None => (Via::None, None),
        };
        let known = profile.and_then(|name| snapshot.record(name)?.identity.as_ref());
        // A login that was made inside a session is what it uses (S2).
        let other = own.and_then(|place| self.named_other(place).ok().flatten());
        Session {
            pid: claude.pid,
            email: other.as_ref().or(known).and_then(|known| known.email.clone()),
            profile: profile.map(str::to_owned),
            via,
            config_dir: claude.config_dir,
            cwd: claude.cwd,
            since: claude.started_at,
            status: claude.status,
            kind: claude.kind,
            overrides: claude.overrides,
        }
    }

    /// An isolated session's environment tells where its login is, which is the tree; it registers in its own directory, which
    /// nobody shares.
    fn find_isolated(&self, claude: &mut RunningClaude, places: &[Place]) {
        let Some(place) = places.iter().find(|place| claude.config_dir == place.tree) else { return };
        let file = format!("{}.json", claude.pid);
        let registers = |dir: &PathBuf| self.disk.vfs.lstat(&dir.join("sessions").join(&file)).is_ok();
        if let Some(dir) = self.isolated(place).unwrap_or_default().into_iter().find(registers) {
            claude.config_dir = dir;
        }
    }

    /// Adds the sessions of ours that only their holders tell of (S1): a `claude` by another name, or one that registers nowhere
    /// on a system that shows no processes. One that a script runs is seen under a number that no holder has.
    fn add_unseen(&self, place: &Place, running: &mut Vec<RunningClaude>) {
        let all = live(&self.disk, place, &[]);
        for live in &all {
            let held = all.iter().filter(|other| other.config_dir == live.config_dir).count();
            let seen = running.iter().filter(|claude| claude.config_dir == live.config_dir).count();
            let Some(pid) = live.claude.or(live.holder) else { continue };
            if seen >= held || running.iter().any(|claude| claude.pid == pid) {
                continue;
            }
            running.push(RunningClaude {
                pid,
                config_dir: live.config_dir.clone(),
                status: None,
                kind: None,
                cwd: None,
                started_at: live.since,
                overrides: Vec::new(),
            });
        }
    }

    /// What the holders of a profile's sessions record; one that cannot be understood says nothing.
    fn recorded(&self, place: &Place) -> Vec<Recorded> {
        let names = self.disk.list(&place.holders).unwrap_or_default();
        let files = names.iter().map(|name| place.holders.join(name));
        let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "json"));
        let read = |path: PathBuf| {
            let document = Document::parse(self.disk.read(&path).ok()??).ok()?;
            Some(Recorded {
                pid: document.get(&["child", "pid"])?,
                config_dir: document.get::<String>(&["config_dir"])?.into(),
                since: document.get::<String>(&["since"]).and_then(|text| text.parse().ok()),
            })
        };
        files.filter_map(read).collect()
    }
}

/// A registration does not tell the home where several share one folder: the holder does. A process that began before its
/// holder was made is another one, with a number that came again.
fn correct(claude: &mut RunningClaude, recorded: &[Recorded]) {
    let Some(recorded) = recorded.iter().find(|recorded| recorded.pid == claude.pid) else { return };
    if claude.started_at.zip(recorded.since).is_some_and(|(began, since)| began < since) {
        return;
    }
    claude.config_dir.clone_from(&recorded.config_dir);
    claude.started_at = claude.started_at.or(recorded.since);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Timestamp::from_second(second).ok()
    }

    #[test]
    fn a_holder_tells_the_home_of_the_very_process_that_it_is_about() {
        for (name, pid, began, dir) in [
            ("its child", 7, at(12), "/tree"),
            ("its child, of unknown age", 7, None, "/tree"),
            ("an earlier one of that number", 7, at(9), "/home"),
            ("another", 8, at(12), "/home"),
        ] {
            let mut claude = RunningClaude {
                pid,
                config_dir: "/home".into(),
                status: None,
                kind: None,
                cwd: None,
                started_at: began,
                overrides: Vec::new(),
            };
            correct(&mut claude, &[Recorded { pid: 7, config_dir: "/tree".into(), since: at(10) }]);
            assert_eq!(claude.config_dir, Path::new(dir), "{name}");
            let expected = began.or(if dir == "/tree" { at(10) } else { None });
            assert_eq!(claude.started_at, expected, "{name}");
        }
    }
}
