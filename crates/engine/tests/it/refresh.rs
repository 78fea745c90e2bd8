//! Renewing logins: whose it is, what was sent, and that no pair is ever lost (R1–R7).

use clauth_engine::{Engine, Error, Kind, Need, Refreshed};
use clauth_host::Fingerprint;
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account, Login, Pair, Reply, Route};
use serde_json::json;

use crate::custody::assert_one_holder;
use crate::house::House;

const NOW: Need = Need { unless_left: None, sessions_running: false, bearer_dependents: false, refused: None };

/// a parked and b live, both of which the server knows; a's access token has ended.
fn house(name: &str) -> House {
    let house = House::with_server(name);
    let ended = clauth_sandbox::now_ms() - 1000;
    let login = Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(ended);
    house.world.store_login(&login);
    house.fake().know(&login);
    house.capture("a");
    house.sign_in(&Account::b());
    house.capture("b");
    house.fake().forget_requests();
    house
}

/// How often a refresh token was sent.
fn posts(house: &House) -> usize {
    house.fake().requests_to(Route::Token).len()
}

fn refresh(house: &House, name: &str) -> Result<Refreshed, Error> {
    house.engine().refresh(name, &NOW)
}

/// The fingerprint of an access token.
fn access(pair: &Pair) -> Fingerprint {
    Fingerprint::of(pair.access().as_bytes())
}

fn kind_of(result: Result<Refreshed, Error>) -> Kind {
    result.expect_err("a refusal").kind()
}

fn state(house: &House, at: usize) -> &'static str {
    house.engine().list().expect("a list").accounts[at].state.word()
}

