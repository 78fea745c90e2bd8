//! Somebody writes while we do, and we write while we do.

use std::sync::Arc;

use clauth_durable::vfs::{FaultyVfs, RealVfs};
use clauth_engine::{Options, Target};
use clauth_sandbox::claude::Refreshed;
use clauth_sandbox::{Pair, Variant};

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced, counting, restore};

/// A rotation at every step boundary of a switch, by a `claude` that takes no locks: nothing is lost, whichever of the
/// two was first, and the next round trip brings the newest generation back.
#[test]
fn a_rotation_at_every_step_is_never_lost() {
    let house = House::two_with_server("steps");
    let before = house.world.snapshot();
    let vfs = counting();
    let switch = |vfs: FaultyVfs| house.engine_on(Arc::new(vfs)).switch(Target::Named("a"), Options::default());
    switch(vfs.clone()).expect("a switch");
    restore(house.world.home(), &before);
    let mut renewals = std::collections::BTreeSet::new();
    for at in 1..=vfs.effects().len() {
        let mut claude = house.world.claude().with(Variant::NoLocks);
        let renewed = Arc::new(std::sync::Mutex::new(None));
        let note = Arc::clone(&renewed);
        let rotate = move || *note.lock().expect("not poisoned") = Some(claude.rotate_offline());
        let faulty = FaultyVfs::with_callback(Arc::new(Unsynced(RealVfs)), at, rotate);
        let result = switch(faulty).map(|report| report.to);
        let told = format!("a rotation before effect {at} ({:?}): {result:?}", vfs.effects().get(at - 1));
        assert!(result.is_ok(), "{told}");
        let renewed = renewed.lock().expect("not poisoned").take();
        let Some(Refreshed::Renewed(newest)) = renewed else { panic!("{told}: {renewed:?}") };
        let other = if newest.family == "A" { Pair::new("B", 1) } else { Pair::new("A", 1) };
        let is_somewhere = |pair: &Pair| {
            let held = clauth_sandbox::world::holders(&house.world.snapshot(), &pair.refresh());
            assert!(!held.is_empty(), "{told}: {}{} is lost", pair.family, pair.generation);
        };
        is_somewhere(&newest);
        is_somewhere(&other);
        assert_one_holder(&house);
        // There and back again: what was renewed is the profile's, not merely kept.
        for name in ["b", "a", "b"] {
            house.try_switch(name).unwrap_or_else(|error| panic!("{told}: switch {name}: {error}"));
        }
        let expected = if newest.family == "A" { ("B1", "A2") } else { ("B2", "A1") };
        assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), expected, "{told}");
        renewals.insert(newest.family);
        assert_one_holder(&house);
        restore(house.world.home(), &before);
    }
    assert_eq!(renewals.len(), 2, "both logins were renewed, each at some step: {renewals:?}");
}

/// Two switches at once serialize.
#[test]
fn many_at_once_serialize() {
    let house = House::two("many");
    std::thread::scope(|scope| {
        for name in ["a", "b"].into_iter().cycle().take(8) {
            let engine = house.engine();
            scope.spawn(move || {
                let switched = engine.switch(Target::Named(name), Options::default());
                if let Err(error) = switched {
                    assert_eq!(error.kind(), clauth_engine::Kind::Busy, "{error}");
                }
            });
        }
    });
    assert_one_holder(&house);
    let live = house.world.live();
    let parked = if live == "A1" { house.slot("b") } else { house.slot("a") };
    assert!([("A1", "B1"), ("B1", "A1")].contains(&(live.as_str(), parked.as_str())), "{live} {parked}");
    assert!(house.vault().is_empty());
}
