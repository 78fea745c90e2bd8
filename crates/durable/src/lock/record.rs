//! Records of who is about to take what, so that the fresh locks of a killed clauth are known for debris at once and do
//! not block anybody until they go stale.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::process::{own_start, process_lives};
use super::{Lock, LockOwner};
use crate::Error;
use crate::disk::Disk;

/// A lock that was made but not yet stamped is dated at most so long after its record.
const UNSTAMPED: SignedDuration = SignedDuration::from_secs(2);

/// File systems stamp with a clock that lags the precise one by up to a tick of the kernel.
const TICK: SignedDuration = SignedDuration::from_millis(20);

#[derive(Serialize, Deserialize)]
struct Entry {
    pid: u32,
    start: Option<String>,
    stamp_ms: i64,
    #[serde(with = "crate::path_text::many")]
    paths: Vec<PathBuf>,
}

/// A record of this process.
pub(super) struct Record(pub(super) PathBuf);

/// The records that this process holds at the moment: one with its id that is not among them is a dead namesake's.
static HELD: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn held() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Record {
    fn drop(&mut self) {
        held().remove(&self.0);
    }
}

impl Record {
    /// Writes down what is about to be taken. Not synced: after a power loss every lock looks stale anyway.
    pub(super) fn write(disk: &Disk, records: &Path, stamp: Timestamp, locks: &[Lock]) -> Result<Self, Error> {
        disk.ensure_dir(records)?;
        let pid = std::process::id();
        let paths = locks.iter().map(|lock| match lock {
            Lock::Dir(lock) => lock.path.clone(),
            Lock::File(lock) => lock.dir.clone(),
        });
        let entry = Entry { pid, start: own_start(disk), stamp_ms: stamp.as_millisecond(), paths: paths.collect() };
        let path = records.join(format!("{pid}-{}.json", disk.random.name()));
        let bytes = serde_json::to_vec(&entry).map_err(|error| Error::io("write", &path)(error.into()))?;
        let mut file = disk.vfs.create(&path, 0o600).map_err(Error::io("create", &path))?;
        held().insert(path.clone());
        let record = Self(path);
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(count) if count > 0 => rest = &rest[count..],
                result => {
                    let error = result.err().unwrap_or_else(|| std::io::ErrorKind::WriteZero.into());
                    let error = Error::io("write", &record.0)(error);
                    record.remove(disk);
                    return Err(error);
                }
            }
        }
        Ok(record)
    }

    pub(super) fn remove(&self, disk: &Disk) {
        let _ = disk.vfs.remove_file(&self.0);
    }
}

/// A record that was found, and whether its process was killed.
struct Found {
    path: PathBuf,
    entry: Entry,
    dead: bool,
}

/// All records that can be understood.
fn all(disk: &Disk, records: &Path) -> Result<Vec<Found>, Error> {
    let mut found = Vec::new();
    for path in disk.list(records)?.iter().map(|name| records.join(name)) {
        let read = disk.read(&path)?;
        match read.and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok()) {
            Some(entry) => found.push(Found { dead: is_dead(disk, &path, &entry), path, entry }),
            // Half-written, so nothing was taken on its strength; of a live process it would be whole in a moment.
            None if is_old(disk, &path) => drop(disk.remove_file(&path)?),
            None => {}
        }
    }
    Ok(found)
}

/// The process that holds `lock`, or is about to take it, by its record; `None` where nobody does who lives. Writes nothing.
#[must_use]
pub fn holder(disk: &Disk, records: &Path, lock: &Path) -> Option<u32> {
    let paths = disk.list(records).ok()?.into_iter().map(|name| records.join(name));
    let read =
        |path: PathBuf| serde_json::from_slice::<Entry>(&disk.read(&path).ok()??).ok().map(|entry| (path, entry));
    let mut found: Vec<(PathBuf, Entry)> = paths.filter_map(read).collect();
    found.retain(|(path, entry)| entry.paths.iter().any(|named| named == lock) && !is_gone(disk, path, entry));
    // Who holds it wrote its record before those that wait.
    found.into_iter().min_by_key(|(_, entry)| entry.stamp_ms).map(|(_, entry)| entry.pid)
}