/// What lies in a profile's `refresh/`.
fn left(house: &House, name: &str) -> Vec<String> {
    let dir = house.world.root().join("profiles").join(name).join("refresh");
    let mut names: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_parked_login_is_renewed_in_its_slot() {
    let house = house("r-parked");
    let done = refresh(&house, "a").expect("renewed");
    assert!(done.renewed && done.expires_at.is_some() && done.warnings.is_empty(), "{done:?}");
    assert_eq!((house.slot("a"), house.world.live(), house.loan("b")), ("A2".into(), "B1".into(), "B1".into()));
    assert_eq!(left(&house, "a"), Vec::<String>::new());
    assert_eq!(house.engine().custody(Some("a")).expect("custody")[0].spent.len(), 1, "A1 is used up");
    let events = house.engine().why(Some("a"), 9).expect("history");
    assert_eq!(events.last().map(|event| event.event.as_str()), Some("refresh"));
    house.switch("a");
    assert_eq!(house.world.live(), "A2");
    house.fake().assert_clean();
}

#[test]
fn a_login_lent_to_the_live_home_is_renewed_there_and_loan_and_slot_follow() {
    let house = house("r-live");
    house.world.edit_json(&house.world.credentials_path(), |object| {
        object.insert("mcpOAuth".into(), json!({"mine": 1}));
    });
    assert!(refresh(&house, "b").expect("renewed").renewed);
    assert_eq!((house.world.live(), house.loan("b"), house.slot("b")), ("B2".into(), "B2".into(), "B2 bearer".into()));
    let live = house.world.read_json(&house.world.credentials_path());
    assert_eq!(live["mcpOAuth"], json!({"mine": 1}), "what is the machine's stays");
    assert_one_holder(&house);
    house.switch("a");
    assert_eq!(house.slot("b"), "B2");
    house.fake().assert_clean();
}

#[test]
fn what_works_long_enough_is_left_alone() {
    let house = house("r-enough");
    let soon = Need { unless_left: Some(std::time::Duration::from_secs(900)), ..NOW };
    assert!(!house.engine().refresh("b", &soon).expect("good").renewed);
    assert!(house.engine().refresh("a", &soon).expect("renewed").renewed);
    assert!(!refresh(&house, "a").expect("renewed a moment ago").renewed);
    let refused = |pair| Need { refused: Some(access(&pair)), ..soon.clone() };
    assert!(!house.engine().refresh("a", &refused(Pair::new("A", 1))).expect("another by now").renewed);
    assert_eq!(kind_of(house.engine().refresh("a", &refused(Pair::new("A", 2)))), Kind::Protected, "a moment ago");
    assert!(house.later(601).refresh("a", &refused(Pair::new("A", 2))).expect("renewed").renewed);
    assert_eq!((posts(&house), house.slot("a")), (2, "A3".into()));
    house.fake().assert_clean();
}

#[test]
fn many_at_once_send_one_request() {
    let house = house("r-many");
    let engines: Vec<Engine> = (0..8).map(|_| house.engine()).collect();
    let renewed: usize = std::thread::scope(|scope| {
        let runs: Vec<_> = engines.iter().map(|engine| scope.spawn(|| engine.refresh("a", &NOW))).collect();
        runs.into_iter().map(|run| usize::from(run.join().expect("no panic").expect("good").renewed)).sum()
    });
    assert_eq!((renewed, posts(&house), house.slot("a")), (1, 1, "A2".into()));
    house.fake().assert_clean();
}

/// R6, outcome by outcome: what is told, what state the profile is in, and how often the token may be sent again.
#[test]
fn each_outcome_has_its_own_consequence() {
    let refused = json!({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}});
    let grant = json!({"error": "invalid_grant"});
    for (name, reply, kind, state_after, posts_after) in [
        ("dead", Reply::json(400, &grant), Kind::DeadLogin, "dead", 1),
        ("another 400", Reply::json(400, &refused), Kind::Server, "expired", 2),
        ("bare 401", Reply::status(401), Kind::Server, "unknown", 2),
        ("throttled", Reply::throttled(Some("720")), Kind::Server, "expired", 1),
        ("a page", Reply::Html, Kind::Server, "unknown", 2),
        ("server error", Reply::status(500), Kind::Server, "unknown", 2),
        ("unavailable", Reply::status(503), Kind::Server, "unknown", 2),
        (
            "a missing scope",
            Reply::json(403, &json!({"error": {"type": "permission_error"}})),
            Kind::Server,
            "expired",
            2,
        ),
        ("a page that says 200", page(), Kind::Server, "unknown", 2),
        ("dropped before", Reply::DropBefore, Kind::Offline, "unknown", 2),
    ] {
        let house = house("r-outcome");
        house.fake().script(Route::Token, vec![reply]);
        assert_eq!(kind_of(refresh(&house, "a")), kind, "{name}");
        assert_eq!(state(&house, 0), state_after, "{name}");
        assert_eq!(house.slot("a"), "A1", "{name}: nothing stored is touched");
        assert_eq!(kind_of(refresh(&house, "a")), kind, "{name}: not asked again at once");
        assert_eq!(posts(&house), 1, "{name}");
        let again = house.later(301).refresh("a", &NOW);
        assert_eq!(posts(&house), posts_after, "{name}: after a pause");
        if posts_after == 2 {
            assert!(again.expect(name).renewed, "{name}: the retry");
            assert_eq!((state(&house, 0), house.slot("a")), ("ok", "A2".into()), "{name}");
            house.fake().assert_clean();
        } else {
            assert_eq!(kind_of(again), kind, "{name}: not asked again");
        }
    }
}

/// What a hotel's portal answers.
fn page() -> Reply {
    let kind = vec![("content-type".to_owned(), "text/html".to_owned())];
    Reply::Status(200, kind, "<!DOCTYPE html><html>sign in to the network</html>".to_owned())
}

