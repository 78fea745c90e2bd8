//! When somebody else's lock is taken over (K5).

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use clauth_host::Time as _;
use jiff::SignedDuration;

use super::super::LockOwner;
use super::bench::{Bench, alive, stamp};
use crate::Error;
use crate::testing::Poor;
use crate::vfs::{FaultyVfs, RealVfs, Vfs as _};

/// A lock that stands, and what becomes of the wish to have it.
struct Case {
    name: &'static str,
    /// Its last sign of life; negative for one dated ahead.
    seconds_ago: i64,
    owner: LockOwner,
    /// With each pause its mtime moves by so much.
    moves: Option<SignedDuration>,
    /// Whether it is taken over.
    taken: bool,
    /// When that is, or when it is given up, in milliseconds of our own time.
    after: Range<u64>,
}

fn case(name: &'static str, seconds_ago: i64, owner: LockOwner, taken: bool, after: Range<u64>) -> Case {
    Case { name, seconds_ago, owner, moves: None, taken, after }
}

fn cases() -> Vec<Case> {
    let (at_once, deadline, watched, stood) = (0..1, 9_000..9_301, 13_000..13_301, 12_000..12_301);
    let tick = Some(SignedDuration::from_millis(1));
    vec![
        case("fresh, owner alive", 1, alive(), false, deadline.clone()),
        case("fresh, owner dead, nothing on record", 1, LockOwner::Dead, false, deadline.clone()),
        case("stale, owner dead", 61, LockOwner::Dead, true, at_once.clone()),
        case("stale, owner alive, stands still", 61, alive(), true, stood.clone()),
        case("stale, owner unknown, stands still", 61, LockOwner::Unknown, true, stood.clone()),
        case("stale for a year, owner alive", 31_536_000, alive(), true, stood.clone()),
        // Its machine's clock is wrong, or the file system's is: it looks stale and lives.
        Case { moves: tick, ..case("stale, owner alive, moves", 600, alive(), false, watched.clone()) },
        Case { moves: tick, ..case("ahead, owner alive, moves", -600, alive(), false, watched.clone()) },
        case("becomes stale, owner dead", 58, LockOwner::Dead, true, 2_000..2_601),
        case("becomes stale, owner alive", 58, alive(), false, watched),
        case("a little ahead, owner dead", -50, LockOwner::Dead, false, deadline),
        case("more than a minute ahead, owner dead", -61, LockOwner::Dead, true, at_once),
        case("four hours ahead, owner alive", -14_400, alive(), true, stood.clone()),
        case("four hours ahead, owner unknown", -14_400, LockOwner::Unknown, true, stood),
    ]
}

#[test]
fn a_lock_is_taken_over_when_it_is_dead_or_stands_still() {
    for case in cases() {
        let bench = Bench::new("stale");
        let path = bench.foreign("taken", case.seconds_ago);
        if let Some(step) = case.moves {
            let (path, time) = (path.clone(), bench.time.clone());
            let mut ago = SignedDuration::from_secs(case.seconds_ago);
            bench.time.on_sleep(move |_| {
                ago -= step;
                stamp(&path, &time, ago);
            });
        }
        let result = bench.acquire(&[bench.dir("taken")], &case.owner);
        let waited = u64::try_from(bench.time.passed().as_millis()).expect("a short wait");
        assert!(case.after.contains(&waited), "{}: after {waited} ms", case.name);
        match result {
            Ok(held) => {
                assert!(case.taken, "{}: it was taken over", case.name);
                held.check().expect("a lock of ours");
                drop(held);
                let left: Vec<String> = bench.home.picture().into_keys().collect();
                assert_eq!(left, ["locks", "locks/held"], "{}: nothing of either lock is left", case.name);
            }
            Err(Error::Busy { path: busy, .. }) => {
                assert!(!case.taken, "{}: it was not to be had", case.name);
                assert_eq!(busy, path, "{}", case.name);
                assert_eq!(bench.standing(&["taken"]).len(), 1, "{}: it still stands", case.name);
            }
            Err(error) => panic!("{}: {error:?}", case.name),
        }
    }
}

