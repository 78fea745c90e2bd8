//! A session's credential (L4): a link to the slot, or a mirror of it. What Claude Code writes in its place comes home, and
//! the link is put back (S2, S3).

use std::path::Path;

use clauth_claude::{AccountPart, ClaudeHome, CredentialStore as _, Credentials, FileStore, Found, Reading};
use clauth_durable::{Change, Held, Manner, item_name};

use super::Place;
use super::inherited::Said;
use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot, same_end};
use crate::owner::{self, Doubt, Evidence, Hands, Owner};
use crate::profile::{AccountKey, Known};
use crate::refresh::Need;
use crate::{Engine, Error};

/// With so little time left a bearer copy is renewed (R2).
const LITTLE: std::time::Duration = std::time::Duration::from_secs(15 * 60);

/// What a look at a session's credential came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tended {
    /// It is what it should be.
    Quiet,
    /// There is none: the user signed out in the session. It is not refilled until the next start (S2).
    SignedOut,
    /// It is half-written, or too young to tell whose it is; look again.
    Later,
    /// A later login came home.
    Adopted,
    /// What stood there lost against the stored login (S3).
    Replaced,
    /// Another account's login: it stays in the tree for this session, and a copy is in the vault (S2).
    Foreign {
        /// The vault entry.
        entry: String,
        /// Whose it is, in words.
        whose: String,
        /// It was not in the vault before, so nobody was told yet.
        new: bool,
    },
    /// Another version left it, and nobody can tell whose it is: a copy is in the vault.
    Unproven {
        /// The vault entry.
        entry: String,
        /// It was not in the vault before, so nobody was told yet.
        new: bool,
    },
}

impl Engine {
    /// Looks after the credential of a profile's tree.
    ///
    /// # Errors
    /// A held lock, or a disk that refuses.
    pub(crate) fn tend(&self, place: &Place) -> Result<Tended, Error> {
        self.tend_when(place, false)
    }

    /// The same for a tree in which nobody lives: no other half of a sign-in is still to come (O1).
    pub(crate) fn tend_at_rest(&self, place: &Place) -> Result<Tended, Error> {
        self.tend_when(place, true)
    }

    fn tend_when(&self, place: &Place, at_rest: bool) -> Result<Tended, Error> {
        // Where each login belongs is known when the interrupted change is finished (W8).
        if self.is_interrupted()? {
            return Ok(Tended::Later);
        }
        let copies = place.own_copies(&self.disk);
        let Some((first, rest)) = copies.split_first() else { return self.tended_none(place) };
        let mut tended = self.tend_at((place, at_rest), first)?;
        // Beside an item: a file that Claude Code fell back to.
        for path in rest {
            let also = self.tend_at((place, at_rest), path)?;
            if matches!(tended, Tended::Quiet | Tended::SignedOut) {
                tended = also;
            }
        }
        match tended {
            Tended::Quiet => place.note_given(&self.disk),
            Tended::Foreign { .. } | Tended::Unproven { .. } => place.note_other(&self.disk),
            _ => {}
        }
        Ok(tended)
    }

    /// What it means that a session has no login of its own.
    fn tended_none(&self, place: &Place) -> Result<Tended, Error> {
        let stands = place.item.is_some() || self.disk.lstat(&place.file())?.is_some();
        // Through the link a session has whatever is stored.
        if self.disk.vfs.read_link(&place.file()).is_ok_and(|target| target == place.slot) {
            place.note_given(&self.disk);
        }
        Ok(if stands { Tended::Quiet } else { Tended::SignedOut })
    }

    /// Looks after what is at one path.
    fn tend_at(&self, (place, at_rest): (&Place, bool), path: &Path) -> Result<Tended, Error> {
        if let Some(at_once) = self.tended_at_once(place, path)? {
            return Ok(at_once);
        }
        self.prepare()?;
        let said = self.ask_inherited(place, path)?;
        for _ in 0..ATTEMPTS {
            let home = ClaudeHome::at(&place.tree, &self.host, &self.disk);
            let held = self.lock_tree(&home, &place.name)?;
            if let Some(tended) = self.take_home((place, at_rest), path, (&home, &held), said.as_ref())? {
                return Ok(tended);
            }
        }
        Err(Error::Contended { path: path.to_owned() })
    }

