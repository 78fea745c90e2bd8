//! The program on a machine with a Keychain, against a tool of its own that answers, is locked or hangs.
#![cfg(unix)]

use clauth_sandbox::{Account, Login, Pair, Route};

use crate::stage::{Stage, usual};

/// a and b captured, b live.
fn two(name: &str) -> Stage {
    let stage = Stage::new(name);
    stage.world.with_keychain();
    for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
        stage.sign_in(&account);
        stage.ok(&["capture", name]);
    }
    stage
}

#[test]
fn a_login_moves_through_the_tool_and_no_secret_is_in_its_words() {
    let stage = two("kc-move");
    stage.ok(&["switch", "a"]);
    assert_eq!(stage.world.live(), "A1");
    stage.ok(&["undo"]);
    assert_eq!(stage.world.live(), "B1");
    assert!(!stage.world.credentials_path().exists(), "no file is made");
    let calls = stage.world.keychain_calls();
    assert!(calls.iter().any(|call| call == "-i"), "{calls:?}");
    let hex = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    assert!(!calls.iter().any(|call| call.contains("FAKE") || call.contains(&hex("FAKE"))), "{calls:?}");
}

#[test]
fn looking_asks_once() {
    let stage = two("kc-look");
    stage.world.claude().rotate_offline();
    for (words, calls) in [
        (&["list"][..], 1),
        (&["which"], 1),
        (&["custody"], 1),
        (&["sessions"], 1),
        (&["doctor"], 1),
        (&["usage", "--offline"], 1),
        (&["statusline"], 0),
        (&["__complete"], 0),
        (&["vault", "list"], 0),
        (&["config", "list"], 0),
    ] {
        let before = stage.world.keychain_calls().len();
        stage.ok(words);
        assert_eq!(stage.world.keychain_calls().len() - before, calls, "{words:?}");
    }
}

#[test]
fn what_cannot_be_reached_is_told_in_three_lines_and_changes_nothing() {
    for (mode, code, says) in [("locked", 5, "unlock-keychain"), ("denied", 5, "unlock-keychain"), ("lie", 1, "next: ")]
    {
        let stage = two("kc-shut");
        stage.world.keychain_mode(mode);
        let output = stage.run(&["switch", "a"]).expect_code(code);
        assert!(output.stderr.contains(says) && !output.stderr.contains("FAKE"), "{mode}: {output:?}");
        assert_eq!(stage.json(&["switch", "a"])["error"]["where"], "keychain:Claude Code-credentials", "{mode}");
        if mode != "lie" {
            let listed = stage.run(&["list"]).success();
            let said = format!("{}{}", listed.stdout, listed.stderr);
            assert!(!said.contains("sign in again") && said.contains("nothing speaks against it"), "{mode}: {said}");
            let looked = stage.json(&["doctor"]);
            let ids: Vec<_> = looked["findings"].as_array().expect("findings").iter().map(|one| &one["id"]).collect();
            assert!(ids.contains(&&"live-unreadable".into()), "{mode}: {looked}");
            assert_eq!(looked["facts"]["credential_store"], "keychain", "{mode}");
            assert!(looked["facts"]["config_home"].is_string(), "{mode}: {looked}");
        }
        stage.world.keychain_mode("well");
        assert_eq!(stage.world.live(), "B1", "{mode}");
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A1", "{mode}");
    }
}

#[test]
fn a_word_for_files_is_another_store_and_refused() {
    let stage = two("kc-files");
    let mut command = stage.command(&["switch", "a"]);
    command.env("CLAUTH_CREDENTIALS", "file");
    assert_eq!(crate::stage::finish(command).code, Some(5));
    assert_eq!(stage.world.live(), "B1");
}

/// S8: a `claude` may go on with what it has read of an item; so what it would renew by that is renewed before it leaves.
#[test]
fn a_login_that_ends_soon_is_renewed_before_it_is_taken_from_a_running_claude() {
    for (name, minutes, runs, live, slot) in [
        ("little left", 5, true, "A1", "B2"),
        ("time left", 11, true, "A1", "B1"),
        ("nobody runs", 5, false, "A1", "B1"),
    ] {
        let mut stage = two("kc-spared");
        stage.server = Some(clauth_sandbox::Server::start());
        let server = stage.server.as_ref().expect("a server");
        let login = Login::new(&Account::b(), Pair::new("B", 1));
        server.know(&Login::new(&Account::a(), Pair::new("A", 1)));
        let login = login.expiring_at(clauth_sandbox::now_ms() + minutes * 60_000);
        server.know(&login);
        stage.world.store_login(&login);
        stage.ok(&["switch", "b"]);
        let claude = runs.then(|| stage.claude(&[]));
        stage.ok(&["switch", "a"]);
        assert_eq!((stage.world.live().as_str(), stage.slot("b").as_str()), (live, slot), "{name}");
        assert_eq!(server.requests_to(Route::Token).len(), usize::from(slot == "B2"), "{name}");
        drop(claude);
        server.assert_clean();
    }
}

/// S8: the same for a login that is taken from a running session, which has a bearer copy afterwards.
#[test]
fn a_login_that_ends_soon_is_renewed_before_it_is_taken_from_its_sessions() {
    let mut stage = two("kc-lent");
    stage.server = Some(clauth_sandbox::Server::start());
    let server = stage.server.as_ref().expect("a server");
    server.know(&Login::new(&Account::b(), Pair::new("B", 1)));
    let login = Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(clauth_sandbox::now_ms() + 300_000);
    server.know(&login);
    stage.world.edit_json(&stage.world.root().join("profiles/a/credentials.json"), |object| {
        object["claudeAiOauth"]["expiresAt"] = login.oauth()["expiresAt"].clone();
    });
    let mut session = stage.session(usual(), "a");
    stage.ok(&["switch", "a"]);
    assert_eq!((stage.world.live().as_str(), stage.slot("a").as_str()), ("A2", "A2 bearer"));
    assert_eq!(session.turn(), "A2");
    assert_eq!(session.finish(), Some(0));
    server.assert_clean();
}
