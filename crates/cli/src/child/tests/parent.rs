//! The process under test: it runs a child by [`Child::run`] and ends with its code.
#![expect(
    clippy::disallowed_methods,
    clippy::exit,
    reason = "tests arrange a throw-away home, and this one ends a process of its own"
)]

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use clauth_host::Env;
use clauth_sandbox::World;

use crate::child::{Child, Environment, Spec, Turn};

/// Names the script to run; set only in the process that plays the parent.
const SCRIPT: &str = "CHILD_TEST_SCRIPT";
/// Names the file with its words, each ended by a NUL.
const WORDS: &str = "CHILD_TEST_WORDS";

/// A script that counts the signals it is sent and answers questions, one JSON line each. A signal
/// ends `read`, and what was read of a word by then is lost: that counts as the word `count`.
pub(super) const ANSWERING: &str = r#"#!/bin/sh
t=0; h=0; i=0; c=0; w=0
trap 't=$((t+1))' TERM; trap 'h=$((h+1))' HUP; trap 'i=$((i+1))' INT; trap 'c=$((c+1))' CONT; trap 'w=$((w+1))' WINCH
echo "{\"ready\":true,\"pid\":$$}"
while :; do
    read -r word || { kill -0 $PPID 2>/dev/null || exit 9; word=count; }
    case "$word" in
        parent) echo "{\"parent\":$PPID}" ;;
        count) echo "{\"TERM\":$t,\"HUP\":$h,\"INT\":$i,\"CONT\":$c,\"WINCH\":$w}" ;;
        stop) kill -STOP $$ ;;
        end) exit 7 ;;
    esac
done
"#;

/// Whether this process was started with signals ignored, as under nohup or in the background of a script. Children
/// inherit that, and a script cannot undo it, so what signals do cannot be shown then.
pub(super) fn signals_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    // SIGHUP, SIGINT, SIGQUIT and SIGTERM are the signals 1, 2, 3 and 15.
    mask & 0b0100_0000_0000_0111 != 0
}

pub(super) fn world(name: &str) -> World {
    World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name))
}

/// Puts a script into the home.
pub(super) fn script(world: &World, text: &str) -> PathBuf {
    let path = world.home().join("bin").join("claude");
    std::fs::write(&path, text).expect("a script");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a mode");
    path
}

/// The command that runs the script as its child.
pub(super) fn parent(world: &World, script: &Path, words: &[&[u8]]) -> Command {
    let file = world.home().join("words");
    std::fs::write(&file, words.iter().flat_map(|word| [*word, b"\0"].concat()).collect::<Vec<u8>>()).expect("words");
    let program = std::env::current_exe().expect("this program");
    let mut command = world.command(&program, None);
    command.args(["--exact", "child::tests::parent::acts_as_the_parent"]).env(SCRIPT, script).env(WORDS, file);
    command
}

#[test]
fn acts_as_the_parent() {
    let env = Env::of_process();
    let (Some(script), Some(words)) = (env.path(SCRIPT), env.path(WORDS)) else { return };
    let bytes = std::fs::read(words).expect("words");
    let mut words: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    words.pop();
    let spec = Spec {
        program: script,
        args: words.into_iter().map(|word| OsString::from_vec(word.to_vec())).collect(),
        environment: Environment::of_login(&env, Path::new("/nowhere")),
        aside: env.raw("CHILD_TEST_ASIDE") == Some(OsStr::from_bytes(b"1")),
    };
    let mut told = 0;
    let ended = Child::run(&spec, &mut |turn| match turn {
        Turn::Started(pid) => told = pid,
        // Past the test's own capture of what is printed.
        Turn::Stopped => drop(writeln!(std::io::stderr(), "[pauses]")),
        Turn::Continued => drop(writeln!(std::io::stderr(), "[resumes]")),
    });
    let code = ended.unwrap_or_else(|failure| failure.exit_code());
    assert!(told != 0 || code == 126, "nobody was told that it started");
    std::process::exit(i32::from(code));
}
