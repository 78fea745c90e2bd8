//! Turns: which login a running session uses, and when it renews it.

use std::time::Duration;

use serde_json::{Value, json};

use super::common::{expired, names};
use crate::claude::*;
use crate::{Account, Login, Pair, Reply, Route, Server, World, disk};

#[test]
fn a_turn_renews_an_expired_login_once_and_leaves_no_lock() {
    let (world, server) = (expired("turn"), Server::start());
    world.seed_mcp();
    let before = world.read_json(&world.credentials_path());
    let mut claude = world.claude().on(&server);
    assert_eq!(claude.turn("hello").expect("answered").bearer, "A2");
    assert_eq!(claude.turn("again").expect("answered").bearer, "A2");
    assert_eq!((world.live().as_str(), server.generation("A")), ("A2", 2));
    assert_eq!(server.requests_to(Route::Token).len(), 1);
    assert_eq!(server.requests_to(Route::Token)[0].user_agent, "axios/1.15.2");

    let after = world.read_json(&world.credentials_path());
    assert_eq!(after["mcpOAuth"], before["mcpOAuth"]);
    assert_eq!(after["futureSharedKey"], before["futureSharedKey"]);
    assert_eq!(after["claudeAiOauth"]["subscriptionType"], "max");
    let end = |document: &Value| document["claudeAiOauth"]["refreshTokenExpiresAt"].as_u64().expect("a number");
    assert!(end(&after).abs_diff(end(&before)) < 120_000);
    assert_eq!(names(&world.claude_dir()), [".credentials.json", "backups", "projects", "settings.json"]);
    assert!(!world.dirs().legacy_lock().exists());
    let transcripts = world.snapshot();
    let lines = transcripts.iter().find(|(name, _)| name.ends_with(".jsonl")).expect("a transcript");
    let crate::world::Entry::File(_, bytes) = lines.1 else { unreachable!("a file") };
    assert_eq!(String::from_utf8_lossy(bytes).lines().count(), 4);
    server.assert_clean();
}

#[test]
fn it_follows_another_mtime_and_nothing_else() {
    for (name, variant, same_mtime, bearer) in [
        ("another mtime", None, false, "B1"),
        ("the same mtime", None, true, "A1"),
        ("ignores the mtime", Some(Variant::IgnoresMtime), false, "A1"),
    ] {
        let (world, server) = (World::new("mtime"), Server::start());
        world.sign_in(&Account::a());
        let mut claude = world.claude().on(&server);
        claude.variants.extend(variant);
        assert_eq!(claude.turn("one").expect("answered").bearer, "A1", "{name}");
        let path = world.credentials_path();
        let then = std::fs::metadata(&path).and_then(|found| found.modified()).expect("a file");
        let b = Login::new(&Account::b(), Pair::new("B", 1)).credentials();
        disk::replace(&path, b.to_string().as_bytes(), 0o600).expect("writable");
        let stamp = if same_mtime { then } else { then - Duration::from_secs(100) };
        disk::stamp(&path, stamp).expect("ours");
        assert_eq!(claude.turn("two").expect("answered").bearer, bearer, "{name}");
    }
}

#[test]
fn bearer_copies_blank_tokens_and_no_login() {
    let bearer = |document: &mut crate::json::Object| {
        document["claudeAiOauth"]["refreshToken"] = Value::Null;
        document["claudeAiOauth"]["expiresAt"] = json!(1);
    };
    let blank = |document: &mut crate::json::Object| document["claudeAiOauth"]["accessToken"] = json!("");
    let gone = |document: &mut crate::json::Object| drop(document.shift_remove("claudeAiOauth"));
    type Edit = fn(&mut crate::json::Object);
    for (name, edit, variant, outcome) in [
        ("bearer copy, even when past", bearer as Edit, None, Ok("A1")),
        ("bearer copy", bearer, Some(Variant::NoBearer), Err(Stop::NoBearer)),
        ("blank", blank, None, Err(Stop::Expired)),
        ("no login", gone, None, Err(Stop::NotLoggedIn)),
    ] {
        let (world, server) = (World::new("copies"), Server::start());
        world.sign_in(&Account::a());
        world.edit_json(&world.credentials_path(), edit);
        let mut claude = world.claude().on(&server);
        claude.variants.extend(variant);
        let turn = claude.turn("hello").map(|turn| turn.bearer);
        assert_eq!(turn, outcome.map(ToOwned::to_owned), "{name}");
        assert!(server.requests_to(Route::Token).is_empty(), "{name}");
        world.sign_in(&Account::b());
        assert_eq!(claude.turn("healed").expect("answered").bearer, "B1", "{name}");
    }
}

#[test]
fn a_refused_access_token_is_renewed_after_a_look_at_the_store() {
    let (world, server) = (World::new("refused"), Server::start());
    world.sign_in(&Account::a());
    server.script(Route::Messages, vec![Reply::unauthorized("token_expired")]);
    let mut claude = world.claude().on(&server);
    assert_eq!(claude.turn("hello").expect("answered").bearer, "A2");
    server.assert_clean();
    server.revoke("A");
    assert_eq!(claude.turn("hello"), Err(Stop::Expired));
    assert_eq!(world.live(), "blank");
}

#[test]
fn a_session_obeys_line_by_line() {
    let (world, server) = (World::new("lines"), Server::start());
    let mut claude = world.claude().on(&server);
    let script =
        "login A\nturn hi\nexpire\nturn\nrefresh\nrotate\nwhoami\nenv X\nrewrite-state\nlogin 7\nfly\nexit 3\nturn\n";
    let mut output = Vec::new();
    let env = |name: &str| (name == "X").then(|| "y".into());
    let code = run_session(&mut claude, &env, &mut script.as_bytes(), &mut output);
    assert_eq!(code, 3);
    let output = String::from_utf8(output).expect("text");
    let lines: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let told: Vec<String> = lines
        .iter()
        .map(|line| {
            let detail = ["error", "bearer", "login", "value", "ready"].iter().find_map(|key| line.get(*key));
            format!("{} {}", line["command"].as_str().unwrap_or("-"), detail.unwrap_or(&Value::Null))
        })
        .collect();
    let expected = [
        "- true",
        "login \"A1\"",
        "turn \"A1\"",
        "expire null",
        "turn \"A2\"",
        "refresh \"A3\"",
        "rotate \"A4\"",
        "whoami \"A4\"",
        "env \"y\"",
        "rewrite-state null",
        "login \"\\\"7\\\" is no account\"",
        "fly \"no such command\"",
        "exit null",
    ];
    assert_eq!(told, expected);
    server.assert_clean();
}
