//! Readings that several processes ask for at once: what the slower one stores takes nothing from the quicker one, and what one
//! of them renewed the others use.

use std::thread;
use std::time::Duration;

use clauth_engine::{Asked, Asking, Engine, Reading, Source, Trouble};
use clauth_host::Secret;
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account as Person, Reply, Route};
use serde_json::{Value, json};

use crate::house::House;

fn ask(engine: &Engine) -> (Asked, Option<Reading>) {
    let mut usage = engine.usage(Some("a"), Asking::Everybody).expect("usage");
    (usage.tried.remove(0).asked, usage.listing.accounts.remove(0).usage)
}

/// What is known of a.
fn known(house: &House) -> Reading {
    let mut usage = house.engine().usage(Some("a"), Asking::Nobody).expect("usage");
    usage.listing.accounts.remove(0).usage.expect("a reading")
}

fn says(house: &House, percent: u32) {
    let later = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(2)).as_second();
    let body = json!({"limits": [{"kind": "session", "percent": percent, "resets_at": later / 60 * 60 }]});
    house.fake().set_usage(&Person::a(), body);
}

/// Somebody asks and waits for the answer, while `meanwhile` happens; then the answer comes, or does not.
fn beside(house: &House, answers: bool, meanwhile: impl FnOnce()) -> Asked {
    let gate = Gate::new();
    house.fake().script(Route::Usage, vec![Reply::Wait(gate.clone())]);
    let mut slow = house.engine();
    if !answers {
        slow.patience.reading = Duration::from_secs(2);
    }
    thread::scope(|scope| {
        let asking = scope.spawn(move || ask(&slow).0);
        assert!(gate.is_reached());
        meanwhile();
        if answers {
            gate.open();
        }
        let asked = asking.join().expect("no panic");
        gate.open();
        asked
    })
}

#[test]
fn a_slow_request_that_fails_leaves_the_newer_reading_of_another() {
    let house = House::unasked("t-fails");
    says(&house, 40);
    ask(&house.engine());
    let asked = beside(&house, false, || {
        says(&house, 97);
        assert_eq!(ask(&house.engine()).0, Asked::Answered);
    });
    assert_eq!(asked, Asked::Failed(Trouble::Offline));
    let reading = known(&house);
    assert_eq!((reading.windows[0].percent, reading.error), (97.0, None));
}

#[test]
fn a_slow_answer_takes_back_neither_what_was_used_since_nor_a_pause() {
    let house = House::unasked("t-slow");
    says(&house, 40);
    let asked = beside(&house, true, || {
        says(&house, 97);
        assert_eq!(ask(&house.engine()).0, Asked::Answered);
        house.fake().script(Route::Usage, vec![Reply::throttled(Some("3600"))]);
        assert_eq!(ask(&house.engine()).0, Asked::Failed(Trouble::Throttled));
    });
    assert_eq!(asked, Asked::Answered);
    let reading = known(&house);
    assert_eq!(reading.windows[0].percent, 97.0, "within a window nothing is given back");
    assert_eq!(reading.error, Some(Trouble::Throttled));
    assert!(matches!(ask(&house.engine()).0, Asked::Held(_)), "the pause stands");
}

#[test]
fn a_token_that_somebody_renewed_since_is_not_renewed_again() {
    let house = House::unasked("t-renewed");
    let asked = beside(&house, true, || {
        // Whoever waits has asked with the token that is renewed meanwhile.
        house.engine().refresh("a", &clauth_engine::Need::default()).expect("renewed");
    });
    assert_eq!(asked, Asked::Answered);
    house.fake().forget_requests();
    let refused = vec![Reply::unauthorized("token_expired"); 2];
    house.fake().script(Route::Usage, refused);
    assert_eq!(ask(&house.engine()).0, Asked::Failed(Trouble::Expired), "renewed a moment ago, and refused again");
    assert_eq!(house.fake().requests_to(Route::Token).len(), 0);
    house.fake().assert_clean();
}

/// A server that refuses every token would have one rotation for each question.
#[test]
fn a_login_that_was_just_renewed_and_is_refused_again_is_let_be_for_a_while() {
    let house = House::unasked("t-lasting");
    for name in ["a", "b"] {
        house.fake().forget_requests();
        house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired"); 30]);
        for _ in 0..8 {
            let usage = house.engine().usage(Some(name), Asking::Everybody).expect("usage");
            assert_eq!(usage.tried[0].asked, Asked::Failed(Trouble::Expired), "{name}");
        }
        assert_eq!(house.fake().requests_to(Route::Token).len(), 1, "{name}");
        house.fake().unscript(Route::Usage);
    }
    house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired"); 2]);
    house.later(700).usage(Some("a"), Asking::Everybody).expect("usage");
    assert_eq!(house.fake().requests_to(Route::Token).len(), 2, "later once more");
    house.fake().assert_clean();
}

#[test]
fn eight_who_are_refused_at_once_renew_once() {
    let house = House::unasked("t-eight");
    house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired"); 8]);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| ask(&house.engine()));
        }
    });
    assert_eq!(house.fake().requests_to(Route::Token).len(), 1);
    house.fake().assert_clean();
}

