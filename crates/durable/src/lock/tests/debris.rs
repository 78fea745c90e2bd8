//! What killed processes of ours left locked is free again at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::{Lock, LockOwner, release_debris};
use super::bench::{Bench, alive, stamp};
use crate::Disk;
use crate::testing::{Poor, alone};
use crate::vfs::{Errno, Fault, FaultyVfs, RealVfs, Vfs as _};

fn locks(bench: &Bench) -> [Lock; 2] {
    [bench.file("state"), bench.dir("one")]
}

fn killed(at: usize) -> FaultyVfs {
    FaultyVfs::failing(Arc::new(Poor::RICH), at, Fault::Kill)
}

/// Takes all locks and releases them, on a disk that may die meanwhile.
fn take(bench: &Bench, disk: &Disk) {
    let _alone = alone();
    bench.acquire_on(disk, &locks(bench), &LockOwner::Dead).map_or_else(drop, drop);
}

fn free(bench: &Bench, disk: &Disk) -> Result<(), crate::Error> {
    release_debris(disk, &bench.records(), &|_| LockOwner::Dead)
}

/// Nothing is left of any lock, and nobody has to wait for one.
fn assert_free(bench: &Bench, name: &str) {
    let left: Vec<String> = bench.home.picture().into_keys().collect();
    let kept = ["locks", "locks/held", "locks/state.lock"];
    assert!(left.iter().all(|path| kept.contains(&path.as_str())), "{name}: {left:?}");
    let _alone = alone();
    let passed = bench.time.passed();
    drop(bench.acquire(&locks(bench), &alive()).expect(name));
    assert_eq!(bench.time.passed(), passed, "{name}: the next command does not wait");
}

/// A bench on which a process was killed at its `at`-th effect; `None` when it has no such effect.
fn after_kill(at: usize) -> Option<Bench> {
    let bench = Bench::with_real_files("debris");
    let vfs = killed(at);
    take(&bench, &bench.disk_on(vfs.clone()));
    // A record that is half-written is kept for a minute, since its process might be writing it.
    for name in bench.disk.list(&bench.records()).expect("names") {
        stamp(&bench.records().join(name), &bench.time, SignedDuration::from_secs(90));
    }
    vfs.fired().then_some(bench)
}

#[test]
fn whatever_a_kill_left_is_released() {
    for at in 1.. {
        let Some(bench) = after_kill(at) else {
            assert!(at > 9, "the sweep has seen it all");
            break;
        };
        free(&bench, &bench.disk).expect("released debris");
        assert_free(&bench, &format!("killed at {at}"));
    }
}

#[test]
fn the_next_command_takes_what_a_kill_left_without_waiting() {
    for at in 1.. {
        let Some(bench) = after_kill(at) else { break };
        let _alone = alone();
        let held = bench.acquire(&locks(&bench), &LockOwner::Dead);
        drop(held.unwrap_or_else(|error| panic!("killed at {at}: {error:?}")));
        assert_eq!(bench.time.passed(), Duration::ZERO, "killed at {at}");
    }
}

#[test]
fn a_kill_while_debris_is_released_leaves_what_the_next_release_frees() {
    for first in 1.. {
        if after_kill(first).is_none() {
            break;
        }
        for second in 1.. {
            let bench = after_kill(first).expect("the same as before");
            let vfs = killed(second);
            let _ = free(&bench, &bench.disk_on(vfs.clone()));
            if !vfs.fired() {
                break;
            }
            free(&bench, &bench.disk).expect("released debris");
            assert_free(&bench, &format!("killed at {first}, and while releasing at {second}"));
        }
    }
}

#[test]
fn an_error_while_debris_is_released_leaves_what_the_next_release_frees() {
    for first in 1.. {
        if after_kill(first).is_none() {
            break;
        }
        for fault in [Fault::Error(Errno::Busy), Fault::ErrorFrom(Errno::ReadOnly)] {
            for second in 1.. {
                let bench = after_kill(first).expect("the same as before");
                let vfs = FaultyVfs::failing(Arc::new(Poor::RICH), second, fault);
                let _ = free(&bench, &bench.disk_on(vfs.clone()));
                if !vfs.fired() {
                    break;
                }
                free(&bench, &bench.disk).expect("released debris");
                assert_free(&bench, &format!("killed at {first}, and {fault:?} while releasing at {second}"));
            }
        }
    }
}

