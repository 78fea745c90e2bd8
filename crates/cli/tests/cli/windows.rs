//! What is different on Windows: launchers and the words they are given, odd paths, files that somebody has open, lock
//! files, consoles.
#![cfg(windows)]
#![expect(clippy::print_stdout, reason = "a skipped test says so")]

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::fs::OpenOptionsExt as _;
use std::os::windows::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clauth_sandbox::{Account, World};

use crate::endpoint::{given, helped};
use crate::stage::{PROGRAM, Stage, finish, modes, usual};

/// What cmd.exe or the C library could take for something else.
const WORDS: [&str; 17] = [
    "",
    "--",
    "two words",
    "it's",
    "a\"b\" c",
    "\"",
    "%PATH%",
    "100%",
    "^",
    "a&b|c>d<e",
    "(x)",
    "tr ail\\",
    "a\\\\\"b",
    "!x!",
    "äöü €",
    "*?",
    "-p",
];

/// What the fake `claude` of a session says it was given.
fn words_seen(mut command: Command, words: &[&str]) -> Vec<String> {
    command.args(words);
    let seen = finish(command).success().json();
    serde_json::from_value(seen).expect("words")
}

/// Takes the program that `install_claude` made away from the path, and puts it beside.
fn hidden_claude(stage: &Stage) -> PathBuf {
    let program = stage.world.install_claude(Path::new(PROGRAM)).expect("a claude");
    let real = stage.world.home().join("real programs").join("claude.exe");
    std::fs::create_dir(real.parent().expect("a directory")).expect("a directory");
    std::fs::rename(&program, &real).expect("moved");
    real
}

fn launcher(at: &Path, text: &str) {
    std::fs::create_dir_all(at.parent().expect("a directory")).expect("a directory");
    std::fs::write(at, text.replace('\n', "\r\n")).expect("a launcher");
}

/// Point 12: words exactly as they are.
#[test]
fn words_reach_a_program_as_they_are() {
    let stage = Stage::two_with_server("win-words");
    let command = stage.start_command(usual(), &["a", "words"]);
    assert_eq!(words_seen(command, &WORDS), WORDS);
}

/// Whether the shell leaves alone what stands in a word of a batch file once it was put in. Wine's reads it again.
fn shell_keeps_percent_signs(stage: &Stage) -> bool {
    let probe = stage.world.home().join("probe.cmd");
    launcher(&probe, "@echo %*\n");
    let mut command = stage.world.command(&probe, None);
    command.arg("100%");
    finish(command).stdout.contains("100%")
}

/// npm's launcher is a batch file, to which other rules of quoting apply.
#[test]
fn a_cmd_launcher_on_the_path_is_started_with_its_words_and_its_end_is_ours() {
    let stage = Stage::two_with_server("win-cmd");
    let real = hidden_claude(&stage);
    let text = format!("@ECHO off\nSETLOCAL\n\"{}\" %*\nEXIT /b %ERRORLEVEL%\n", real.display());
    launcher(&stage.world.home().join("bin").join("claude.cmd"), &text);
    let command = |words: &[&str]| {
        let mut command = stage.command(&[&["start", "a"], words].concat());
        command.env("CLAUTH_LINKS", usual());
        command
    };
    let mut words = WORDS.to_vec();
    if !shell_keeps_percent_signs(&stage) {
        println!(
            "skipped: under Wine: percent signs in words of a batch file, since its cmd.exe reads %* again once it has put it in"
        );
        words.retain(|word| !word.contains('%'));
    }
    assert_eq!(words_seen(command(&["words"]), &words), words);
    let mut ends = command(&["-p", "hi"]);
    ends.env("FAKE_EXIT", "7");
    assert_eq!(finish(ends).code, Some(7));
    let mut session = clauth_sandbox::Running::start(command(&["session"]));
    assert_eq!(session.turn(), "A1");
    assert_eq!(stage.json(&["list"])["accounts"][0]["sessions"], 1);
    assert_eq!(session.finish(), Some(0));
    // What no command line of cmd.exe can carry is refused by name, and nothing is left of the session.
    let output = finish(command(&["-p", "two\nlines"])).expect_code(126);
    assert!(output.stderr.contains("claude.cmd") && !output.stderr.contains("panick"), "{}", output.stderr);
    assert!(!stage.tree("a").exists());
}

