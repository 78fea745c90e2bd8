//! Locks that are held.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;

use super::{dir, record::Record};
use crate::{Disk, Error};

/// How often a held lock gives a sign of life (facts §2.3).
const BEAT: Duration = Duration::from_secs(5);

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
    fn is_ours(&self, disk: &Disk) -> bool {
        let found = disk.vfs.lstat(&self.path);
        found.is_ok_and(|stat| (stat.dev, stat.ino, stat.modified) == (self.dev, self.ino, self.stamp))
    }
}

/// All locks of one operation. They are released when this is dropped, last taken first, as far as they are still ours.
#[must_use = "locks are released when this is dropped"]
pub struct Held {
    disk: Disk,
    guards: Arc<Mutex<Vec<Guard>>>,
    record: Option<Record>,
    heart: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Held {
    pub(super) fn new(disk: &Disk, record: Record) -> Self {
        Self { disk: disk.clone(), guards: Arc::default(), record: Some(record), heart: None }
    }

    pub(super) fn add(&self, guard: Guard) {
        lock(&self.guards).push(guard);
    }

    /// Begins to give signs of life.
    pub(super) fn beat(&mut self) {
        let (stop, stopped) = mpsc::channel();
        let (disk, guards) = (self.disk.clone(), Arc::clone(&self.guards));
        let heart = std::thread::Builder::new().name("clauth-locks".into()).spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                lock(&guards).iter_mut().for_each(|guard| restamp(&disk, guard));
            }
        });
        self.heart = heart.ok().map(|heart| (stop, heart));
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

/// A sign of life, unless the lock was taken from us.
fn restamp(disk: &Disk, guard: &mut Guard) {
    if !guard.is_ours(disk) {
        return;
    }
    let stamped = disk.vfs.set_modified(&guard.path, dir::stamp(disk.clock.file_now()));
    if let Ok(stat) = stamped.and_then(|()| disk.vfs.lstat(&guard.path)) {
        guard.stamp = stat.modified;
    }
}

fn lock(guards: &Mutex<Vec<Guard>>) -> MutexGuard<'_, Vec<Guard>> {
    guards.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((stop, heart)) = self.heart.take() {
            drop(stop);
            let _ = heart.join();
        }
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
