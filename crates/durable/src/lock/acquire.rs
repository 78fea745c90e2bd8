//! Taking all locks, or none (K2).

use std::collections::HashMap;
use std::fs::TryLockError;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

use super::dir::{self, Attempt, Busy, Turn};
use super::held::{Guard, Held};
use super::record::Record;
use super::{DirLock, FileLock, Lock, Rules, Waiting};
use crate::vfs::is_void;
use crate::{Disk, Error};

/// How long a stale-looking lock must have stood still before it is taken over while its owner may live (K5).
pub(super) const STANDSTILL: Duration = Duration::from_secs(12);

/// After so long somebody is told what is waited for.
const QUIET: Duration = Duration::from_millis(500);

/// Our own lock directories go stale as Claude Code's refresh locks do.
const OURS_STALE: Duration = Duration::from_secs(60);

/// Since when a lock's mtime has stood still, by our own monotonic time.
pub(super) type Sightings = HashMap<PathBuf, (Timestamp, Duration)>;

/// Takes all `locks` in order, by trying: if one is taken, all are released, and after a pause everything begins anew.
///
/// # Errors
/// [`Error::Busy`] when a lock stays taken until the deadline, or as the system says.
pub fn acquire(disk: &Disk, locks: &[Lock], rules: &Rules<'_>) -> Result<Held, Error> {
    let began = disk.clock.monotonic();
    let mut told = false;
    let mut sightings = Sightings::new();
    loop {
        let busy = match attempt(disk, locks, rules, &mut sightings)? {
            Ok(held) => return Ok(held),
            Err(busy) => busy,
        };
        let waited = disk.clock.monotonic().saturating_sub(began);
        let deadline =
            if busy.watched { rules.deadline.max(STANDSTILL + Duration::from_secs(1)) } else { rules.deadline };
        if let Some(what) = busy.blocked.filter(|_| waited >= deadline) {
            return Err(Error::Blocked { path: busy.path, what, name: busy.name });
        }
        if waited >= deadline {
            return Err(Error::Busy { path: busy.path, age: busy.age, holder: busy.holder, name: busy.name });
        }
        if waited >= QUIET && !told {
            told = true;
            (rules.waiting)(&Waiting {
                name: &busy.name,
                path: &busy.path,
                age: busy.age,
                holder: busy.holder.as_deref(),
            });
        }
        disk.clock.sleep(Duration::from_millis(disk.random.between(100, 300)));
    }
}

/// One try for all of them. What was taken is released again when one is not to be had.
fn attempt(
    disk: &Disk,
    locks: &[Lock],
    rules: &Rules<'_>,
    sightings: &mut Sightings,
) -> Result<Result<Held, Busy>, Error> {
    let stamp = dir::stamp(disk.clock.file_now());
    let record = Record::write(disk, &rules.records, stamp, locks)?;
    let mut turn = Turn { stamp, record: record.0.clone(), sightings };
    let held = Held::new(disk, record);
    for (at, lock) in locks.iter().enumerate() {
        let taken = match lock {
            Lock::Dir(lock) => dir::attempt(disk, lock, rules, &mut turn)?,
            Lock::File(lock) => attempt_file(disk, lock, rules, &mut turn)?,
        };
        match taken {
            Attempt::Taken(guard) => held.add(guard),
            Attempt::Busy(busy) => {
                // Those behind it stand still at the same time: each watched for itself, four would outlast any deadline.
                locks[at + 1..].iter().for_each(|later| watch(disk, later, sightings));
                return Ok(Err(busy));
            }
        }
    }
    held.beat();
    Ok(Ok(held))
}

fn watch(disk: &Disk, lock: &Lock, sightings: &mut Sightings) {
    match lock {
        Lock::Dir(lock) => dir::watch(disk, lock, sightings),
        Lock::File(lock) => dir::watch(disk, &beside(lock), sightings),
    }
}

/// The directory beside a file lock.
fn beside(lock: &FileLock) -> DirLock {
    DirLock { path: lock.dir.clone(), stale: OURS_STALE, name: lock.name.clone() }
}

/// The OS lock first, then the directory beside it (K6). A system that knows no file locks has the directory alone.
fn attempt_file(disk: &Disk, lock: &FileLock, rules: &Rules<'_>, turn: &mut Turn<'_>) -> Result<Attempt, Error> {
    if let Some(parent) = lock.file.parent() {
        disk.ensure_dir(parent)?;
    }
    let file = disk.vfs.open_lock(&lock.file).map_err(Error::io("open the lock", &lock.file))?;
    let file = match disk.vfs.try_lock(&file) {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => {
            let age = dir::age(disk, &lock.dir).unwrap_or_default();
            return Ok(Attempt::Busy(Busy {
                path: lock.file.clone(),
                age,
                holder: None,
                name: lock.name.clone(),
                watched: false,
                blocked: None,
            }));
        }
        Err(TryLockError::Error(error)) if is_void(&error) => None,
        Err(TryLockError::Error(error)) => return Err(Error::io("lock", &lock.file)(error)),
    };
    Ok(match dir::attempt(disk, &beside(lock), rules, turn)? {
        Attempt::Taken(guard) => Attempt::Taken(Guard { file, ..guard }),
        busy @ Attempt::Busy(_) => busy,
    })
}
