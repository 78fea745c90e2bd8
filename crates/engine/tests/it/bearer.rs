//! `sessions.bearer = off`: nothing works on a copy of a lent login without its refresh token (protocols §7).

use clauth_engine::{Engine, Kind};

use crate::house::House;

/// A home with `b` live, whose engine looks after sessions by hand.
fn without_copies(name: &str) -> (House, Engine) {
    let house = House::two(name);
    house.engine().set("sessions.bearer", "off", None).expect("a setting");
    let mut engine = house.engine();
    engine.by_hand = true;
    (house, engine)
}

#[test]
fn no_session_of_the_live_account_begins() {
    let (house, engine) = without_copies("bearer-live");
    let refused = engine.begin("b").map(drop).expect_err("it would need a copy");
    assert_eq!(refused.kind(), Kind::Protected);
    assert!(!house.world.root().join("profiles/b/runtime").exists(), "a tree is left");
    assert!(!house.world.root().join("profiles/b/sessions").exists(), "a holder is left");
    // A parked one is whole.
    assert_eq!(engine.begin("a").expect("a session").end(), Vec::<String>::new());
}

#[test]
fn nothing_is_lent_while_a_session_uses_it() {
    let (house, engine) = without_copies("bearer-lend");
    let session = engine.begin("a").expect("a session");
    let before = house.picture();
    assert_eq!(house.try_switch("a").map(drop).expect_err("it would leave a copy").kind(), Kind::Protected);
    assert_eq!(house.picture(), before);
    assert_eq!(session.end(), Vec::<String>::new());
    house.switch("a");
    assert_eq!(house.world.live(), "A1");
    // What is live already is not lent anew.
    house.switch("a");
}

#[test]
fn with_copies_allowed_both_work() {
    let (house, engine) = without_copies("bearer-on");
    house.engine().unset("sessions.bearer", None).expect("a setting");
    let (live, parked) = (engine.begin("b").expect("a session"), engine.begin("a").expect("a session"));
    house.switch("a");
    assert_eq!((house.world.live(), house.slot("b")), ("A1".into(), "B1".into()));
    assert_eq!((live.end(), parked.end()), (Vec::new(), Vec::new()));
}
