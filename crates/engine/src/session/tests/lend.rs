//! A login is lent while a session of it begins: at no moment do two files have one refresh token (L5).
#![cfg(unix)]

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_durable::vfs::{FaultyVfs, RealVfs};

use super::credential::Flat;
use crate::session::LinkMode;
use crate::{Options, Target};

/// So long a switch may take to get in between, which it must not.
const LONG: Duration = Duration::from_millis(1500);

/// Whether the live home and the tree have one refresh token.
fn is_twice(flat: &Flat) -> bool {
    let token = |path: &std::path::Path| {
        flat.world.read_json(path)["claudeAiOauth"]["refreshToken"].as_str().map(str::to_owned)
    };
    let live = token(&flat.world.credentials_path());
    live.is_some() && live == token(&flat.place.credential())
}

#[test]
fn a_switch_does_not_come_between_reading_the_slot_and_writing_the_copy() {
    let counted = {
        let flat = Flat::parked(LinkMode::Copy);
        flat.engine().disk.remove_file(&flat.place.credential()).expect("removed");
        let counting = FaultyVfs::counting(Arc::new(RealVfs));
        let mut engine = flat.engine();
        engine.disk = engine.disk.with_vfs(Arc::new(counting.clone()));
        engine.give_credential(&flat.place, LinkMode::Copy).expect("a copy");
        counting.effects()
    };
    let writes = counted.iter().position(|effect| effect.path.starts_with("/") && effect.name == "create");
    assert!(writes.is_some(), "{counted:?}");
    for at in 1..=counted.len() {
        let flat = Arc::new(Flat::parked(LinkMode::Copy));
        flat.engine().disk.remove_file(&flat.place.credential()).expect("removed");
        let (tell, told) = mpsc::channel();
        let switching = Arc::new(Mutex::new(None));
        let (other, thread) = (flat.clone(), switching.clone());
        let vfs = FaultyVfs::with_callback(Arc::new(RealVfs), at, move || {
            let (other, tell) = (other.clone(), tell.clone());
            let began = std::thread::spawn(move || {
                let done = other.engine().switch(Target::Named("a"), Options::default()).is_ok();
                let _ = tell.send(());
                done
            });
            *thread.lock().expect("not poisoned") = Some(began);
            // Who waits for our locks goes on when they are free.
            let _ = told.recv_timeout(LONG);
        });
        let mut engine = flat.engine();
        engine.disk = engine.disk.with_vfs(Arc::new(vfs));
        engine.give_credential(&flat.place, LinkMode::Copy).expect("a copy");
        let switching = switching.lock().expect("not poisoned").take();
        assert!(switching.expect("a switch").join().expect("no panic"), "the switch at {at}");
        assert_eq!(flat.world.live(), "A1", "at {at}: {:?}", counted[at - 1]);
        assert!(!is_twice(&flat), "at {at}: {:?}", counted[at - 1]);
        assert_eq!((flat.tree().as_str(), flat.slot().as_str()), ("A1 bearer", "A1 bearer"), "at {at}");
    }
}
