//! S7 under every fault, and against another program that writes at every moment: nothing is lost.
#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, Mutex};

use clauth_durable::vfs::{Errno, Fault, FaultyVfs};

use super::odd::Odd;
use super::reconcile::{disks, done, files, put_at};
use super::stage::{Stage, link};
use crate::session::reconcile::reconcile;
use crate::session::{Cleared, clear};

/// Everything that reconciling does, in one tree.
fn furnish(stage: &Stage) {
    put_at(stage, &stage.in_tree("new.md"), "new", 1);
    put_at(stage, &stage.in_tree("won.md"), "winner", 2);
    put_at(stage, &stage.at_home("won.md"), "beaten", 1);
    put_at(stage, &stage.in_tree("lost.md"), "loser", 1);
    put_at(stage, &stage.at_home("lost.md"), "stays", 2);
    put_at(stage, &stage.in_tree("same.md"), "same", 1);
    put_at(stage, &stage.at_home("same.md"), "same", 1);
    put_at(stage, &stage.in_tree("projects/p/1.jsonl"), "one", 1);
    put_at(stage, &stage.in_tree("projects/p/2.jsonl"), "two of the tree", 2);
    put_at(stage, &stage.at_home("projects/p/2.jsonl"), "two of the home", 1);
    put_at(stage, &stage.in_tree("projects/q/3.jsonl"), "three", 1);
    put_at(stage, &stage.in_tree("skills"), "a file", 1);
    put_at(stage, &stage.at_home("skills/mine"), "a directory", 1);
    put_at(stage, &stage.in_tree("whole/deep/file"), "deep", 1);
    link("/nowhere", &stage.in_tree("projects/link"));
}

/// The contents of every file in the tree, the home and among what is kept; half-written copies do not count.
fn contents(stage: &Stage) -> BTreeSet<String> {
    let all = [&stage.place.tree, &stage.world.claude_dir(), &stage.place.conflicts].map(|dir| files(dir));
    let whole = all.into_iter().flatten().filter(|(path, _)| !path.contains(".clauth-"));
    whole.map(|(_, text)| text).collect()
}

#[test]
fn no_fault_loses_anything_and_the_next_time_completes_it() {
    let mut faults = 0;
    for at in 0..4 {
        let stage = Stage::new("r-count");
        furnish(&stage);
        let (on, odd) = disks(&stage)[at].clone();
        let counting = FaultyVfs::counting(Arc::new(odd));
        let cleared = clear(&stage.disk_on(counting.clone()), &stage.home(), &stage.place, &|| true);
        assert!(matches!(cleared, Ok(Cleared::Gone(_))), "{on}");
        let count = counting.effects().len();
        assert!(count > 20, "{on}: {count}");
        let kinds = [Fault::Kill, Fault::Error(Errno::NoSpace), Fault::ShortWrite];
        for (effect, fault) in (1..=count).flat_map(|effect| kinds.map(|fault| (effect, fault))) {
            let stage = Stage::new("r-fault");
            furnish(&stage);
            let (_, odd) = disks(&stage)[at].clone();
            let before = contents(&stage);
            let faulty = FaultyVfs::failing(Arc::new(odd.clone()), effect, fault);
            let outcome = clear(&stage.disk_on(faulty.clone()), &stage.home(), &stage.place, &|| true);
            let told = format!("{on}, {fault:?} at {effect} {:?}", faulty.effects()[effect - 1]);
            assert!(faulty.fired(), "{told}");
            assert_eq!(contents(&stage), before, "{told}: {outcome:?}");

            let cleared = clear(&stage.disk_on(odd), &stage.home(), &stage.place, &|| true);
            assert!(matches!(cleared, Ok(Cleared::Gone(_))), "{told}: {cleared:?}");
            assert_eq!(contents(&stage), before, "{told}");
            for (name, text) in
                [("new.md", "new"), ("won.md", "winner"), ("lost.md", "stays"), ("skills/mine", "a directory")]
            {
                assert_eq!(stage.seen(&stage.at_home(name)), format!("file {text}"), "{told}");
            }
            faults += 1;
        }
    }
    assert!(faults > 300, "{faults}");
}

/// One file that the home has not, and one that wins over the home's.
fn race(stage: &Stage) {
    put_at(stage, &stage.in_tree("new.md"), "new", 1);
    put_at(stage, &stage.in_tree("won.md"), "winner", 2);
    put_at(stage, &stage.at_home("won.md"), "beaten", 1);
}

#[test]
fn what_another_program_writes_meanwhile_is_not_lost() {
    for at in 0..4 {
        let stage = Stage::new("r-race");
        race(&stage);
        let counting = FaultyVfs::counting(Arc::new(disks(&stage)[at].1.clone()));
        done(&stage, &stage.disk_on(counting.clone()));
        let count = counting.effects().len();
        let places = ["home's won.md", "tree's won.md", "tree's new.md"];
        for (effect, (which, place)) in
            (1..=count).flat_map(|effect| places.iter().enumerate().map(move |p| (effect, p)))
        {
            let stage = Stage::new("r-race");
            race(&stage);
            let (on, odd) = disks(&stage)[at].clone();
            let written = [stage.at_home("won.md"), stage.in_tree("won.md"), stage.in_tree("new.md")][which].clone();
            let staged = stage.world.home().join("staged");
            let overwritten = Arc::new(Mutex::new(String::new()));
            let saw = overwritten.clone();
            let vfs = FaultyVfs::with_callback(Arc::new(odd), effect, move || {
                *saw.lock().expect("not poisoned") = fs::read_to_string(&written).unwrap_or_default();
                fs::write(&staged, "of another program").expect("a write");
                fs::rename(&staged, &written).expect("a rename");
            });
            let _ = reconcile(&stage.disk_on(vfs.clone()), &stage.home(), &stage.place).expect("a reconciling");
            let all = contents(&stage);
            let told = format!("{on}, {place} at {effect} of {count}: {all:?}");
            // What the other program itself overwrites is its own doing.
            let overwritten = overwritten.lock().expect("not poisoned").clone();
            for text in ["winner", "beaten", "new"].iter().filter(|text| overwritten != **text) {
                assert!(all.contains(*text), "{text}, {told}");
            }
            // Between the last look and the effect nobody can look; that is what exchanging is for.
            let blind = ["rename", "remove_file"].contains(&vfs.effects()[effect - 1].name);
            assert!(blind || all.contains("of another program"), "{told}");
        }
    }
}

#[test]
fn what_is_stored_wrong_is_no_copy() {
    let stage = Stage::new("r-broken");
    race(&stage);
    let odd = Odd { other_disk: Some(stage.world.root()), broken: true, ..Odd::default() };
    let done = reconcile(&stage.disk_on(odd), &stage.home(), &stage.place).expect("a reconciling");
    assert_eq!((done.moved, done.left.len()), (0, 2));
    assert_eq!(stage.seen(&stage.in_tree("new.md")), "file new");
    assert_eq!(stage.seen(&stage.at_home("new.md")), "nothing");
    assert_eq!(stage.seen(&stage.at_home("won.md")), "file beaten");
}
