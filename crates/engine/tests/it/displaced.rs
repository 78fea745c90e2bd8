//! A lent login that another sign-in displaced in Claude Code's home comes back, and is renewed like any other (L3); but only
//! where it is proven that it was displaced (O2, O4).

use std::time::Duration;

use clauth_engine::{Engine, Need};
use clauth_sandbox::{Account, Login, Pair, Reply, Route};

use crate::house::House;

/// So much time the copy of a lent login has left when it is to be renewed (R2).
const LITTLE: Duration = Duration::from_secs(15 * 60);

/// `c` and `a` parked; `b` live, with a login that ends in so much time.
fn house(name: &str, left: Duration) -> House {
    let house = House::with_server(name);
    for (account, name) in [(Account::c(), "c"), (Account::a(), "a")] {
        house.sign_in(&account);
        house.capture(name);
    }
    house.sign_in(&Account::b());
    let ends = clauth_sandbox::now_ms() + u64::try_from(left.as_millis()).expect("a time");
    let login = Login::new(&Account::b(), Pair::new("B", 1)).expiring_at(ends);
    house.server.as_ref().expect("a server").know(&login);
    house.world.store_login(&login);
    house.capture("b");
    assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()));
    house
}

/// Somebody signs in to Claude Code as an account that no profile is.
fn sign_in_outside(house: &House) {
    house.sign_in(&Account::new('D'));
}

fn by_hand(house: &House) -> Engine {
    let mut engine = house.engine();
    engine.by_hand = true;
    engine
}

fn assert_back(house: &House, generation: &str, what: &str) {
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), (generation, "none"), "{what}");
    house.server.as_ref().expect("a server").assert_clean();
}

#[test]
fn a_displaced_login_is_renewed_when_that_is_asked_for() {
    let house = house("d-refresh", LITTLE / 2);
    sign_in_outside(&house);
    let live = house.world.live();
    assert!(house.engine().refresh("b", &Need::default()).expect("renewed").renewed);
    assert_back(&house, "B2", "by the server's word");
    assert_eq!(house.world.live(), live, "what is live stays");
}

#[test]
fn a_session_begins_on_a_login_that_came_back() {
    let house = house("d-start", LITTLE / 2);
    sign_in_outside(&house);
    let session = by_hand(&house).begin("b").expect("a session");
    assert_back(&house, "B2", "at the start");
    assert_eq!(session.end(), Vec::<String>::new());
    assert_back(&house, "B2", "at the end");
}

#[test]
fn a_sessions_copy_of_a_displaced_login_becomes_the_login() {
    let house = house("d-watch", LITTLE + Duration::from_secs(2));
    let began = std::time::Instant::now();
    let mut session = by_hand(&house).begin("b").expect("a session");
    assert_eq!(house.slot("b"), "B1 bearer");
    sign_in_outside(&house);
    session.look();
    let slot = house.slot("b");
    // A slow system may have come to the time at which it is due.
    assert!(slot == "B1 bearer" || began.elapsed() > Duration::from_secs(2), "it still works for long enough: {slot}");
    std::thread::sleep(Duration::from_millis(2_200));
    session.look();
    assert_back(&house, "B2", "when it is due");
    assert_eq!(house.world.login_at(&session.config_dir().join(".credentials.json")), "B2");
    assert_eq!(session.end(), Vec::<String>::new());
}

#[test]
fn without_a_network_a_login_that_another_profile_holds_is_proof() {
    let house = house("d-own", LITTLE / 2);
    house.engine().set("network", "off", None).expect("a setting");
    house.sign_in(&Account::c());
    house.world.store_login(&Login::new(&Account::c(), Pair::new("C", 1)));
    let session = by_hand(&house).begin("b").expect("a session");
    assert_back(&house, "B1", "whole, so that its session renews it");
    assert_eq!(session.end(), Vec::<String>::new());
}

#[test]
fn what_nobody_can_tell_displaces_nothing() {
    let house = house("d-unknown", LITTLE / 2);
    house.world.sign_in(&Account::new('D'));
    house.server.as_ref().expect("a server").script(Route::Profile, vec![Reply::status(500); 4]);
    for (what, said) in [("a stranger's", "another one is live there"), ("none", "there is none there")] {
        let refused = house.engine().refresh("b", &Need::default()).expect_err(what);
        assert!(refused.to_string().contains(said), "{what}: {refused}");
        assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()), "{what}");
        std::fs::remove_file(house.world.credentials_path()).ok();
    }
}

/// O3: an account that the server never confirmed may be the very one that it names now.
#[test]
fn the_servers_word_is_none_about_a_profile_that_it_never_confirmed() {
    let house = house("d-unproven", LITTLE / 2);
    let identity = house.world.root().join("profiles/b/identity.json");
    house.world.edit_json(&identity, |known| drop(known.insert("proven".into(), false.into())));
    sign_in_outside(&house);
    assert!(house.engine().refresh("b", &Need::default()).is_err());
    assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()));
    assert_eq!(house.engine().begin("b").expect("a session").end(), Vec::<String>::new());
    assert_eq!(house.loan("b"), "B1");
}
