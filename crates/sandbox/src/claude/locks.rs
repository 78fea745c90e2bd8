//! `proper-lockfile`, as Claude Code uses it (facts §2.3): a directory is the lock, its mtime a heartbeat.
//!
//! Taking: `mkdir`; if it is there and older than the stale time, `rmdir` and once more. A lock dated in the future is
//! never stale, and one with a file inside cannot be taken over. Holding: a touch every 5 s; if the mtime is not the
//! one left there, the lock is lost and is not removed.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use crate::{disk, entropy, time};

/// After this long without a heartbeat `.oauth_refresh.lock` may be taken over.
pub const REFRESH_STALE: Duration = Duration::from_secs(60);
/// The same of the legacy lock beside the home.
pub const LEGACY_STALE: Duration = Duration::from_secs(60);
/// The same of `.storage-write.lock`.
pub const STORAGE_STALE: Duration = Duration::from_secs(15);
/// The same of the state file's lock.
pub const STATE_STALE: Duration = Duration::from_secs(10);

const HEARTBEAT: Duration = Duration::from_secs(5);

/// How often a held lock is tried again, and with what pauses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Tries after the first.
    pub retries: u32,
    /// The shortest pause between two tries.
    pub shortest: Duration,
    /// The longest pause between two tries.
    pub longest: Duration,
}

impl Patience {
    /// One try.
    pub const NONE: Self = Self { retries: 0, shortest: Duration::ZERO, longest: Duration::ZERO };
    /// What was seen for the refresh lock: five more tries, 1–2 s apart.
    pub const REFRESH: Self = Self { retries: 5, shortest: Duration::from_secs(1), longest: Duration::from_secs(2) };
    /// For the locks of single writes, which are short; not measured on the real client.
    pub const WRITE: Self =
        Self { retries: 40, shortest: Duration::from_millis(50), longest: Duration::from_millis(400) };

    /// Runs `attempt` until it succeeds, fails for another reason than a held lock, or patience ends.
    pub(super) fn run<T>(&self, mut attempt: impl FnMut() -> Result<T, LockError>) -> Result<T, LockError> {
        let mut left = self.retries;
        loop {
            match attempt() {
                Err(LockError::Held(_)) if left > 0 => left -= 1,
                outcome => return outcome,
            }
            let spread = u64::try_from((self.longest.saturating_sub(self.shortest)).as_millis()).unwrap_or(0);
            thread::sleep(self.shortest + Duration::from_millis(entropy::below(spread + 1)));
        }
    }
}