/// Releases what killed processes of ours left locked, so that it blocks nobody until it goes stale. Locks that somebody
/// else has taken since are left alone.
///
/// The innermost goes first, and what stands outside of one that may be ours and cannot be told stays: who finds a
/// refresh lock free renews a login, and must then find the lock of the store free, too, or the new pair is lost (L6).
///
/// # Errors
/// As the system says.
pub fn release_debris(disk: &Disk, records: &Path, owner: &dyn Fn(&Path) -> LockOwner) -> Result<(), Error> {
    let found = all(disk, records)?;
    for record in found.iter().filter(|record| record.dead) {
        let mut freed = true;
        for lock in record.entry.paths.iter().rev() {
            freed &= finish_take_over(disk, lock)?;
            if let Some(stat) = disk.lstat(lock)? {
                freed &= match whose(record, &found, (lock, stat.modified), &|| owner(lock)) {
                    Whose::Left => super::dir::take_over(disk, lock, &stat)?,
                    Whose::Unclear => false,
                    Whose::Others => true,
                };
            }
            if !freed {
                break;
            }
        }
        // What could not be freed stays on record.
        if freed {
            disk.remove_file(&record.path)?;
        }
    }
    Ok(())
}

/// Whose a lock is that a dead record names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// The dead process left it.
    Left,
    /// It may have, and so may somebody who lives.
    Unclear,
    /// Somebody else took it since.
    Others,
}

/// Whose a lock with this mtime is: the dead record's process's, by its stamp; or, where it was killed before it stamped
/// it, because nobody else is known that can have made it then.
fn whose(dead: &Found, all: &[Found], lock: (&Path, Timestamp), owner: &dyn Fn() -> LockOwner) -> Whose {
    let (path, modified) = lock;
    let at = Timestamp::from_millisecond(dead.entry.stamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    if modified == at {
        return Whose::Left;
    }
    let after = modified.duration_since(at);
    if after < -TICK || after > UNSTAMPED {
        return Whose::Others;
    }
    let named = |record: &&Found| record.entry.paths.iter().any(|named| named == path);
    let somebody_else = all.iter().filter(|record| !record.dead).any(|record| named(&record));
    if !somebody_else && owner() == LockOwner::Dead { Whose::Left } else { Whose::Unclear }
}

/// Removes what an interrupted take-over of `lock` moved aside; answers whether nothing of it is left.
fn finish_take_over(disk: &Disk, lock: &Path) -> Result<bool, Error> {
    let (Some(parent), Some(name)) = (lock.parent(), lock.file_name().and_then(|name| name.to_str())) else {
        return Ok(true);
    };
    let mut gone = true;
    let prefix = format!(".{name}.clauth-");
    for aside in disk.list(parent)? {
        if aside.to_str().is_some_and(|aside| aside.starts_with(&prefix)) {
            gone &= disk.vfs.remove_dir(&parent.join(aside)).is_ok();
        }
    }
    Ok(gone)
}

/// Whether a record is too old to be in the making.
fn is_old(disk: &Disk, path: &Path) -> bool {
    let now = disk.clock.file_now();
    disk.vfs.lstat(path).is_ok_and(|stat| now.duration_since(stat.modified) > SignedDuration::from_mins(1))
}

/// Whether a lock is what a dead clauth left behind.
///
/// `own` is the asking process's own record, which names the same locks.
pub(super) fn is_debris(
    disk: &Disk,
    own: &Path,
    lock: &Path,
    modified: Timestamp,
    owner: &dyn Fn() -> LockOwner,
) -> bool {
    let Some(records) = own.parent() else { return false };
    let mut found = all(disk, records).unwrap_or_default();
    found.retain(|record| record.path != own);
    let mut debris = false;
    for record in found.iter().filter(|record| record.dead) {
        if record.entry.paths.iter().all(|path| disk.vfs.lstat(path).is_err()) {
            let _ = disk.vfs.remove_file(&record.path);
        } else if record.entry.paths.iter().any(|path| path == lock) {
            debris |= whose(record, &found, (lock, modified), owner) == Whose::Left;
        }
    }
    debris
}

/// Whether a record's process was killed. One that ended in order, after its record was read here, took it along.
fn is_dead(disk: &Disk, path: &Path, entry: &Entry) -> bool {
    is_gone(disk, path, entry) && disk.vfs.lstat(path).is_ok()
}

fn is_gone(disk: &Disk, path: &Path, entry: &Entry) -> bool {
    if entry.pid == std::process::id() {
        return !held().contains(path);
    }
    // One that was killed, and whose parent does not ask for its exit code, holds nothing either.
    !process_lives(disk, entry.pid, entry.start.as_deref())
}
