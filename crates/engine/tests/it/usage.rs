//! Readings: what is asked, how often, and what stays when nothing new comes (design §5).

use std::thread;

use clauth_engine::{Account, Asked, Asking, Reading, Trouble, Usage};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account as Person, Login, Pair, Reply, Route};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::house::House;

/// The requests about accounts, which the status page is none of.
fn about_accounts(house: &House) -> usize {
    [Route::Usage, Route::Profile, Route::Token].iter().map(|route| house.fake().requests_to(*route).len()).sum()
}

fn ask(house: &House, asking: Asking) -> Usage {
    house.engine().usage(None, asking).expect("usage")
}

/// Asks at a later time.
fn ask_later(house: &House, asked: Option<&str>, seconds: i64) -> Usage {
    house.later(seconds).usage(asked, Asking::Everybody).expect("usage")
}

fn became(usage: &Usage, name: &str) -> Asked {
    usage.tried.iter().find(|tried| tried.name == name).expect("it was tried").asked.clone()
}

fn account<'u>(usage: &'u Usage, name: &str) -> &'u Account {
    usage.listing.accounts.iter().find(|account| account.name == name).expect("an account")
}

fn reading<'u>(usage: &'u Usage, name: &str) -> &'u Reading {
    account(usage, name).usage.as_ref().expect("a reading")
}

/// `5h 47 7d 12 7d:fable 88`.
fn figures(reading: &Reading) -> String {
    reading.windows.iter().map(|window| format!("{} {}", window.id, window.percent)).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_reading_is_asked_for_once_and_kept() {
    let house = House::unasked("u-once");
    assert!(ask(&house, Asking::Nobody).listing.accounts.iter().all(|account| account.usage.is_none()));
    assert_eq!(house.fake().requests().len(), 0);
    let usage = ask(&house, Asking::Stale);
    for name in ["a", "b"] {
        assert_eq!(became(&usage, name), Asked::Answered, "{name}");
        assert_eq!(figures(reading(&usage, name)), "5h 47 7d 12 7d:fable 88", "{name}");
        assert_eq!(reading(&usage, name).error, None, "{name}");
        assert_eq!(account(&usage, name).budget.map(|budget| budget.used), Some(2), "usage and plan: {name}");
    }
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 2);
    assert_eq!(house.fake().requests_to(Route::Profile).len(), 2);
    let again = ask(&house, Asking::Stale);
    assert_eq!(became(&again, "a"), Asked::Spared, "it is not stale");
    ask(&house, Asking::Everybody);
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 4);
    assert_eq!(house.fake().requests_to(Route::Profile).len(), 2, "the plan is looked up hourly");
    house.fake().assert_clean();
}

#[test]
fn each_answer_ends_in_the_state_of_one_table() {
    let day = 24 * 3600;
    let page = || Reply::Status(200, vec![("content-type".into(), "text/html".into())], "<html>SECRET</html>".into());
    let scope = json!({"error": {"message": "OAuth token does not meet scope requirement: user:profile"}});
    let held = json!({"error": {"type": "permission_error", "message": "organization_on_hold"}});
    let rows: Vec<(&str, Reply, Trouble, Option<i64>)> = vec![
        ("403 for a scope", Reply::json(403, &scope), Trouble::Scope, Some(day)),
        ("403 for the organization", Reply::json(403, &held), Trouble::Server, None),
        ("403 as a page", Reply::Html, Trouble::Server, None),
        ("400", Reply::json(400, &json!({"error": "invalid_grant"})), Trouble::Server, None),
        ("429", Reply::throttled(None), Trouble::Throttled, Some(300)),
        ("429 for nothing", Reply::throttled(Some("0")), Trouble::Throttled, Some(300)),
        ("429 for minutes", Reply::throttled(Some("720")), Trouble::Throttled, Some(720)),
        (
            "429 until a date that is over",
            Reply::throttled(Some("Wed, 25 Nov 2020 07:28:00 GMT")),
            Trouble::Throttled,
            Some(300),
        ),
        ("500", Reply::status(500), Trouble::Server, None),
        ("503", Reply::status(503), Trouble::Server, None),
        ("a reset", Reply::DropBefore, Trouble::Offline, None),
        ("half an answer", Reply::Truncate, Trouble::Offline, None),
        ("a page for an answer", page(), Trouble::Unparsable, None),
        ("a list", Reply::json(200, &json!([])), Trouble::Unparsable, None),
    ];
    for (name, reply, trouble, hold) in rows {
        let house = House::unasked("u-table");
        let good = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        let before = reading(&good, "a").clone();
        house.fake().script(Route::Usage, vec![reply]);
        let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        let now = reading(&usage, "a");
        assert_eq!(became(&usage, "a"), Asked::Failed(trouble), "{name}");
        assert_eq!(now.error, Some(trouble), "{name}");
        assert_eq!((figures(now), now.as_of), (figures(&before), before.as_of), "the last good reading stays: {name}");
        let wait = now.retry_at.map(|at| at.duration_since(now.error_at.expect("a time")).as_secs());
        assert!(wait >= hold && wait.is_some() == hold.is_some(), "{name}: {wait:?}");
        assert_eq!(house.fake().requests_to(Route::Token).len(), 0, "no token is renewed: {name}");
        let asked = house.fake().requests_to(Route::Usage).len();
        let again = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        let more = house.fake().requests_to(Route::Usage).len() - asked;
        assert_eq!(more, usize::from(hold.is_none()), "nobody asks before: {name}");
        assert_eq!(matches!(became(&again, "a"), Asked::Held(_)), hold.is_some(), "{name}");
        house.fake().assert_clean();
    }
}