/// The same answers of the profile endpoint: what is proven is all that they change.
#[test]
fn no_trouble_with_a_look_up_changes_more_than_what_is_proven() {
    let scope = json!({"error": {"type": "permission_error"}});
    for (name, reply) in [
        ("401", Reply::status(401)),
        ("403, a missing scope", Reply::json(403, &scope)),
        ("403, a page", Reply::Html),
        ("400 invalid_grant", Reply::invalid_grant()),
        ("another 400", Reply::status(400)),
        ("429", Reply::throttled(Some("720"))),
        ("500", Reply::status(500)),
        ("503", Reply::status(503)),
        ("a reset", Reply::DropBefore),
        ("half an answer", Reply::Truncate),
        ("200, a page", page()),
    ] {
        let house = House::with_server("r-look-up");
        house.sign_in(&Account::a());
        house.fake().script(Route::Profile, vec![reply; 4]);
        let captured = house.capture("a");
        assert!(captured.created && !captured.proven, "{name}");
        assert_eq!((state(&house, 0), house.world.live(), house.loan("a")), ("ok", "A1".into(), "A1".into()), "{name}");
        assert_eq!(posts(&house), 0, "{name}: nothing is spent for it");
        house.fake().assert_clean();
    }
}

/// The reply was lost after the server had rotated: one tagged retry, then the state `unknown` and no more.
#[test]
fn a_lost_reply_is_retried_once_and_not_before_the_access_token_has_ended() {
    for (name, reply) in [("dropped", Reply::Drop), ("half", Reply::Truncate)] {
        let house = house("r-lost");
        house.fake().script(Route::Token, vec![reply.clone(), reply]);
        assert_eq!(kind_of(house.engine().refresh("b", &NOW)), Kind::Offline, "{name}");
        assert_eq!(kind_of(house.engine().refresh("b", &NOW)), Kind::Protected, "{name}: its access token works");
        assert_eq!(posts(&house), 1, "{name}");
        let ended = Need { refused: Some(access(&Pair::new("B", 1))), ..NOW };
        assert_eq!(kind_of(house.engine().refresh("b", &ended)), Kind::Offline, "{name}: not at once");
        assert!(house.later(301).refresh("b", &ended).is_err(), "{name}");
        assert_eq!(posts(&house), 2, "{name}: the one retry");
        for hours in 1..4 {
            assert_eq!(kind_of(house.later(hours * 7 * 3600).refresh("b", &ended)), Kind::DeadLogin, "{name}");
        }
        assert_eq!((posts(&house), state(&house, 1)), (2, "unknown"), "{name}");
        assert_eq!(house.fake().reused(), 1, "{name}: no other reuse");
    }
}

#[test]
fn a_login_in_doubt_is_not_installed_and_a_newer_one_lifts_the_doubt() {
    let house = house("r-doubt");
    house.fake().script(Route::Token, vec![Reply::Drop]);
    assert!(refresh(&house, "a").is_err());
    assert_eq!(house.try_switch("a").map(drop).expect_err("in doubt").kind(), Kind::DeadLogin);
    let newer = house.fake().issue(&Account::a());
    house.world.store_login(&newer);
    assert_eq!(house.switch("b").harvested_into.as_deref(), Some("a"));
    assert_eq!(state(&house, 0), "ok");
    house.switch("a");
}

#[test]
fn without_a_network_nothing_is_sent_and_nothing_is_noted() {
    let house = House::two("r-offline");
    for _ in 0..3 {
        assert_eq!(kind_of(refresh(&house, "a")), Kind::Offline);
    }
    assert_eq!((state(&house, 0), left(&house, "a")), ("ok", Vec::new()));
    house.switch("a");
}

#[test]
fn the_settings_are_honoured() {
    for (line, kind) in [("refresh = \"off\"", Kind::Protected), ("network = \"off\"", Kind::Offline)] {
        let house = house("r-settings");
        let path = house.world.root().join("settings.toml");
        let text = std::fs::read_to_string(&path).expect("settings");
        std::fs::write(&path, format!("{line}\n{text}")).expect("settings");
        assert_eq!(kind_of(refresh(&house, "a")), kind, "{line}");
        assert_eq!((posts(&house), house.slot("a")), (0, "A1".into()), "{line}");
    }
}

