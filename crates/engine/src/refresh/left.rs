//! What a killed renewal left: a pair that is landed, or a token of which nobody knows what became (R1, R6).

use clauth_durable::Held;

use super::Mark;
use super::staged::Staged;
use crate::custody::{ATTEMPTS, Desk, Operation, Snapshot, Unfinished};
use crate::profile::{Record, Roster, State};
use crate::{Engine, Error};

impl Engine {
    /// Lands every pair that a killed renewal left. One that is under way is left alone, and one that cannot be landed now
    /// keeps nobody from other profiles: what it was renewed from is not installed meanwhile (W10).
    pub(crate) fn land_left(&self) -> Result<(), Error> {
        let mut names = Roster::read(&self.disk, &self.root)?.names;
        names.extend(self.guests());
        names.sort_unstable();
        names.dedup();
        for name in names {
            let left = self.has_left(&name).and_then(|left| Ok(left && self.is_at_rest(&name)?));
            if let Err(error) = left.and_then(|left| if left { self.take_in(&name) } else { Ok(()) }) {
                (self.say)(&format!("the renewed login of '{name}' could not be taken in yet: {error}"));
            }
        }
        Ok(())
    }

    /// Whether a renewal of this profile is, or was, between its first and its last step.
    pub(crate) fn has_left(&self, name: &str) -> Result<bool, Error> {
        for path in self.refuges(name) {
            if self.disk.lstat(&path)?.is_some() {
                return Ok(true);
            }
        }
        // A mark may stay for long, and tells by itself; anything else there is between two steps.
        let files = self.disk.list(&self.root.refresh(name))?;
        if files.is_empty() || files.iter().any(|file| *file != "mark.json") {
            return Ok(!files.is_empty());
        }
        Ok(self.untold(&Record::read(&self.disk, &self.root, name))?.is_some())
    }

    /// The record of a send of which the profile does not yet tell.
    fn untold(&self, record: &Record) -> Result<Option<Mark>, Error> {
        let told = record.standing_verdict().is_some_and(|verdict| verdict.state != State::Ok);
        if told { Ok(None) } else { Mark::raised(&self.disk, &self.root, record) }
    }

    fn take_in(&self, name: &str) -> Result<(), Error> {
        self.prepare()?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let held = self.lock_all(&before.home, &[name.to_owned()])?;
            let snapshot = self.snapshot()?;
            if snapshot.unfinished.is_some() {
                // Somebody was killed since this command began; the next one finishes both.
                return Ok(());
            }
            clauth_durable::sweep(&self.disk, &[self.root.refresh(name)])?;
            let Some(staged) = self.staged(name)? else { return self.tell_unknown(&snapshot, name, &held) };
            if let Some(warnings) = self.put_in_place(&snapshot, &staged, &|| held.check())? {
                (self.say)(&format!("the login of '{name}' had been renewed; the new pair was taken in"));
                warnings.iter().for_each(|warning| (self.say)(warning));
                drop(held);
                // A second pair, of another generation, is a case of its own.
                if self.staged(name)?.is_none() {
                    return Ok(());
                }
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// A pair of `name` that is not yet in its place.
    pub(super) fn staged(&self, name: &str) -> Result<Option<Staged>, Error> {
        for path in self.stages(name) {
            if let Some(staged) = Staged::read(&self.disk, &path)? {
                // The profile may have been renamed since.
                return Ok(Some(Staged { name: name.to_owned(), ..staged }));
            }
        }
        Ok(None)
    }

    /// Blank files go; a token that was sent is told to be in doubt.
    fn tell_unknown(&self, snapshot: &Snapshot, name: &str, held: &Held) -> Result<(), Error> {
        if let Some(record) = snapshot.record(name)
            && let Some(mark) = self.untold(record)?
        {
            let mut desk = Desk::new(self, snapshot)?;
            desk.judge(name, State::Unknown, &mark.doubt())?;
            let operation = Operation { done: "refresh", to: Some(name.to_owned()), ..Operation::default() };
            self.apply(&operation, desk.finish()?.changes, held)?.once()?;
        }
        for path in self.stages(name) {
            self.disk.remove_file(&path)?;
        }
        Ok(())
    }

    /// Drafts that a pair which is not yet in its place goes to the vault: its profile goes.
    pub(crate) fn keep_staged(&self, desk: &mut Desk<'_>, name: &str, why: &str) -> Result<(), Error> {
        let Some(staged) = self.staged(name)? else { return Ok(()) };
        desk.spend(&staged.sent, name, staged.sends);
        desk.put_away(&staged.login, why, Some(name), None)
    }

    /// Drafts the rest of an interrupted landing: once more, from the pair that is still staged.
    pub(crate) fn finish_refresh(
        &self,
        desk: &mut Desk<'_>,
        snapshot: &Snapshot,
        entry: &Unfinished,
    ) -> Result<Vec<clauth_durable::Change>, Error> {
        let Some(staged) = self.staged_of(entry)? else { return Ok(Vec::new()) };
        self.draft_landing(desk, snapshot, &staged)?;
        self.unstage(&staged)
    }

    /// The pair that an interrupted landing was about.
    pub(crate) fn staged_of(&self, entry: &Unfinished) -> Result<Option<Staged>, Error> {
        match entry.to.as_deref().filter(|_| entry.done == "refresh") {
            Some(name) => self.staged(name),
            None => Ok(None),
        }
    }
}