#[test]
fn what_a_scope_lacks_is_not_asked_for_again_for_a_day() {
    let house = House::unasked("u-scope");
    let scope = json!({"error": {"message": "OAuth token does not meet scope requirement: user:profile"}});
    house.fake().script(Route::Usage, vec![Reply::json(403, &scope)]);
    for (seconds, asked) in [(0, true), (23 * 3600, false), (25 * 3600, true)] {
        let before = house.fake().requests_to(Route::Usage).len();
        // The access token is kept good for so long.
        let slot = house.world.root().join("profiles/a/credentials.json");
        house.world.edit_json(&slot, |object| object["claudeAiOauth"]["expiresAt"] = 4_000_000_000_000_u64.into());
        ask_later(&house, Some("a"), seconds);
        assert_eq!(house.fake().requests_to(Route::Usage).len() > before, asked, "after {seconds} s");
    }
}

/// What it is told to do about it, it may do at once.
#[test]
fn what_a_scope_lacked_is_asked_for_after_a_new_sign_in() {
    let house = House::unasked("u-signed");
    let scope = json!({"error": {"message": "OAuth token does not meet scope requirement: user:profile"}});
    house.fake().script(Route::Usage, vec![Reply::json(403, &scope)]);
    let login = house.world.root().join("profiles/a/credentials.json");
    let ends = |end: u64| {
        house.world.edit_json(&login, |object| object["claudeAiOauth"]["refreshTokenExpiresAt"] = end.into());
    };
    ends(4_000_000_000_000);
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert_eq!(became(&usage, "a"), Asked::Failed(Trouble::Scope));
    // A renewal changes nothing.
    ends(4_000_000_060_000);
    let held = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert!(matches!(became(&held, "a"), Asked::Held(_)));
    ends(4_000_600_000_000);
    let usage = house.engine().usage(Some("a"), Asking::Stale).expect("usage");
    assert_eq!((became(&usage, "a"), reading(&usage, "a").error), (Asked::Answered, None));
}

#[test]
fn a_refused_token_is_renewed_once_where_that_is_ours() {
    for (name, replies, renewed, trouble) in [
        ("once", vec![Reply::unauthorized("token_expired")], 1, None),
        ("revoked, then good", vec![Reply::unauthorized("token_revoked")], 1, None),
        (
            "for ever",
            vec![Reply::unauthorized("token_expired"), Reply::unauthorized("token_expired")],
            1,
            Some(Trouble::Expired),
        ),
    ] {
        let house = House::unasked("u-renewed");
        house.fake().script(Route::Usage, replies);
        let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        assert_eq!(house.fake().requests_to(Route::Token).len(), renewed, "{name}");
        assert_eq!(reading(&usage, "a").error, trouble, "{name}");
        let bearers: Vec<_> = house.fake().requests_to(Route::Usage).into_iter().filter_map(|r| r.bearer).collect();
        assert_eq!(bearers, ["A1", "A2"], "{name}");
        house.fake().assert_clean();
    }
}

