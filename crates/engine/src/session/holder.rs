//! Who lives in a tree (S1): one locked file for each session, for as long as its `claude` lives, even when the
//! `clauth start` that began it is killed.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clauth_claude::RunningClaude;
use clauth_durable::lock::heir;
use clauth_durable::vfs::is_void;
use clauth_durable::{Disk, Error as DiskError};
use jiff::Timestamp;

use super::Place;
use super::record::{Process, Record};
use crate::Error;

/// Somebody who only looks holds the lock for a moment.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// So many sessions of former processes with our id may still be alive.
const NAMESAKES: usize = 100;

/// A session of ours, held until this is released, or this process and every child that inherited it are gone.
///
/// Dropping it without [`Holder::release`] leaves its files to [`prune`].
#[derive(Debug)]
pub(crate) struct Holder {
    file: File,
    path: PathBuf,
    record: Record,
}

/// A session that may be alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Live {
    /// The process that holds it, by its holder's name; `None` for a `claude` without a holder, and where the holders
    /// cannot be listed.
    pub(crate) holder: Option<u32>,
    /// The `claude`, where it is known.
    pub(crate) claude: Option<u32>,
    /// The config directory that it was given.
    pub(crate) config_dir: PathBuf,
    /// When it began, where that is known.
    pub(crate) since: Option<Timestamp>,
}

impl Holder {
    /// Begins a session of this process in the profile's tree.
    #[cfg(test)]
    pub(crate) fn take(disk: &Disk, place: &Place) -> Result<Self, Error> {
        Self::take_in(disk, place, &place.tree)
    }

    /// Begins a session of this process whose child is given this `CLAUDE_CONFIG_DIR`. The caller holds the state lock.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn take_in(disk: &Disk, place: &Place, config_dir: &Path) -> Result<Self, Error> {
        disk.ensure_dir(&place.holders)?;
        let pid = std::process::id();
        for number in 1..=NAMESAKES {
            // The child of a dead process that had our id may still hold its name.
            let name = if number == 1 { pid.to_string() } else { format!("{pid}-{number}") };
            let path = place.holders.join(name);
            let Some(file) = lock(disk, &path)? else { continue };
            let holder = Self { file, path, record: Record::new(disk, config_dir) };
            holder.record.write(disk, &holder.record_path())?;
            return Ok(holder);
        }
        Err(Error::Contended { path: place.holders.clone() })
    }

    /// A descriptor of the lock that a child gets which is started while it lives (see [`heir`] for Windows).
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn inherit(&self) -> Result<File, Error> {
        heir(&self.file).map_err(Error::io("pass on the lock", &self.path))
    }

    /// Records the child, right after it was started and before it is waited for.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn started(&mut self, disk: &Disk, child: u32) -> Result<(), Error> {
        self.record.child = Some(Process::of(disk, child));
        self.record.write(disk, &self.record_path())
    }

    /// The child was waited for: whatever has its id from now on is not it.
    pub(crate) fn ended(&mut self) {
        self.record.child = None;
    }

    /// Ends the session. Answers whether it is over: where a child still lives, its files stay, since its lock must be
    /// found. The caller holds the state lock.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn release(self, disk: &Disk) -> Result<bool, Error> {
        let (path, record) = (self.path.clone(), self.record_path());
        let child = self.record.child.as_ref().is_some_and(|child| child.lives(disk));
        drop(self.file);
        if child || !is_free(disk, &path) {
            return Ok(false);
        }
        disk.remove_file(&record)?;
        disk.remove_file(&path)?;
        Ok(true)
    }

    fn record_path(&self) -> PathBuf {
        self.path.with_extension("json")
    }
}

/// Takes the lock of a holder; `None` when somebody else has it.
fn lock(disk: &Disk, path: &Path) -> Result<Option<File>, Error> {
    for _ in 0..TRIES {
        let file = disk.vfs.open_lock(path).map_err(Error::io("open the lock", path))?;
        match disk.vfs.try_lock(&file) {
            // A file that was removed between its creation and its locking is nobody's sign of life.
            Ok(()) if look(disk, path) == Lock::Held => return Ok(Some(file)),
            Ok(()) | Err(TryLockError::WouldBlock) => disk.clock.sleep(PAUSE),
            // Then the record alone tells.
            Err(TryLockError::Error(error)) if is_void(&error) => return Ok(Some(file)),
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        }
    }
    Ok(None)
}

/// Whether nobody has a holder's lock any more; a process that another thread is just starting has it for a moment.
fn is_free(disk: &Disk, path: &Path) -> bool {
    (0..TRIES).any(|attempt| {
        if attempt > 0 {
            disk.clock.sleep(PAUSE);
        }
        !matches!(look(disk, path), Lock::Held | Lock::Unknown)
    })
}

