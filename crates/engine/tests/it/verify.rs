//! `switch --verify`: the server is asked first, no refresh token is spent for it, and without its yes nothing changes.

use std::time::Duration;

use clauth_engine::{Error, Kind, Options, Report, Target};
use clauth_sandbox::server::Gate;
use clauth_sandbox::world::Snapshot;
use clauth_sandbox::{Account, Login, Pair, Reply, Route, Server, now_ms};
use serde_json::json;

use crate::house::House;

const VERIFIED: Options = Options { force: false, dry_run: false, verify: true };

/// a parked, b live, and no request so far.
fn house(name: &str) -> House {
    let house = House::two_with_server(name);
    house.fake().forget_requests();
    house
}

fn verified(house: &House, name: &str) -> Result<Report, Error> {
    house.engine().switch(Target::Named(name), VERIFIED)
}

/// What changed, but for locks and the count of requests.
fn changes(house: &House, before: &Snapshot) -> Vec<String> {
    let mut changes = clauth_sandbox::world::changes(before, &house.world.snapshot());
    changes
        .retain(|change| !change.contains("locks") && !change.contains("/.lock") && !change.contains(".clauth/poll"));
    changes
}

#[test]
fn each_answer_decides_as_the_rules_have_it() {
    let scope = json!({"error": {"message": "OAuth token does not meet scope requirement: user:profile"}});
    let page = Reply::Status(200, vec![("content-type".into(), "text/html".into())], "<html>SECRET</html>".into());
    let rows: Vec<(&str, Reply, Result<bool, Kind>)> = vec![
        ("accepted", Reply::Normal, Ok(false)),
        ("401", Reply::unauthorized("token_revoked"), Err(Kind::Protected)),
        ("403 for a scope", Reply::json(403, &scope), Ok(true)),
        ("403 as a page", Reply::Html, Err(Kind::Server)),
        ("400", Reply::invalid_grant(), Err(Kind::Server)),
        ("429", Reply::throttled(Some("720")), Err(Kind::Server)),
        ("500", Reply::status(500), Err(Kind::Server)),
        ("503", Reply::status(503), Err(Kind::Server)),
        ("nothing in time", Reply::Wait(Gate::new()), Err(Kind::Offline)),
        ("a reset", Reply::DropBefore, Err(Kind::Offline)),
        ("200 as a page", page, Err(Kind::Server)),
    ];
    for (name, reply, expected) in rows {
        let house = house("v-rows");
        let before = house.world.snapshot();
        house.fake().script(Route::Profile, vec![reply]);
        let mut engine = house.engine();
        if name == "nothing in time" {
            engine.patience.reading = Duration::from_millis(300);
        }
        let result = engine.switch(Target::Named("a"), VERIFIED);
        let asked: Vec<_> = house.fake().requests().into_iter().filter_map(|request| request.bearer).collect();
        assert_eq!(asked.first().map(String::as_str), Some("A1"), "{name}: with the target's access token");
        match (result, expected) {
            (Ok(report), Ok(warned)) => {
                assert!(report.verified && report.switched, "{name}");
                assert_eq!(report.warnings.len(), usize::from(warned), "{name}: {:?}", report.warnings);
                assert_eq!(house.world.live(), "A1", "{name}");
            }
            (Err(error), Err(kind)) => {
                assert_eq!(error.kind(), kind, "{name}: {error}");
                assert!(!error.to_string().contains("SECRET"), "{name}: {error}");
                assert_eq!(changes(&house, &before), Vec::<String>::new(), "{name}");
            }
            (result, _) => panic!("{name}: {:?}", result.map(|report| report.to).map_err(|error| error.to_string())),
        }
        assert_eq!(house.fake().requests_to(Route::Token).len(), 0, "{name}: nothing is spent");
        house.fake().assert_clean();
    }
}

#[test]
fn another_accounts_login_is_not_installed() {
    let house = house("v-other");
    let before = house.world.snapshot();
    house.fake().set_profile(&Account::a(), Account::c().profile());
    let refused = verified(&house, "a").map(drop).expect_err("another account");
    assert_eq!(refused.kind(), Kind::Protected);
    assert!(refused.to_string().contains("carol@example.invalid"), "{refused}");
    assert_eq!(changes(&house, &before), Vec::<String>::new());
}

