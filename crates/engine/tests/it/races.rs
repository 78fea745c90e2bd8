//! Somebody writes while we do, and we write while we do.

use std::sync::Arc;

use clauth_durable::vfs::{FaultyVfs, RealVfs};
use clauth_engine::{Options, Target};
use clauth_sandbox::Variant;

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced, counting, restore};

/// A rotation at every step boundary of a switch, by a `claude` that takes no locks: nothing is lost, whichever of the
/// two was first, and the next round trip brings the newest generation back or names where it is.
#[test]
fn a_rotation_at_every_step_is_never_lost() {
    let house = House::two_with_server("steps");
    let before = house.world.snapshot();
    let vfs = counting();
    let switch = |vfs: FaultyVfs| house.engine_on(Arc::new(vfs)).switch(Target::Named("a"), Options::default());
    switch(vfs.clone()).expect("a switch");
    restore(house.world.home(), &before);
    for at in 1..=vfs.effects().len() {
        let mut claude = house.world.claude().with(Variant::NoLocks);
        let renewed = Arc::new(std::sync::Mutex::new(None));
        let note = Arc::clone(&renewed);
        let rotate = move || *note.lock().expect("not poisoned") = Some(claude.rotate_offline());
        let faulty = FaultyVfs::with_callback(Arc::new(Unsynced(RealVfs)), at, rotate);
        let result = switch(faulty).map(|report| report.to);
        let told = format!("a rotation before effect {at} ({:?}): {result:?}", vfs.effects().get(at - 1));
        assert!(result.is_ok(), "{told}");
        let newest = if house.world.live().starts_with('A') { ("A", "B") } else { ("B", "A") };
        for family in [newest.0, newest.1] {
            let picture = house.world.snapshot();
            let top = (1..9).rev().find(|n| {
                !clauth_sandbox::world::holders(&picture, &format!("sk-ant-ort01-FAKE-{family}{n}")).is_empty()
            });
            assert!(top.is_some(), "{told}: {family} is lost");
        }
        assert_one_holder(&house);
        restore(house.world.home(), &before);
    }
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