#[test]
fn a_launcher_that_leads_back_to_us_is_passed_over() {
    let stage = Stage::two_with_server("win-loop");
    let real = hidden_claude(&stage);
    let home = stage.world.home();
    launcher(&home.join("one").join("claude.cmd"), "@clauth start a -- %*\n");
    launcher(&home.join("two").join("claude.bat"), &format!("@\"{}\" %*\n", real.display()));
    let run = |places: &[&str]| {
        let mut command = stage.command(&["start", "a", "words", "x"]);
        let system = std::env::var_os("SystemRoot").expect("a system");
        let places = places.iter().map(|place| home.join(place)).chain([Path::new(&system).join("System32")]);
        command.env("PATH", std::env::join_paths(places).expect("a path")).env("CLAUTH_LINKS", usual());
        finish(command)
    };
    assert_eq!(run(&["one", "two"]).success().json(), serde_json::json!(["x"]));
    let output = run(&["one"]).expect_code(126);
    assert!(output.stderr.contains("leads back to clauth"), "{}", output.stderr);
}

/// A home whose path a shell would take apart.
#[test]
fn a_path_with_spaces_and_shell_characters_is_one_path() {
    for (name, folder, helper) in
        [("spaces", "two words", true), ("and", "R&D (x86)", true), ("percent", "100%x%", false)]
    {
        let outer = World::new("win-paths");
        let base = outer.home().join(folder);
        std::fs::create_dir(&base).expect("a directory");
        let stage = Stage { world: World::create_in(&base, name).expect("a home"), server: None };
        for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
            stage.sign_in(&account);
            stage.ok(&["capture", name]);
        }
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A1", "{name}");
        for &mode in modes() {
            let mut session = clauth_sandbox::Running::start(stage.start_command(mode, &["b", "session"]));
            assert_eq!(session.send("env CLAUDE_CONFIG_DIR")["value"], stage.tree("b").display().to_string(), "{name}");
            assert_eq!(session.finish(), Some(0), "{name}");
        }
        let listed = stage.json(&["list"]);
        assert_eq!(listed["active"], "a", "{name}");
        let _ = given(&stage, &["add", "deep", "--preset", "deepseek"], "sk-FAKE-KEY\n");
        let output = stage.run(&["switch", "deep"]);
        if helper {
            assert_eq!(output.code, Some(0), "{name}: {output:?}");
            let printed = helped(&stage, "https://api.deepseek.com/anthropic");
            assert_eq!((printed.code, printed.stdout.trim_end()), (Some(0), "sk-FAKE-KEY"), "{name}: {printed:?}");
        } else {
            assert_eq!(output.code, Some(2), "{name}: nothing protects a percent sign: {output:?}");
            assert_eq!(stage.world.live(), "A1", "{name}");
        }
    }
}

/// Whether a file that somebody has open, as Node opens it, can be replaced here.
fn replaces_open_files(stage: &Stage) -> bool {
    let (old, new) = (stage.world.home().join("old"), stage.world.home().join("new"));
    std::fs::write(&old, "old").and_then(|()| std::fs::write(&new, "new")).expect("files");
    let open = File::open(&old).expect("an open file");
    let replaced = std::fs::rename(&new, &old);
    drop(open);
    for path in [old, new] {
        let _ = std::fs::remove_file(path);
    }
    replaced.is_ok()
}

/// The files that a switch replaces.
fn replaced(stage: &Stage) -> Vec<PathBuf> {
    let profiles = stage.world.root().join("profiles");
    let mut files =
        vec![stage.world.credentials_path(), stage.world.state_path(), stage.world.root().join("profiles.toml")];
    files.extend(["a", "b"].map(|name| profiles.join(name).join("credentials.json")));
    files
}