#[test]
fn a_token_that_has_ended_is_renewed_before_it_is_used() {
    let house = House::with_server("u-ended");
    let login = Login::new(&Person::a(), Pair::new("A", 1)).expiring_at(clauth_sandbox::now_ms() - 1000);
    house.world.store_login(&login);
    house.fake().know(&login);
    house.capture("a");
    house.sign_in(&Person::b());
    house.capture("b");
    house.fake().forget_requests();
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert_eq!(became(&usage, "a"), Asked::Answered);
    let bearers: Vec<_> = house.fake().requests_to(Route::Usage).into_iter().filter_map(|r| r.bearer).collect();
    assert_eq!(bearers, ["A2"], "not asked with a token that is known to be over");
    house.fake().assert_clean();
}

#[test]
fn where_nothing_may_be_renewed_the_reading_says_expired() {
    let house = House::unasked("u-off");
    std::fs::write(
        house.world.root().join("settings.toml"),
        format!(
            "{}refresh = \"off\"\n",
            std::fs::read_to_string(house.world.root().join("settings.toml")).expect("settings")
        ),
    )
    .expect("written");
    house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired")]);
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    assert_eq!(became(&usage, "a"), Asked::Failed(Trouble::Expired));
    assert_eq!(house.fake().requests_to(Route::Token).len(), 0);
}

#[test]
fn one_server_that_never_answers_holds_up_nobody_else() {
    let house = House::unasked("u-hang");
    house.sign_in(&Person::c());
    house.capture("c");
    let gate = Gate::new();
    house.fake().script(Route::Usage, vec![Reply::Wait(gate.clone())]);
    let stored = || {
        let path = |name: &&str| house.world.root().join("profiles").join(name).join("usage_cache.json");
        ["a", "b", "c"].iter().filter(|name| path(name).exists()).count()
    };
    thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&house, Asking::Everybody));
        assert!(gate.is_reached());
        // The others are stored while one waits; without that this never ends before the request's own deadline.
        while stored() < 2 && !asking.is_finished() {
            thread::yield_now();
        }
        assert_eq!(stored(), 2, "one still waits");
        assert!(!asking.is_finished());
        gate.open();
        let usage = asking.join().expect("no panic");
        assert!(usage.tried.iter().all(|tried| tried.asked == Asked::Answered));
    });
}

#[test]
fn the_twenty_first_request_of_an_hour_is_not_made() {
    let house = House::unasked("u-budget");
    let mut held = None;
    for _ in 0..25 {
        let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        held = Some(became(&usage, "a")).filter(|asked| matches!(asked, Asked::Held(_)));
        assert_eq!(figures(reading(&usage, "a")), "5h 47 7d 12 7d:fable 88", "the cached one is shown");
    }
    assert_eq!(about_accounts(&house), 20, "profile requests included");
    let Some(Asked::Held(until)) = held else { panic!("{held:?}") };
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    let budget = account(&usage, "a").budget.expect("a budget");
    assert_eq!((budget.used, budget.limit, budget.next_at), (20, 20, Some(until)));
    let later = ask_later(&house, Some("a"), 62 * 60);
    assert_eq!(became(&later, "a"), Asked::Answered);
}

#[test]
fn eight_processes_together_stay_within_the_budget() {
    let house = House::unasked("u-many");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
                }
            });
        }
    });
    assert!(about_accounts(&house) <= 20, "{}", about_accounts(&house));
    assert_eq!(house.fake().requests_to(Route::Status).len(), 1, "the status page is asked once for all");
}

#[test]
fn with_the_network_off_nobody_is_asked() {
    let house = House::unasked("u-network");
    let settings = house.world.root().join("settings.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("network = \"off\"\n{text}")).expect("written");
    let before = house.world.snapshot();
    let usage = ask(&house, Asking::Everybody);
    assert_eq!(became(&usage, "a"), Asked::Off);
    assert_eq!(house.fake().requests().len(), 0);
    assert_eq!(clauth_sandbox::world::changes(&before, &house.world.snapshot()), Vec::<String>::new());
}