    /// What can be told without a lock; `None` where there is something to do.
    pub(super) fn tended_at_once(&self, place: &Place, path: &Path) -> Result<Option<Tended>, Error> {
        let Some(bytes) = self.disk.read(path)? else { return Ok(Some(Tended::SignedOut)) };
        let Ok(object) = Credentials::parse(bytes) else { return Ok(Some(Tended::Later)) };
        let slot = self.disk.read(&place.slot)?.and_then(|bytes| Credentials::parse(bytes).ok());
        if !matches!(object.login(), Found::Login(_)) {
            let more = slot.and_then(|slot| Some(slot.with_more_machine_of(&object).ok()?.bytes() != slot.bytes()));
            return Ok((more != Some(true)).then_some(Tended::Later));
        }
        let says_the_same = |slot: &Credentials| {
            let mirror = place.mirror_in(path, &object, &slot.account());
            let mirror = mirror.and_then(|bytes| Credentials::parse(bytes).ok());
            mirror.is_some_and(|mirror| mirror.account().same(&object.account())) && slot.same_machine(&object)
        };
        let mirrored = place.is_mirrored(&self.disk) && slot.as_ref().is_some_and(says_the_same);
        Ok(mirrored.then_some(Tended::Quiet))
    }

    /// Brings home what the trees of `names` hold, before a login of theirs is moved. A login that was written a moment ago
    /// is waited for.
    ///
    /// # Errors
    /// As [`Engine::tend`].
    pub(crate) fn tend_all(&self, names: &[String]) -> Result<(), Error> {
        for name in names {
            let place = Place::of(&self.root, name);
            if self.tend(&place)? == Tended::Later && self.has_login(&place) {
                (self.say)(&format!("a session of '{name}' was signed in a moment ago; waiting until that is whole"));
                self.disk.clock.sleep(owner::YOUNG + std::time::Duration::from_millis(100));
                self.tend(&place)?;
            }
        }
        Ok(())
    }

    /// Whether no tree of `names` holds a login that should be brought home first.
    pub(crate) fn all_tended(&self, snapshot: &Snapshot, names: &[String]) -> Result<bool, Error> {
        for name in names {
            let place = Place::of(&self.root, name);
            for path in place.own_copies(&self.disk) {
                let Some(reading) = self.reading(&path)? else { continue };
                let Ok(object) = Credentials::parse(reading.bytes.clone()) else { return Ok(false) };
                let home = ClaudeHome::at(&place.tree, &self.host, &self.disk);
                match self.owner_in_tree(snapshot, (name, false), &home, (&object, &reading))? {
                    Owner::Successor(own, _) if own == *name => return Ok(false),
                    Owner::Unknown(Doubt::Young) => return Ok(false),
                    _ => {}
                }
            }
        }
        Ok(true)
    }

    /// Renews the login behind a session's bearer copy when that will soon not work any more and no `claude` of the home
    /// that has the login does it (R2). One that was displaced there comes home first; with `ask` the server may be asked
    /// whether it was (L3). Answers what the user should know.
    ///
    /// # Errors
    /// As [`Engine::refresh`].
    pub(crate) fn keep_bearer(&self, place: &Place, ask: bool) -> Result<Vec<String>, Error> {
        if self.bearer_due(place).is_none_or(|due| due > self.host.clock.now()) {
            return Ok(Vec::new());
        }
        self.bring_back(&place.name, ask)?;
        let need = Need { unless_left: Some(LITTLE), sessions_running: true, bearer_dependents: true, refused: None };
        Ok(self.refresh(&place.name, &need)?.warnings)
    }

    /// From when on a bearer copy has so little time left that it is to be renewed; `None` where there is none.
    pub(crate) fn bearer_due(&self, place: &Place) -> Option<jiff::Timestamp> {
        let record = crate::profile::Record::read(&self.disk, &self.root, &place.name);
        let slot = record.slot.get().filter(|slot| slot.is_bearer() && record.loan.get().is_some())?;
        let Found::Login(login) = slot.login() else { return None };
        login.expires_at?.checked_sub(LITTLE).ok()
    }