#[test]
fn a_second_kill_while_the_locks_are_taken_over_leaves_what_a_release_frees() {
    for first in 1.. {
        if after_kill(first).is_none() {
            break;
        }
        for second in 1.. {
            let bench = after_kill(first).expect("the same as before");
            let vfs = killed(second);
            take(&bench, &bench.disk_on(vfs.clone()));
            if !vfs.fired() {
                break;
            }
            for name in bench.disk.list(&bench.records()).expect("names") {
                stamp(&bench.records().join(name), &bench.time, SignedDuration::from_secs(90));
            }
            free(&bench, &bench.disk).expect("released debris");
            assert_free(&bench, &format!("killed at {first}, and while taking at {second}"));
        }
    }
}

/// Dates a lock to the millisecond, as ours are.
fn whole(lock: PathBuf) -> PathBuf {
    let at = RealVfs.lstat(&lock).expect("a lock").modified.as_millisecond();
    RealVfs.set_modified(&lock, Timestamp::from_millisecond(at).expect("a time")).expect("a stamp");
    lock
}

/// A record as a process with this id and this beginning would have left it for the lock `one`.
fn record(bench: &Bench, pid: u32, start: &str, lock: &Path) {
    let at = RealVfs.lstat(lock).expect("a lock").modified.as_millisecond();
    let entry = serde_json::json!({"pid": pid, "start": start, "stamp_ms": at, "paths": [lock]});
    bench.home.write(&format!("locks/held/{pid}-abc.json"), &entry.to_string());
}

#[test]
fn only_what_a_dead_process_made_is_debris() {
    // No process has so large a number.
    const GONE: u32 = 0x7fff_fffe;
    let namesake = std::process::id();
    let rows = [
        ("of a dead process", GONE, 0, alive(), true),
        ("of a dead namesake", namesake, 0, alive(), true),
        // Killed between making and stamping: then the file system dated it, by a clock that lags a tick.
        ("not stamped yet", GONE, 900, LockOwner::Dead, true),
        ("not stamped yet, dated a tick before", GONE, -4, LockOwner::Dead, true),
        ("as if not stamped yet, and somebody may own it", GONE, 900, LockOwner::Unknown, false),
        ("as if not stamped yet, and somebody owns it", GONE, 900, alive(), false),
        ("taken by somebody since", GONE, 3_000, LockOwner::Dead, false),
        ("taken by somebody before", GONE, -1_000, LockOwner::Dead, false),
    ];
    for (name, pid, later, owner, debris) in rows {
        let bench = Bench::new("whose");
        let lock = whole(bench.foreign("one", 1));
        record(&bench, pid, "17", &lock);
        let modified = RealVfs.lstat(&lock).expect("a lock").modified;
        RealVfs.set_modified(&lock, modified + SignedDuration::from_millis(later)).expect("a stamp");
        release_debris(&bench.disk, &bench.records(), &|_| owner.clone()).expect("released debris");
        assert_eq!(bench.standing(&["one"]).is_empty(), debris, "{name}");
        let unclear = name.contains("somebody") && name.contains("not stamped");
        assert_eq!(bench.recorded(), usize::from(unclear), "{name}: only what cannot be told yet stays on record");
    }
}

/// Who finds a refresh lock free renews a login, and then needs the lock of the store.
#[test]
fn what_stands_outside_of_an_unclear_lock_stays_until_that_is_clear() {
    const GONE: u32 = 0x7fff_fffe;
    let bench = Bench::new("inside");
    let (outer, inner) = (whole(bench.foreign("one", 1)), whole(bench.foreign("two", 1)));
    let at = RealVfs.lstat(&outer).expect("a lock").modified;
    RealVfs.set_modified(&inner, at + SignedDuration::from_millis(900)).expect("a stamp");
    let entry =
        serde_json::json!({"pid": GONE, "start": "17", "stamp_ms": at.as_millisecond(), "paths": [outer, inner]});
    bench.home.write("locks/held/1-abc.json", &entry.to_string());
    release_debris(&bench.disk, &bench.records(), &|_| alive()).expect("released debris");
    assert_eq!((bench.standing(&["one", "two"]).len(), bench.recorded()), (2, 1), "somebody who lives may hold it");
    release_debris(&bench.disk, &bench.records(), &|_| LockOwner::Dead).expect("released debris");
    assert_eq!((bench.standing(&["one", "two"]).len(), bench.recorded()), (0, 0), "nobody lives who could");
}