#[test]
fn a_sign_of_life_while_it_is_watched_begins_the_watch_anew() {
    let bench = Bench::new("sign");
    let path = bench.foreign("taken", 600);
    let time = bench.time.clone();
    let mut given = false;
    bench.time.on_sleep(move |passed| {
        if !given && passed >= Duration::from_secs(10) {
            given = true;
            stamp(&path, &time, SignedDuration::from_secs(500));
        }
    });
    let error = bench.acquire(&[bench.dir("taken")], &alive()).map(drop).expect_err("a lock that lives");
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    assert!(bench.time.passed() >= Duration::from_secs(13));
}

#[test]
fn several_that_stand_still_are_watched_together() {
    let bench = Bench::new("together");
    let names = ["one", "two", "three", "four"];
    names.iter().for_each(|name| drop(bench.foreign(name, 600)));
    let mut locks: Vec<_> = names.iter().map(|name| bench.dir(name)).collect();
    locks.push(bench.file("five"));
    bench.foreign("locks/five.d", 600);
    drop(bench.acquire(&locks, &LockOwner::Unknown).expect("locks that stand still"));
    assert!(bench.time.passed() < Duration::from_secs(13), "{:?}", bench.time.passed());

    let bench = Bench::new("one-lives");
    names.iter().for_each(|name| drop(bench.foreign(name, 600)));
    let (last, time) = (bench.path("four"), bench.time.clone());
    let mut ago = SignedDuration::from_secs(600);
    bench.time.on_sleep(move |_| {
        ago -= SignedDuration::from_millis(1);
        stamp(&last, &time, ago);
    });
    let locks: Vec<_> = names.iter().map(|name| bench.dir(name)).collect();
    let error = bench.acquire(&locks, &alive()).map(drop).expect_err("one of them lives");
    assert!(matches!(error, Error::Busy { path, .. } if path == bench.path("four")));
    assert_eq!(bench.standing(&["four"]).len(), 1, "it still stands");
}

#[test]
fn the_owner_is_named_while_a_stale_lock_is_watched() {
    let bench = Bench::new("named");
    bench.foreign("taken", 600);
    let held = bench.acquire(&[bench.dir("taken")], &alive()).expect("a lock that stands still");
    drop(held);
    let told = bench.told.lock().expect("not poisoned");
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].3.as_deref(), Some("claude (pid 4711)"));
    assert_eq!(told[0].2.as_secs(), 600);
}

#[test]
fn of_two_that_take_over_one_finds_a_living_lock_and_puts_it_back() {
    let count = FaultyVfs::counting(Arc::new(Poor::RICH));
    let bench = Bench::new("first");
    bench.foreign("taken", 600);
    drop(
        bench.acquire_on(&bench.disk_on(count.clone()), &[bench.dir("taken")], &LockOwner::Dead).expect("a dead lock"),
    );
    let at = 1 + count.effects().iter().position(|effect| effect.name == "rename_new").expect("a move aside");

    let bench = Bench::new("second");
    let path = bench.foreign("taken", 600);
    let (theirs, time) = (path.clone(), bench.time.clone());
    let vfs = FaultyVfs::with_callback(Arc::new(Poor::RICH), at, move || {
        // The other one was faster: it has taken the dead lock over, and holds its own.
        RealVfs.remove_dir(&theirs).expect("the dead lock");
        RealVfs.create_dir(&theirs, 0o700).expect("the living lock");
        stamp(&theirs, &time, SignedDuration::ZERO);
    });
    let error = bench.acquire_on(&bench.disk_on(vfs.clone()), &[bench.dir("taken")], &LockOwner::Dead).map(drop);
    assert!(matches!(error, Err(Error::Busy { .. })), "{error:?}");
    assert!(vfs.fired());
    let modified = RealVfs.lstat(&path).expect("the living lock").modified + bench.time.passed();
    assert_eq!(modified.as_millisecond(), bench.time.file_now().as_millisecond(), "it is theirs as it was");
    assert_eq!(bench.home.picture().into_keys().collect::<Vec<_>>(), ["locks", "locks/held", "taken"]);
}
