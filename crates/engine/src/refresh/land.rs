//! Putting a new pair where the sent token still is (R5): the live credential first, then loan and slot; into the vault
//! when the place moved on. Doing it again changes nothing, so that a kill in between is finished by doing it again.

use std::path::PathBuf;

use clauth_claude::{AccountPart, ClaudeHome};
use clauth_durable::{Change, Held, Manner};

use super::Mark;
use super::staged::{Staged, tokens};
use crate::custody::{ATTEMPTS, Applied, Check, Desk, Operation, Snapshot, print};
use crate::history::{Event, Tokens};
use crate::{Engine, Error};

/// Said of a pair in the vault.
const MOVED_ON: &str = "renewed, but its profile had another login by then";

/// How an attempt to land ended.
pub(super) enum Landed {
    /// The pair is kept; what the user should know.
    Done(Vec<String>),
    /// Another change was interrupted meanwhile and has to be finished first.
    Blocked,
}

impl Engine {
    /// Lands a pair under the locks of a renewal. `home` is the one that its login sits in.
    pub(super) fn land(&self, staged: &Staged, home: Option<&ClaudeHome>, outer: &Held) -> Result<Landed, Error> {
        for _ in 0..ATTEMPTS {
            let inner = self.lock_landing(home)?;
            let snapshot = self.snapshot()?;
            if snapshot.unfinished.is_some() {
                return Ok(Landed::Blocked);
            }
            let check = || outer.check().and_then(|()| inner.check());
            if let Some(warnings) = self.put_in_place(&snapshot, staged, &check)? {
                return Ok(Landed::Done(warnings));
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// One try; `None` when somebody wrote meanwhile.
    pub(super) fn put_in_place(
        &self,
        snapshot: &Snapshot,
        staged: &Staged,
        check: &Check<'_>,
    ) -> Result<Option<Vec<String>>, Error> {
        let mut desk = Desk::new(self, snapshot)?;
        self.draft_landing(&mut desk, snapshot, staged)?;
        let mut drafted = desk.finish()?;
        drafted.changes.extend(self.unstage(staged)?);
        let operation = Operation {
            done: "refresh",
            to: Some(staged.name.clone()),
            tokens: vec![staged.sent.full().to_owned()],
            ..Operation::default()
        };
        match self.apply_under(&operation, drafted.changes, check)? {
            Applied::Done => Ok(Some(drafted.warnings)),
            Applied::Moved(_) => Ok(None),
        }
    }

    /// Drafts where the pair goes. A profile that is gone is not made again: its pair goes to the vault.
    pub(super) fn draft_landing(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, staged: &Staged) -> Result<(), Error> {
        let name = &staged.name;
        let record = snapshot.record(name);
        let lent = record.is_some_and(|record| record.lent_to(&snapshot.home_id));
        let landed =
            if lent { self.land_in_home(desk, snapshot, staged)? } else { self.land_in_slot(desk, snapshot, staged)? };
        if !landed {
            desk.put_away(&staged.login, MOVED_ON, Some(name), record.and_then(|record| record.identity.as_ref()))?;
        }
        let login = tokens(&staged.login);
        if login.and_then(|login| login.refresh_print()).is_some_and(|token| token != staged.sent) {
            desk.spend(&staged.sent, name, staged.sends);
        }
        let mut event = Event::new(desk.now, "refresh", if landed { "renewed" } else { MOVED_ON }).about(name);
        event.tokens = Tokens { from: Some(staged.sent.short().to_owned()), to: print(&staged.login) };
        event.vault = desk.vaulted.as_ref().filter(|_| !landed).map(|entry| entry.id.clone());
        desk.record_event(&event);
        Ok(())
    }

    /// Store: the slot alone.
    fn land_in_slot(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, staged: &Staged) -> Result<bool, Error> {
        let Some(part) = snapshot.record(&staged.name).and_then(|record| record.part()) else { return Ok(false) };
        // The same access token may have come back, with another end.
        if staged.concerns(part) {
            let renewed = joined(part, staged);
            desk.put_slot(&staged.name, &renewed)?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Live: the home, then loan and slot. Where another login has displaced it in the home, the loan is the place that
    /// still holds the sent token; where it was renewed there by somebody else, theirs wins.
    fn land_in_home(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, staged: &Staged) -> Result<bool, Error> {
        let name = &staged.name;
        let live = snapshot.live.object.as_ref().map(clauth_claude::Credentials::account);
        if let Some(live) = live.filter(|live| staged.concerns(live)) {
            let renewed = joined(&live, staged);
            if renewed.bytes() != live.bytes() {
                desk.install(&renewed)?;
            }
            desk.lend(name, renewed)?;
            return Ok(true);
        }
        if self.owner(snapshot, None)?.profile() == Some(name) {
            return Ok(false);
        }
        let Some(part) = snapshot.record(name).and_then(|record| record.part()) else { return Ok(false) };
        if staged.concerns(part) {
            desk.lend_aside(name, joined(part, staged))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// The last changes of a landing: the mark and every copy of the staged pair go.
    pub(super) fn unstage(&self, staged: &Staged) -> Result<Vec<Change>, Error> {
        let mut gone: Vec<PathBuf> = Vec::new();
        for path in self.stages(&staged.name) {
            // What cannot be understood is blank, or half of what is being landed.
            let same = Staged::read(&self.disk, &path)?.is_none_or(|other| other.access() == staged.access());
            gone.extend(Some(path).filter(|_| same));
        }
        if Mark::read(&self.disk, &self.root, &staged.name, &staged.sent)?.is_some() {
            gone.push(Mark::path(&self.root, &staged.name));
        }
        let mut changes = Vec::new();
        for path in gone {
            if let Some(before) = self.disk.read(&path)? {
                changes.push(Change { path, before: Some(before), after: None, manner: Manner::Own });
            }
        }
        Ok(changes)
    }
}

/// The login as it stands with the new pair in it; as it was sent, should that not go.
fn joined(part: &AccountPart, staged: &Staged) -> AccountPart {
    part.with_pair_of(&staged.login).unwrap_or_else(|_| staged.login.clone())
}
