//! Staying signed in, beside renewals that somebody else takes part in: who waits for whom, who is believed, and what comes
//! back by itself (R1–R7).

use clauth_engine::{Asking, Kind, Need, State};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account, Login, Pair, Reply, Route, now_ms};
use jiff::Timestamp;
use serde_json::json;

use crate::house::House;

const DAY: u64 = 24 * 3600 * 1000;

/// a parked with its access token ended, b live.
fn house(name: &str, end: Option<u64>) -> House {
    let house = House::with_server(name);
    let login = Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(now_ms() - 1000).ending_at(end);
    house.world.store_login(&login);
    house.fake().know(&login);
    house.capture("a");
    house.sign_in(&Account::b());
    house.capture("b");
    house.fake().forget_requests();
    house
}

fn posts(house: &House) -> usize {
    house.fake().requests_to(Route::Token).len()
}

fn account(house: &House, name: &str) -> clauth_engine::Account {
    let accounts = house.engine().list().expect("a list").accounts;
    accounts.into_iter().find(|account| account.name == name).expect("an account")
}

fn said(house: &House, words: &str) -> bool {
    house.said.lock().expect("not poisoned").iter().any(|line| line.contains(words))
}

#[test]
fn a_switch_to_a_profile_waits_until_it_is_renewed() {
    let house = house("st-wait", None);
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    std::thread::scope(|scope| {
        let renewing = scope.spawn(|| house.engine().refresh("a", &Need::default()));
        assert!(gate.is_reached());
        let switching = scope.spawn(|| house.try_switch("a").map(drop));
        while !said(&house, "waiting for the login of 'a'") && !switching.is_finished() {
            std::thread::yield_now();
        }
        assert!(!switching.is_finished(), "it waits, and says so");
        assert_eq!(house.world.live(), "B1");
        gate.open();
        assert!(renewing.join().expect("no panic").expect("renewed").renewed);
        switching.join().expect("no panic").expect("a switch");
    });
    assert_eq!((house.world.live(), posts(&house)), ("A2".into(), 1), "the new pair is what came");
    house.fake().assert_clean();
}

#[test]
fn a_removal_waits_until_the_profile_is_renewed_and_keeps_the_new_pair() {
    let house = house("st-remove", None);
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    std::thread::scope(|scope| {
        let renewing = scope.spawn(|| house.engine().refresh("a", &Need::default()));
        assert!(gate.is_reached());
        let removing = scope.spawn(|| house.engine().remove("a", false).map(drop));
        while !said(&house, "waiting for the login of 'a'") && !removing.is_finished() {
            std::thread::yield_now();
        }
        gate.open();
        renewing.join().expect("no panic").expect("renewed");
        removing.join().expect("no panic").expect("removed");
    });
    assert!(!house.world.root().join("profiles/a").exists(), "it is not made again");
    assert_eq!((house.engine().names().expect("names"), house.vault()), (vec!["b".to_owned()], vec!["A2".to_owned()]));
}

/// Every way to a renewal, every quarter of an hour for a day without a network; then one request, and all is well.
#[test]
fn a_day_without_a_network_spends_nothing() {
    let mut house = house("st-offline", None);
    let reached = house.server.take();
    for quarter in 1..=96 {
        let engine = house.later(quarter * 900);
        assert_eq!(engine.refresh("a", &Need::default()).map(drop).expect_err("nobody there").kind(), Kind::Offline);
        engine.poll_once(false).expect("a poll");
        if quarter % 16 == 0 {
            engine.usage(None, Asking::Everybody).expect("usage");
        }
    }
    let profile = house.world.root().join("profiles/a");
    assert_eq!(std::fs::read_dir(profile.join("refresh")).map_or(0, Iterator::count), 0, "no mark");
    assert_eq!((account(&house, "a").state, house.slot("a")), (State::Expired, "A1".into()));
    house.server = reached;
    assert!(house.later(97 * 900).refresh("a", &Need::default()).expect("renewed").renewed);
    assert_eq!((posts(&house), house.slot("a")), (1, "A2".into()));
    house.fake().assert_clean();
}

#[test]
fn a_dead_login_is_set_aside_by_its_fingerprint_and_any_newer_one_is_free_of_that() {
    let house = house("st-dead", None);
    let old = std::fs::read(house.world.root().join("profiles/a/credentials.json")).expect("a login");
    house.fake().script(Route::Token, vec![Reply::invalid_grant()]);
    let refused = house.engine().refresh("a", &Need::default()).expect_err("dead");
    assert_eq!((refused.kind(), account(&house, "a").state), (Kind::DeadLogin, State::Dead));
    for hours in [0, 1, 24, 24 * 20] {
        let again = house.later(hours * 3600).refresh("a", &Need::default()).expect_err("dead");
        assert_eq!((again.kind(), posts(&house)), (Kind::DeadLogin, 1), "nobody asks again, after {hours} h");
    }
    assert_eq!(house.try_switch("a").map(drop).expect_err("dead").kind(), Kind::DeadLogin);
    let verdict = std::fs::read_to_string(house.world.root().join("profiles/a/verdict.json")).expect("a verdict");
    let print = clauth_host::Secret::new(&Pair::new("A", 1).refresh()).fingerprint();
    assert!(verdict.contains(print.full()) && !verdict.contains("FAKE"), "{verdict}");
    // However it comes: here by a sign-in outside, in the live home.
    house.world.store_login(&house.fake().issue(&Account::a()));
    house.switch("b");
    assert_eq!(account(&house, "a").state, State::Ok, "nobody had to say so");
    assert!(house.engine().refresh("a", &Need::default()).expect("renewed").renewed);
    house.switch("a");
    house.switch("b");
    std::fs::write(house.world.root().join("profiles/a/credentials.json"), old).expect("the dead one");
    assert_eq!(account(&house, "a").state, State::Dead, "that one stays what it is");
    house.fake().assert_clean();
}

