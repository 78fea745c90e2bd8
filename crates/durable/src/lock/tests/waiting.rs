//! All or none, and what is said while waiting (K2).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::SignedDuration;

use super::super::LockOwner;
use super::bench::{Bench, DEADLINE, alive, stamp};
use crate::Error;
use crate::testing::{Poor, Seen};
use crate::vfs::{FaultyVfs, RealVfs, Vfs as _};

/// The longest pause between two tries.
const PAUSE: Duration = Duration::from_millis(300);

#[test]
fn free_locks_are_taken_at_once_and_released() {
    let bench = Bench::new("free");
    let names = ["locks/state.d", "one", "two"];
    let held = bench.acquire(&[bench.file("state"), bench.dir("one"), bench.dir("two")], &LockOwner::Unknown);
    let held = held.expect("free locks");
    held.check().expect("locks of ours");
    assert_eq!(bench.standing(&names), names);
    assert_eq!(bench.recorded(), 1);
    let inside = |name: &str| bench.disk.list(&bench.path(name)).expect("names").len();
    assert_eq!(names.map(inside), [0; 3], "what lies inside would keep Claude Code from removing it (K4)");
    drop(held);
    assert_eq!(bench.standing(&names), [""; 0]);
    assert_eq!(bench.standing(&["locks/state.lock"]).len(), 1, "a lock file stays (K6)");
    assert_eq!(bench.recorded(), 0);
    assert_eq!(bench.time.passed(), Duration::ZERO);
    assert!(bench.told.lock().expect("not poisoned").is_empty());
}

