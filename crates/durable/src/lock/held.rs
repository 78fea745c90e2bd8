//! Locks that are held.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{heart, record::Record};
use crate::{Disk, Error};

/// What one operation holds.
pub(super) type Guards = Mutex<Vec<Guard>>;

/// One lock directory of ours.
pub(super) struct Guard {
    pub(super) path: PathBuf,
    pub(super) dev: u64,
    pub(super) ino: u64,
    pub(super) stamp: Timestamp,
    /// The OS lock beside it, released when this is dropped.
    #[expect(dead_code, reason = "held for its drop, which releases the OS lock")]
    pub(super) file: Option<File>,
}

impl Guard {
    /// Whether the directory that stands there is the one that we made and stamped last (K4).
    pub(super) fn is_ours(&self, disk: &Disk) -> bool {
        let found = disk.vfs.lstat(&self.path);
        found.is_ok_and(|stat| (stat.dev, stat.ino, stat.modified) == (self.dev, self.ino, self.stamp))
    }
}

/// All locks of one operation. They are released when this is dropped, last taken first, as far as they are still ours.
#[must_use = "locks are released when this is dropped"]
pub struct Held {
    disk: Disk,
    guards: Arc<Guards>,
    record: Option<Record>,
}

impl Held {
    pub(super) fn new(disk: &Disk, record: Record) -> Self {
        Self { disk: disk.clone(), guards: Arc::default(), record: Some(record) }
    }

    pub(super) fn add(&self, guard: Guard) {
        lock(&self.guards).push(guard);
    }

    /// Begins to give signs of life.
    pub(super) fn beat(&self) {
        heart::beat_for(&self.disk, &self.guards);
    }

    /// One sign of life now.
    #[cfg(test)]
    pub(super) fn sign(&self) {
        heart::sign(&self.disk, &self.guards);
    }

    /// Checks that every lock is still ours. Done before every write under them.
    ///
    /// # Errors
    /// [`Error::Lost`], naming the first that is not.
    pub fn check(&self) -> Result<(), Error> {
        let guards = lock(&self.guards);
        match guards.iter().find(|guard| !guard.is_ours(&self.disk)) {
            None => Ok(()),
            Some(lost) => Err(Error::Lost { path: lost.path.clone() }),
        }
    }
}

pub(super) fn lock(guards: &Guards) -> MutexGuard<'_, Vec<Guard>> {
    guards.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut all_gone = true;
        let mut guards = lock(&self.guards);
        while let Some(guard) = guards.pop() {
            if guard.is_ours(&self.disk) {
                all_gone &= self.disk.vfs.remove_dir(&guard.path).is_ok();
            }
        }
        // A lock that could not be released stays on record, so that the next of us knows it for debris.
        if let Some(record) = self.record.take().filter(|_| all_gone) {
            record.remove(&self.disk);
        }
    }
}