/// `refreshTokenExpiresAt`: told from five days before, by every command that speaks of the login.
#[test]
fn a_login_that_ends_soon_is_told_wherever_it_is_shown() {
    for (name, days, near) in [("six days", 6, false), ("four days", 4, true)] {
        let end = now_ms() + days * DAY + 60_000;
        let house = house("st-end", Some(end));
        let told = account(&house, "a").ends_soon(Timestamp::now());
        assert_eq!(told.is_some(), near, "{name}: {told:?}");
        assert_eq!(account(&house, "a").login_expires_at.map(Timestamp::as_millisecond), i64::try_from(end).ok());
        let custody = house.engine().custody(Some("a")).expect("custody");
        assert_eq!(custody[0].ends_soon(Timestamp::now()).is_some(), near, "{name}");
        let findings = house.engine().examine(Err("not looked for")).findings;
        assert_eq!(findings.iter().any(|finding| finding.rule.id == "login-ends"), near, "{name}");
        let done = house.engine().refresh("a", &Need::default()).expect("renewed");
        assert_eq!(done.warnings.iter().any(|line| line.contains("no renewal puts that off")), near, "{name}");
        let report = house.switch("a");
        assert_eq!(report.warnings.iter().any(|line| line.contains("clauth login a")), near, "{name}");
    }
}

/// The end that every login has is not what a server does to one.
#[test]
fn a_login_that_has_ended_is_told_apart_from_one_that_was_revoked() {
    let ended = house("st-ended", Some(now_ms() + DAY));
    let refused = ended.later(2 * 24 * 3600).refresh("a", &Need::default()).expect_err("it has ended");
    assert!(refused.to_string().contains("is lapsed: its own end"), "{refused}");
    assert_eq!(posts(&ended), 0, "there is nothing to ask");
    let revoked = house("st-revoked", Some(now_ms() + 9 * DAY + 60_000));
    revoked.fake().revoke("A");
    let refused = revoked.engine().refresh("a", &Need::default()).expect_err("it is revoked");
    let words = "is dead: the server no longer accepts it, 9 days before its own end";
    assert!(refused.to_string().contains(words), "{refused}");
    let reason = account(&revoked, "a").reason.expect("a reason");
    assert!(reason.contains("before its own end"), "{reason}");
    assert_eq!(account(&revoked, "a").ends_soon(Timestamp::now()), None, "what is dead ends no more");
}

/// Answers that say less than usual (facts §8.5): what they leave out stays as it was, and the login works on.
#[test]
fn an_answer_that_leaves_something_out_leaves_that_as_it_was() {
    let end = now_ms() + 20 * DAY;
    type Change = fn(&mut clauth_sandbox::server::Options);
    let rows: [(&str, Change, &str); 3] = [
        // The sandbox hands the same access token out again then, for longer.
        ("no refresh token", |options| options.omit_refresh_token = true, "A1"),
        ("no account", |options| options.omit_account = true, "A2"),
        ("no end of the login", |options| options.omit_login_end = true, "A2"),
    ];
    for (name, change, slot) in rows {
        let house = house("st-less", Some(end));
        house.fake().set(change);
        assert!(house.engine().refresh("a", &Need::default()).expect(name).renewed, "{name}");
        assert_eq!(house.slot("a"), slot, "{name}");
        let known = account(&house, "a");
        assert!(known.token_expires_at.is_some_and(|at| at > Timestamp::now()), "{name}");
        assert!(known.login_expires_at.is_some(), "{name}");
        assert_eq!(known.state, State::Ok, "{name}");
        house.fake().set(|options| *options = clauth_sandbox::server::Options::default());
        assert!(house.later(120).refresh("a", &Need::default()).expect(name).renewed, "{name}: and again");
        assert_eq!(account(&house, "a").state, State::Ok, "{name}");
        house.switch("a");
        house.fake().assert_clean();
    }
}

/// Were a token whose end is not told taken for ended, each use of it would spend a refresh token (R7).
#[test]
fn a_new_token_whose_end_is_not_told_works_as_long_as_usual() {
    for (name, told, least, most) in [
        ("nothing", json!(null), 8 * 3600 - 60, 8 * 3600 + 60),
        ("nonsense", json!("soon"), 8 * 3600 - 60, 8 * 3600 + 60),
        ("a fraction", json!(3600.5), 3600 - 60, 3600 + 60),
    ] {
        let house = house("st-untold", None);
        let (access, refresh) = ("sk-ant-oat01-FAKE-A2", "sk-ant-ort01-FAKE-A2");
        let pair = json!({"access_token": access, "refresh_token": refresh, "expires_in": told});
        house.fake().script(Route::Token, vec![Reply::json(200, &pair)]);
        assert!(house.engine().refresh("a", &Need::default()).expect(name).renewed, "{name}");
        let left = account(&house, "a").token_expires_at.expect("an end").duration_since(Timestamp::now()).as_secs();
        assert!((least..=most).contains(&left), "{name}: {left} s");
    }
}
