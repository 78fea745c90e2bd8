//! Surroundings that nobody would choose: a home that is not there, that may not be written, on a network that has no file
//! locks.
#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::Command;

use clauth_sandbox::Output;
use clauth_sandbox::world::{DEADLINE, changes, run};

use crate::stage::{PROGRAM, Stage, finish};

/// Every kind of command: what looks, and what acts.
const LOOKING: &[&[&str]] = &[&["list"], &["which"], &["custody"], &["sessions"], &["why"], &["vault", "list"]];
const ACTING: &[&[&str]] =
    &[&["switch", "a"], &["capture", "c"], &["undo"], &["order", "a", "1"], &["login", "c"], &["start", "a"]];

fn assert_told(output: &Output, name: &str) {
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert!(matches!(output.code, Some(1..=6 | 126 | 127)), "{name}: {output:?}");
    assert!(lines.iter().any(|line| line.starts_with("error: ")), "{name}: {output:?}");
    assert!(lines.iter().any(|line| line.starts_with("  next: ")), "{name}: {output:?}");
    assert!(!output.stderr.contains("panicked"), "{name}: {output:?}");
}

#[test]
fn a_home_that_is_not_there_is_not_made() {
    let stage = Stage::new("h-missing");
    let gone = stage.world.home().join("not/there");
    for words in LOOKING.iter().chain(ACTING) {
        let mut command = stage.command(words);
        command.env("HOME", &gone).env("CLAUTH_LINKS", "real");
        let output = finish(command);
        assert!(output.code != Some(101) && !output.stderr.contains("panicked"), "{words:?}: {output:?}");
        if ACTING.contains(words) {
            assert_told(&output, &words.join(" "));
        }
        assert!(!stage.world.home().join("not").exists(), "{words:?} made it");
    }
}

/// A command that sees its whole file system read-only; `None` where this machine does not let us.
fn read_only(stage: &Stage, words: &[&str]) -> Option<Command> {
    let home = stage.world.home().display().to_string();
    let script = "mount --bind \"$1\" \"$1\" && mount -o remount,ro,bind \"$1\" && shift && exec \"$@\"";
    let enter = ["--mount", "--map-root-user", "sh", "-c"];
    let mut probe = Command::new("unshare");
    probe.args(enter).args([script, "sh", &home, "sh", "-c", "! touch \"$HOME/probe\" 2>/dev/null"]);
    let works = probe.env("HOME", &home).status().is_ok_and(|status| status.success());
    let mut command = stage.command(&[]);
    let program = std::mem::replace(&mut command, Command::new("unshare"));
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(enter).args([script, "sh", &home, PROGRAM]).args(words).current_dir(&home);
    works.then_some(command)
}

#[test]
fn a_home_that_may_not_be_written_can_be_looked_at_and_loses_nothing() {
    let stage = Stage::two("h-readonly");
    stage.ok(&["switch", "a"]);
    stage.ok(&["switch", "b"]);
    let before = stage.world.snapshot();
    for (words, acts) in LOOKING.iter().map(|words| (words, false)).chain(ACTING.iter().map(|words| (words, true))) {
        let Some(command) = read_only(&stage, words) else {
            println!("skipped: nothing can be mounted read-only here");
            return;
        };
        let output = run(command, DEADLINE);
        match acts {
            true => assert_told(&output, &words.join(" ")),
            false => assert_eq!(output.code, Some(0), "{words:?}: {output:?}"),
        }
        assert_eq!(changes(&before, &stage.world.snapshot()), Vec::<String>::new(), "{words:?}");
    }
}

/// A command on a file system that has no file locks: each of the ways in which network homes say so.
fn without_locks(stage: &Stage, error: &str, words: &[&str]) -> Command {
    let program = stage.command(&[]);
    let mut command = Command::new("strace");
    command.env_clear().envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock,fcntl"]);
    command.args(["-e", &format!("inject=flock:error={error}"), PROGRAM]).args(words);
    command.current_dir(stage.world.home());
    command
}

#[test]
fn where_file_locks_are_void_several_at_once_lose_nothing() {
    if !Path::new("/usr/bin/strace").exists() {
        println!("skipped: no strace here");
        return;
    }
    for error in ["ENOLCK", "EOPNOTSUPP", "ENOSYS", "EINVAL"] {
        let stage = Stage::two("h-void");
        std::thread::scope(|scope| {
            for name in ["a", "b", "a", "b"] {
                let command = without_locks(&stage, error, &["switch", name]);
                scope.spawn(move || {
                    let output = run(command, DEADLINE);
                    assert!(matches!(output.code, Some(0 | 4)), "{error}: {output:?}");
                });
            }
        });
        let live = stage.world.live();
        let (parked, bearer) = if live == "A1" { ("b", "a") } else { ("a", "b") };
        let slot = |name: &str| -> PathBuf { stage.world.root().join(format!("profiles/{name}/credentials.json")) };
        let whole = if parked == "a" { "A1" } else { "B1" };
        assert_eq!(stage.world.login_at(&slot(parked)), whole, "{error}");
        let copy = stage.world.read_json(&slot(bearer));
        assert!(copy["claudeAiOauth"].get("refreshToken").is_none(), "{error}: one place has it (L5)");
        let listed = run(without_locks(&stage, error, &["list"]), DEADLINE);
        assert_eq!(listed.code, Some(0), "{error}: {listed:?}");
    }
}
