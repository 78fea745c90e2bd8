//! Locks (K2–K6): all taken by trying, in one order, with a name, a deadline and a waiting message.

mod acquire;
mod dir;
mod heart;
mod held;
mod inherit;
mod process;
mod record;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::Duration;

pub use acquire::acquire;
#[cfg(test)]
pub(crate) use heart::HEART;
pub(crate) use heart::is_heart;
pub use held::Held;
pub use inherit::heir;
pub use process::{process_is_gone, process_lives, process_start};
pub use record::{holder, release_debris};

/// A `proper-lockfile` directory: `mkdir` is the mutex, the mtime a sign of life (K4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirLock {
    /// The directory.
    pub path: PathBuf,
    /// Without a sign of life for so long it may be taken over.
    pub stale: Duration,
    /// What it guards, for messages.
    pub name: String,
}

/// An OS file lock with a sibling lock directory, since file locks are void on some network homes (K6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileLock {
    /// The file that is locked; never deleted.
    pub file: PathBuf,
    /// The sibling directory.
    pub dir: PathBuf,
    /// What it guards, for messages.
    pub name: String,
}

/// A lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lock {
    /// A lock directory.
    Dir(DirLock),
    /// A file lock with its directory.
    File(FileLock),
}

/// What is being waited for.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// What the lock guards.
    pub name: &'a str,
    /// The lock.
    pub path: &'a Path,
    /// Since its last sign of life.
    pub age: Duration,
    /// Who holds it, where that is known.
    pub holder: Option<&'a str>,
}

/// Whether somebody who could hold a lock is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockOwner {
    /// Such a process is alive; in words.
    Alive(String),
    /// None is.
    Dead,
    /// The system cannot tell.
    Unknown,
}

/// How locks are taken.
pub struct Rules<'a> {
    /// Where it is recorded what this process is about to take.
    pub records: PathBuf,
    /// How long is tried in all.
    pub deadline: Duration,
    /// Called once, after half a second of waiting.
    pub waiting: &'a dyn Fn(&Waiting<'_>),
    /// Whether a process that could hold this lock is alive (K5).
    pub owner: &'a dyn Fn(&Path) -> LockOwner,
}
