//! What is told when something is in the way: what it is, and a step that helps.

use crate::stage::{Stage, finish};

/// The refusal of a command: its exit code and what it said.
fn refused(stage: &Stage, words: &[&str]) -> (i32, String) {
    let output = stage.run(words);
    (output.code.unwrap_or(-1), output.stderr)
}

#[test]
fn a_word_that_is_a_command_is_no_profile() {
    let stage = Stage::two("t-words");
    let rows: [(&[&str], &str, &str); 5] = [
        (&["help"], "help is a flag", "clauth --help"),
        (&["version"], "version is a flag", "clauth --version"),
        (&["chain"], "'chain' is a command of a later version", "clauth --help"),
        (&["daemon"], "'daemon' is a command of a later version", "clauth --help"),
        (&["switch", "--next"], "--next", "clauth switch --help"),
    ];
    for (words, what, next) in rows {
        let (code, said) = refused(&stage, words);
        assert_eq!(code, 2, "{words:?}: {said}");
        assert!(said.contains(what) && said.contains(&format!("next: {next}")), "{words:?}: {said}");
        assert!(!said.contains("-- --next"), "{said}");
    }
}

#[test]
fn answers_about_the_program_are_documents_too() {
    let stage = Stage::two("t-json");
    for (words, field) in [
        (&["--version", "--json"][..], "version"),
        (&["--help", "--json"], "help"),
        (&["switch", "--help", "--json"], "help"),
    ] {
        let output = stage.run(words).success();
        assert_eq!(output.stdout.lines().count(), 1, "{words:?}: {}", output.stdout);
        assert!(output.json()[field].as_str().is_some_and(|text| !text.is_empty()), "{words:?}");
    }
}

#[test]
fn variables_that_mean_nothing_are_refused() {
    let stage = Stage::two("t-env");
    for (name, value) in [("CLAUTH_PRICES_URL", "http://x"), ("CLAUTH_CREDENTIALS", "zzz"), ("CLAUTH_LINKS", "zz")] {
        let mut command = stage.command(&["list"]);
        command.env(name, value);
        let output = finish(command);
        assert_eq!(output.code, Some(2), "{name}: {}", output.stderr);
        assert!(output.stderr.contains(name), "{}", output.stderr);
    }
    for root in [stage.world.claude_dir(), stage.world.home().to_owned()] {
        let mut command = stage.command(&["list"]);
        command.env("CLAUTH_HOME", root);
        assert_eq!(finish(command).code, Some(2));
    }
}

#[test]
fn nothing_is_no_number_of_changes() {
    let stage = Stage::two("t-last");
    let (code, said) = refused(&stage, &["why", "--last", "0"]);
    assert_eq!(code, 2, "{said}");
}

#[test]
fn a_missing_home_is_told_of_as_capture_does() {
    let stage = Stage::two("t-home");
    std::fs::remove_dir_all(stage.world.claude_dir()).expect("removed");
    let (code, said) = refused(&stage, &["switch", "a"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Claude Code has no home here") && said.contains("claude auth login"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_link_to_nowhere_is_named_with_its_target() {
    let stage = Stage::two("t-dangling");
    let live = stage.world.credentials_path();
    std::fs::remove_file(&live).expect("removed");
    let target = stage.world.home().join("unmounted/login.json");
    std::os::unix::fs::symlink(&target, &live).expect("a link");
    for words in [&["switch", "a"][..], &["capture", "c"]] {
        let (code, said) = refused(&stage, words);
        assert_eq!(code, 5, "{said}");
        assert!(said.contains(&live.display().to_string()) && said.contains(&target.display().to_string()), "{said}");
    }
}

#[test]
fn what_stands_in_the_place_of_a_lock_is_named() {
    let stage = Stage::two("t-lock");
    let lock = stage.world.claude_dir().join(".oauth_refresh.lock");
    std::fs::write(&lock, "").expect("a file");
    let (code, said) = refused(&stage, &["switch", "a"]);
    assert_eq!(code, 4, "{said}");
    assert!(said.contains(&format!("then remove it: {}", lock.display())), "{said}");
}

#[cfg(unix)]
#[test]
fn a_slot_that_may_not_be_read_says_so() {
    use std::os::unix::fs::PermissionsExt as _;
    let stage = Stage::two("t-denied");
    let slot = stage.world.root().join("profiles/a/credentials.json");
    std::fs::set_permissions(&slot, std::fs::Permissions::from_mode(0o000)).expect("own file");
    if std::fs::read(&slot).is_ok() {
        return;
    }
    let (code, said) = refused(&stage, &["switch", "a"]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("chmod u+rw"), "{said}");
}

#[test]
fn a_document_that_is_nested_too_deep_is_called_that() {
    let stage = Stage::two("t-deep");
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    std::fs::write(stage.world.state_path(), deep).expect("a state file");
    let (code, said) = refused(&stage, &["switch", "a"]);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("nested deeper than") && said.contains("mend that file"), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_document_that_cannot_be_written_leaves_words() {
    let stage = Stage::two("t-full");
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    for (words, code, what) in
        [(&["switch", "nope", "--json"][..], 2, "no profile is called 'nope'"), (&["list"], 1, "make room")]
    {
        let mut command = stage.command(words);
        let output = command.stdout(full()).stderr(std::process::Stdio::piped()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(what), "{words:?}: {said}");
    }
}

#[test]
fn a_demonstration_for_a_program_is_one_document() {
    let stage = Stage::two("t-demo");
    let output = stage.run(&["demo", "--json"]);
    assert_eq!(output.json()["done"], "demo", "{}", output.stderr);
    assert_eq!(output.stdout.lines().count(), 1);
}
