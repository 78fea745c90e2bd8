//! What is ours, and what was taken from us (K4).

use std::path::Path;

use jiff::SignedDuration;

use super::super::LockOwner;
use super::bench::{Bench, stamp};
use crate::Error;
use crate::vfs::{Errno, Fault, FaultyVfs, RealVfs, Vfs as _};

/// What a thief does to a lock, and what then stands there.
type Theft = (&'static str, fn(&Bench, &Path), bool);

const THEFTS: [Theft; 6] = [
    ("removed", |_, path| RealVfs.remove_dir(path).expect("an empty directory"), false),
    (
        "removed and made anew",
        |bench, path| {
            RealVfs.remove_dir(path).expect("an empty directory");
            RealVfs.create_dir(path, 0o700).expect("a new directory");
            stamp(path, &bench.time, SignedDuration::from_secs(-1));
        },
        true,
    ),
    (
        "moved aside, and another one with the very same time",
        |bench, path| {
            let modified = RealVfs.lstat(path).expect("a lock").modified;
            RealVfs.rename(path, &bench.path("aside")).expect("a moved lock");
            RealVfs.create_dir(path, 0o700).expect("a new directory");
            RealVfs.set_modified(path, modified).expect("a stamp");
        },
        true,
    ),
    ("stamped by somebody", |bench, path| stamp(path, &bench.time, SignedDuration::from_secs(1)), true),
    (
        "a file in its place",
        |bench, path| {
            RealVfs.remove_dir(path).expect("an empty directory");
            bench.home.write("two", "a file");
        },
        true,
    ),
    ("something put inside", |bench, _| drop(bench.home.write("two/owner", "somebody")), true),
];

#[test]
fn a_stolen_lock_is_noticed_and_what_stands_there_is_left_alone() {
    for (name, steal, stands) in THEFTS {
        if cfg!(windows) && name.contains("same time") {
            continue; // A directory has no number there.
        }
        let bench = Bench::new("stolen");
        let locks = [bench.dir("one"), bench.dir("two"), bench.dir("three")];
        let held = bench.acquire(&locks, &LockOwner::Unknown).expect("free locks");
        held.check().expect("locks of ours");
        steal(&bench, &bench.path("two"));
        let error = held.check().expect_err(name);
        assert!(matches!(&error, Error::Lost { path } if *path == bench.path("two")), "{name}: {error:?}");
        let before = bench.home.picture().remove("two");
        assert_eq!(before.is_some(), stands, "{name}");
        drop(held);
        let after = bench.home.picture();
        assert_eq!(after.get("two"), before.as_ref(), "{name}");
        assert_eq!(bench.standing(&["one", "three"]), [""; 0], "{name}: the others are released");
        assert_eq!(bench.recorded(), 0, "{name}");
    }
}

#[test]
fn a_stolen_lock_is_not_ours_to_stamp_back() {
    let bench = Bench::new("not-back");
    let held = bench.acquire(&[bench.dir("one")], &LockOwner::Unknown).expect("a free lock");
    let theirs = SignedDuration::from_secs(2);
    stamp(&bench.path("one"), &bench.time, theirs);
    let modified = RealVfs.lstat(&bench.path("one")).expect("a lock").modified;
    held.check().expect_err("a stolen lock");
    held.check().expect_err("it stays lost");
    drop(held);
    assert_eq!(RealVfs.lstat(&bench.path("one")).expect("their lock").modified, modified);
}

#[test]
fn after_any_one_error_no_lock_stays_that_is_not_on_record() {
    for errno in [Errno::Io, Errno::NoSpace, Errno::ReadOnly, Errno::Busy, Errno::Access] {
        for at in 1.. {
            let bench = Bench::new("lock-error");
            let vfs = FaultyVfs::failing(bench.disk.vfs.clone(), at, Fault::Error(errno));
            let locks = [bench.file("state"), bench.dir("one")];
            let result = bench.acquire_on(&bench.disk_on(vfs.clone()), &locks, &LockOwner::Dead);
            result.map_or_else(drop, drop);
            if !vfs.fired() {
                break;
            }
            let effect = &vfs.effects()[at - 1];
            let name = format!("{errno:?} at {at}, {} {}", effect.name, effect.path.display());
            let standing = bench.standing(&["locks/state.d", "one"]);
            assert!(standing.is_empty() || bench.recorded() == 1, "{name}: {standing:?}");
            drop(bench.acquire(&locks, &LockOwner::Dead).expect(&name));
            assert_eq!(bench.time.passed().as_millis(), 0, "{name}: the next command does not wait");
        }
    }
}

#[test]
fn a_sign_of_life_renews_what_is_held_and_nothing_that_was_stolen() {
    let bench = Bench::new("heart");
    let stamps = || ["one", "two"].map(|name| RealVfs.lstat(&bench.path(name)).ok().map(|stat| stat.modified));
    let held = bench.acquire(&[bench.dir("one"), bench.dir("two")], &LockOwner::Unknown).expect("free locks");
    stamp(&bench.path("two"), &bench.time, SignedDuration::from_secs(7));
    let before = stamps();
    bench.disk.clock.sleep(std::time::Duration::from_secs(5));
    held.sign();
    let after = stamps();
    assert!(after[0] > before[0], "what is held: {before:?} {after:?}");
    assert_eq!(after[1], before[1], "what somebody else stamped");
    let error = held.check().expect_err("a stolen lock");
    assert!(matches!(&error, Error::Lost { path } if *path == bench.path("two")), "{error:?}");
}

/// By the thread that gives signs of life.
fn beaten(vfs: &FaultyVfs, path: &Path) -> std::io::Result<()> {
    let (vfs, path) = (vfs.clone(), path.to_owned());
    let heart = std::thread::Builder::new().name(crate::lock::HEART.into());
    let beat = heart.spawn(move || vfs.set_modified(&path, jiff::Timestamp::UNIX_EPOCH)).expect("a thread");
    beat.join().expect("no panic")
}

/// A sign of life that comes in between is no effect of what is done, and a killed process gives none.
#[test]
fn signs_of_life_are_not_counted() {
    let bench = Bench::new("beaten");
    let path = bench.path("beaten");
    RealVfs.create_dir(&path, 0o700).expect("a directory");
    let vfs = FaultyVfs::failing(bench.disk.vfs.clone(), 2, Fault::Kill);
    vfs.set_modified(&path, jiff::Timestamp::UNIX_EPOCH).expect("the first effect");
    beaten(&vfs, &path).expect("a sign of life");
    assert_eq!((vfs.effects().len(), vfs.fired()), (1, false));
    vfs.set_modified(&path, jiff::Timestamp::UNIX_EPOCH).expect_err("the second");
    beaten(&vfs, &path).expect_err("the process is gone");
    assert_eq!((vfs.effects().len(), vfs.fired()), (2, true));
}
