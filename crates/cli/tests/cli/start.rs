//! `clauth start`: several accounts at once, each in a config directory of its own.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clauth_sandbox::{Account, Login, Output, Pair, Running};

use crate::stage::{Stage, finish, kill, modes, usual};

impl Stage {
    /// Runs `clauth start` with these words, with the fake `claude` on `PATH`.
    pub(crate) fn start(&self, words: &[&str]) -> Output {
        finish(self.start_command(usual(), words))
    }

    pub(crate) fn start_command(&self, mode: &str, words: &[&str]) -> std::process::Command {
        let name = if cfg!(windows) { "claude.exe" } else { "claude" };
        if !self.world.home().join("bin").join(name).exists() {
            let _ = self.world.install_claude(Path::new(crate::stage::PROGRAM)).expect("a claude");
        }
        let words: Vec<&str> = ["start"].iter().chain(words).copied().collect();
        let mut command = self.command(&words);
        command.env("CLAUTH_LINKS", mode);
        command
    }

    /// A session of a profile that is driven over its stdin.
    pub(crate) fn session(&self, mode: &str, name: &str) -> Running {
        Running::start(self.start_command(mode, &[name, "session"]))
    }

    pub(crate) fn tree(&self, name: &str) -> PathBuf {
        self.world.root().join("profiles").join(name).join("runtime")
    }

    pub(crate) fn in_tree(&self, name: &str) -> String {
        self.world.login_at(&self.tree(name).join(".credentials.json"))
    }
}

/// Waits until something is so; a watchdog reacts within a moment, a busy machine within many.
#[track_caller]
pub(crate) fn soon(what: &str, is_so: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what} does not come");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Point 1, 10, 12: the child has its own directory, its own words and its own end, and nothing of it stays.
#[test]
fn a_session_is_its_profiles_and_leaves_nothing() {
    let stage = Stage::two_with_server("start-one");
    let status = stage.start(&["a", "auth", "status"]).success().json();
    assert_eq!(status["email"], "alice@example.invalid");
    assert_eq!(status["configDirectory"], stage.tree("a").display().to_string());
    assert!(!stage.tree("a").exists(), "the last session takes the tree down");
    assert_eq!(stage.world.live(), "B1", "nothing else changed");
    let mut command = stage.start_command(usual(), &["a", "-p", "hi"]);
    command.env("FAKE_EXIT", "7");
    assert_eq!(finish(command).code, Some(7), "the child's own exit code");
    assert_eq!(stage.start(&["nobody"]).code, Some(2));
    assert_eq!(stage.start(&[]).code, Some(3));
    let mut command = stage.start_command(usual(), &["a"]);
    command.env("CLAUTH_CLAUDE", "/nonexistent/claude");
    assert_eq!(finish(command).code, Some(127));
}

