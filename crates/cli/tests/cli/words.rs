//! Wrong input: refused with the right code, three lines, and nothing changed.

use crate::stage::Stage;

/// What is typed, and the exit code.
const ROWS: &[(&str, &[&str], i32)] = &[
    ("unknown flag", &["list", "--nope"], 2),
    ("unknown command with words", &["swich", "a"], 2),
    ("unknown profile", &["nobody"], 2),
    ("no name", &["switch"], 2),
    ("two names", &["switch", "a", "b"], 2),
    ("bad colour", &["list", "--color", "green"], 2),
    ("bad count", &["why", "--last", "many"], 2),
    ("negative count", &["why", "--last", "-1"], 2),
    ("unknown in history", &["why", "nobody"], 2),
    ("usage of nobody", &["usage", "nobody"], 2),
    ("usage asked and not asked", &["usage", "--refresh", "--offline"], 2),
    ("a status line of another kind", &["statusline", "put"], 2),
    ("usage watched and refreshed", &["usage", "--watch", "--refresh"], 2),
    ("usage of two", &["usage", "a", "b"], 2),
    ("custody of nobody", &["custody", "nobody"], 2),
    ("order without a place", &["order", "a"], 2),
    ("order to nowhere", &["order", "a", "9"], 2),
    ("order to zero", &["order", "a", "0"], 2),
    ("rename to a command", &["rename", "a", "list"], 2),
    ("rename to a taken name", &["rename", "a", "B"], 2),
    ("rename nobody", &["rename", "nobody", "c"], 2),
    ("remove without yes", &["remove", "a"], 5),
    ("remove the live one", &["remove", "b", "--yes"], 5),
    ("remove nobody", &["remove", "nobody", "--yes"], 2),
    ("purge nothing without yes", &["vault", "purge", "x"], 2),
    ("remove the live one without yes", &["remove", "b"], 5),
    ("purge nothing", &["vault", "purge", "x", "--yes"], 2),
    ("restore nothing", &["vault", "restore", "x"], 2),
    ("undo of nothing", &["undo"], 3),
    ("back to nothing", &["switch", "-"], 3),
    ("capture under another name", &["capture", "c"], 5),
    ("path as a name", &["capture", "../x"], 2),
    ("absolute path", &["capture", "/x"], 2),
    ("backslash", &["capture", "a\\b"], 2),
    ("blank", &["capture", ""], 2),
    ("space", &["capture", "a b"], 2),
    ("newline", &["capture", "a\nb"], 2),
    ("escape", &["capture", "a\u{1b}[31m"], 2),
    ("right-to-left", &["capture", "a\u{202e}b"], 2),
    ("device", &["capture", "NUL"], 2),
    ("device with a dot", &["capture", "con.x"], 2),
    ("reserved", &["capture", "all"], 2),
    ("planned command", &["capture", "doctor"], 2),
    ("hidden", &["capture", ".x"], 2),
    ("login without a name", &["login"], 2),
    ("login with a bad name", &["login", "a b", "--token"], 2),
    ("login as a command", &["login", "start", "--token"], 2),
    ("no token given", &["login", "new", "--token"], 2),
    ("a token for a login", &["login", "a", "--token"], 5),
    ("login without claude", &["login", "new"], 1),
    ("sessions of somebody", &["sessions", "a"], 2),
    ("bind nobody", &["bind", "nobody"], 2),
    ("bind nowhere", &["bind", "a", "nowhere"], 2),
    ("bind too much", &["bind", "a", ".", "x"], 2),
    ("config of nothing", &["config", "get", "nothing"], 2),
    ("config of no value", &["config", "set", "network", "perhaps"], 2),
    ("hook of no shell", &["hook"], 2),
    ("hook of another shell", &["hook", "tcsh"], 2),
    ("doctor with a word", &["doctor", "x"], 2),
    ("purge unasked", &["uninstall", "--purge"], 5),
    ("completions of no shell", &["completions"], 2),
    ("completions of another shell", &["completions", "tcsh"], 2),
    ("completions of two shells", &["completions", "bash", "zsh"], 2),
    ("completions unasked", &["completions", "install", "zsh"], 5),
    ("nothing to adopt", &["adopt"], 3),
    ("adopt from nobody", &["adopt", "--from", "nobody"], 2),
    ("adopt a file of nobody", &["adopt", "export.json"], 2),
    ("adopt without a store", &["adopt", "--from", "claude-swap", "--yes"], 3),
    ("adopt no export", &["adopt", "--from", "claude-swap", "/nonexistent", "--yes"], 3),
    ("flag as a name", &["capture", "-x"], 2),
];

