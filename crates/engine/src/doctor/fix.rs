//! `doctor --fix`: mends what can be mended without deciding for anybody, and says of the rest why not.

use clauth_durable::Manner;

use super::rules::{self, Rule};
use super::{Examination, Finding};
use crate::custody::{Draft, Operation, elsewhere};
use crate::{Engine, Error, Options, Target};

/// What `--fix` came to.
#[derive(Debug)]
pub struct Mended {
    /// What was found before and is not any more.
    pub mended: Vec<Finding>,
    /// What is still so, and how things are now.
    pub after: Examination,
    /// Why something could not be mended.
    pub refused: Vec<String>,
}

impl Engine {
    /// Mends what was found. `confirms` asks a person where only a person knows.
    #[must_use]
    pub fn mend(&self, claude: Result<&std::path::Path, &str>, confirms: &dyn Fn(&str) -> bool) -> Mended {
        let before = self.examine(claude);
        let found = |wanted: &[Rule]| before.findings.iter().any(|finding| wanted.contains(&finding.rule));
        let mut refused = Vec::new();
        let mut tell = |done: Result<(), Error>| refused.extend(done.err().map(|error| told(&error)));
        // Nothing is written into a root that is not ours to write, or for a home that is not ours to act on.
        if !found(&[rules::ROOT_FORMAT, rules::HOME_REFUSED, rules::FILE_UNREADABLE, rules::LATER_TREE]) {
            if found(&[rules::ROOT_MODES]) {
                tell(self.tighten_all());
            }
            if found(&[rules::PROFILES_LOST]) {
                tell(self.relist().and_then(|()| self.agree()));
            }
            if found(&[rules::LOCK_LEFT]) {
                tell(self.release_debris());
            }
            if found(&[rules::LOCK_STALE]) {
                tell(self.take_over_stale());
            }
            if found(&[
                rules::JOURNAL_OPEN,
                rules::RENEWAL_OPEN,
                rules::SESSION_LEFT,
                rules::LIVE_LINK,
                rules::LIVE_BARE,
                rules::TWO_HOLDERS,
                rules::SLOT_FULL,
            ]) {
                tell(self.recover());
            }
            if found(&[rules::LOGIN_LEFT]) {
                tell(self.prepare().and_then(|()| self.keep_left()));
            }
            if found(&[rules::HOME_MODES]) {
                tell(self.close_home());
            }
            if found(&[rules::LIVE_MODES]) {
                tell(self.tighten_live());
            }
            if found(&[rules::OTHER_MACHINE]) {
                tell(self.confirm_here(confirms));
            }
            if found(&[rules::LIVE_SPENT, rules::IDENTITY_DIFFERS, rules::MARKER_DIFFERS]) {
                tell(self.agree());
            }
            if found(&[rules::PROGRAM_MOVED]) {
                tell(self.name_this_program());
            }
            if found(&[rules::OUTSIDE_GONE]) {
                tell(self.take_out(&|one| !self.stands_outside(one)).map(drop));
            }
        }
        let after = self.examine(claude);
        let gone = |finding: &&Finding| !after.findings.contains(finding);
        Mended { mended: before.findings.iter().filter(gone).cloned().collect(), after, refused }
    }

    /// Takes every permission of others away, in all of the root.
    fn tighten_all(&self) -> Result<(), Error> {
        self.prepare()?;
        Ok(self.disk.tighten(self.root.path()).map(drop)?)
    }

    /// Takes away everybody's permission to write into Claude Code's home, wherever its links lead.
    fn close_home(&self) -> Result<(), Error> {
        let dir = self.home()?.dir;
        let mode = self.disk.stat(&dir)?.map_or(0o700, |stat| stat.mode);
        self.disk.vfs.set_mode(&dir, mode & 0o775).map_err(Error::io("set the mode of", &dir))
    }

    /// Takes the permissions of others away from the live login, wherever its links lead.
    fn tighten_live(&self) -> Result<(), Error> {
        let path = self.disk.target(&self.home()?.credentials(), Some(self.root.path()))?.path;
        let mode = self.disk.stat(&path)?.map_or(0o600, |stat| stat.mode);
        self.disk.vfs.set_mode(&path, mode & 0o700).map_err(Error::io("set the mode of", &path))
    }

    /// Takes every lock that an operation on all profiles needs, and lets go of it: what is stale is taken over by the rules
    /// of every command, and what is not is left alone.
    fn take_over_stale(&self) -> Result<(), Error> {
        self.prepare()?;
        self.lock_all(&self.home()?, &self.names()?).map(drop)
    }

    /// Lets everything agree with the login that is live, or puts the newest in the place of one that is used up.
    fn agree(&self) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        let Some(name) = owner.profile().map(str::to_owned) else { return Ok(()) };
        self.switch(Target::Named(&name), Options::default()).map(drop)
    }

    /// L7: writes down that a login is this machine's, where a person says that the other machine has stopped using it.
    fn confirm_here(&self, confirms: &dyn Fn(&str) -> bool) -> Result<(), Error> {
        let Some(here) = self.host.machine.clone() else { return Ok(()) };
        self.recover()?;
        let snapshot = self.snapshot()?;
        let strange = snapshot.records.iter().filter(|record| elsewhere(&snapshot, record, Some(&here)));
        let names: Vec<String> = strange.map(|record| record.name.clone()).collect();
        // Asked before any lock (K3).
        let question = |name: &String| {
            confirms(&format!("Has the other machine stopped using the login of '{name}'? Used by both, it ends."))
        };
        let confirmed: Vec<&String> = names.iter().filter(|name| question(name)).collect();
        if confirmed.is_empty() {
            return Ok(());
        }
        let held = self.lock_prepared()?;
        let mut draft = Draft::new(&self.disk);
        for name in confirmed {
            let text = crate::json::bytes(&serde_json::json!({"schema": 1, "machine": here.full()}));
            draft.put(&self.root.machine(name), Manner::Own, text)?;
        }
        self.apply(&Operation { done: "install", ..Operation::default() }, draft.into_changes(), &held)?.once()
    }
}

fn told(error: &Error) -> String {
    let next = error.hints().into_iter().next().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{error}{next}")
}