/// Points 5, 6 and 9: what a session renews comes home while it runs, and the link, or the mirror, is back.
#[test]
fn what_a_session_renews_comes_home_at_once() {
    for &mode in modes() {
        let stage = Stage::two_with_server("start-renew");
        let mut session = stage.session(mode, "a");
        assert_eq!(session.turn(), "A1", "{mode}");
        assert_eq!(session.send("refresh")["ok"], true, "{mode}");
        soon("the renewed login", || stage.slot("a") == "A2");
        if mode == "real" {
            soon("the link", || stage.tree("a").join(".credentials.json").is_symlink());
        }
        assert_eq!(session.turn(), "A2", "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        assert_eq!(stage.json(&["list"])["accounts"][0]["custodian"], "store", "{mode}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

/// L1, L2, L4: the login is lent while the session goes on with a bearer copy, and comes back.
#[test]
fn a_switch_to_and_away_from_a_running_session_hands_the_login_over() {
    for &mode in modes() {
        let stage = Stage::two_with_server("start-lend");
        let mut session = stage.session(mode, "a");
        assert_eq!(stage.json(&["list"])["accounts"][0]["custodian"], "session", "{mode}");
        assert_eq!(session.send("refresh")["ok"], true, "{mode}");
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A2", "{mode}");
        assert_eq!((stage.slot("a").as_str(), stage.in_tree("a").as_str()), ("A2 bearer", "A2 bearer"), "{mode}");
        assert_eq!(session.turn(), "A2", "{mode}");
        stage.world.claude().rotate_offline();
        stage.ok(&["switch", "b"]);
        assert_eq!((stage.slot("a").as_str(), stage.in_tree("a").as_str()), ("A3", "A3"), "{mode}");
        assert_eq!(session.turn(), "A3", "{mode}");
        assert_eq!(session.send("refresh")["ok"], true, "{mode}: it may renew again");
        soon("the renewed login", || stage.slot("a") == "A4");
        assert_eq!(session.finish(), Some(0), "{mode}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

/// Point 1: three sessions of one profile share one directory, and so Claude Code's own locks: one renewal serves all.
#[test]
fn sessions_of_one_profile_share_a_renewal() {
    let stage = Stage::two_with_server("start-three");
    let mut sessions: Vec<Running> = (0..3).map(|_| stage.session(usual(), "a")).collect();
    assert_eq!(stage.json(&["list"])["accounts"][0]["sessions"], 3);
    assert_eq!(sessions[0].send("refresh")["ok"], true);
    soon("the renewed login", || stage.slot("a") == "A2");
    for session in &mut sessions {
        assert_eq!(session.turn(), "A2");
    }
    let last = sessions.pop().expect("three");
    for session in sessions {
        assert_eq!(session.finish(), Some(0));
    }
    assert!(stage.tree("a").exists(), "one still lives there");
    assert_eq!(last.finish(), Some(0));
    soon("the end of the tree", || !stage.tree("a").exists());
}

/// A killed parent loses nothing: its `claude` goes on, signs in anew, writes history, edits settings and makes files. The next
/// command that acts brings the login home while it runs, and all else when it has ended, and only then does the tree go.
#[test]
fn a_killed_parent_loses_nothing() {
    for &mode in modes() {
        let stage = Stage::two_with_server("start-killed");
        let home = stage.world.claude_dir();
        std::fs::write(home.join("history.jsonl"), "{\"display\":\"home\"}\n").expect("a history");
        let mut session = stage.session(mode, "a");
        kill(session.parent());
        assert_eq!(session.send("refresh")["ok"], true, "{mode}: claude goes on");
        assert_eq!(stage.slot("a"), "A1", "{mode}: nobody watches it");
        stage.ok(&["order", "a", "1"]);
        assert_eq!(stage.slot("a"), "A2", "{mode}: the next command brings it home while it runs");
        assert_eq!(session.send("login A")["ok"], true, "{mode}: a new sign-in");
        let tree = stage.tree("a");
        stage
            .world
            .edit_json(&tree.join("settings.json"), |all| drop(all.insert("outputStyle".into(), "terse".into())));
        stage.world.edit_json(&tree.join(".claude.json"), |all| drop(all.insert("theme".into(), "light".into())));
        let history = std::fs::File::options().append(true).open(tree.join("history.jsonl"));
        std::io::Write::write_all(&mut history.expect("a history"), b"{\"display\":\"inside\"}\n").expect("a line");
        std::fs::create_dir_all(tree.join("projects/-p")).expect("a directory");
        let files = [("notes.md", "mine"), ("projects/-p/x.jsonl", "{\"type\":\"user\"}\n")];
        files.iter().for_each(|(name, text)| std::fs::write(tree.join(name), text).expect("a file"));
        stage.ok(&["order", "a", "1"]);
        assert!(tree.join("notes.md").exists(), "{mode}: somebody lives there");
        // One that is killed tidies nothing up.
        kill(session.pid());
        drop(session);
        soon("the end of claude", || stage.json(&["list"])["accounts"][0]["sessions"] == 0);
        stage.ok(&["order", "a", "1"]);
        assert!(!tree.exists(), "{mode}");
        assert_eq!(stage.slot("a"), "AB1", "{mode}: the new sign-in is the profile's");
        for (name, text) in files {
            assert_eq!(std::fs::read_to_string(home.join(name)).ok().as_deref(), Some(text), "{mode}: {name}");
        }
        let history = std::fs::read_to_string(home.join("history.jsonl")).expect("a history");
        assert_eq!(history, "{\"display\":\"home\"}\n{\"display\":\"inside\"}\n", "{mode}");
        let settings = stage.world.read_json(&home.join("settings.json"));
        assert_eq!((&settings["outputStyle"], &settings["model"]), (&"terse".into(), &"opus".into()), "{mode}");
        let state = stage.world.read_json(&stage.world.state_path());
        assert_eq!((&state["theme"], stage.world.identity().as_str()), (&"light".into(), "B"), "{mode}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

/// A sign-in as somebody else in a session stays there, is kept, and is told when the session ends.
#[test]
fn another_accounts_sign_in_stays_in_the_session() {
    let stage = Stage::two_with_server("start-foreign");
    let mut command = stage.start_command(usual(), &["a", "auth", "login"]);
    command.env("FAKE_LOGIN_ACCOUNT", Account::c().code);
    let output = finish(command);
    assert!(output.stderr.contains("carol@example.invalid"), "{}", output.stderr);
    assert_eq!(stage.slot("a"), "A1");
    assert_eq!(stage.json(&["vault"])["vault"].as_array().map(Vec::len), Some(1));
}

/// Point 12: what outranks the login is not passed on, and is named once.
#[test]
fn what_outranks_the_login_is_not_passed_on() {
    let stage = Stage::two_with_server("start-env");
    let mut command = stage.start_command(usual(), &["a", "auth", "status"]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE").env("CLAUDE_SECURESTORAGE_CONFIG_DIR", "/nonexistent");
    let output = finish(command);
    assert_eq!(output.json()["email"], "alice@example.invalid");
    for name in ["ANTHROPIC_API_KEY", "CLAUDE_SECURESTORAGE_CONFIG_DIR"] {
        assert_eq!(output.stderr.matches(name).count(), 1, "{}", output.stderr);
    }
    assert!(!output.stderr.contains("FAKE"), "{}", output.stderr);
}

/// L8: a switch inside a session acts on the recorded home, and says that this shell keeps its account.
#[test]
fn a_switch_inside_a_session_acts_on_the_home() {
    let stage = Stage::two_with_server("start-inside");
    let session = stage.session(usual(), "a");
    let mut command = stage.command(&["switch", "a"]);
    command.env("CLAUDE_CONFIG_DIR", stage.tree("a"));
    let output = finish(command).success();
    assert!(output.stderr.contains("keeps its own account"), "{}", output.stderr);
    assert_eq!(stage.world.live(), "A1");
    drop(session);
}

/// Point 8 and S5: settings and state converge with the home, and the account's own keys never cross.
#[test]
fn settings_and_state_converge_and_accounts_do_not_mix() {
    let stage = Stage::two_with_server("start-merge");
    let session = stage.session(usual(), "a");
    let tree = stage.tree("a");
    stage.world.edit_json(&tree.join("settings.json"), |settings| {
        settings.insert("outputStyle".into(), "terse".into());
    });
    soon("the setting in the home", || {
        stage.world.read_json(&stage.world.claude_dir().join("settings.json"))["outputStyle"] == "terse"
    });
    stage.world.edit_json(&stage.world.state_path(), |state| {
        state.insert("theme".into(), "light".into());
    });
    soon("the theme in the tree", || stage.world.read_json(&tree.join(".claude.json"))["theme"] == "light");
    let own = &stage.world.read_json(&tree.join(".claude.json"))["oauthAccount"]["emailAddress"];
    assert_ne!(own, "bob@example.invalid");
    assert_eq!(stage.world.identity(), "B");
    assert_eq!(session.finish(), Some(0));
}

/// R2: a bearer copy is renewed where no `claude` of the home does it, under that home's locks, and everything follows.
#[test]
fn a_session_of_the_live_account_is_kept_signed_in() {
    for &mode in modes() {
        let stage = Stage::two_with_server("start-bearer");
        let server = stage.server.as_ref().expect("a server");
        stage.ok(&["switch", "a"]);
        let soon_over = Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(clauth_sandbox::now_ms() + 60_000);
        server.know(&soon_over);
        stage.world.store_login(&soon_over);
        stage.ok(&["switch", "a"]);
        let mut session = stage.session(mode, "a");
        assert_eq!(stage.world.live(), "A2", "{mode}");
        assert_eq!((stage.slot("a").as_str(), stage.in_tree("a").as_str()), ("A2 bearer", "A2 bearer"), "{mode}");
        assert_eq!(session.turn(), "A2", "{mode}");
        assert_eq!(session.finish(), Some(0), "{mode}");
        server.assert_clean();
    }
}

/// L8: what is behind a link would be made there, and neither be looked after nor put away.
#[cfg(unix)]
#[test]
fn a_tree_that_is_a_link_is_refused_and_nothing_is_made_behind_it() {
    for &mode in modes() {
        let stage = Stage::two("start-linked");
        let elsewhere = stage.world.home().join("elsewhere");
        std::fs::create_dir(&elsewhere).expect("a directory");
        std::os::unix::fs::symlink(&elsewhere, stage.tree("a")).expect("a link");
        for words in [&["a", "words"][..], &["--isolated", "a", "words"]] {
            let mut command = stage.start_command(mode, words);
            command.current_dir(&elsewhere);
            let output = finish(command).expect_code(5);
            assert!(output.stderr.contains("profiles/a/runtime"), "{mode}: {}", output.stderr);
            assert_eq!(std::fs::read_dir(&elsewhere).expect("a directory").count(), 0, "{mode}, {words:?}");
        }
        assert!(!stage.world.root().join("profiles/a/sessions").exists(), "{mode}: nobody holds it");
    }
}
