//! The end of isolated directories, also of those whose `clauth start` was killed; and what their state files say of the login
//! that they share with the tree.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, StateFile};
use clauth_durable::Kind;

use super::keep::keep;
use super::make::settings_of;
use crate::profile::Known;
use crate::session::reconcile::Work;
use crate::session::{Place, live};
use crate::{Engine, Error};

impl Engine {
    /// Brings home what isolated sessions of a profile left that have ended, and removes their directories.
    ///
    /// # Errors
    /// A held lock, or a disk that refuses.
    pub(in crate::session) fn clear_isolated(&self, place: &Place) -> Result<(), Error> {
        if self.isolated(place)?.is_empty() {
            // Left empty by the last one.
            let _ = self.disk.vfs.remove_dir(&place.isolated);
            return Ok(());
        }
        let home = self.home()?;
        let held = self.lock_state()?;
        for dir in self.isolated(place)? {
            let idle = || held.check().is_ok() && !self.lives_in(&home, place, &dir);
            if !idle() || self.speaks_against(place, &dir)? {
                continue;
            }
            let settings =
                settings_of(self, &home, place).map(clauth_durable::Document::into_bytes).unwrap_or_default();
            let mut work = Work::beside_home(&self.disk, place);
            let kept = keep(&self.disk, &home, &dir, &settings, &mut work);
            let done = work.done();
            done.left
                .iter()
                .chain(kept.as_ref().err())
                .for_each(|error| (self.say)(&format!("left where it is: {error}")));
            for path in &done.conflicts {
                (self.say)(&format!("made in an isolated session, and not put into the home: {}", path.display()));
            }
            if done.left.is_empty() && kept.is_ok() && idle() {
                self.disk.remove_tree(&dir)?;
            }
        }
        let _ = self.disk.vfs.remove_dir(&place.isolated);
        Ok(())
    }

    /// The account that is named where a tree's login is used: by its own state file, unless an isolated session's, which
    /// shares the login, names another. Then nobody is: either may be the one that signed in (S2). In a tree that another
    /// version made it names anybody.
    pub(crate) fn named_in(&self, place: &Place, tree: &ClaudeHome) -> Result<Option<Known>, Error> {
        let Some(named) = self.named_by(tree)?.filter(|_| !place.is_inherited(&self.disk)) else { return Ok(None) };
        for dir in self.isolated(place)? {
            let other = self.named_by(&ClaudeHome::at(&dir, &self.host, &self.disk))?;
            if other.is_some_and(|other| !other.key.agrees(&named.key)) {
                return Ok(None);
            }
        }
        Ok(Some(named))
    }

    /// Whether no state file where a tree's login is used has a block that could name an account: whoever signs in there
    /// writes one (O5).
    pub(crate) fn names_nobody(&self, place: &Place, tree: &ClaudeHome) -> Result<bool, Error> {
        if place.is_inherited(&self.disk) {
            return Ok(false);
        }
        let isolated = self.isolated(place)?;
        let isolated = isolated.iter().map(|dir| ClaudeHome::at(dir, &self.host, &self.disk).state);
        for state in std::iter::once(tree.state.clone()).chain(isolated) {
            let Some(bytes) = self.disk.read(&state)? else { continue };
            if !StateFile::parse(bytes).is_ok_and(|state| state.block().is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The directories of isolated sessions, running or not.
    pub(crate) fn isolated(&self, place: &Place) -> Result<Vec<PathBuf>, Error> {
        let mut dirs: Vec<PathBuf> =
            self.disk.list(&place.isolated)?.iter().map(|name| place.isolated.join(name)).collect();
        dirs.retain(|dir| self.disk.lstat(dir).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir)));
        Ok(dirs)
    }

    /// Whether a session may live in this very directory. One of which it is not known where it lives may live here: its
    /// environment tells where its login is, and that is the tree for all of them.
    fn lives_in(&self, home: &ClaudeHome, place: &Place, dir: &Path) -> bool {
        let running = clauth_claude::running(&self.host, &self.disk, home);
        live(&self.disk, place, &running).iter().any(|live| match live.holder {
            Some(_) if live.since.is_some() => live.config_dir == dir,
            _ => true,
        })
    }

    /// Whether its state file names another account than the tree's while the tree still stands: then it is all that tells
    /// that the login in the tree is not the profile's.
    fn speaks_against(&self, place: &Place, dir: &Path) -> Result<bool, Error> {
        if self.disk.lstat(&place.tree)?.is_none() {
            return Ok(false);
        }
        let by = |dir: &Path| self.named_by(&ClaudeHome::at(dir, &self.host, &self.disk));
        let (tree, other) = (by(&place.tree)?, by(dir)?);
        Ok(tree.zip(other).is_some_and(|(tree, other)| !other.key.agrees(&tree.key)))
    }

    /// The account that a state file names.
    pub(in crate::session) fn named_by(&self, home: &ClaudeHome) -> Result<Option<Known>, Error> {
        let bytes = self.disk.read(&home.state)?;
        Ok(bytes.and_then(|bytes| StateFile::parse(bytes).ok()).as_ref().and_then(Known::of_state))
    }
}
