//! Many real processes at once, killed at any moment.

use std::process::{Child, Stdio};

use clauth_sandbox::Route;
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

/// Eight at once on one login whose access token has ended: one request, and all of them are satisfied.
#[test]
fn eight_renewals_at_once_are_one_request() {
    let stage = Stage::two_with_server("p-eight");
    stage.expire("a");
    let server = stage.server.as_ref().expect("a server");
    let renewals: Vec<Child> = (0..8).map(|_| spawn(&stage, &["refresh", "a"])).collect();
    for child in renewals {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!((server.requests_to(Route::Token).len(), stage.slot("a")), (1, "A2".to_owned()));
    server.assert_clean();
}

/// Renewals, switches and a `claude` that renews, all at once: nothing is used twice and no generation is lost.
#[test]
fn renewals_among_switches_and_a_renewing_claude() {
    let stage = Stage::two_with_server("p-among");
    let mut claude = stage.claude(&[]);
    let words = [["switch", "a"], ["refresh", "b"], ["refresh", "a"], ["switch", "b"]];
    let children: Vec<Child> = words.iter().cycle().take(16).map(|words| spawn(&stage, words)).collect();
    for _ in 0..5 {
        let renewed = claude.send("refresh");
        assert_eq!(renewed["ok"], true, "{renewed}");
    }
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        // 5: the login is live, and that claude's to renew.
        assert!(matches!(output.status.code(), Some(0 | 4 | 5)), "{:?}: {said}", output.status);
    }
    drop(claude);
    let server = stage.server.as_ref().expect("a server");
    for name in ["a", "b", "a"] {
        stage.ok(&["switch", name]);
        stage.ok(&["refresh", name]);
    }
    server.assert_clean();
    let picture = stage.world.snapshot();
    for family in ["A", "B"] {
        let token = format!("sk-ant-ort01-FAKE-{family}{}", server.generation(family));
        assert!(!holders(&picture, &token).is_empty(), "{token} is lost");
    }
}

/// A real process that ends at its n-th effect: what came back is landed by the next command, and where nothing did the token
/// is sent once more and never again.
#[cfg(unix)]
#[test]
fn killed_renewals_are_landed_by_the_next_command() {
    for (name, family) in [("a", "A"), ("b", "B")] {
        let mut killed = 0;
        for at in (1..110).step_by(9) {
            let stage = Stage::two_with_server("p-renewal");
            let mut command = stage.command(&["refresh", name]);
            command.env("CLAUTH_CRASH_AT", at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
            killed += usize::from(!command.status().expect("it runs").success());
            stage.ok(&["order", "a", "1"]);
            let server = stage.server.as_ref().expect("a server");
            let newest = format!("{family}{}", server.generation(family).max(1));
            let held = if name == "a" { stage.slot("a") } else { stage.world.live() };
            let in_doubt = stage.json(&["list"])["accounts"].to_string().contains("\"unknown\"");
            assert!(held == newest || in_doubt, "{name}: killed at {at}: {held}, but {newest} was given");
            server.assert_clean();
        }
        assert!(killed > 4, "{name}: {killed} were killed");
    }
}