/// What a holder's lock tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Held,
    Free,
    /// There is no such file.
    Gone,
    /// This file system knows no locks.
    Void,
    Unknown,
}

/// Looks without creating anything: the file of a sibling that has not locked it yet would seem to be ours.
fn look(disk: &Disk, path: &Path) -> Lock {
    let file = match disk.vfs.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Lock::Gone,
        Err(_) => return Lock::Unknown,
    };
    // Shared, so that two who look at once do not take each other for a session.
    match file.try_lock_shared() {
        Ok(()) => Lock::Free,
        Err(TryLockError::WouldBlock) => Lock::Held,
        Err(TryLockError::Error(error)) if is_void(&error) => Lock::Void,
        Err(TryLockError::Error(_)) => Lock::Unknown,
    }
}

/// The sessions of a profile that may be alive: by their holders, 0.4.0's included, by the recorded processes, and by the
/// `running` ones that use its tree. Nothing is written.
#[must_use]
pub(crate) fn live(disk: &Disk, place: &Place, running: &[RunningClaude]) -> Vec<Live> {
    let mut found: Vec<Live> = match names(disk, place) {
        Ok(names) => names.iter().filter_map(|name| one(disk, place, name)).collect(),
        Err(_) => vec![Live { holder: None, claude: None, config_dir: place.tree.clone(), since: None }],
    };
    for claude in running {
        let known = found.iter().any(|live| live.claude == Some(claude.pid));
        if !known && is_same(disk, &claude.config_dir, &place.tree) {
            found.push(Live {
                holder: None,
                claude: Some(claude.pid),
                config_dir: claude.config_dir.clone(),
                since: claude.started_at,
            });
        }
    }
    found
}

/// Removes what dead sessions left, and answers which are alive. The caller holds the state lock.
///
/// # Errors
/// As the system says.
pub(crate) fn prune(disk: &Disk, place: &Place, running: &[RunningClaude]) -> Result<Vec<Live>, Error> {
    for name in names(disk, place)? {
        if one(disk, place, &name).is_none() {
            disk.remove_file(&place.holders.join(format!("{name}.json")))?;
            disk.remove_file(&place.holders.join(name))?;
        }
    }
    Ok(live(disk, place, running))
}

/// The names of the holders and of records without one.
fn names(disk: &Disk, place: &Place) -> Result<BTreeSet<String>, DiskError> {
    let names = disk.list(&place.holders)?.into_iter().filter_map(|name| name.into_string().ok());
    Ok(names
        .map(|name| name.strip_suffix(".json").unwrap_or(&name).to_owned())
        .filter(|name| is_holder(name))
        .collect())
}

fn is_holder(name: &str) -> bool {
    let (pid, number) = name.split_once('-').unwrap_or((name, "1"));
    [pid, number].iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A holder's session, unless it is dead.
fn one(disk: &Disk, place: &Place, name: &str) -> Option<Live> {
    let lock = look(disk, &place.holders.join(name));
    let record = Record::read(disk, &place.holders.join(format!("{name}.json")));
    let parent_lives = |record: &Record| record.parent.lives(disk);
    let child_lives = |record: &Record| record.child.as_ref().is_some_and(|child| child.lives(disk));
    let alive = match (lock, &record) {
        (Lock::Held | Lock::Unknown, _) | (_, Err(_)) => true,
        // Where locks tell nothing, only both processes' end tells something; 0.4.0 keeps no record of them.
        (Lock::Void, Ok(record)) => record.as_ref().is_none_or(|record| parent_lives(record) || child_lives(record)),
        (Lock::Free | Lock::Gone, Ok(record)) => record.as_ref().is_some_and(child_lives),
    };
    let record = record.ok().flatten();
    alive.then(|| Live {
        holder: name.split('-').next().and_then(|pid| pid.parse().ok()),
        claude: record.as_ref().and_then(|record| record.child.as_ref()).map(|child| child.pid),
        config_dir: record.as_ref().map_or_else(|| place.tree.clone(), |record| record.config_dir.clone()),
        since: record.map(|record| record.since),
    })
}

/// Whether two paths name one directory.
fn is_same(disk: &Disk, a: &Path, b: &Path) -> bool {
    let id = |path: &Path| disk.vfs.stat(path).ok().map(|stat| (stat.dev, stat.ino)).filter(|id| *id != (0, 0));
    a == b || id(a).is_some_and(|a| Some(a) == id(b))
}