/// Another process, until this is dropped.
#[cfg(target_os = "linux")]
struct Other(std::process::Child);

#[cfg(target_os = "linux")]
impl Other {
    fn spawn() -> Self {
        use std::process::{Command, Stdio};
        let _alone = alone();
        Self(
            Command::new("sleep")
                .arg("600")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("sleep can be run"),
        )
    }

    /// When it began, in the system's own words.
    fn start(&self) -> String {
        let stat = RealVfs.read(Path::new(&format!("/proc/{}/stat", self.0.id())), 4096).expect("a process");
        let stat = String::from_utf8(stat).expect("a text");
        stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(19)).expect("its beginning").to_owned()
    }
}

#[cfg(target_os = "linux")]
impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_a_living_process_holds_is_no_debris() {
    let other = Other::spawn();
    let start = other.start();
    for (name, start, debris) in [("the process itself", start.as_str(), false), ("a namesake of it", "17", true)] {
        let bench = Bench::new("living");
        let lock = whole(bench.foreign("one", 1));
        record(&bench, other.0.id(), start, &lock);
        free(&bench, &bench.disk).expect("released debris");
        assert_eq!(bench.standing(&["one"]).is_empty(), debris, "{name}");
        assert_eq!(bench.recorded() == 0, debris, "{name}");
    }
}

/// A terminal or an editor may never ask what became of what it started.
#[cfg(target_os = "linux")]
#[test]
fn what_a_killed_process_held_is_debris_also_while_its_parent_does_not_ask_for_it() {
    let mut other = Other::spawn();
    let bench = Bench::new("unasked");
    let lock = whole(bench.foreign("one", 1));
    record(&bench, other.0.id(), &other.start(), &lock);
    other.0.kill().expect("killed");
    let stat = format!("/proc/{}/stat", other.0.id());
    let is_zombie =
        || RealVfs.read(Path::new(&stat), 4096).is_ok_and(|stat| stat.windows(4).any(|part| part == b") Z "));
    while !is_zombie() {
        std::thread::yield_now();
    }
    free(&bench, &bench.disk).expect("released debris");
    assert_eq!((bench.standing(&["one"]).len(), bench.recorded()), (0, 0));
}

/// A lock dated shortly after a dead record may be a living process's that came right after it.
#[cfg(target_os = "linux")]
#[test]
fn what_a_living_process_may_have_made_is_no_debris() {
    let other = Other::spawn();
    for (name, living, debris) in [("nobody else", false, true), ("another process", true, false)] {
        let bench = Bench::new("neighbour");
        let lock = whole(bench.foreign("one", 1));
        record(&bench, 0x7fff_fffe, "17", &lock);
        let modified = RealVfs.lstat(&lock).expect("a lock").modified + SignedDuration::from_millis(900);
        RealVfs.set_modified(&lock, modified).expect("a stamp");
        if living {
            record(&bench, other.0.id(), &other.start(), &lock);
        }
        release_debris(&bench.disk, &bench.records(), &|_| LockOwner::Dead).expect("released debris");
        assert_eq!(bench.standing(&["one"]).is_empty(), debris, "{name}");
    }
}

#[test]
fn a_record_in_the_making_is_left_for_a_minute() {
    for (name, seconds_ago, stays) in [("just now", 0, 1), ("under a minute", 55, 1), ("long ago", 65, 0)] {
        let bench = Bench::new("half");
        let record = bench.home.write("locks/held/1-abc.json", r#"{"pid":1,"#);
        stamp(&record, &bench.time, SignedDuration::from_secs(seconds_ago));
        free(&bench, &bench.disk).expect("nothing to release");
        assert_eq!(bench.recorded(), stays, "{name}");
    }
}

#[test]
fn what_this_process_holds_right_now_is_no_debris() {
    let bench = Bench::new("held-now");
    let held = bench.acquire(&locks(&bench), &LockOwner::Dead).expect("free locks");
    free(&bench, &bench.disk).expect("nothing to release");
    held.check().expect("locks that are still ours");
    assert_eq!(bench.recorded(), 1);
}
