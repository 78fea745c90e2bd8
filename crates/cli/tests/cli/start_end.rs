//! `clauth start`: what is told, where and when, and how it ends.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::stage::{Stage, finish};

impl Stage {
    /// `clauth start a` with a script in the place of `claude`.
    fn start_script(&self, text: &str) -> Command {
        let script = self.world.home().join("claude-script");
        std::fs::write(&script, format!("#!/bin/sh\n{text}\n")).expect("a script");
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).expect("its mode");
        let mut command = self.command(&["start", "a"]);
        command.env("CLAUTH_CLAUDE", script).env("CLAUTH_LINKS", "real").env("ROOT", self.world.root());
        command
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.world.root().join("log/clauth.log")).unwrap_or_default()
    }
}

/// Point 9: errors once per state, to the log while the child owns the terminal, printed after it ends.
#[test]
fn a_watchdogs_trouble_goes_to_the_log_and_is_told_when_the_child_has_ended() {
    let stage = Stage::two("start-told");
    // Long enough for several looks at what stays wrong.
    let output = finish(stage.start_script(
        "rm -f \"$CLAUDE_CONFIG_DIR/settings.json\"; mkdir \"$CLAUDE_CONFIG_DIR/settings.json\"
        n=0; until [ -s \"$ROOT/log/clauth.log\" ] || [ $n -gt 200 ]; do n=$((n + 1)); sleep 0.05; done
        sleep 2.5; echo 'the child ends' >&2; exit 3",
    ));
    assert_eq!(output.code, Some(3), "{}", output.stderr);
    let (meanwhile, after) = output.stderr.split_once("the child ends").expect("its last words");
    assert!(!meanwhile.contains("settings.json"), "the terminal is the child's: {meanwhile}");
    assert_eq!(after.matches("settings.json").count(), 1, "{after}");
    let log = stage.log();
    assert_eq!(log.matches("settings.json").count(), 1, "once for as long as it stands: {log}");
    let mode = std::fs::metadata(stage.world.root().join("log/clauth.log")).expect("a log").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn verbose_says_where_the_log_is() {
    let stage = Stage::two("start-verbose");
    let mut command = stage.start_script("exit 0");
    command.env("CLAUTH_LINKS", "real");
    let quiet = finish(command).success().stderr;
    let mut command = stage.command(&["start", "-v", "a"]);
    command.env("CLAUTH_CLAUDE", stage.world.home().join("claude-script"));
    let told = finish(command).success().stderr;
    assert!(!quiet.contains("clauth.log") && told.contains("log/clauth.log"), "{quiet} / {told}");
}

/// Point 12: the exit code is the child's, whatever is met when its session is tidied up.
#[test]
fn what_fails_after_the_child_is_a_warning_beside_the_childs_exit_code() {
    let stage = Stage::two("start-after");
    let output = finish(stage.start_script("rm -rf \"$ROOT/locks\"; : > \"$ROOT/locks\"; exit 7"));
    assert_eq!(output.code, Some(7), "{}", output.stderr);
    assert!(output.stderr.contains("looked after by the next command"), "{}", output.stderr);
    std::fs::remove_file(stage.world.root().join("locks")).expect("the obstacle");
    stage.ok(&["order", "a", "1"]);
    assert!(!stage.world.root().join("profiles/a/runtime").exists(), "the next command tidies up");
}