#[test]
fn what_the_server_says_of_the_plan_is_kept_where_the_figures_do_not_come() {
    let house = House::unasked("t-plan");
    let cache = house.world.root().join("profiles/a/usage_cache.json");
    let mut profile = Person::a().profile();
    profile["organization"]["plan_display_name"] = "Max 20x".into();
    profile["organization"]["subscription_status"] = "past_due".into();
    house.fake().set_profile(&Person::a(), profile);
    house.fake().script(Route::Usage, vec![Reply::status(500)]);
    assert_eq!(ask(&house.engine()).0, Asked::Failed(Trouble::Server));
    let reading = known(&house);
    assert_eq!(reading.plan.as_deref(), Some("Max 20x"), "{}", house.world.read_json(&cache));
    assert_eq!(reading.subscription.as_deref(), Some("past_due"));
}

#[test]
fn a_provider_that_never_answered_is_named_as_the_source() {
    let house = House::with_server("t-source");
    house.engine().add("router", "https://openrouter.ai/api", &Secret::new("sk-FAKE-KEY")).expect("added");
    house.fake().script(Route::Provider, vec![Reply::status(500); 2]);
    let usage = house.engine().usage(Some("router"), Asking::Everybody).expect("usage");
    let reading = usage.listing.accounts[0].usage.as_ref().expect("a reading");
    assert_eq!((reading.source, reading.error), (Source::Provider, Some(Trouble::Server)));
}

/// A plan that was looked up says nothing of when the figures are due.
#[test]
fn a_poller_that_ends_between_plan_and_figures_leaves_the_account_due() {
    let house = House::unasked("t-ended");
    let gate = Gate::new();
    house.fake().script(Route::Usage, vec![Reply::Wait(gate.clone())]);
    thread::scope(|scope| {
        let polling = scope.spawn(|| house.later(0).poll_once(false));
        assert!(gate.is_reached());
        // What is on the disk now is what one who is killed here leaves.
        let asked = |path: &std::path::Path| house.world.read_json(path)["requests"].as_array().map_or(0, Vec::len);
        let counts = std::fs::read_dir(house.world.root().join("poll")).expect("counts").flatten();
        let requests: Vec<usize> = counts.map(|entry| asked(&entry.path())).filter(|requests| *requests > 0).collect();
        gate.open();
        polling.join().expect("no panic").expect("a poll");
        assert_eq!(requests, [1], "the one for the figures alone");
    });
}

/// Asks while the plan does not come: whether figures were stored by then, and what came of it once it did.
fn while_the_plan_waits(house: &House) -> (bool, (Asked, Option<Reading>)) {
    let gate = Gate::new();
    house.fake().script(Route::Profile, vec![Reply::Wait(gate.clone())]);
    let cache = house.world.root().join("profiles/a/usage_cache.json");
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&house.engine()));
        assert!(gate.is_reached());
        let until = std::time::Instant::now() + Duration::from_secs(4);
        while !cache.exists() && std::time::Instant::now() < until {
            thread::yield_now();
        }
        let stored = cache.exists();
        gate.open();
        (stored, asking.join().expect("no panic"))
    })
}

/// Whose the figures are nobody knows before the plan has come, where no server confirmed the profile: they wait for it.
#[test]
fn figures_of_a_login_that_nobody_confirmed_wait_for_the_plan() {
    let house = House::unasked("t-unproven");
    house.world.edit_json(&house.world.root().join("profiles/a/identity.json"), |identity| {
        identity.insert("proven".into(), false.into());
    });
    let (stored, (asked, reading)) = while_the_plan_waits(&house);
    assert_eq!((stored, asked), (false, Asked::Answered));
    assert!(reading.is_some());
}

#[test]
fn a_plan_that_does_not_come_delays_no_reading() {
    let house = House::unasked("t-hangs");
    let (stored, (asked, _)) = while_the_plan_waits(&house);
    assert_eq!(asked, Asked::Answered);
    assert!(stored, "before the plan came");
    let cache = house.world.root().join("profiles/a/usage_cache.json");
    let plan = house.world.read_json(&cache)["clauth"]["looked_up"].clone();
    assert_ne!(plan, Value::Null, "and the plan came after it");
}

#[test]
fn what_was_kept_before_the_plan_came_goes_where_that_names_another() {
    let house = House::unasked("t-late");
    says(&house, 40);
    house.fake().set_profile(&Person::a(), Person::c().profile());
    let (stored, (asked, reading)) = while_the_plan_waits(&house);
    assert!(stored, "a's login is proven to be a's");
    assert_eq!(asked, Asked::Failed(Trouble::Account));
    assert!(reading.expect("a reading").windows.is_empty());
}

/// A poller that is stopped keeps nobody waiting for longer than until the next account is due.
#[test]
fn a_lease_ends_when_the_next_account_is_due() {
    let house = House::with_server("t-lease");
    house.sign_in(&Person::a());
    house.capture("a");
    std::fs::remove_dir_all(house.world.root().join("poll")).expect("the look-ups of the capture");
    house.later(0).poll_once(false).expect("a poll");
    let lease = house.world.read_json(&house.world.root().join("poll/poller.json"))["lease"].clone();
    let until: jiff::Timestamp = lease["until"].as_str().expect("text").parse().expect("a time");
    let held = until.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((200..=460).contains(&held), "its one account is due in five minutes: {held} s");
}
