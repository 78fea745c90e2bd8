//! Polls: apart from each other whoever makes them, whatever the clock does, and sparing while nobody answers (design §5).

use clauth_engine::Asking;
use clauth_host::Secret;
use clauth_sandbox::{Account as Person, Reply, Route};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::house::House;

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
fn a_process_that_takes_the_polling_over_keeps_apart_from_the_one_before() {
    let house = House::unasked("u-apart");
    house.later(0).poll_once(false).expect("a poll");
    // It polled, and was killed; the other account is due at once, but not in this moment.
    let until = (Timestamp::now() + SignedDuration::from_hours(48)).to_string();
    house.world.edit_json(&house.world.root().join("poll/poller.json"), |ledger| {
        ledger.insert("lease".into(), json!({"pid": 4_000_000, "start": null, "until": until}));
    });
    assert!(house.later(7).poll_once(false).expect("a poll").as_secs() <= 5);
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 1);
    house.later(11).poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 2);
}

/// The plan is looked up before the figures, so that another account's are not asked for; nobody waits for either.
#[test]
fn a_poll_that_looks_the_plan_up_makes_its_two_requests_apart() {
    let house = House::unasked("u-plan");
    house.later(0).poll_once(false).expect("a poll");
    let asked: Vec<_> = house.fake().requests().into_iter().map(|request| request.path).collect();
    let anthropic: Vec<_> = asked.iter().filter(|path| path.starts_with("/api/oauth/")).collect();
    assert_eq!(anthropic, ["/api/oauth/profile", "/api/oauth/usage"]);
    assert!(are_apart(&house), "{:?}", stamps(&house));
}

/// A token that is refused is renewed and tried again, and that request is one of several to the same host.
#[test]
fn a_poll_that_renews_a_token_makes_its_requests_apart() {
    let house = House::unasked("u-refused");
    house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired")]);
    house.later(0).poll_once(false).expect("a poll");
    assert_eq!((house.fake().requests_to(Route::Token).len(), house.fake().requests_to(Route::Usage).len()), (1, 2));
    let stamps = stamps(&house);
    assert_eq!(stamps.len(), 3, "the plan, which came, and the figures twice: {stamps:?}");
    assert!(stamps.windows(2).all(|two| two[1].duration_since(two[0]).as_secs() >= 5), "{stamps:?}");
}

/// One provider takes two requests for all that it knows of a key.
#[test]
fn a_poll_of_a_provider_makes_its_two_requests_apart() {
    let house = House::with_server("u-provider");
    house.engine().add("router", "https://openrouter.ai/api", &Secret::new("sk-FAKE-KEY")).expect("added");
    house.later(0).poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Provider).len(), 2);
    assert!(are_apart(&house), "{:?}", stamps(&house));
}

/// When requests were made, as the counts on the disk say, in order.
fn stamps(house: &House) -> Vec<Timestamp> {
    let counts = std::fs::read_dir(house.world.root().join("poll")).expect("counts").flatten();
    let lists = counts.flat_map(|entry| {
        let ledger = house.world.read_json(&entry.path());
        ["requests", "look_ups"].map(|kind| ledger[kind].clone())
    });
    let stamps = lists.flat_map(|list| list.as_array().cloned().unwrap_or_default());
    let mut stamps: Vec<Timestamp> = stamps.filter_map(|at| at.as_str()?.parse().ok()).collect();
    stamps.sort_unstable();
    stamps
}

fn are_apart(house: &House) -> bool {
    matches!(stamps(house)[..], [first, second] if second.duration_since(first).as_secs() >= 5)
}

/// Whose login turned out to be another's is not asked about any sooner than everybody.
#[test]
fn a_poll_of_another_accounts_login_is_made_no_more_often() {
    let house = House::unasked("u-another");
    house.fake().set_profile(&Person::a(), Person::c().profile());
    for seconds in (0..240).step_by(6) {
        house.later(seconds).poll_once(false).expect("a poll");
    }
    let asked = house.fake().requests_to(Route::Profile).into_iter().filter_map(|request| request.bearer);
    assert_eq!(asked.filter(|bearer| bearer == "A1").count(), 1);
}

/// Hours without a server use the budget up no more than hours with one: what is left is there when it is back.
#[test]
fn an_outage_leaves_requests_for_when_it_is_over() {
    let house = House::unasked("u-outage");
    for person in [Person::a(), Person::b()] {
        house.fake().set_usage(&person, json!({"limits": [{"kind": "weekly_all", "percent": 10}]}));
    }
    ask(&house);
    house.fake().script(Route::Usage, vec![Reply::status(503); 200]);
    let slot = house.world.credentials_path();
    house.world.edit_json(&slot, |object| object["claudeAiOauth"]["expiresAt"] = 4_000_000_000_000_u64.into());
    for half_minute in 1..480 {
        house.later(half_minute * 30).poll_once(false).expect("a poll");
    }
    let budget = house.later(4 * 3600).list().expect("a list").accounts[1].budget.expect("a budget");
    assert!(budget.used <= 14 && budget.next_at.is_none(), "{budget:?}");
}

/// Stamps from a clock that was a year ahead keep nobody from asking for longer than the plan does.
#[test]
fn a_clock_that_was_put_back_stops_no_poll_and_no_question() {
    let house = House::unasked("u-back");
    let year = 365 * 24 * 3600;
    ask(&house);
    edit_counts(&house, |ledger| {
        let ahead = (Timestamp::now() + SignedDuration::from_secs(year)).to_string();
        ledger.insert("requests".into(), vec![ahead; 20].into());
    });
    let asked = house.fake().requests_to(Route::Usage).len();
    for minute in 0..90 {
        house.later(minute * 60).poll_once(false).expect("a poll");
    }
    assert!(house.fake().requests_to(Route::Usage).len() >= asked + 2, "both are asked about again");
}