#[test]
fn a_sign_in_while_the_answer_is_awaited_survives() {
    for (name, profile) in [("in the live home", "b"), ("beside a parked one", "a")] {
        let house = house("r-signin");
        let gate = Gate::new();
        house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
        let engine = house.engine();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| engine.refresh(profile, &NOW));
            assert!(gate.is_reached());
            house.sign_in(&Account::c());
            gate.open();
            assert!(run.join().expect("no panic").expect("renewed").renewed, "{name}");
        });
        assert_eq!(house.world.live(), "C1", "{name}");
        let expected = if profile == "a" { ("A2", "B1") } else { ("A1", "B2") };
        assert_eq!((house.slot("a").as_str(), house.loan("b").as_str()), expected, "{name}");
        house.capture("c");
        assert_eq!(house.slot("b"), expected.1, "{name}: the loan came back with the newest");
        house.fake().assert_clean();
    }
}

#[test]
fn what_claude_renewed_first_wins() {
    let house = house("r-first");
    house.world.claude().rotate_offline();
    let done = refresh(&house, "b").expect("good");
    assert_eq!((done.renewed, posts(&house)), (false, 0));
    assert_eq!((house.world.live(), house.loan("b")), ("B2".into(), "B2".into()));

    // While the answer is awaited, by a `claude` that takes no locks: its pair stands, ours is kept.
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let engine = house.engine();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.refresh("b", &NOW));
        assert!(gate.is_reached());
        let newer = Login::new(&Account::b(), Pair::new("BB", 7)).ending_at(None);
        house.world.edit_json(&house.world.credentials_path(), |object| {
            let end = object["claudeAiOauth"]["refreshTokenExpiresAt"].clone();
            object.insert("claudeAiOauth".into(), newer.oauth());
            object["claudeAiOauth"]["refreshTokenExpiresAt"] = end;
        });
        gate.open();
        run.join().expect("no panic").expect("kept");
    });
    assert_eq!((house.world.live(), house.vault()), ("BB7".into(), vec!["B3".to_owned()]));
}

/// R5: compare and swap. The slot got another login while the answer was awaited: that stands, and ours is kept.
#[test]
fn a_pair_whose_place_moved_on_goes_to_the_vault() {
    let house = house("r-moved");
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let engine = house.engine();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.refresh("a", &NOW));
        assert!(gate.is_reached());
        let slot = house.world.root().join("profiles/a/credentials.json");
        let newer = Login::new(&Account::a(), Pair::new("AB", 1)).credentials();
        std::fs::write(slot, newer.to_string()).expect("another login");
        gate.open();
        let done = run.join().expect("no panic").expect("kept");
        assert!(done.warnings.iter().any(|warning| warning.contains("vault")), "{done:?}");
    });
    assert_eq!((house.slot("a"), house.vault()), ("AB1".into(), vec!["A2".to_owned()]));
    assert_eq!(left(&house, "a"), Vec::<String>::new());
}

/// R5: a sign-in displaced the lent login in the home while the answer was awaited. What we renewed never was live there, so
/// the sign-in did not come of it: it is kept, whatever neither of them says of its end.
#[test]
fn a_pair_that_never_was_live_is_nobodys_ancestor() {
    let house = house("r-aside");
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let engine = house.engine();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.refresh("b", &NOW));
        assert!(gate.is_reached());
        let newer = Login::new(&Account::b(), Pair::new("BB", 1)).ending_at(None);
        house.world.store_login(&newer);
        gate.open();
        run.join().expect("no panic").expect("kept");
    });
    assert_eq!((house.world.live(), house.loan("b")), ("BB1".into(), "B2".into()));
    let _ = house.capture("b");
    assert_eq!((house.loan("b"), house.vault()), ("BB1".into(), vec!["B2".to_owned()]));
    house.switch("a");
    let kept = house.engine().vault().expect("the vault")[0].id.clone();
    house.engine().restore(&kept, Some("b")).expect("it is whole, and nothing speaks against it");
    assert_eq!(house.slot("b"), "B2");
}

