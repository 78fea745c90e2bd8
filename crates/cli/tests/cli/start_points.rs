//! `clauth start`: points of its specification that nothing else shows.

use clauth_sandbox::{Account, Login, Pair, Route};

use crate::stage::{Stage, finish, modes, usual};
use crate::start::soon;

/// Point 2: all sessions of a profile share one directory, so who joins one has its mode, and is told so.
#[test]
fn who_joins_a_session_has_its_mode_and_is_told_so() {
    let stage = Stage::two_with_server("point-mode");
    let session = stage.session("copy", "a");
    let script = stage.script("claude-script", "exit 0", "exit /b 0");
    for (mode, told) in [("real", true), ("copy", false)] {
        let mut command = stage.start_command(mode, &["a"]);
        command.env("CLAUTH_CLAUDE", &script);
        let said = finish(command).success().stderr;
        assert_eq!(
            said.contains("CLAUTH_LINKS is 'real', but sessions of 'a' run already, with 'copy'"),
            told,
            "{said}"
        );
    }
    let mut command = stage.start_command("neither", &["a"]);
    command.env("CLAUTH_CLAUDE", &script);
    assert_eq!(finish(command).code, Some(2), "a word that is none is refused there too");
    assert_eq!(session.finish(), Some(0));
}

/// Point 5: a tie keeps the canonical login, with a notice.
#[test]
fn a_login_that_is_no_newer_than_the_stored_one_gives_way_with_a_notice() {
    let stage = Stage::two_with_server("point-tie");
    let session = stage.session(usual(), "a");
    let slot = stage.world.read_json(&stage.world.root().join("profiles/a/credentials.json"));
    let ends = |key: &str| slot["claudeAiOauth"][key].as_u64();
    let other = Login::new(&Account::a(), Pair::new("A", 2)).expiring_at(ends("expiresAt").expect("an end"));
    let other = other.ending_at(ends("refreshTokenExpiresAt"));
    let path = stage.tree("a").join(".credentials.json");
    std::fs::write(path.with_extension("new"), other.credentials().to_string()).expect("a login");
    // On Windows a file that the watchdog reads just now may refuse; Claude Code tries again there (facts §1.6).
    let pause = || std::thread::sleep(std::time::Duration::from_millis(5));
    let put = || std::fs::rename(path.with_extension("new"), &path).map_err(|_| pause()).is_ok();
    assert!((0..400).any(|_| put() || cfg!(unix)) && !path.with_extension("new").exists(), "in the place of the link");
    if usual() == "real" {
        soon("the link", || path.is_symlink());
    }
    soon("the stored login", || stage.in_tree("a") == "A1");
    assert_eq!(stage.slot("a"), "A1");
    let log = || std::fs::read_to_string(stage.world.root().join("log/clauth.log")).unwrap_or_default();
    soon("the notice", || log().contains("no newer than the stored one"));
    assert_eq!(session.finish(), Some(0));
    assert_eq!(stage.json(&["vault"])["vault"].as_array().map(Vec::len), Some(1), "the loser is kept");
}