#[test]
fn a_profile_that_is_removed_meanwhile_stays_removed() {
    let house = House::unasked("u-gone");
    let gate = Gate::new();
    house.fake().script(Route::Usage, vec![Reply::Wait(gate.clone())]);
    thread::scope(|scope| {
        let asking = scope.spawn(|| house.engine().usage(Some("a"), Asking::Everybody));
        assert!(gate.is_reached());
        house.engine().remove("a", false).expect("removed");
        gate.open();
        // It is no longer there to be shown.
        drop(asking.join().expect("no panic"));
    });
    assert!(!house.world.root().join("profiles/a").exists());
}

#[test]
fn another_accounts_figures_are_not_kept() {
    let house = House::unasked("u-other");
    house.fake().set_profile(&Person::a(), Person::c().profile());
    for _ in 0..3 {
        let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
        assert_eq!(became(&usage, "a"), Asked::Failed(Trouble::Account));
        assert_eq!(figures(reading(&usage, "a")), "", "however often");
    }
    assert!(house.said.lock().expect("not poisoned").iter().any(|line| line.contains("its figures are not kept")));
}

#[test]
fn a_profile_that_comes_to_hold_another_account_has_no_reading_of_the_first() {
    let house = House::unasked("u-replaced");
    ask(&house, Asking::Everybody);
    house.sign_in(&Person::c());
    house.engine().capture(Some("b"), true).expect("replaced");
    let usage = ask(&house, Asking::Nobody);
    assert!(account(&usage, "b").usage.is_none(), "{:?}", account(&usage, "b").usage);
    assert!(account(&usage, "a").usage.is_some());
}

#[test]
fn the_plan_follows_the_server_and_a_failed_look_up_keeps_the_last() {
    let house = House::unasked("u-plan");
    let mut profile = Person::a().profile();
    profile["organization"]["organization_type"] = "claude_max".into();
    profile["organization"]["plan_display_name"] = "Max 20x".into();
    profile["organization"]["subscription_status"] = "past_due".into();
    house.fake().set_profile(&Person::a(), profile);
    let usage = ask(&house, Asking::Everybody);
    assert_eq!(account(&usage, "a").plan.as_deref(), Some("Max 20x"));
    assert_eq!(reading(&usage, "a").subscription.as_deref(), Some("past_due"), "an open-ended word");
    house.fake().script(Route::Profile, vec![Reply::status(500), Reply::status(500)]);
    let later = ask_later(&house, None, 2 * 3600);
    assert_eq!(became(&later, "a"), Asked::Answered, "the figures came all the same");
    assert_eq!(account(&later, "a").plan.as_deref(), Some("Max 20x"));
}

#[test]
fn a_profile_without_a_usable_login_is_not_asked_about() {
    let house = House::unasked("u-none");
    std::fs::remove_file(house.world.root().join("profiles/a/credentials.json")).expect("removed");
    let usage = ask(&house, Asking::Everybody);
    assert_eq!(became(&usage, "a"), Asked::Spared);
    assert_eq!(became(&usage, "b"), Asked::Answered);
    assert!(account(&usage, "a").usage.is_none());
}

/// The lease, as one who polls leaves it.
fn lease(house: &House, pid: u32) {
    let until = Timestamp::now() + SignedDuration::from_hours(48);
    let lease = json!({"schema": 1, "lease": {"pid": pid, "start": null, "until": until.to_string()}});
    std::fs::write(house.world.root().join("poll/poller.json"), lease.to_string()).expect("written");
}

#[test]
fn a_poll_asks_about_one_account_at_a_time_and_about_none_before_it_is_due() {
    let house = House::unasked("u-poll");
    for (seconds, asked) in [(0, 1), (9, 1), (11, 2)] {
        let wait = house.later(seconds).poll_once(false).expect("a poll");
        assert_eq!(house.fake().requests_to(Route::Usage).len(), asked, "five seconds apart, after {seconds} s");
        assert!(!wait.is_zero() && (seconds == 9) == (wait.as_secs() < 5), "{wait:?}");
    }
    let engine = house.later(17);
    let before = house.world.snapshot();
    for _ in 0..20 {
        let wait = engine.poll_once(false).expect("a poll");
        assert!(wait.as_secs() > 5, "{wait:?}");
    }
    assert_eq!(
        clauth_sandbox::world::changes(&before, &house.world.snapshot()),
        Vec::<String>::new(),
        "idle writes nothing"
    );
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 2);
    house.later(340).poll_once(false).expect("a poll");
    let asked: Vec<_> =
        house.fake().requests_to(Route::Usage).into_iter().filter_map(|request| request.bearer).collect();
    assert_eq!(asked[2..], ["B1"], "the one in use is due first");
}

