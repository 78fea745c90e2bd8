//! Whoever reads, or does not, a transaction is carried out.

use std::process::Stdio;

use crate::stage::{Stage, finish};

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_stdout_is_told_after_the_work() {
    let stage = Stage::two("o-full");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("/dev/full");
    let mut command = stage.command(&["switch", "a"]);
    command.stdout(full).stderr(Stdio::piped());
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard output"), "{output:?}");
    assert_eq!(stage.world.live(), "A1", "the work is done");
}

#[cfg(unix)]
#[test]
fn a_reader_that_has_gone_is_no_error() {
    let stage = Stage::two("o-gone");
    for (words, live) in [(&["switch", "a"][..], "A1"), (&["switch", "b", "--json"], "B1"), (&["list"], "B1")] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let (talk_reader, talk) = std::io::pipe().expect("a pipe");
        drop(talk_reader);
        let mut command = stage.command(words);
        command.stdout(writer).stderr(talk);
        assert_eq!(command.status().expect("it runs").code(), Some(0), "{words:?}");
        assert_eq!(stage.world.live(), live, "{words:?}");
    }
}

#[test]
fn quiet_says_nothing_but_results_and_errors() {
    let stage = Stage::two("o-quiet");
    let mut command = stage.command(&["switch", "a", "--quiet"]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE");
    let output = finish(command);
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("a is live (was b)\n", ""));
    assert!(stage.run(&["switch", "nobody", "--quiet"]).stderr.starts_with("error: "));
}

#[test]
fn colours_are_for_those_who_ask() {
    let stage = Stage::two("o-colour");
    assert!(!stage.run(&["list"]).success().stdout.contains('\u{1b}'));
    assert!(stage.run(&["list", "--color", "always"]).success().stdout.contains('\u{1b}'));
}

/// A sandbox's own switches mean nothing in a root without the marker.
#[test]
fn only_a_marked_root_can_be_made_to_crash() {
    let stage = Stage::two("o-crash");
    let crash = |root: &std::path::Path| {
        let mut command = stage.command(&["order", "a", "2"]);
        command.env("CLAUTH_HOME", root).env("CLAUTH_CRASH_AT", "1").stderr(Stdio::null());
        command.status().expect("it runs").code()
    };
    assert_eq!(crash(&stage.world.home().join("unmarked")), Some(2));
    #[cfg(unix)]
    assert_eq!(crash(&stage.world.root()), None, "a signal ended it");
}