/// Point 9: one final sync after the child's last act.
#[test]
fn what_a_child_writes_last_of_all_is_in_the_home_when_start_ends() {
    for &mode in modes() {
        let stage = Stage::two_with_server("point-last");
        let script = stage.script(
            "claude-script",
            "cd \"$CLAUDE_CONFIG_DIR\"\nmkdir -p projects/-p\necho '{}' > projects/-p/last.jsonl
            { printf '{\"outputStyle\":\"terse\",'; tail -c +2 settings.json; } > settings.new\nmv settings.new settings.json",
            "cd /d \"%CLAUDE_CONFIG_DIR%\"\nmd projects\\-p\necho {}>projects\\-p\\last.jsonl
            echo {\"outputStyle\":\"terse\",\"model\":\"opus\"}>settings.new\nmove /y settings.new settings.json >nul",
        );
        std::fs::write(stage.world.claude_dir().join("settings.json"), "{\"model\":\"opus\"}\n").expect("settings");
        let mut command = stage.start_command(mode, &["a"]);
        command.env("CLAUTH_CLAUDE", script);
        let _ = finish(command).success();
        let settings = stage.world.read_json(&stage.world.claude_dir().join("settings.json"));
        assert_eq!(settings, serde_json::json!({"model": "opus", "outputStyle": "terse"}), "{mode}");
        assert!(stage.world.claude_dir().join("projects/-p/last.jsonl").exists(), "{mode}");
    }
}

/// Point 11: nobody else renews the login of a profile that has a live session.
#[test]
fn a_login_that_a_session_uses_is_left_to_it() {
    for &mode in modes() {
        let stage = Stage::two_with_server("point-refresh");
        let session = stage.session(mode, "a");
        for words in [&["refresh", "a"][..], &["refresh", "--all"]] {
            let _ = stage.run(words);
            let sent = stage.server.as_ref().expect("a server").requests_to(Route::Token);
            assert!(sent.iter().all(|request| request.refresh.as_deref() != Some("A1")), "{mode}, {words:?}: {sent:?}");
        }
        assert_eq!(stage.slot("a"), "A1", "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        stage.ok(&["refresh", "a"]);
        assert_eq!(stage.slot("a"), "A2", "{mode}: and afterwards not");
    }
}

/// Point 12: a nested start of the same or another account works, and takes nothing from the one around it.
#[test]
fn a_start_inside_a_session_is_the_account_that_was_asked_for() {
    for &mode in modes() {
        let stage = Stage::two_with_server("point-nested");
        let mut session = stage.session(mode, "a");
        for (name, email) in [("b", "bob@example.invalid"), ("a", "alice@example.invalid")] {
            let mut command = stage.start_command(mode, &[name, "auth", "status"]);
            command.env("CLAUDE_CONFIG_DIR", stage.tree("a")).env("CLAUTH_PROFILE", "a");
            let output = finish(command).success();
            assert_eq!(output.json()["email"], email, "{mode}");
        }
        assert!(stage.tree("a").exists(), "{mode}: somebody lives there");
        assert_eq!(session.turn(), "A1", "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

/// L4: a session of the live account has no other login than a copy of what Claude Code renews in the home, and the server
/// may end the access token before it.
#[test]
fn a_bearer_copy_follows_what_claude_code_renews_in_the_home() {
    for &mode in modes() {
        let stage = Stage::two_with_server("point-follow");
        let server = stage.server.as_ref().expect("a server");
        server.set(|options| options.refresh_kills_access = true);
        stage.ok(&["switch", "a"]);
        let mut session = stage.session(mode, "a");
        assert_eq!(session.turn(), "A1", "{mode}");
        let mut plain = stage.claude(&[]);
        for generation in ["A2", "A3"] {
            assert_eq!(plain.send("refresh")["ok"], true, "{mode}");
            soon("the copy", || stage.slot("a") == format!("{generation} bearer"));
            soon("the session's", || stage.in_tree("a") == format!("{generation} bearer"));
            assert_eq!((session.turn().as_str(), plain.turn().as_str()), (generation, generation), "{mode}");
            assert_eq!(stage.world.live(), generation, "{mode}: it stays where it is");
        }
        stage.ok(&["switch", "b"]);
        assert_eq!((stage.slot("a").as_str(), session.turn().as_str()), ("A3", "A3"), "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        server.assert_clean();
    }
}

/// S2: another account's login stays in the session that it was made in, and no second session becomes that account.
#[test]
fn no_session_begins_where_another_account_was_signed_in() {
    for &mode in modes() {
        let stage = Stage::two_with_server("point-another");
        let mut session = stage.session(mode, "a");
        assert_eq!(session.send("login C")["ok"], true, "{mode}");
        let files = || {
            ["credentials.json", "runtime/.credentials.json", "runtime/.claude.json"]
                .map(|file| std::fs::read(stage.world.root().join("profiles/a").join(file)).expect("a file"))
        };
        let before = files();
        for words in [&["a"][..], &["--isolated", "a"]] {
            let mut command = stage.start_command(mode, words);
            command.current_dir(stage.world.root());
            let output = finish(command);
            assert_eq!(output.code, Some(5), "{mode} {words:?}: {}", output.stderr);
            for said in ["carol@example.invalid", "clauth login", "end that session"] {
                assert!(output.stderr.contains(said), "{mode} {words:?}: {}", output.stderr);
            }
        }
        assert!(files() == before, "{mode}: nothing was changed");
        let sessions = stage.json(&["sessions"])["sessions"].clone();
        let tree = stage.tree("a").display().to_string();
        let own: Vec<_> =
            sessions.as_array().expect("sessions").iter().filter(|one| one["config_dir"] == tree.as_str()).collect();
        assert_eq!((own.len(), &own[0]["email"]), (1, &"carol@example.invalid".into()), "{mode}: {sessions}");
        let mut which = stage.command(&["which", "--json"]);
        which.env("CLAUDE_CONFIG_DIR", stage.tree("a"));
        let which = finish(which).success().json();
        assert_eq!((&which["profile"], &which["email"]), (&serde_json::Value::Null, &"carol@example.invalid".into()));
        assert_eq!(session.finish(), Some(0), "{mode}");
        assert_eq!(stage.start(&["a", "auth", "status"]).success().json()["email"], "alice@example.invalid", "{mode}");
    }
}

/// Facts §2.1: what in the settings outranks the login goes into the tree with them, and is named as `switch` names it.
#[test]
fn settings_that_outrank_the_login_are_named() {
    let stage = Stage::two_with_server("point-outrank");
    stage.world.edit_json(&stage.world.claude_dir().join("settings.json"), |settings| {
        settings.insert("env".into(), serde_json::json!({"ANTHROPIC_API_KEY": "FAKE-VALUE", "OTHER": "1"}));
        settings.insert("apiKeyHelper".into(), "/bin/FAKE-VALUE".into());
    });
    for (words, told) in [(&["a"][..], 1), (&["-q", "a"], 0), (&["--isolated", "a"], 0)] {
        for &mode in modes() {
            let mut command = stage.start_command(mode, &[words, &["auth", "status"]].concat());
            command.current_dir(stage.world.root());
            let said = finish(command).success().stderr;
            for name in ["settings.json: env.ANTHROPIC_API_KEY outranks", "settings.json: apiKeyHelper outranks"] {
                assert_eq!(said.matches(name).count(), told, "{mode} {words:?}: {said}");
            }
            assert!(!said.contains("FAKE-VALUE"), "{mode} {words:?}: {said}");
        }
    }
}
