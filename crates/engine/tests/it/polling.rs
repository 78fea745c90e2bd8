//! Polls: apart from each other whoever makes them, whatever the clock does, and sparing while nobody answers (design §5).

use clauth_engine::{Asking, Engine};
use clauth_host::Clock;
use clauth_sandbox::{Account as Person, Reply, Route, Server};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::house::House;

fn server(house: &House) -> &Server {
    house.server.as_ref().expect("a server")
}

/// a parked and b live, and no request so far.
fn house(name: &str) -> House {
    let house = House::two_with_server(name);
    server(&house).forget_requests();
    house
}

/// An engine in so many seconds.
fn later(house: &House, seconds: i64) -> Engine {
    let mut engine = house.engine();
    engine.host.clock = Clock::frozen(Timestamp::now() + SignedDuration::from_secs(seconds));
    engine
}

fn ask(house: &House) {
    house.engine().usage(None, Asking::Everybody).expect("usage");
}

/// Every count of requests that there is, changed.
fn edit_counts(house: &House, change: impl Fn(&mut serde_json::Map<String, serde_json::Value>)) {
    for entry in std::fs::read_dir(house.world.root().join("poll")).expect("counts").flatten() {
        house.world.edit_json(&entry.path(), &change);
    }
}

/// Requests to one host are five seconds apart whoever makes them: each process knows the others' by the counts on the disk.
#[test]
fn two_processes_that_poll_different_accounts_are_apart_too() {
    let house = house("u-apart");
    later(&house, 0).poll_once(false).expect("a poll");
    // The first account is another process's from now on; the other one is due at once, but not in this moment.
    edit_counts(&house, |ledger| {
        if ledger["requests"].as_array().is_none_or(Vec::is_empty) {
            return;
        }
        let until = (Timestamp::now() + SignedDuration::from_hours(48)).to_string();
        ledger.insert("lease".into(), json!({"pid": 1, "start": null, "until": until}));
    });
    assert!(later(&house, 2).poll_once(false).expect("a poll").as_secs() <= 5);
    assert_eq!(server(&house).requests_to(Route::Usage).len(), 1);
    later(&house, 6).poll_once(false).expect("a poll");
    assert_eq!(server(&house).requests_to(Route::Usage).len(), 2);
}

/// Hours without a server use the budget up no more than hours with one: what is left is there when it is back.
#[test]
fn an_outage_leaves_requests_for_when_it_is_over() {
    let house = house("u-outage");
    for person in [Person::a(), Person::b()] {
        server(&house).set_usage(&person, json!({"limits": [{"kind": "weekly_all", "percent": 10}]}));
    }
    ask(&house);
    server(&house).script(Route::Usage, vec![Reply::status(503); 200]);
    let slot = house.world.credentials_path();
    house.world.edit_json(&slot, |object| object["claudeAiOauth"]["expiresAt"] = 4_000_000_000_000_u64.into());
    for half_minute in 1..480 {
        later(&house, half_minute * 30).poll_once(false).expect("a poll");
    }
    let budget = later(&house, 4 * 3600).list().expect("a list").accounts[1].budget.expect("a budget");
    assert!(budget.used <= 14 && budget.next_at.is_none(), "{budget:?}");
}

/// Stamps from a clock that was a year ahead keep nobody from asking for longer than the plan does.
#[test]
fn a_clock_that_was_put_back_stops_no_poll_and_no_question() {
    let house = house("u-back");
    let year = 365 * 24 * 3600;
    ask(&house);
    edit_counts(&house, |ledger| {
        let ahead = (Timestamp::now() + SignedDuration::from_secs(year)).to_string();
        ledger.insert("requests".into(), vec![ahead; 20].into());
    });
    let asked = server(&house).requests_to(Route::Usage).len();
    for minute in 0..90 {
        later(&house, minute * 60).poll_once(false).expect("a poll");
    }
    assert!(server(&house).requests_to(Route::Usage).len() >= asked + 2, "both are asked about again");
}
