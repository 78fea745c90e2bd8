//! A sign-in beside the live login (S9), with every fault at every effect that it has on the disk.

use std::path::Path;
use std::sync::Arc;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_engine::{Engine, Error, LoggedIn};
use clauth_sandbox::world::holders;
use clauth_sandbox::{Account, swept};

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced, counting, restore};

/// Signs in as an account into a profile.
pub(crate) fn login(house: &House, engine: &Engine, name: &str, account: &Account) -> Result<LoggedIn, Error> {
    engine.login(name, false, |dir: &Path| {
        house.world.claude_in(dir).sign_in(account).expect("a sign-in");
        Ok::<(), Error>(())
    })
}

/// b is live; its newer sign-in waits in the slot.
pub(crate) fn waiting() -> House {
    let house = House::two("l-waiting");
    assert!(login(&house, &house.engine(), "b", &Account::b()).expect("a login").waits);
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("BB1", "B1"));
    house
}

fn is_there(house: &House, token: &str) -> bool {
    !holders(&house.world.snapshot(), &format!("sk-ant-ort01-FAKE-{token}")).is_empty()
}

/// The profile that is signed in, who signs in, and the new family.
fn rows() -> [(&'static str, Account, &'static str); 4] {
    [("a", Account::a(), "AB1"), ("b", Account::b(), "BB1"), ("c", Account::c(), "C1"), ("a", Account::c(), "C1")]
}

#[test]
fn a_fault_anywhere_loses_no_login() {
    for (name, account, new) in rows() {
        let house = House::two("l-faults");
        let before = house.world.snapshot();
        let vfs = counting();
        let refused = login(&house, &house.engine_on(Arc::new(vfs.clone())), name, &account).is_err();
        let count = vfs.effects().len();
        let end = house.picture();
        restore(house.world.home(), &before);
        for fault in [Fault::Kill, Fault::Error(Errno::NoSpace), Fault::Error(Errno::Access)] {
            for at in swept(1..=count) {
                let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, fault);
                let mut signed_in = false;
                let engine = house.engine_on(Arc::new(vfs.clone()));
                let ended = engine.login(name, false, |dir: &Path| {
                    house.world.claude_in(dir).sign_in(&account).expect("a sign-in");
                    signed_in = true;
                    Ok::<(), Error>(())
                });
                let told = format!("{name} as {new}: {fault:?} at {at} of {count}: {:?}", vfs.effects().get(at - 1));
                for token in ["A1", "B1"].into_iter().chain(signed_in.then_some(new)) {
                    assert!(is_there(&house, token), "{told}: {token} is lost");
                }
                assert_one_holder(&house);
                assert_eq!((house.world.live(), house.world.identity()), ("B1".into(), "B".into()), "{told}");
                if ended.is_ok() {
                    assert_eq!(house.picture(), end, "{told}");
                }
                house.unlock();
                // The next sign-in takes care of what this one left, and everything is still there.
                let _ = house.engine().login("a", false, |_: &Path| Ok::<(), Error>(()));
                for token in ["A1", "B1"].into_iter().chain(signed_in.then_some(new)) {
                    assert!(is_there(&house, token), "{told}: {token} is lost in the end");
                }
                assert_one_holder(&house);
                let left = std::fs::read_dir(house.world.root().join("login")).map(Iterator::count);
                assert_eq!(left.unwrap_or(0), 0, "{told}: a directory is left");
                restore(house.world.home(), &before);
            }
        }
        assert_eq!(refused, name == "a" && new == "C1");
    }
}

#[test]
fn what_sign_in_answers_is_answered_when_it_left_nothing() {
    let house = House::two("l-nothing");
    let ended = house.engine().login("c", false, |dir: &Path| {
        assert!(std::fs::read_dir(dir).expect("a directory").next().is_none(), "it is empty");
        Err(Error::Contended { path: dir.to_owned() })
    });
    assert!(matches!(ended, Err(Error::Contended { .. })));
    let nothing = house.engine().login("c", false, |_: &Path| Ok::<(), Error>(()));
    assert_eq!(nothing.map(drop).expect_err("nothing").kind(), clauth_engine::Kind::Nothing);
    for (name, text) in [("torn", "{\"claudeAiOauth\":{"), ("blank", r#"{"claudeAiOauth":{"accessToken":""}}"#)] {
        let ended = house.engine().login("c", false, |dir: &Path| {
            std::fs::write(dir.join(".credentials.json"), text).expect("a file");
            Ok::<(), Error>(())
        });
        assert!(ended.is_err(), "{name}");
    }
    assert_eq!(house.engine().names().expect("names"), ["a", "b"]);
}

#[test]
fn a_second_sign_in_while_one_waits_keeps_all_three() {
    let house = waiting();
    assert!(login(&house, &house.engine(), "b", &Account::b()).expect("a login").waits);
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("BC1", "B1"));
    assert_eq!(house.vault(), ["BB1"]);
    house.switch("a");
    assert_eq!((house.slot("b").as_str(), house.vault()), ("BC1", vec!["B1".to_owned(), "BB1".to_owned()]));
    house.switch("b");
    assert_eq!(house.world.live(), "BC1");
}

#[test]
fn a_login_that_waits_survives_what_happens_to_the_one_that_is_lent() {
    // Renewed by Claude Code, and brought home by a command that stays.
    let house = waiting();
    house.world.claude().rotate_offline();
    house.engine().capture(Some("b"), false).expect("a capture");
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("BB1", "B2"));

    // Displaced by another account's sign-in.
    let house = waiting();
    house.sign_in(&Account::c());
    house.capture("c");
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("BB1", "none"));
    assert_eq!(house.vault(), ["B1"]);

    // Its profile becomes another account's, by the user's own word: the one that waits is not that account's.
    let house = waiting();
    house.sign_in(&Account::c());
    house.engine().capture(Some("b"), true).expect("a capture");
    assert_eq!(house.loan("b"), "C1");
    assert_eq!(house.vault(), ["B1", "BB1"]);
    assert!(house.slot("b").starts_with("C1"), "{}", house.slot("b"));
}