#[test]
fn wrong_input_is_refused_and_nothing_is_lost() {
    let stage = Stage::two("w-wrong");
    let long = "x".repeat(65);
    let too_long: (&str, &[&str], i32) = ("too long", &["capture", &long], 2);
    let before = stage.world.snapshot();
    for (name, words, code) in ROWS.iter().chain([&too_long]) {
        let output = stage.run(words);
        assert_eq!(output.code, Some(*code), "{name}: {output:?}");
        assert_eq!(output.stdout, "", "{name}");
        let labels: Vec<&str> =
            output.stderr.lines().filter_map(|line| line.split_once(": ")).map(|(a, _)| a).collect();
        assert_eq!(labels.first(), Some(&"error"), "{name}: {}", output.stderr);
        assert!(labels.contains(&"  next"), "{name}: {}", output.stderr);
        assert!(!output.stderr.contains(['\u{1b}', '\u{202e}']), "{name}: {:?}", output.stderr);
        let mut changes = stage.changes(&before);
        // A capture may ask whose the login is before it refuses, and what is asked is counted.
        changes.retain(|change| !change.contains(".clauth/poll/"));
        assert_eq!(changes, Vec::<String>::new(), "{name}");
        let document = stage.json(words);
        assert_eq!(document["schema"], 1, "{name}");
        assert!(document["error"]["kind"].is_string() && document["error"]["hints"].is_array(), "{name}: {document}");
    }
}

#[test]
fn a_name_that_is_no_text_is_refused() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        let stage = Stage::two("w-bytes");
        let mut command = stage.command(&["switch"]);
        command.arg(std::ffi::OsStr::from_bytes(b"a\xff"));
        assert_eq!(crate::stage::finish(command).code, Some(2));
    }
}

#[test]
fn a_near_miss_names_what_was_meant() {
    let stage = Stage::two("w-near");
    stage.ok(&["rename", "a", "work"]);
    let rows: [(&str, &[&str], &str); 3] = [
        ("profile", &["wrok"], "work"),
        ("command", &["lst"], "clauth list"),
        ("command with words", &["swich", "work"], "clauth switch"),
    ];
    for (name, words, expected) in rows {
        let output = stage.run(words);
        assert!(output.stderr.contains(expected), "{name}: {}", output.stderr);
    }
}

#[test]
fn a_profile_is_found_by_what_people_type() {
    let stage = Stage::two_with_server("w-find");
    for (name, words, live) in [
        ("bare name", &["a"][..], "A1"),
        ("other case", &["B"], "B1"),
        ("number", &["1"], "A1"),
        ("e-mail", &["bob@example.invalid"], "B1"),
        ("back", &["-"], "A1"),
        ("flag first", &["--quiet", "b"], "B1"),
    ] {
        stage.ok(words);
        assert_eq!(stage.world.live(), live, "{name}");
    }
}

#[test]
fn variables_that_cannot_be_right_are_refused() {
    let stage = Stage::two("w-env");
    let before = stage.world.snapshot();
    for (variable, value) in [
        ("CLAUTH_API_URL", "https://example.com"),
        ("CLAUTH_API_URL", "http://127.0.0.1.example.com"),
        ("CLAUTH_HOME", "relative"),
        (if cfg!(windows) { "USERPROFILE" } else { "HOME" }, "relative"),
    ] {
        let mut command = stage.command(&["switch", "a"]);
        command.env(variable, value);
        let output = crate::stage::finish(command);
        assert_eq!(output.code, Some(2), "{variable}={value}: {output:?}");
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{variable}={value}");
    }
}

#[test]
fn a_machine_without_claude_code_is_told_so() {
    let stage = Stage::new("w-none");
    std::fs::remove_dir_all(stage.world.claude_dir()).expect("no Claude Code");
    assert_eq!(stage.run(&["capture", "a"]).code, Some(1));
    assert_eq!(stage.json(&["capture", "a"])["error"]["kind"], "not_installed");
    assert!(stage.run(&["list"]).stderr.contains("claude auth login"));
}

/// A removal that would be refused is refused before anybody is asked, with words that work.
#[test]
fn a_removal_is_refused_before_it_is_confirmed() {
    let stage = Stage::two("w-remove");
    let refused = stage.run(&["remove", "b"]);
    assert!(refused.stderr.contains("clauth remove b --yes --force"), "{}", refused.stderr);
    stage.ok(&["remove", "b", "--yes", "--force"]);
}

/// An id can be read, and typed again, on a narrow terminal; fewer characters than eight destroy nothing.
#[test]
fn a_vaulted_login_is_named_whole() {
    let stage = Stage::two("w-vault");
    stage.ok(&["remove", "a", "--yes"]);
    let id = stage.json(&["vault"])["vault"][0]["id"].as_str().expect("an id").to_owned();
    let mut command = stage.command(&["vault"]);
    command.env("COLUMNS", "60");
    let output = crate::stage::finish(command);
    assert!(output.stdout.contains(&id), "{}", output.stdout);
    assert!(output.stdout.lines().all(|line| line.chars().count() <= 60), "{}", output.stdout);
    let refused = stage.run(&["vault", "purge", "2", "--yes"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let asked = stage.run(&["vault", "purge", &id[..8]]);
    assert_eq!(asked.code, Some(5), "{asked:?}");
    assert!(asked.stderr.contains(&id) && asked.stderr.contains("alice@example.invalid"), "{}", asked.stderr);
    stage.ok(&["vault", "purge", &id, "--yes"]);
}

/// `undo` of a switch away from a profile that was removed since says how to get its login back.
#[test]
fn undo_after_a_removal_names_the_way_back() {
    let stage = Stage::two("w-undo");
    stage.ok(&["switch", "a"]);
    stage.ok(&["remove", "b", "--yes"]);
    let refused = stage.run(&["undo"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("was removed") && refused.stderr.contains("clauth vault restore"), "{refused:?}");
}