#[test]
fn an_invalid_grant_about_an_older_token_proves_nothing() {
    let house = house("r-older");
    let gate = Gate::new();
    house.fake().revoke("B");
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let engine = house.engine();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.refresh("b", &NOW));
        assert!(gate.is_reached());
        house.sign_in(&Account::b());
        gate.open();
        let _ = run.join().expect("no panic");
    });
    assert_eq!(state(&house, 1), "ok");
    let events = house.engine().why(Some("b"), 9).expect("history");
    assert!(events.iter().all(|event| event.event != "dead"), "{events:?}");
}

/// A session that renewed in its tree and did not come home: that login is brought home first, and then renewed.
#[test]
fn what_a_session_renewed_in_its_tree_is_brought_home_first() {
    let house = house("r-tree");
    let tree = house.world.root().join("profiles/a/runtime");
    std::fs::create_dir_all(&tree).expect("a tree");
    let theirs = Login::new(&Account::a(), Pair::new("A", 2)).credentials();
    std::fs::write(tree.join(".credentials.json"), theirs.to_string()).expect("a login");
    assert!(refresh(&house, "a").expect("renewed").renewed);
    assert_eq!((posts(&house), house.slot("a").as_str()), (1, "A3"));
    house.fake().assert_clean();
}

/// R1: a pair that is staged is landed before anything else; its profile's removal keeps it.
#[test]
fn a_staged_pair_outlives_its_profile() {
    let house = house("r-staged");
    let profile = house.world.root().join("profiles/a");
    let login = std::fs::read_to_string(profile.join("credentials.json")).expect("a login");
    let sent = clauth_host::Secret::new(&Pair::new("A", 1).refresh()).fingerprint();
    let staged = format!(
        r#"{{"schema":1,"profile":"a","sent":"{}","sends":1,"login":{}}}   "#,
        sent.full(),
        login.replace("FAKE-A1", "FAKE-A2")
    );
    std::fs::create_dir_all(profile.join("refresh")).expect("a directory");
    std::fs::write(profile.join("refresh/stage.json"), staged).expect("a staged pair");
    let custody = house.engine().custody(Some("a")).expect("custody");
    assert!(custody[0].generations.iter().any(|one| one.copies.iter().any(|copy| copy.place == "staged")));
    assert_eq!(house.slot("a"), "A1", "looking changes nothing");
    house.engine().remove("a", false).expect("removed");
    assert_eq!(house.vault(), ["A2"]);
}

#[test]
fn a_profile_that_is_gone_by_then_is_not_made_again() {
    let house = house("r-gone");
    let gate = Gate::new();
    house.fake().script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let engine = house.engine();
    let gone = std::thread::scope(|scope| {
        let run = scope.spawn(|| engine.refresh("a", &NOW));
        assert!(gate.is_reached());
        // Whoever removes it by hand takes no lock.
        let roster = house.world.root().join("profiles.toml");
        let text = std::fs::read_to_string(&roster).expect("a list").replace("\"a\", ", "");
        std::fs::write(&roster, text).expect("a list");
        let removed = std::fs::remove_dir_all(house.world.root().join("profiles/a"));
        gate.open();
        let kept = run.join().expect("no panic");
        if clauth_sandbox::is_wine() && removed.is_err() {
            println!("skipped: under Wine: a directory in which a file is open cannot be removed: {removed:?}");
            return false;
        }
        removed.expect("removed");
        kept.expect("kept");
        true
    });
    if !gone {
        return;
    }
    assert!(!house.world.root().join("profiles/a").exists());
    assert_eq!((house.engine().names().expect("names"), house.vault()), (vec!["b".to_owned()], vec!["A2".to_owned()]));
    house.fake().assert_clean();
}
