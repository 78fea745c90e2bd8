//! One lock directory (K4, K5).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::acquire::{STANDSTILL, Sightings};
use super::held::Guard;
use super::{DirLock, LockOwner, Rules, record};
use crate::vfs::{Kind, Stat};
use crate::{Disk, Error};

/// A lock dated further ahead than this is not to be believed.
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// A lock that somebody else holds.
pub(super) struct Busy {
    pub(super) path: PathBuf,
    pub(super) age: Duration,
    pub(super) holder: Option<String>,
    pub(super) name: String,
    /// It looks stale and is watched for standing still.
    pub(super) watched: bool,
    /// What is there that no waiting removes.
    pub(super) blocked: Option<&'static str>,
}

/// One try for all locks: when it began, under which record, and what earlier ones saw.
pub(super) struct Turn<'a> {
    pub(super) stamp: Timestamp,
    pub(super) record: PathBuf,
    pub(super) sightings: &'a mut Sightings,
}

/// How one try ended.
pub(super) enum Attempt {
    Taken(Guard),
    Busy(Busy),
}

/// A time as lock directories carry it: whole milliseconds.
pub(super) fn stamp(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// How long ago a lock gave a sign of life.
pub(super) fn age(disk: &Disk, path: &Path) -> Option<Duration> {
    let stat = disk.vfs.lstat(path).ok()?;
    Some(Duration::try_from(disk.clock.file_now().duration_since(stat.modified)).unwrap_or_default())
}

/// Tries to take a lock directory.
pub(super) fn attempt(disk: &Disk, lock: &DirLock, rules: &Rules<'_>, turn: &mut Turn<'_>) -> Result<Attempt, Error> {
    // Twice: the second time after what stood there was taken over or went by itself.
    for _ in 0..2 {
        match disk.vfs.create_dir(&lock.path, 0o700) {
            Ok(()) => match taken(disk, lock, turn.stamp)? {
                Some(guard) => return Ok(Attempt::Taken(guard)),
                None => continue,
            },
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(Error::io("take the lock", &lock.path)(error)),
        }
        let Some(stat) = disk.lstat(&lock.path)? else { continue };
        let busy = |holder, watched, blocked| Busy {
            age: age(disk, &lock.path).unwrap_or_default(),
            path: lock.path.clone(),
            name: lock.name.clone(),
            holder,
            watched,
            blocked,
        };
        let (free, holder, watched) = verdict(disk, lock, &stat, rules, turn);
        if stat.kind != Kind::Dir {
            return Ok(Attempt::Busy(busy(
                holder,
                watched,
                Some("a file or link, where a lock is an empty directory"),
            )));
        }
        if !free {
            return Ok(Attempt::Busy(busy(holder, watched, None)));
        }
        if !take_over(disk, &lock.path, &stat)? {
            let full = !disk.list(&lock.path)?.is_empty();
            let blocked = full.then_some("a dead lock with something in it, so that it cannot be taken over");
            return Ok(Attempt::Busy(busy(holder, watched, blocked)));
        }
    }
    Ok(Attempt::Busy(Busy {
        path: lock.path.clone(),
        age: Duration::ZERO,
        holder: None,
        name: lock.name.clone(),
        watched: false,
        blocked: None,
    }))
}

/// Stamps the directory that was just made; `None` when it is no longer the one that stands there.
fn taken(disk: &Disk, lock: &DirLock, stamp: Timestamp) -> Result<Option<Guard>, Error> {
    let Some(made) = disk.lstat(&lock.path)? else { return Ok(None) };
    let is_made = |stat: &Stat| (stat.dev, stat.ino) == (made.dev, made.ino);
    match disk.vfs.set_modified(&lock.path, stamp).and_then(|()| disk.vfs.lstat(&lock.path)) {
        Ok(stat) if is_made(&stat) => {
            Ok(Some(Guard { path: lock.path.clone(), dev: stat.dev, ino: stat.ino, stamp: stat.modified, file: None }))
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => {
            if disk.vfs.lstat(&lock.path).is_ok_and(|stat| is_made(&stat)) {
                let _ = disk.vfs.remove_dir(&lock.path);
            }
            Err(Error::io("stamp the lock", &lock.path)(error))
        }
    }
}

/// Whether a lock that stands may be taken over, who may hold it, and whether it is being watched (K5).
fn verdict(
    disk: &Disk,
    lock: &DirLock,
    stat: &Stat,
    rules: &Rules<'_>,
    turn: &mut Turn<'_>,
) -> (bool, Option<String>, bool) {
    let stale = is_stale(disk, lock, stat);
    let owner = || (rules.owner)(&lock.path);
    if !stale {
        let debris = record::is_debris(disk, &turn.record, &lock.path, stat.modified, &owner);
        let holder = if debris { None } else { words(owner()) };
        return (debris, holder, false);
    }
    let owner = owner();
    if owner == LockOwner::Dead {
        return (true, None, false);
    }
    (stood_still(disk, lock, stat, turn.sightings) >= STANDSTILL, words(owner), true)
}

/// Whether a lock looks stale, or is dated further ahead than is to be believed (K5).
fn is_stale(disk: &Disk, lock: &DirLock, stat: &Stat) -> bool {
    let age = disk.clock.file_now().duration_since(stat.modified);
    age > SignedDuration::try_from(lock.stale).unwrap_or(SignedDuration::MAX) || age < -AHEAD
}

/// For how long a stale lock's mtime has stood still, as far as we have seen.
fn stood_still(disk: &Disk, lock: &DirLock, stat: &Stat, sightings: &mut Sightings) -> Duration {
    let now = disk.clock.monotonic();
    let (seen, since) = sightings.entry(lock.path.clone()).or_insert((stat.modified, now));
    if *seen != stat.modified {
        (*seen, *since) = (stat.modified, now);
    }
    now.saturating_sub(*since)
}

/// Looks at a lock whose turn has not come, so that its standstill counts from now on.
pub(super) fn watch(disk: &Disk, lock: &DirLock, sightings: &mut Sightings) {
    if let Ok(Some(stat)) = disk.lstat(&lock.path)
        && is_stale(disk, lock, &stat)
    {
        stood_still(disk, lock, &stat, sightings);
    }
}

fn words(owner: LockOwner) -> Option<String> {
    match owner {
        LockOwner::Alive(who) => Some(who),
        LockOwner::Dead | LockOwner::Unknown => None,
    }
}

/// Moves a dead lock away and removes it. Of two that try, one moves what it looked at; the other finds that it moved
/// something else, and puts it back. Answers whether the place is free.
pub(super) fn take_over(disk: &Disk, path: &Path, seen: &Stat) -> Result<bool, Error> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let aside = path.with_file_name(format!(".{name}.clauth-{}", disk.random.name()));
    match disk.vfs.rename_new(path, &aside) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        Err(error) => return Err(Error::io("take over the lock", path)(error)),
    }
    let same = disk
        .vfs
        .lstat(&aside)
        .is_ok_and(|moved| (moved.dev, moved.ino, moved.modified) == (seen.dev, seen.ino, seen.modified));
    // A directory with something inside cannot go, and stays what it was: somebody's.
    if same && disk.vfs.remove_dir(&aside).is_ok() {
        return Ok(true);
    }
    let _ = disk.vfs.rename_new(&aside, path);
    Ok(false)
}
