//! The files around a login: state, registration, sign-in and sign-out, a config directory of its own.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::names;
use crate::claude::*;
use crate::{Account, Pair, Server, World, disk};

#[test]
fn a_start_counts_itself_registers_and_sets_the_identity_right() {
    for (name, block, variant, identity) in [
        ("absent", None, None, "A"),
        ("wrong", Some(Account::b()), None, "A"),
        ("right organization matters", Some(Account::a().with_organization('P')), None, "A"),
        ("left alone", Some(Account::b()), Some(Variant::NoFill), "B"),
    ] {
        let (world, server) = (World::new("start"), Server::start());
        world.sign_in(&Account::a());
        world.edit_json(&world.state_path(), |state| {
            state.insert("oauthAccount".to_owned(), block.map_or(Value::Null, |account| account.oauth_account()));
        });
        let mut claude = world.claude().on(&server);
        claude.variants.extend(variant);
        claude.start().expect("started");
        assert_eq!(world.identity(), identity, "{name}");
        assert_eq!(world.read_json(&world.state_path())["numStartups"], 4, "{name}");
        let file = world.claude_dir().join(format!("sessions/{}.json", std::process::id()));
        let entry = world.read_json(&file);
        assert_eq!(entry["sessionId"], claude.session_id(), "{name}");
        assert!(entry["procStart"].as_str().is_some_and(|start| !start.is_empty()), "{name}");
        claude.stop();
        assert!(names(&world.claude_dir().join("sessions")).is_empty(), "{name}");
    }
}

#[test]
fn the_state_file_is_rewritten_with_backups_and_its_numbers_re_printed() {
    let world = World::new("state");
    std::fs::write(world.state_path(), r#"{"a":1.10,"b":9007199254740993,"unknown":{"keep":[]}}"#).expect("writable");
    for _ in 0..7 {
        world.claude().rewrite_state().expect("written");
        std::thread::sleep(Duration::from_millis(2));
    }
    let text = std::fs::read_to_string(world.state_path()).expect("readable");
    let expected = "{\n  \"a\": 1.1,\n  \"b\": 9007199254740992,\n  \"unknown\": {\n    \"keep\": []\n  },\n  \"promptQueueUseCount\": 7\n}";
    assert_eq!(text, expected);
    assert_eq!(names(&world.claude_dir().join("backups")).len(), 5);

    std::fs::write(world.state_path(), "{\"torn\":").expect("writable");
    assert!(world.claude().rewrite_state().is_err());
    assert_eq!(std::fs::read_to_string(world.state_path()).expect("readable"), "{\"torn\":");
    let lock = Lock::take(&world.dirs().state_lock(), STATE_STALE).expect("free");
    assert!(matches!(world.claude().patient(Patience::NONE).rewrite_state(), Err(Trouble::Busy(_))));
    drop(lock);
}

#[test]
fn a_torn_state_file_can_be_seen_by_others() {
    let world = World::new("torn");
    let claude = world.claude().with(Variant::TornState);
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| claude.rewrite_state());
        let mut torn = false;
        while !writing.is_finished() {
            torn |= world.read_json(&world.state_path()).is_null();
        }
        assert!(torn);
    });
    assert_eq!(world.read_json(&world.state_path())["promptQueueUseCount"], 1);
}

#[test]
fn signing_in_and_out_keeps_what_is_the_machines() {
    let (world, server) = (World::new("sign"), Server::start());
    let mut claude = world.claude().on(&server);
    assert_eq!(claude.sign_in(&Account::a()).expect("signed in").pair, Pair::new("A", 1));
    world.seed_mcp();
    world.edit_json(&world.credentials_path(), |document| {
        document.insert("trustedDeviceToken".to_owned(), json!("FAKE-DEVICE-A"));
    });
    assert_eq!(claude.sign_in(&Account::a()).expect("signed in").pair, Pair::new("AB", 1));
    assert_eq!((world.live().as_str(), world.identity().as_str()), ("AB1", "A"));
    let document = world.read_json(&world.credentials_path());
    assert!(document.get("trustedDeviceToken").is_none() && document.get("mcpOAuth").is_some());
    let status = claude.status();
    assert_eq!((&status["loggedIn"], &status["orgId"]), (&json!(true), &json!(Account::a().organization_uuid)));
    server.assert_clean();

    claude.sign_out().expect("signed out");
    assert_eq!((world.live().as_str(), world.identity().as_str()), ("none", "none"));
    assert!(world.read_json(&world.credentials_path()).get("pluginSecrets").is_some());
    assert_eq!(server.revoked(), ["AB"]);
    assert_eq!(claude.status()["loggedIn"], false);
}

#[test]
fn a_config_directory_of_its_own_has_its_own_files() {
    let world = World::new("config");
    let config = world.home().join("rt");
    let mut claude = world.claude_in(&config);
    claude.sign_in(&Account::b()).expect("signed in");
    claude.start().expect("started");
    assert_eq!(names(&config), [".claude.json", ".credentials.json", ".last-cleanup", "backups", "sessions"]);
    assert_eq!(claude.dirs().legacy_lock(), world.home().join("rt.lock"));
    assert_eq!((world.live().as_str(), world.identity().as_str()), ("missing", "none"));
}

#[test]
fn it_refuses_a_home_that_is_no_sandbox() {
    let world = World::new("refuse");
    let home = world.home().join("unmarked");
    disk::ensure_private_dir(&home).expect("new");
    let env = |name: &str| (name == "HOME" || name == "USERPROFILE").then(|| home.clone().into_os_string());
    assert_eq!(main(vec!["--version".into()], &env), 99);
    assert_eq!(main(vec!["--version".into()], &|_| None), 99);
    assert!(std::panic::catch_unwind(|| Claude::at(Dirs::of_home(&home))).is_err());
}