/// Why a lock was not taken.
#[derive(Debug)]
pub enum LockError {
    /// Somebody holds it.
    Held(PathBuf),
    /// It could not be made, or not be taken over.
    Io(PathBuf, io::Error),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(path) => write!(f, "{} is held", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

/// A held lock; released when dropped.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    lost: Arc<AtomicBool>,
    beat: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Lock {
    /// Takes a lock, trying once.
    ///
    /// # Errors
    /// It is held, or cannot be made.
    pub fn take(path: &Path, stale: Duration) -> Result<Self, LockError> {
        Self::take_beating(path, stale, HEARTBEAT)
    }

    fn take_beating(path: &Path, stale: Duration, heartbeat: Duration) -> Result<Self, LockError> {
        let failed = |error| LockError::Io(path.to_path_buf(), error);
        if !make(path).map_err(failed)? {
            if !is_stale(path, stale) {
                return Err(LockError::Held(path.to_path_buf()));
            }
            match fs::remove_dir(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            if !make(path).map_err(failed)? {
                return Err(LockError::Held(path.to_path_buf()));
            }
        }
        let stamped = touch(path).map_err(failed)?;
        let lost = Arc::new(AtomicBool::new(false));
        let (stop, stopped) = mpsc::channel();
        let (beating, told) = (path.to_path_buf(), Arc::clone(&lost));
        let thread = thread::spawn(move || {
            let mut last = stamped;
            while matches!(stopped.recv_timeout(heartbeat), Err(RecvTimeoutError::Timeout)) {
                match (modified(&beating) == Some(last)).then(|| touch(&beating)) {
                    Some(Ok(stamp)) => last = stamp,
                    _ => return told.store(true, Ordering::SeqCst),
                }
            }
        });
        Ok(Self { path: path.to_path_buf(), lost, beat: Some((stop, thread)) })
    }

    /// Takes a lock, trying again as long as it is held and patience lasts.
    ///
    /// # Errors
    /// It is still held, or cannot be made.
    pub fn wait(path: &Path, stale: Duration, patience: &Patience) -> Result<Self, LockError> {
        patience.run(|| Self::take(path, stale))
    }

    /// Whether a heartbeat found that somebody else had touched or taken the lock.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    /// Leaves the directory behind without a heartbeat, as a crash does.
    pub fn abandon(mut self) {
        self.stop();
        self.lost.store(true, Ordering::SeqCst);
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.beat.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.stop();
        if !self.is_lost() {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Makes the directory; false if something is there.
fn make(path: &Path) -> io::Result<bool> {
    match fs::create_dir(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

/// Sets the mtime to now in whole milliseconds, and returns what the file system made of it.
fn touch(path: &Path) -> io::Result<SystemTime> {
    disk::stamp(path, time::at(time::now_ms()))?;
    fs::metadata(path)?.modified()
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn is_stale(path: &Path, stale: Duration) -> bool {
    // Gone between the two looks counts as stale, as the library has it.
    modified(path).is_none_or(|modified| time::at(time::now_ms()).duration_since(modified).is_ok_and(|age| age > stale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::World;

    #[test]
    fn a_lock_excludes_until_it_is_dropped() {
        let world = World::new("lock");
        let path = world.home().join("x.lock");
        let lock = Lock::take(&path, REFRESH_STALE).expect("free");
        assert!(matches!(Lock::take(&path, REFRESH_STALE), Err(LockError::Held(held)) if held == path));
        assert!(!lock.is_lost());
        drop(lock);
        assert!(!path.exists());
        Lock::take(&path, REFRESH_STALE).expect("free again").abandon();
        assert!(path.exists());
    }

    #[test]
    fn a_heartbeat_keeps_a_lock_young_and_notices_its_loss() {
        let world = World::new("beat");
        let path = world.home().join("x.lock");
        let lock = Lock::take_beating(&path, STATE_STALE, Duration::from_millis(5)).expect("free");
        let first = modified(&path);
        while modified(&path) == first {
            thread::sleep(Duration::from_millis(1));
        }
        assert!(!lock.is_lost());
        // Another's stamp can fall between the look and the touch; it is then overwritten, so it is set until noticed.
        let other = time::at(time::now_ms() - 5000);
        while !lock.is_lost() {
            disk::stamp(&path, other).expect("ours");
            thread::sleep(Duration::from_millis(1));
        }
        drop(lock);
        assert!(path.exists(), "another's lock is not removed");
    }

    #[test]
    fn only_a_stale_empty_lock_is_taken_over() {
        let world = World::new("stale");
        for (name, age, inside, taken) in [
            ("fresh", 55_000, false, false),
            ("stale", 65_000, false, true),
            ("stale with a file inside", 65_000, true, false),
            ("from the future", -600_000, false, false),
        ] {
            let path = world.home().join(name);
            fs::create_dir(&path).expect("new");
            if inside {
                fs::write(path.join("file"), "").expect("new");
            }
            let then = time::now_ms().checked_add_signed(-age).expect("in range");
            disk::stamp(&path, time::at(then)).expect("ours");
            let outcome = Lock::take(&path, REFRESH_STALE);
            assert_eq!(outcome.is_ok(), taken, "{name}: {outcome:?}");
        }
    }
}
