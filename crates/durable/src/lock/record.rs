//! Records of who is about to take what, so that the fresh locks of a killed clauth are known for debris at once and do
//! not block anybody until they go stale.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Lock, LockOwner};
use crate::disk::Disk;
use crate::Error;

/// A lock that was made but not yet stamped is dated at most so long after its record.
const UNSTAMPED: SignedDuration = SignedDuration::from_secs(2);

#[derive(Serialize, Deserialize)]
struct Entry {
    pid: u32,
    start: Option<String>,
    stamp_ms: i64,
    paths: Vec<PathBuf>,
}

/// A record of this process.
pub(super) struct Record(PathBuf);

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
        let entry = Entry { pid, start: start_of(disk, pid), stamp_ms: stamp.as_millisecond(), paths: paths.collect() };
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

/// Whether a lock is what a dead clauth left behind.
pub(super) fn is_debris(disk: &Disk, records: &Path, lock: &Path, modified: Timestamp, owner: &dyn Fn() -> LockOwner) -> bool {
    let names = disk.list(records).unwrap_or_default();
    let mut debris = false;
    for path in names.iter().map(|name| records.join(name)) {
        let Some(entry) = disk.read(&path).ok().flatten().and_then(|bytes| serde_json::from_slice::<Entry>(&bytes).ok()) else { continue };
        if !is_dead(disk, &path, &entry) {
            continue;
        }
        if entry.paths.iter().all(|path| disk.vfs.lstat(path).is_err()) {
            let _ = disk.vfs.remove_file(&path);
            continue;
        }
        if entry.paths.iter().any(|path| path == lock) {
            let at = Timestamp::from_millisecond(entry.stamp_ms).unwrap_or(Timestamp::UNIX_EPOCH);
            let unstamped = modified >= at && modified.duration_since(at) <= UNSTAMPED;
            debris |= modified == at || (unstamped && owner() == LockOwner::Dead);
        }
    }
    debris
}

fn is_dead(disk: &Disk, path: &Path, entry: &Entry) -> bool {
    if process_is_gone(entry.pid) {
        return true;
    }
    if entry.pid == std::process::id() {
        return !held().contains(path);
    }
    match (&entry.start, start_of(disk, entry.pid)) {
        (Some(recorded), Some(now)) => *recorded != now,
        _ => false,
    }
}

/// When a process began, in the system's own words; proc(5), field 22 of `stat`.
fn start_of(disk: &Disk, pid: u32) -> Option<String> {
    let bytes = disk.vfs.read(Path::new(&format!("/proc/{pid}/stat")), 4096).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // The command's name, in parentheses, may hold anything; the fields that count follow the last one.
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(19).map(str::to_owned)
}

/// Whether no process has this id; false where the system cannot tell.
#[cfg(unix)]
#[must_use]
pub fn process_is_gone(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return true };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

/// Whether no process has this id; false where the system cannot tell.
#[cfg(not(unix))]
#[must_use]
pub fn process_is_gone(_: u32) -> bool {
    false
}