#[test]
fn a_lock_that_stays_taken_is_told_once_and_given_up_at_the_deadline() {
    let bench = Bench::new("busy");
    bench.foreign("taken", 20);
    let error = bench.acquire(&[bench.dir("taken")], &alive()).map(drop).expect_err("a taken lock");
    let Error::Busy { path, age, holder, name } = &error else { panic!("{error:?}") };
    let waited = bench.time.passed();
    assert!(waited >= DEADLINE && waited <= DEADLINE + PAUSE, "{waited:?}");
    assert_eq!((path, name.as_str()), (&bench.path("taken"), "the taken"));
    assert_eq!(holder.as_deref(), Some("claude (pid 4711)"));
    assert_eq!(age.as_secs(), 20 + waited.as_secs());
    let text = error.to_string();
    assert!(text.starts_with("the taken is locked by claude (pid 4711) since 29 s ("), "{text}");

    let told = bench.told.lock().expect("not poisoned").clone();
    let [(name, path, age, holder, at)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(
        (name.as_str(), path, holder.as_deref()),
        ("the taken", &bench.path("taken"), Some("claude (pid 4711)"))
    );
    assert_eq!(age.as_secs(), 20);
    assert!(*at >= Duration::from_millis(500) && *at <= Duration::from_millis(500) + PAUSE, "{at:?}");
    assert_eq!(bench.standing(&["taken"]).len(), 1);
    assert_eq!(bench.recorded(), 0);
}

#[test]
fn a_lock_that_comes_free_is_taken_and_a_short_wait_is_not_told() {
    for (name, free_after, told) in [("soon", 200, 0), ("later", 700, 1), ("at the last moment", 8_600, 1)] {
        let bench = Bench::new("frees");
        let path = bench.foreign("taken", 1);
        bench.time.on_sleep(move |passed| {
            if passed >= Duration::from_millis(free_after) {
                let _ = RealVfs.remove_dir(&path);
            }
        });
        let held = bench.acquire(&[bench.dir("taken")], &alive()).expect(name);
        held.check().expect(name);
        let waited = bench.time.passed();
        assert!(waited <= Duration::from_millis(free_after) + PAUSE, "{name}: {waited:?}");
        assert_eq!(bench.told.lock().expect("not poisoned").len(), told, "{name}");
    }
}

#[test]
fn nothing_is_held_while_something_is_waited_for() {
    let bench = Arc::new(Bench::new("no-hold"));
    bench.foreign("third", 1);
    let tries = Arc::new(Mutex::new(0));
    let (seen, counted) = (Arc::downgrade(&bench), Arc::clone(&tries));
    bench.time.on_sleep(move |_| {
        let bench = seen.upgrade().expect("a bench");
        assert_eq!(bench.standing(&["first", "locks/second.d", "third", "fourth"]), ["third"]);
        assert_eq!(bench.recorded(), 0);
        let file = RealVfs.open_lock(&bench.path("locks/second.lock")).expect("a lock file");
        file.try_lock().expect("a file lock that nobody holds");
        *counted.lock().expect("not poisoned") += 1;
    });
    let locks = [bench.dir("first"), bench.file("second"), bench.dir("third"), bench.dir("fourth")];
    let error = bench.acquire(&locks, &alive()).map(drop).expect_err("a taken lock");
    assert!(matches!(&error, Error::Busy { path, .. } if *path == bench.path("third")), "{error:?}");
    assert!(*tries.lock().expect("not poisoned") >= 30, "9 s in pauses of at most 0.3 s");
}

#[test]
fn either_half_of_a_file_lock_keeps_others_out() {
    let bench = Bench::new("halves");
    bench.home.dir("locks");
    let os = RealVfs.open_lock(&bench.path("locks/state.lock")).expect("a lock file");
    os.try_lock().expect("a free lock");
    let error = bench.acquire(&[bench.file("state")], &LockOwner::Dead).map(drop).expect_err("the file's half");
    assert!(matches!(&error, Error::Busy { path, .. } if *path == bench.path("locks/state.lock")), "{error:?}");
    assert_eq!(bench.standing(&["locks/state.d"]), [""; 0]);
    drop(os);

    // As another machine on a network home would hold it: there the file lock is void.
    bench.foreign("locks/state.d", 1);
    let error = bench.acquire(&[bench.file("state")], &LockOwner::Dead).map(drop).expect_err("the directory's half");
    assert!(matches!(&error, Error::Busy { path, .. } if *path == bench.path("locks/state.d")), "{error:?}");
    RealVfs.remove_dir(&bench.path("locks/state.d")).expect("an empty directory");

    let held = bench.acquire(&[bench.file("state")], &LockOwner::Dead).expect("a free lock");
    let os = RealVfs.open_lock(&bench.path("locks/state.lock")).expect("a lock file");
    os.try_lock().expect_err("the file's half is held too");
    drop(held);
    os.try_lock().expect("the file's half is released");
}

/// K6: on a network home without a lock server the directory stands in.
#[cfg(unix)]
#[test]
fn where_file_locks_are_void_the_directory_stands_in() {
    use rustix::io::Errno;
    for errno in [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL] {
        let bench = Bench::new("void");
        let disk = bench.disk_on(Poor { no_locks: Some(errno.raw_os_error()), ..Poor::RICH });
        let held = bench.acquire_on(&disk, &[bench.file("state")], &LockOwner::Dead).expect("a lock");
        assert_eq!(bench.standing(&["locks/state.d"]), ["locks/state.d"], "{errno}");
        drop(held);
    }
    let bench = Bench::new("refused");
    let disk = bench.disk_on(Poor { no_locks: Some(Errno::IO.raw_os_error()), ..Poor::RICH });
    let error = bench.acquire_on(&disk, &[bench.file("state")], &LockOwner::Dead).map(drop).expect_err("a broken disk");
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
}

/// Puts something where a lock should be.
type Put = fn(&Bench);

#[test]
fn what_is_no_lock_is_never_taken_over() {
    let rows: &[(&str, Put)] = &[
        ("a file", |bench| drop(bench.home.write("taken", "a file"))),
        ("a directory with something inside", |bench| drop(bench.home.write("taken/owner", "somebody"))),
        #[cfg(unix)]
        ("a link to nothing", |bench| drop(bench.home.link("nowhere", "taken"))),
        #[cfg(unix)]
        ("a link to a directory", |bench| {
            bench.home.dir("real");
            bench.home.link("real", "taken");
        }),
    ];
    for (name, put) in rows {
        for owner in [LockOwner::Dead, LockOwner::Unknown] {
            let bench = Bench::new("no-lock");
            put(&bench);
            stamp(&bench.path("taken"), &bench.time, SignedDuration::from_hours(5));
            let before = bench.home.picture();
            let vfs = FaultyVfs::counting(Arc::new(Poor::RICH));
            let result = bench.acquire_on(&bench.disk_on(vfs.clone()), &[bench.dir("taken")], &owner).map(drop);
            assert!(matches!(result, Err(Error::Blocked { .. })), "{name}: {result:?}");
            let mut after = bench.home.picture();
            after.retain(|path, _| !path.starts_with("locks"));
            assert_eq!(after, before, "{name}");
            // What is in a directory is seen only when it is about to be removed.
            let moved = vfs.effects().iter().any(|effect| effect.name == "rename_new");
            assert_eq!(moved, before.contains_key("taken/owner"), "{name}: it is not even moved");
        }
    }
}

#[test]
fn a_lock_that_cannot_be_made_is_an_error_and_releases_the_others() {
    let bench = Bench::new("no-parent");
    let error = bench.acquire(&[bench.dir("one"), bench.dir("missing/two")], &alive()).map(drop);
    let error = error.expect_err("no directory to make it in");
    assert!(matches!(&error, Error::Io { path, .. } if *path == bench.path("missing/two")), "{error:?}");
    assert_eq!(bench.time.passed(), Duration::ZERO, "it is loud, and not waited for");
    let picture = bench.home.picture();
    let left: Vec<_> = picture.iter().filter(|(name, _)| !name.starts_with("locks")).collect();
    assert_eq!(left, Vec::<(&String, &Seen)>::new());
    assert_eq!(bench.recorded(), 0);
}
