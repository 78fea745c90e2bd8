//! `remove`: the login goes to the vault, the profile goes, and Claude Code stays signed in.

use clauth_durable::{Kind as FileKind, Manner};

use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot, below};
use crate::error::Kind;
use crate::history::Event;
use crate::owner::Owner;
use crate::root::TREES;
use crate::session::{LinkMode, Place};
use crate::{Engine, Error};

/// What was removed.
pub struct Removed {
    /// The profile.
    pub name: String,
    /// The vault entry that keeps its login.
    pub vault: Option<String>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Finds out whether [`Self::remove`] would refuse, before somebody is asked to confirm it. Writes nothing, unless an
    /// interrupted change is to be finished (W8). Answers the profile.
    ///
    /// # Errors
    /// As there.
    pub fn removable(&self, asked: &str, force: bool) -> Result<String, Error> {
        if self.is_interrupted()? {
            self.recover()?;
        }
        let name = self.find(asked)?;
        if !force {
            let snapshot = self.snapshot()?;
            self.refuse_live(&snapshot, &self.owner(&snapshot, None)?, &name)?;
            self.refuse_running(&snapshot, &name)?;
        }
        Ok(name)
    }

    /// Removes a profile.
    ///
    /// # Errors
    /// No such profile; the live profile without `force`.
    pub fn remove(&self, asked: &str, force: bool) -> Result<Removed, Error> {
        self.recover()?;
        let name = self.find(asked)?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let answer = self.settle_doubt(&before)?;
            let owner = self.owner(&before, answer.as_ref().map(|known| &known.key))?;
            self.prepare()?;
            let concerned = before.concerned(Some(&name), &owner);
            self.tend_all(&concerned)?;
            let held = self.lock_all(&before.home, &concerned)?;
            let mut snapshot = self.snapshot()?;
            if !self.all_tended(&snapshot, &concerned)? {
                continue;
            }
            snapshot.answer = answer.filter(|_| snapshot.same_login(&before));
            let owner = self.owner(&snapshot, snapshot.answer.as_ref().map(|known| &known.key))?;
            if !force {
                self.refuse_live(&snapshot, &owner, &name)?;
                self.refuse_running(&snapshot, &name)?;
            }
            let mut desk = Desk::new(self, &snapshot)?;
            if owner.profile() == Some(&name) {
                desk.keep_live(&owner)?;
            }
            let vault = self.draft_removal_of(&mut desk, &snapshot, &name)?;
            let drafted = desk.finish()?;
            let operation = Operation { done: "remove", to: Some(name.clone()), ..Operation::default() };
            if let Applied::Done = self.apply(&operation, drafted.changes, &held)? {
                drop(held);
                let mut warnings = drafted.warnings;
                warnings.extend(self.put_directory_away(&name));
                return Ok(Removed { name, vault, warnings });
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// Removes what is left of a profile's directory: empty directories, and what its sessions left, but for what they still
    /// use and what is kept of the user's files. Answers what the user should know.
    fn put_directory_away(&self, name: &str) -> Vec<String> {
        let directory = self.root.profile(name);
        let place = Place::of(&self.root, name);
        if self.disk.lstat(&directory).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Link)) {
            let removed = self.disk.remove_file(&directory).err();
            let told = format!("{} was a link; what it leads to is as it was", directory.display());
            return std::iter::once(told).chain(removed.map(still_there)).collect();
        }
        let mut warnings: Vec<String> = self.visit_orphan(&place).err().map(still_there).into_iter().collect();
        let stands = |path: &std::path::Path| self.disk.lstat(path).is_ok_and(|stat| stat.is_some());
        if self.has_traces(&place) {
            warnings.push(format!(
                "a session of '{name}' still uses {}; what it wrote comes home when it has ended",
                place.tree.display()
            ));
        }
        if stands(&place.conflicts) {
            warnings.push(format!("files that lost against something newer are kept: {}", place.conflicts.display()));
        }
        warnings
    }

    /// Drafts the removal of a listed profile, once more after an interruption.
    pub(crate) fn draft_removal(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
        self.draft_removal_of(desk, snapshot, name).map(drop)
    }

    fn draft_removal_of(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, name: &str) -> Result<Option<String>, Error> {
        let known = snapshot.record(name).and_then(|record| record.identity.as_ref());
        let lent = snapshot.record(name).is_some_and(|record| record.lent_to(&snapshot.home_id));
        let waiting = desk.renewed(name).or_else(|| snapshot.record(name)?.token.get()).cloned();
        if let Some(part) = waiting {
            desk.put_away(&part, "its profile was removed", Some(name), known)?;
        }
        // A copied tree in which somebody lives has the login, too, and renews it.
        let copied = self.is_copied(snapshot, name);
        if let Some(part) = desk.holds(name).cloned() {
            let why = match (lent, copied) {
                (true, _) => "its profile was removed while it was live",
                (false, true) => "its profile was removed while a session used it",
                (false, false) => "its profile was removed",
            };
            let lent = lent || copied;
            match lent {
                true => desk.keep_in_use(&part, why, (Some(name), known))?,
                false => desk.put_away(&part, why, Some(name), known)?,
            }
        }
        self.keep_staged(desk, name, "its profile was removed")?;
        desk.keep_bound(name)?;
        let vault = desk.vaulted.as_ref().map(|entry| entry.id.clone());
        self.draft_bindings(desk, name, None)?;
        self.draft_settings_without(desk, name)?;
        desk.edit_roster(|roster| roster.forget(name))?;
        self.delete_files(desk, name)?;
        let mut event = Event::new(desk.now, "remove", "asked for").about(name);
        event.vault.clone_from(&vault);
        desk.record_event(&event);
        Ok(vault)
    }

    /// Whether a session has a copy of a profile's login.
    fn is_copied(&self, snapshot: &Snapshot, name: &str) -> bool {
        let place = Place::of(&self.root, name);
        place.mode(&self.disk) == LinkMode::Copy && self.is_inhabited(&snapshot.home, &place)
    }

    /// Drafts the removal of every file of a profile but the trees of its sessions: of those that stand, and of those that
    /// this very change was to put there.
    pub(crate) fn delete_files(&self, desk: &mut Desk<'_>, name: &str) -> Result<(), Error> {
        let directory = self.root.profile(name);
        let mut files = below(&self.disk, &directory, &TREES)?;
        files.extend(desk.draft.made_below(&directory));
        for path in files {
            desk.draft.delete(&path, Manner::Own)?;
        }
        Ok(())
    }

    fn refuse_live(&self, snapshot: &Snapshot, owner: &Owner, name: &str) -> Result<(), Error> {
        let endpoint = self.endpoint_live(snapshot)?.is_some_and(|endpoint| endpoint == name);
        let live = owner.profile() == Some(name) || snapshot.lent().any(|record| record.name == name);
        let home = snapshot.home.dir.display();
        let (what, keeps) = match (endpoint, live) {
            (true, _) => {
                (format!("Claude Code uses the endpoint of '{name}' in {home}"), "Claude Code is signed out then")
            }
            (false, true) => (format!("the login of '{name}' is live in {home}"), "Claude Code stays signed in"),
            (false, false) => return Ok(()),
        };
        let forced = format!("to remove it all the same ({keeps}): clauth remove {name} --yes --force");
        Err(Error::refused(Kind::Protected, what, name, &["clauth switch ANOTHER-NAME", &forced]))
    }
}

fn still_there(error: impl Into<Error>) -> String {
    format!("its directory is still there: {}", error.into())
}
