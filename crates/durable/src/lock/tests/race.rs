//! Many at once: at most one holds a lock at any moment.
#![expect(clippy::disallowed_methods, reason = "only the runner of these tests knows that it is Wine")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use clauth_host::{Clock, Random, Time};
use jiff::{SignedDuration, Timestamp};

use super::super::{DirLock, FileLock, Lock, LockOwner, Rules, acquire};
use crate::testing::{Poor, Scratch};
use crate::vfs::{RealVfs, Vfs as _};
use crate::{Disk, Error};

const THREADS: usize = 16;
const ROUNDS: usize = 5;

/// The real time, with pauses so short that everybody tries all the time.
struct Hasty(Clock);

impl Time for Hasty {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
    fn file_now(&self) -> Timestamp {
        self.0.file_now()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
    fn sleep(&self, time: Duration) {
        self.0.sleep(time / 100);
    }
}

/// Every thread takes the lock `ROUNDS` times. Answers how often somebody else was inside too.
fn race(home: &Scratch, lock: &Lock) -> usize {
    let disk = Disk::new(Clock::new(Hasty(Clock::system())), Random::system()).with_vfs(Arc::new(Poor::RICH));
    let (inside, met, done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let deadline = Duration::from_secs(120);
                let owner = |_: &Path| LockOwner::Dead;
                let rules = Rules { records: home.path("locks/held"), deadline, waiting: &|_| {}, owner: &owner };
                start.wait();
                for _ in 0..ROUNDS {
                    let held = acquire(&disk, std::slice::from_ref(lock), &rules).expect("a lock, sooner or later");
                    met.fetch_add(inside.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
                    std::thread::yield_now();
                    let mine: Result<(), Error> = held.check();
                    inside.fetch_sub(1, Ordering::SeqCst);
                    mine.expect("nobody takes a lock that is fresh");
                    done.fetch_add(1, Ordering::SeqCst);
                    drop(held);
                }
            });
        }
    });
    assert_eq!(done.into_inner(), THREADS * ROUNDS);
    met.into_inner()
}

/// Under Wine a directory that is removed is gone only when nobody has it open: with sixteen that look all the time it never
/// is. Windows itself lets go of the name at once.
fn is_wine() -> bool {
    let wine = std::env::var_os("XTASK_WINE").is_some();
    if wine {
        println!("skipped: Wine keeps a removed directory for as long as anybody looks at it");
    }
    wine
}

#[test]
fn sixteen_threads_never_hold_one_directory_together() {
    if is_wine() {
        return;
    }
    let home = Scratch::new("race-dir");
    let lock = DirLock { path: home.path("one"), stale: Duration::from_secs(60), name: "the one".into() };
    assert_eq!(race(&home, &Lock::Dir(lock)), 0);
    assert_eq!(home.picture().into_keys().collect::<Vec<_>>(), ["locks", "locks/held"]);
}

#[test]
fn sixteen_threads_that_find_a_dead_lock_never_hold_it_together() {
    let home = Scratch::new("race-file");
    let dir = home.dir("locks/state.d");
    let long_ago = Clock::system().file_now() - SignedDuration::from_hours(1);
    RealVfs.set_modified(&dir, long_ago).expect("a stamp");
    let lock = FileLock { file: home.path("locks/state.lock"), dir, name: "the state".into() };
    assert_eq!(race(&home, &Lock::File(lock)), 0);
    let left: Vec<String> = home.picture().into_keys().collect();
    assert_eq!(left, ["locks", "locks/held", "locks/state.lock"]);
}