    fn has_login(&self, place: &Place) -> bool {
        place.own_copies(&self.disk).iter().any(|path| {
            let bytes = self.disk.read(path).ok().flatten();
            let object = bytes.and_then(|bytes| Credentials::parse(bytes).ok());
            object.is_some_and(|object| matches!(object.login(), Found::Login(_)))
        })
    }

    /// What is at one path of a session's credential, and when it was written.
    pub(super) fn reading(&self, path: &Path) -> Result<Option<Reading>, Error> {
        if item_name(path).is_none() {
            return Ok(FileStore { path: path.to_owned() }.read(&self.disk)?);
        }
        let Some(bytes) = self.disk.read(path)? else { return Ok(None) };
        Ok(Some(Reading { bytes, modified: self.disk.item_modified(path)?, beside: None }))
    }

    /// One attempt under the locks; `None` when somebody wrote meanwhile.
    fn take_home(
        &self,
        (place, at_rest): (&Place, bool),
        path: &Path,
        (home, held): (&ClaudeHome, &Held),
        said: Option<&Said>,
    ) -> Result<Option<Tended>, Error> {
        let Some(reading) = self.reading(path)? else { return Ok(Some(Tended::SignedOut)) };
        let Ok(object) = Credentials::parse(reading.bytes.clone()) else { return Ok(Some(Tended::Later)) };
        let snapshot = self.snapshot()?;
        let name = place.name.as_str();
        let mut desk = Desk::new(self, &snapshot)?;
        let owner = self.owner_in_tree(&snapshot, (name, at_rest), home, (&object, &reading))?;
        let tended = match self.take_inherited(&mut desk, place, (&object.account(), &owner), said)? {
            Some(tended) => tended,
            None => self.take_from_tree(&mut desk, name, home, (&object, &owner))?,
        };
        let exactly = match (&owner, &tended) {
            (Owner::Rewound(_), _) => false,
            (_, Tended::Adopted | Tended::Replaced | Tended::Quiet) => true,
            _ => false,
        };
        desk.keep_machine(name, &object, exactly)?;
        let drafted = desk.finish()?;
        let operation = Operation { done: "adopt", to: Some(name.to_owned()), ..Operation::default() };
        if let Applied::Moved(_) = self.apply(&operation, drafted.changes, held)? {
            return Ok(None);
        }
        match tended {
            Tended::Adopted | Tended::Replaced | Tended::Quiet => {
                let restored = self.restore_credential((place, path), &reading, held)?;
                if restored {
                    place.note_given(&self.disk);
                }
                Ok(restored.then_some(tended))
            }
            _ => Ok(Some(tended)),
        }
    }

    /// Drafts what becomes of a login in a tree, whose it is being known.
    fn take_from_tree(
        &self,
        desk: &mut Desk<'_>,
        name: &str,
        home: &ClaudeHome,
        (object, owner): (&Credentials, &Owner),
    ) -> Result<Tended, Error> {
        let part = object.account();
        match owner {
            Owner::SignedOut | Owner::Missing | Owner::Unreadable | Owner::Unknown(Doubt::Young) => Ok(Tended::Later),
            // The stored login itself, of which there is nothing to tell: written for the sake of something else that is in
            // it, or another watchdog was first.
            Owner::Own(own) if own == name => Ok(Tended::Quiet),
            Owner::Rewound(own) if own == name => Ok(Tended::Replaced),
            Owner::Successor(own, proof) if own == name => match desk.adopt(name, &part, *proof)? {
                true => Ok(Tended::Adopted),
                false => Ok(Tended::Replaced),
            },
            Owner::Unknown(Doubt::NoRefresh) if self.is_earlier_copy(desk, name, home, &part)? => Ok(Tended::Replaced),
            Owner::Own(_) | Owner::Successor(..) | Owner::Rewound(_) | Owner::Unknown(_) => {
                let known = self.named_in(&Place::of(&self.root, name), home)?;
                let new = !self.vault()?.iter().any(|entry| entry.login.bytes() == part.bytes());
                desk.keep_in_use(&part, "signed in inside a session of another profile", (None, known.as_ref()))?;
                let entry = desk.vaulted.as_ref().map(|entry| entry.id.clone()).unwrap_or_default();
                let whose = known.and_then(|known| known.email).unwrap_or_else(|| "an unknown account".to_owned());
                Ok(Tended::Foreign { entry, whose, new })
            }
        }
    }

