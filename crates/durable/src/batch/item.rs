//! One change of an item. Nothing can be exchanged there, so W2 becomes: read, compare, write, read back, compare. What
//! stood there lies in a file of our own meanwhile, since nothing else on disk may hold all of it.

use std::path::{Path, PathBuf};

use super::change::{Change, CommitError};
use crate::items::not_taken;
use crate::{Disk, Document, Error};

pub(super) struct ItemStep {
    change: Change,
    name: String,
    copy: PathBuf,
    staged: bool,
    /// It was begun to be written, and not seen to hold what it held before.
    begun: bool,
}

impl ItemStep {
    pub(super) fn plan(own_root: &Path, id: &str, name: String, change: Change) -> Self {
        Self { copy: own_root.join(format!(".item.clauth-{id}")), change, name, staged: false, begun: false }
    }

    /// Where the former content lies meanwhile.
    pub(super) fn copy(&self) -> &Path {
        &self.copy
    }

    pub(super) fn kept(&self) -> Vec<PathBuf> {
        if self.staged { vec![self.copy.clone()] } else { Vec::new() }
    }

    pub(super) fn stage(&mut self, disk: &Disk) -> Result<(), Error> {
        let Some(before) = &self.change.before else { return Ok(()) };
        self.staged = true;
        disk.stage(&self.copy, before, 0o600, None)?;
        disk.sync_parent(&self.copy)
    }

    pub(super) fn swap_in(&mut self, disk: &Disk) -> Result<(), CommitError> {
        if self.find(disk)? != self.change.before {
            return Err(self.moved());
        }
        if self.change.before == self.change.after {
            return Ok(());
        }
        self.begun = true;
        self.put(disk, self.change.after.as_deref())?;
        let found = self.find(disk)?;
        if found == self.change.after {
            return Ok(());
        }
        if found == self.change.before || self.is_somebodys(found.as_deref()) {
            self.begun = false;
        }
        // A whole object that is neither is what somebody wrote over ours: theirs stands, and all else is taken back.
        if found != self.change.before && !self.begun {
            return Err(self.moved());
        }
        Err(not_taken(&self.change.path).into())
    }

    /// Puts back what stood before, and sees that it stands.
    pub(super) fn swap_back(&mut self, disk: &Disk) -> Result<(), Error> {
        if !self.begun {
            return Ok(());
        }
        let found = self.find(disk)?;
        if found != self.change.before {
            if found != self.change.after && self.is_somebodys(found.as_deref()) {
                return Err(Error::Moved { path: self.change.path.clone() });
            }
            self.put(disk, self.change.before.as_deref())?;
            if self.find(disk)? != self.change.before {
                return Err(not_taken(&self.change.path));
            }
        }
        self.begun = false;
        Ok(())
    }

    fn find(&self, disk: &Disk) -> Result<Option<Vec<u8>>, Error> {
        disk.read_item(&self.change.path, &self.name)
    }

    fn put(&self, disk: &Disk, bytes: Option<&[u8]>) -> Result<(), Error> {
        match bytes {
            Some(bytes) => disk.put_item(&self.change.path, &self.name, bytes),
            None => disk.remove_item(&self.change.path, &self.name).map(drop),
        }
    }

    /// Whether these bytes are a whole object, so that somebody meant them; half of ours is none.
    fn is_somebodys(&self, found: Option<&[u8]>) -> bool {
        found.is_none_or(|bytes| Document::parse(bytes.to_vec()).is_ok())
    }

    fn moved(&self) -> CommitError {
        CommitError::Moved { path: self.change.path.clone() }
    }
}