#[test]
fn a_file_that_claude_has_open_is_replaced() {
    let stage = Stage::two("win-open");
    if !replaces_open_files(&stage) {
        println!("skipped: under Wine: a file that is open is replaced by no rename");
        return;
    }
    for path in replaced(&stage) {
        let open = File::open(&path).expect("an open file");
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A1", "{}", path.display());
        stage.ok(&["switch", "b"]);
        assert_eq!(stage.world.live(), "B1", "{}", path.display());
        drop(open);
    }
}

/// A scanner shares nothing and holds a file for a moment.
#[test]
fn a_file_that_a_scanner_holds_for_a_moment_is_replaced_afterwards() {
    let stage = Stage::two("win-scan");
    for path in replaced(&stage) {
        let held = OpenOptions::new().read(true).share_mode(1).open(&path).expect("a held file");
        std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(500));
                drop(held);
            });
            stage.ok(&["switch", "a"]);
        });
        assert_eq!(stage.world.live(), "A1", "{}", path.display());
        stage.ok(&["switch", "b"]);
    }
}

/// Who never lets go keeps a switch from happening, and nothing is lost by it.
#[test]
fn a_file_that_somebody_holds_is_named_and_nothing_is_changed() {
    for at in 0..2 {
        let stage = Stage::two("win-held");
        let path = replaced(&stage).swap_remove(at);
        let before = stage.world.snapshot();
        let held = OpenOptions::new().read(true).share_mode(1).open(&path).expect("a held file");
        let output = stage.run(&["switch", "a"]).expect_code(1);
        assert!(output.stderr.contains(&path.display().to_string()), "{}", output.stderr);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{}", path.display());
        drop(held);
        stage.ok(&["switch", "a"]);
        assert_eq!(stage.world.live(), "A1");
    }
}

/// K6: 0.4.0 has the same lock file.
#[test]
fn a_lock_file_that_another_program_holds_is_waited_for_and_named() {
    let stage = Stage::two("win-lock");
    let path = stage.world.root().join(".lock");
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).expect("a lock file");
    file.lock().expect("a lock");
    let before = stage.world.snapshot();
    let output = stage.run(&["switch", "a"]).expect_code(4);
    assert!(output.stderr.contains(".lock"), "{}", output.stderr);
    assert_eq!(stage.changes(&before), Vec::<String>::new());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            std::thread::sleep(Duration::from_secs(1));
            drop(file);
        });
        stage.ok(&["switch", "a"]);
    });
    assert_eq!(stage.world.live(), "A1");
}

/// cp1252 and cp437 have no word for most of Unicode; a pipe gets UTF-8 all the same, and nothing panics.
#[test]
fn a_console_without_utf_8_changes_nothing_about_what_is_printed() {
    let stage = Stage::two("win-console");
    stage.world.edit_json(&stage.world.state_path(), |state| {
        state["oauthAccount"]["organizationName"] = "Größe 価格 €".into();
    });
    for words in ["list", "list --json", "which", "no-such-command"] {
        let plain = stage.run(&words.split(' ').collect::<Vec<_>>());
        for page in ["437", "1252", "65001"] {
            let mut command = stage.world.command(Path::new("cmd.exe"), None);
            command.raw_arg(format!("/d /s /c \"chcp {page}>nul & \"{PROGRAM}\" {words}\""));
            let output = finish(command);
            assert_eq!((&output.stdout, output.code), (&plain.stdout, plain.code), "{words} on {page}: {output:?}");
        }
    }
}

/// Half of a surrogate pair is no text, and may be in any name.
#[test]
fn words_and_variables_that_are_no_text_are_refused_without_harm() {
    let stage = Stage::two("win-wide");
    let before = stage.world.snapshot();
    let odd = OsString::from_wide(&[0x61, 0xD800, 0x62]);
    let mut command = stage.command(&["switch"]);
    command.arg(&odd);
    assert_eq!(finish(command).code, Some(2));
    let mut command = stage.command(&["list"]);
    command.env("CLAUTH_HOME", &odd);
    assert_eq!(finish(command).code, Some(2));
    let mut command = stage.command(&["list"]);
    command.env("ODD", &odd);
    assert_eq!(finish(command).code, Some(0));
    assert_eq!(stage.changes(&before), Vec::<String>::new());
}