/// What the server says on the way confirms whose the login is, as any look-up does.
#[test]
fn a_login_that_nobody_had_confirmed_is_proven_by_it() {
    let mut house = House::new("v-proven");
    for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
        house.sign_in(&account);
        assert!(!house.capture(name).proven, "nobody was there to ask");
    }
    house.server = Some(Server::start());
    verified(&house, "a").expect("a switch");
    let accounts = house.engine().list().expect("a list").accounts;
    assert!(accounts[0].proven);
    let asked: Vec<_> = house.fake().requests().into_iter().filter_map(|request| request.bearer).collect();
    assert_eq!(asked.iter().filter(|bearer| *bearer == "A1").count(), 1, "asked once: {asked:?}");
}

/// What cannot be asked without spending something is not asked, and says what would tell.
#[test]
fn what_nobody_can_be_asked_about_is_not_installed() {
    let ended = || {
        let house = House::with_server("v-ended");
        let login = Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(now_ms() - 1000);
        house.world.store_login(&login);
        house.capture("a");
        house.sign_in(&Account::b());
        house.capture("b");
        house.fake().forget_requests();
        house
    };
    let off = || {
        let house = house("v-off");
        let path = house.world.root().join("settings.toml");
        let text = std::fs::read_to_string(&path).expect("settings");
        std::fs::write(&path, format!("network = \"off\"\n{text}")).expect("settings");
        house
    };
    let dead = || {
        let house = ended();
        house.fake().script(Route::Token, vec![Reply::invalid_grant()]);
        house.engine().refresh("a", &clauth_engine::Need::default()).expect_err("dead");
        house.fake().forget_requests();
        house
    };
    for (name, house, kind, words) in [
        ("its access token has ended", ended(), Kind::Protected, "only a renewal can tell"),
        ("the network is off", off(), Kind::Offline, "nobody can be asked"),
        ("it is dead", dead(), Kind::DeadLogin, "is dead"),
    ] {
        let before = house.world.snapshot();
        let refused = verified(&house, "a").map(drop).expect_err("a refusal");
        assert_eq!(refused.kind(), kind, "{name}: {refused}");
        assert!(refused.to_string().contains(words), "{name}: {refused}");
        assert_eq!(house.fake().requests().len(), 0, "{name}");
        assert_eq!(changes(&house, &before), Vec::<String>::new(), "{name}");
    }
    // What would tell tells.
    let house = ended();
    house.engine().refresh("a", &clauth_engine::Need::default()).expect("renewed");
    assert!(verified(&house, "a").expect("a switch").verified);
    assert_eq!(house.world.live(), "A2");
}

#[test]
fn what_is_only_tried_changes_no_byte_but_the_count_of_requests() {
    let house = house("v-dry");
    let before = house.world.snapshot();
    let dry_run = || house.engine().switch(Target::Named("a"), Options { dry_run: true, ..VERIFIED });
    let report = dry_run().expect("a plan");
    assert!(report.verified && !report.planned.is_empty());
    house.fake().script(Route::Profile, vec![Reply::status(401); 30]);
    assert_eq!(dry_run().map(drop).expect_err("refused").kind(), Kind::Protected);
    assert_eq!(changes(&house, &before), Vec::<String>::new());
    for _ in 0..20 {
        dry_run().map(drop).expect_err("refused");
    }
    // The capture looked up whose login it is.
    assert_eq!(house.fake().requests_to(Route::Profile).len(), 19, "the budget is one (design §5)");
    assert!(dry_run().map(drop).expect_err("held").to_string().contains("nobody asks before"));
    assert_eq!(changes(&house, &before), Vec::<String>::new());
}

#[test]
fn the_live_login_is_asked_about_as_claude_code_renewed_it() {
    let house = house("v-live");
    house.world.claude().rotate_offline();
    let report = verified(&house, "b").expect("it is live already");
    assert!(report.verified && !report.switched);
    let asked: Vec<_> = house.fake().requests().into_iter().filter_map(|request| request.bearer).collect();
    assert!(asked.iter().all(|bearer| bearer == "B2"), "{asked:?}");
}

#[test]
fn asking_is_counted_and_stays_within_the_budget() {
    let house = house("v-budget");
    house.fake().script(Route::Profile, vec![Reply::status(401); 30]);
    let mut kinds: Vec<Kind> = Vec::new();
    for _ in 0..22 {
        kinds.push(verified(&house, "a").map(drop).expect_err("a refusal").kind());
    }
    // The capture looked up whose login it is.
    assert_eq!(kinds.iter().filter(|kind| **kind == Kind::Protected).count(), 19, "{kinds:?}");
    assert_eq!(kinds[19..], [Kind::Server; 3]);
    assert_eq!(house.fake().requests_to(Route::Profile).len(), 19);
    let held = verified(&house, "a").map(drop).expect_err("a refusal");
    assert!(held.to_string().contains("nobody asks before"), "{held}");
    house.switch("a");
}
