//! What is bound to the account that is live, beside its login: its keys in the state file (W6) and its files (S4). They
//! leave with it, are kept where it goes, and come back with it.

use std::path::{Path, PathBuf};

use clauth_claude::StateFile;
use clauth_durable::Manner;

use super::Desk;
use crate::Error;
use crate::custody::{Unfinished, bound};
use crate::profile::{AccountKey, Known};

impl Desk<'_> {
    /// Takes `oauthAccount` out of the state file, so that it names nobody while the credential changes.
    pub(crate) fn hide_identity(&mut self) -> Result<(), Error> {
        let Some(state) = self.state.filter(|state| state.block().is_some()) else { return Ok(()) };
        self.draft.put(&self.snapshot.home.state, Manner::Document, state.without_identity().bytes().to_vec())
    }

    /// Whether the state file names that very account.
    pub(crate) fn names_as(&self, known: Option<&Known>) -> bool {
        let named = self.state.and_then(StateFile::identity).map(|named| AccountKey::of(&named));
        named.zip(known).is_some_and(|(named, known)| known.key.agrees(&named))
    }

    /// Where what is bound to the outgoing account is parked: with its profile, or with its login in the vault.
    fn leaving(&self, from: Option<&str>) -> Option<PathBuf> {
        let kept = || self.vaulted.as_ref().map(|entry| entry.bound(self.root));
        from.map(|name| self.root.bound(name)).or_else(kept)
    }

    /// Parks what is bound to the account that is left, before anything of it leaves its place.
    pub(crate) fn park_bound(&mut self, from: Option<&str>) -> Result<(), Error> {
        let leaving = self.leaving(from);
        if let Some(leaving) = &leaving {
            bound::park(self.disk, &mut self.draft, &self.snapshot.home.dir, leaving)?;
        }
        self.park_given(leaving.as_deref())
    }

    /// The same of what the state file has. Where there is no login that it could go with, it is kept aside.
    fn park_given(&mut self, leaving: Option<&Path>) -> Result<(), Error> {
        let Some(given) = self.state.and_then(StateFile::given) else { return Ok(()) };
        let aside = || self.root.vault().join(format!("given-{}", self.now.strftime("%Y%m%dT%H%M%SZ")));
        let path = leaving.map_or_else(aside, |leaving| leaving.join(bound::GIVEN));
        if leaving.is_none() {
            let home = self.snapshot.home.state.display();
            self.warnings.push(format!("what {home} held of another account's keys is kept in {}", path.display()));
        }
        self.draft.put(&path, Manner::Own, given)
    }

    /// The state file names `known`, where that is proven, or nobody; keys of another account go. What was parked with
    /// `entering` comes back.
    pub(crate) fn show_account(&mut self, known: Option<&Known>, entering: &Path) -> Result<(), Error> {
        let path = entering.join(bound::GIVEN);
        let given = self.draft.read(&path)?;
        self.show(known.and_then(Known::proven_block), given)?;
        self.draft.delete(&path, Manner::Own)
    }

    /// The same for a newer login of the account that was live: all that somebody gave stays.
    pub(crate) fn show_same(&mut self, name: &str) -> Result<(), Error> {
        let known = self.known(name).cloned();
        let given = self.state.and_then(StateFile::given);
        self.show(known.as_ref().and_then(Known::proven_block), given)
    }

    fn show(&mut self, block: Option<&str>, given: Option<Vec<u8>>) -> Result<(), Error> {
        let Some(state) = self.state else { return Ok(()) };
        let shown = state.with_identity(block).and_then(|shown| match given {
            Some(given) => shown.with_given(given),
            None => Ok(shown),
        });
        let shown = shown
            .map_err(|source| clauth_durable::Error::Document { path: self.snapshot.home.state.clone(), source })?;
        self.draft.put(&self.snapshot.home.state, Manner::Document, shown.bytes().to_vec())
    }

    /// Makes the state file agree with a live login that is `name`'s: another account's block goes, an absent one is set
    /// when it is proven (W7). A block that agrees is left exactly as it stands.
    pub(crate) fn settle_identity(&mut self, name: &str) -> Result<(), Error> {
        let Some(known) = self.known(name) else { return Ok(()) };
        match self.state.and_then(StateFile::identity) {
            Some(shown) if known.key.agrees(&AccountKey::of(&shown)) => Ok(()),
            // Nobody else was named, so nobody else gave anything.
            None => match known.proven_block() {
                Some(_) => self.show_same(name),
                None => Ok(()),
            },
            Some(_) => {
                let known = known.clone();
                self.park_given(None)?;
                self.show(known.proven_block(), None)
            }
        }
    }

    /// Account-bound files leave with the outgoing login and come back with the incoming one; `entering` is where that one's
    /// are.
    pub(crate) fn exchange_bound(&mut self, from: Option<&str>, entering: &Path) -> Result<(), Error> {
        let leaving = self.leaving(from);
        bound::exchange(self.disk, &mut self.draft, &self.snapshot.home.dir, (leaving.as_deref(), entering))
    }

    /// After an interruption of a change to the login of `known`, which is live by now: what is bound to the account that was
    /// left goes, if it is still there, and what is parked in `entering` comes.
    pub(crate) fn finish_account(
        &mut self,
        entry: &Unfinished,
        (known, entering): (Option<&Known>, &Path),
    ) -> Result<(), Error> {
        let kept = || Some(self.root.vault().join(format!("{}.bound", entry.events.last()?.vault.as_ref()?)));
        let leaving = entry.from.as_deref().map(|name| self.root.bound(name)).or_else(kept);
        if let Some(state) = self.state {
            let agrees =
                |known: &Known| state.identity().is_some_and(|shown| known.key.agrees(&AccountKey::of(&shown)));
            let block = match known {
                Some(known) if !agrees(known) => known.proven_block(),
                _ => state.block(),
            };
            let path = entering.join(bound::GIVEN);
            let (given, coming) = (state.given(), self.draft.read(&path)?);
            let parked = leaving.as_ref().map(|leaving| self.draft.read(&leaving.join(bound::GIVEN))).transpose()?;
            // What is there and was not left has come in already, or was given since.
            let shown = if given == parked.flatten() { coming.clone() } else { given.or_else(|| coming.clone()) };
            self.show(block, shown.clone())?;
            if shown == coming {
                self.draft.delete(&path, Manner::Own)?;
            }
        }
        bound::exchange(self.disk, &mut self.draft, &self.snapshot.home.dir, (leaving.as_deref(), entering))
    }

    /// After an interruption of a change that did not come to pass: what was parked in `leaving` was not left.
    pub(crate) fn take_back_bound(&mut self, leaving: &Path) -> Result<(), Error> {
        bound::take_back(self.disk, &mut self.draft, &self.snapshot.home.dir, leaving)?;
        let path = leaving.join(bound::GIVEN);
        let parked = self.draft.read(&path)?;
        if parked.is_some() && parked == self.state.and_then(StateFile::given) {
            self.draft.delete(&path, Manner::Own)?;
        }
        Ok(())
    }
}
