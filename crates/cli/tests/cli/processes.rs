//! Many real processes at once, killed at any moment.

use std::process::{Child, Stdio};

use clauth_sandbox::world::holders;

use crate::stage::Stage;

fn spawn(stage: &Stage, words: &[&str]) -> Child {
    let mut command = stage.command(words);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts")
}

/// Twenty switches and a `claude` that renews: every command succeeds or says busy, no generation is lost, nothing is
/// used twice.
#[test]
fn twenty_at_once_and_a_renewing_claude() {
    let stage = Stage::two_with_server("p-twenty");
    let mut claude = stage.claude(&[]);
    let switches: Vec<Child> =
        ["a", "b"].into_iter().cycle().take(20).map(|name| spawn(&stage, &["switch", name])).collect();
    for _ in 0..5 {
        let renewed = claude.send("refresh");
        assert_eq!(renewed["ok"], true, "{renewed}");
    }
    for child in switches {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 4)), "{:?}: {said}", output.status);
    }
    stage.ok(&["order", "a", "1"]);
    let server = stage.server.as_ref().expect("a server");
    server.assert_clean();
    let picture = stage.world.snapshot();
    for family in ["A", "B"] {
        let newest = server.generation(family).max(1);
        let token = format!("sk-ant-ort01-FAKE-{family}{newest}");
        assert!(!holders(&picture, &token).is_empty(), "{family}{newest} is lost");
    }
    // What each profile has now works: the server would revoke a family whose spent token is presented.
    for name in ["a", "b"] {
        stage.ok(&["switch", name]);
        assert_eq!(claude.send("refresh")["ok"], true, "{name}");
    }
    server.assert_clean();
}

/// A process that is killed at its n-th effect, for a spread of n: the next command finishes what it began.
#[cfg(unix)]
#[test]
fn killed_processes_are_finished_by_the_next_command() {
    let stage = Stage::two_with_server("p-killed");
    for at in (1..120).step_by(7) {
        let target = if stage.world.live().starts_with('A') { "b" } else { "a" };
        let mut command = stage.command(&["switch", target]);
        command.env("CLAUTH_CRASH_AT", at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().expect("it runs");
        if status.success() {
            break;
        }
        let live = stage.world.live();
        assert!(["A1", "B1"].contains(&live.as_str()), "killed at {at}: {live}");
        stage.ok(&["order", "a", "1"]);
        let list = stage.json(&["list"]);
        assert!(list["unfinished"].is_null(), "killed at {at}: {list}");
        assert_eq!(list["live"]["state"], "own", "killed at {at}: {list}");
    }
    stage.server.as_ref().expect("a server").assert_clean();
}