    /// Whether a login without a refresh token, which could never replace a stored one, is an earlier bearer copy of the
    /// profile's: it ends when the profile's does, or the tree's state file names the profile's account.
    fn is_earlier_copy(
        &self,
        desk: &Desk<'_>,
        name: &str,
        home: &ClaudeHome,
        part: &AccountPart,
    ) -> Result<bool, Error> {
        if desk.holds(name).is_some_and(|held| same_end(held, part) == Some(true)) {
            return Ok(true);
        }
        let key = desk.key(name);
        Ok(self.named_in(&Place::of(&self.root, name), home)?.is_some_and(|named| Some(&named.key) == key))
    }

    /// Whose the login in a tree is: as for the live home, with the profile's login as the one that is lent there.
    pub(super) fn owner_in_tree(
        &self,
        snapshot: &Snapshot,
        (name, at_rest): (&str, bool),
        home: &ClaudeHome,
        (object, reading): (&Credentials, &Reading),
    ) -> Result<Owner, Error> {
        let place = Place::of(&self.root, name);
        let mut candidates = snapshot.candidates();
        for candidate in &mut candidates {
            candidate.lent_here = candidate.name == name;
            candidate.unnamed = candidate.lent_here && place.had_the_stored(&self.disk);
        }
        let age = reading.modified.map(|at| self.disk.clock.file_now().duration_since(at));
        let age = age.and_then(|age| std::time::Duration::try_from(age).ok());
        Ok(owner::classify(&Evidence {
            found: &object.login(),
            organization: object.account().organization_uuid(),
            candidates: &candidates,
            spent: &snapshot.spent,
            state: self.named_in(&place, home)?.map(|known: Known| -> AccountKey { known.key }),
            nobody_named: self.names_nobody(&place, home)?,
            answer: None,
            hands: Hands::Kept,
            doubted: None,
            age: if at_rest { age.max(Some(owner::YOUNG)) } else { age },
        }))
    }

    /// Puts the link, or the mirror, in the place of what was read there; false when somebody wrote meanwhile.
    fn restore_credential(
        &self,
        (place, path): (&Place, &Path),
        reading: &Reading,
        held: &Held,
    ) -> Result<bool, Error> {
        if !place.is_mirrored(&self.disk) {
            held.check()?;
            return Ok(self.disk.replace_by_link(path, &reading.bytes, &place.slot)?);
        }
        let Some(change) = self.mirrored(place, path, reading)? else { return Ok(true) };
        let operation = Operation { done: "adopt", to: Some(place.name.clone()), ..Operation::default() };
        Ok(matches!(self.apply(&operation, vec![change], held)?, Applied::Done))
    }

    /// The change that makes a tree's copy say what the slot says. The machine keys that were in it are in the slot by now.
    pub(super) fn mirrored(&self, place: &Place, path: &Path, reading: &Reading) -> Result<Option<Change>, Error> {
        let slot = self.disk.read(&place.slot)?.and_then(|bytes| Credentials::parse(bytes).ok());
        let (Some(slot), Ok(object)) = (slot, Credentials::parse(reading.bytes.clone())) else { return Ok(None) };
        let Ok(object) = object.with_machine_of(&slot) else { return Ok(None) };
        let after = place.mirror_in(path, &object, &slot.account()).filter(|after| *after != reading.bytes);
        let before = Some(reading.bytes.clone());
        let change = |after| Change { path: path.to_owned(), before, after: Some(after), manner: Manner::Credential };
        Ok(after.map(change))
    }
}