#[test]
fn one_process_polls_whatever_is_due() {
    let house = House::unasked("u-lease");
    ask(&house, Asking::Everybody);
    house.sign_in(&Person::c());
    house.capture("c");
    house.fake().forget_requests();
    if clauth_sandbox::is_wine() {
        println!("skipped: under Wine: it has no process that lives whatever the machine");
        return;
    }
    // On every other system these do.
    lease(&house, if cfg!(windows) { 4 } else { 1 });
    for _ in 0..3 {
        let wait = house.later(3600).poll_once(false).expect("a poll");
        assert!(wait.as_secs() >= 30, "nobody is in a hurry: {wait:?}");
    }
    assert_eq!(house.fake().requests().len(), 0, "not even what that one never asked about");
    lease(&house, 4_000_000);
    house.later(3600).poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Usage).len(), 1, "a dead one's lease is nobody's");
    let lease = house.world.read_json(&house.world.root().join("poll/poller.json"))["lease"].clone();
    assert_eq!(lease["pid"], std::process::id(), "and is taken over");
    let until: Timestamp = lease["until"].as_str().expect("text").parse().expect("a time");
    let held = until.duration_since(house.later(3600).host.clock.now());
    // A minute from the end of the request, which took place five seconds after the look at the plan.
    assert!(held <= SignedDuration::from_secs(70), "another account is due now: {held}");
}

#[test]
fn just_after_a_sleep_an_account_is_asked_about_once() {
    let house = House::unasked("u-awake");
    house.fake().script(Route::Usage, vec![Reply::unauthorized("token_expired")]);
    for seconds in (0..48).step_by(6) {
        house.later(seconds).poll_once(true).expect("a poll");
    }
    assert_eq!(
        house.fake().requests().len(),
        2,
        "one an account, no plan and no second try: {:?}",
        house.fake().requests()
    );
}

#[test]
fn a_poll_that_is_told_to_stop_stops() {
    let house = House::unasked("u-stop");
    let (stop, stopped) = std::sync::mpsc::channel();
    thread::scope(|scope| {
        let engine = house.engine();
        let polling = scope.spawn(move || engine.poll(&stopped));
        while house.fake().requests_to(Route::Usage).is_empty() && !polling.is_finished() {
            thread::yield_now();
        }
        stop.send(()).expect("somebody polls");
        polling.join().expect("no panic").expect("a poll");
    });
}

#[test]
fn readings_have_a_pace_and_a_frozen_one_is_an_interval() {
    let house = House::unasked("u-pace");
    let percent = |percent: u32| {
        let at = |hours: i64| (Timestamp::now() + SignedDuration::from_hours(hours)).to_string();
        json!({"limits": [{"kind": "session", "percent": percent, "resets_at": at(3), "is_active": true}]})
    };
    house.fake().set_usage(&Person::a(), percent(80));
    let usage = house.engine().usage(Some("a"), Asking::Everybody).expect("usage");
    let filling = account(&usage, "a").filling.get("5h").copied().expect("a pace");
    let pace = filling.pace.expect("a pace");
    assert!((pace.expected_percent - 40.0).abs() < 1.0 && pace.ahead, "{pace:?}");
    assert!(pace.full_at.is_some(), "80 % after two of five hours");
    assert_eq!(filling.at_most, None);
    house.fake().script(Route::Usage, vec![Reply::throttled(None)]);
    let frozen = ask_later(&house, Some("a"), 360);
    let filling = account(&frozen, "a").filling.get("5h").copied().expect("a pace");
    assert!(filling.at_most.is_some_and(|most| most > 83.0 && most < 85.0), "{filling:?}");
}
