//! A home with locks, in which time passes only when somebody waits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_host::{Clock, Random};
use jiff::SignedDuration;

use super::super::{DirLock, FileLock, Held, Lock, LockOwner, Rules, acquire};
use crate::testing::{Fake, Poor, Scratch};
use crate::vfs::{RealVfs, Vfs};
use crate::{Disk, Error};

/// What was said about waiting: name, path, age, holder, and when it was said.
pub(super) type Told = (String, PathBuf, Duration, Option<String>, Duration);

/// After so long without a sign of life these locks are stale.
pub(super) const STALE: Duration = Duration::from_secs(60);

/// The program's own deadline.
pub(super) const DEADLINE: Duration = Duration::from_secs(9);

pub(super) struct Bench {
    pub(super) home: Scratch,
    pub(super) time: Fake,
    pub(super) disk: Disk,
    pub(super) told: Mutex<Vec<Told>>,
}

impl Bench {
    pub(super) fn new(name: &str) -> Self {
        Self::with_time(name, Fake::new())
    }

    /// For locks that somebody made and did not come to stamp.
    pub(super) fn with_real_files(name: &str) -> Self {
        Self::with_time(name, Fake::with_real_files())
    }

    fn with_time(name: &str, time: Fake) -> Self {
        let disk = Disk::new(Clock::new(time.clone()), Random::seeded(7)).with_vfs(Arc::new(Poor::RICH));
        Self { home: Scratch::new(name), time, disk, told: Mutex::default() }
    }

    /// The same home on a disk that does what `vfs` does.
    pub(super) fn disk_on(&self, vfs: impl Vfs + 'static) -> Disk {
        self.disk.clone().with_vfs(Arc::new(vfs))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path(name)
    }

    pub(super) fn records(&self) -> PathBuf {
        self.path("locks/held")
    }

    /// A lock directory.
    pub(super) fn dir(&self, name: &str) -> Lock {
        Lock::Dir(DirLock { path: self.path(name), stale: STALE, name: format!("the {name}") })
    }

    /// A file lock with its directory.
    pub(super) fn file(&self, name: &str) -> Lock {
        let file = self.path(&format!("locks/{name}.lock"));
        Lock::File(FileLock { file, dir: self.path(&format!("locks/{name}.d")), name: format!("the {name}") })
    }

    pub(super) fn acquire(&self, locks: &[Lock], owner: &LockOwner) -> Result<Held, Error> {
        self.acquire_on(&self.disk, locks, owner)
    }

    pub(super) fn acquire_on(&self, disk: &Disk, locks: &[Lock], owner: &LockOwner) -> Result<Held, Error> {
        let tell = |waiting: &super::super::Waiting<'_>| {
            let holder = waiting.holder.map(str::to_owned);
            let told = (waiting.name.to_owned(), waiting.path.to_owned(), waiting.age, holder, self.time.passed());
            self.told.lock().expect("not poisoned").push(told);
        };
        let owner = |_: &Path| owner.clone();
        let rules = Rules { records: self.records(), deadline: DEADLINE, waiting: &tell, owner: &owner };
        acquire(disk, locks, &rules)
    }

    /// Somebody else's lock directory that gave its last sign of life so long ago; negative for one dated ahead.
    pub(super) fn foreign(&self, name: &str, seconds_ago: i64) -> PathBuf {
        let path = self.home.dir(name);
        stamp(&path, &self.time, SignedDuration::from_secs(seconds_ago));
        path
    }

    /// Which of these are there.
    pub(super) fn standing(&self, names: &[&str]) -> Vec<String> {
        let there = |name: &&&str| RealVfs.lstat(&self.path(name)).is_ok();
        names.iter().filter(there).map(|name| (*name).to_owned()).collect()
    }

    /// How many records stand.
    pub(super) fn recorded(&self) -> usize {
        self.disk.list(&self.records()).expect("names").len()
    }
}

/// Dates a lock as its owner would have, so long before the bench's now.
pub(super) fn stamp(path: &Path, time: &Fake, ago: SignedDuration) {
    use clauth_host::Time as _;
    RealVfs.set_modified(path, time.file_now() - ago).expect("a stamp");
}

pub(super) fn alive() -> LockOwner {
    LockOwner::Alive("claude (pid 4711)".to_owned())
}
