//! Commands that look write nothing and open no socket (W8).

#[cfg(target_os = "linux")]
use std::process::Command;

use clauth_sandbox::world::Entry;

#[cfg(target_os = "linux")]
use crate::stage::PROGRAM;
use crate::stage::Stage;

const LOOKING: &[&[&str]] = &[
    &[],
    &["list"],
    &["list", "--json"],
    &["usage", "--offline"],
    &["usage", "a", "--offline", "--json"],
    &["statusline"],
    &["which"],
    &["which", "--json"],
    &["why"],
    &["custody"],
    &["sessions"],
    &["sessions", "--json"],
    &["bind"],
    &["hook", "bash"],
    &["completions", "bash"],
    &["__complete"],
    &["__complete", "zsh", "--", "switch", ""],
    &["vault", "list"],
    &["order"],
    &["config"],
    &["config", "get", "network"],
    &["config", "list", "--profile", "a"],
    &["config", "path"],
    &["switch", "a", "--dry-run"],
    &["undo", "--dry-run"],
    &["doctor"],
    &["doctor", "--json"],
    &["--help"],
    &["--version"],
];

#[test]
fn looking_changes_nothing() {
    let stage = Stage::two_with_server("l-same");
    stage.ok(&["switch", "a"]);
    stage.ok(&["switch", "b"]);
    let before = stage.world.snapshot();
    let asked = stage.server.as_ref().map(|server| server.requests().len());
    for words in LOOKING {
        stage.ok(words);
        let now = stage.world.snapshot();
        assert_eq!(clauth_sandbox::world::changes(&before, &now), Vec::<String>::new(), "{words:?}");
    }
    assert_eq!(stage.server.as_ref().map(|server| server.requests().len()), asked);
}

/// What prints for people says that a change is unfinished, in one line beside it (W8).
#[test]
fn looking_says_what_was_interrupted() {
    let silent = ["statusline", "hook", "completions", "__complete", "doctor", "--help", "--version"];
    let stage = Stage::two("l-interrupted");
    for name in ["a", "b"] {
        stage.ok(&["switch", name]);
    }
    let is_open = || !stage.json(&["list"])["unfinished"].is_null();
    for at in 1.. {
        let mut command = stage.command(&["switch", "a"]);
        command.env("CLAUTH_CRASH_AT", at.to_string());
        let ended = crate::stage::finish(command);
        assert_ne!(ended.code, Some(0), "it was never unfinished");
        if is_open() {
            break;
        }
        let_locks_go_stale(&stage);
    }
    let before = stage.world.snapshot();
    for words in LOOKING {
        let told = stage.run(words).stderr;
        let lines = told.lines().filter(|line| line.contains("a switch was interrupted at")).count();
        let expected = usize::from(!words.first().is_some_and(|word| silent.contains(word)));
        assert_eq!(lines, expected, "{words:?}: {told}");
        assert_eq!(lines, told.matches("or: clauth doctor --fix").count(), "{words:?}");
    }
    assert_eq!(clauth_sandbox::world::changes(&before, &stage.world.snapshot()), Vec::<String>::new());
    looking_says_what_is_under_way(&stage);
    stage.ok(&["order", "a", "1"]);
    assert!(!is_open(), "it is finished");
}

/// A change whose process lives, and holds the state lock by its record (0003), was not interrupted.
fn looking_says_what_is_under_way(stage: &Stage) {
    let pid = std::process::id();
    let lock = stage.world.root().join("locks/state");
    std::fs::create_dir_all(&lock).expect("the lock's directory");
    let record = stage.world.root().join(format!("locks/held/{pid}-0123456789abcdef.json"));
    let entry = serde_json::json!({"pid": pid, "start": null, "stamp_ms": 0, "paths": [lock]});
    std::fs::write(&record, entry.to_string()).expect("a record");
    let before = stage.world.snapshot();
    for words in LOOKING.iter().filter(|words| words.first().is_some_and(|word| ["list", "which"].contains(word))) {
        let told = stage.run(words).stderr;
        let expected = format!(" is under way in process {pid}");
        let lines: Vec<&str> = told.lines().filter(|line| line.contains("a switch that began at")).collect();
        assert!(matches!(&lines[..], [line] if line.ends_with(&expected)), "{words:?}: {told}");
        assert!(!told.contains("interrupted"), "{words:?}: {told}");
    }
    assert!(stage.json(&["list"])["unfinished"].is_null(), "the contract: it names what was interrupted");
    let doctor = stage.run(&["doctor"]).stdout;
    assert!(!doctor.contains("journal-open"), "{doctor}");
    assert_eq!(clauth_sandbox::world::changes(&before, &stage.world.snapshot()), Vec::<String>::new());
    std::fs::remove_file(record).expect("its end");
    assert!(stage.run(&["list"]).stderr.contains("a switch was interrupted at"));
}

/// What time does where not every process is seen: a lock that was killed before it was stamped may be a living claude's
/// there, and goes when it is stale (K5).
fn let_locks_go_stale(stage: &Stage) {
    let is_lock = |(path, entry): &(&String, &Entry)| matches!(entry, Entry::Dir(_)) && path.ends_with(".lock");
    if !cfg!(target_os = "linux") {
        let snapshot = stage.world.snapshot();
        snapshot.iter().filter(is_lock).for_each(|(path, _)| {
            std::fs::remove_dir(stage.world.home().join(path)).expect("an empty lock");
        });
    }
}

/// The same by what the kernel was asked for.
#[cfg(target_os = "linux")]
#[test]
fn looking_asks_the_kernel_for_no_write_and_no_socket() {
    let strace = ["/usr/bin/strace", "/bin/strace"].into_iter().find(|path| std::path::Path::new(path).exists());
    let Some(strace) = strace else {
        println!("skipped: strace is not installed");
        return;
    };
    let stage = Stage::two_with_server("l-strace");
    stage.ok(&["switch", "a"]);
    for words in LOOKING {
        let trace = stage.world.home().join("trace");
        let mut command: Command = stage.world.command(std::path::Path::new(strace), stage.server.as_ref());
        command.args(["-f", "-qq", "-e", "trace=%file,%network,%desc", "-o"]).arg(&trace).arg(PROGRAM).args(*words);
        let _ = crate::stage::finish(command).success();
        let text = std::fs::read_to_string(&trace).expect("a trace");
        assert!(text.contains("openat("), "{words:?}: nothing was traced");
        // `doctor` proves by trying whether file locks hold; nothing on the disk changes by that.
        let tried = |line: &&str| words.first() == Some(&"doctor") && line.contains(" flock(");
        let told: Vec<&str> = text.lines().filter(|line| is_effect(line) && !tried(line)).collect();
        assert!(told.is_empty(), "{words:?}: {told:#?}");
    }
}

/// A system call that changes a file system or speaks to the network.
#[cfg(target_os = "linux")]
fn is_effect(line: &str) -> bool {
    let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
    let opens =
        call.starts_with("open") && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|f| call.contains(f));
    let effects = [
        "socket(",
        "connect(",
        "bind(",
        "sendto(",
        "rename",
        "unlink",
        "mkdir",
        "rmdir",
        "link(",
        "symlink",
        "linkat(",
        "chmod",
        "fchmod",
        "chown",
        "utime",
        "ftruncate",
        "truncate",
        "mknod",
        "fsync",
        "flock",
    ];
    // Neither is an effect on a file: the terminal's name, and what is open already.
    opens && !call.contains("/dev/null") || effects.iter().any(|name| call.starts_with(name))
}
