//! Renewals by real processes, beside each other and beside a running `claude` (R1, R2).

use std::process::{Child, Stdio};
use std::time::Duration;

use clauth_sandbox::server::Gate;
use clauth_sandbox::{Reply, Route, Server};

use crate::stage::Stage;

fn server(stage: &Stage) -> &Server {
    stage.server.as_ref().expect("a server")
}

fn posts(stage: &Stage) -> usize {
    server(stage).requests_to(Route::Token).len()
}

/// The login that b has lent, in words.
#[cfg(target_os = "linux")]
fn loan(stage: &Stage) -> String {
    clauth_sandbox::describe(&stage.world.read_json(&stage.world.root().join("profiles/b/loan.json"))["login"])
}

/// Design §7: whoever is kept waiting by a server is told for what, and nobody else.
#[test]
fn a_slow_answer_is_waited_for_with_a_word() {
    let stage = Stage::two_with_server("rf-slow");
    let late = || vec![Reply::Delay(Duration::from_millis(1500))];
    for (route, words) in [
        (Route::Token, &["refresh", "a"][..]),
        (Route::Usage, &["usage", "b", "--refresh"]),
        (Route::Profile, &["switch", "a", "--verify"]),
    ] {
        server(&stage).script(route, late());
        let output = stage.run(words);
        assert!(output.stderr.contains("waiting for"), "{words:?}: {output:?}");
    }
    server(&stage).script(Route::Token, late());
    let output = stage.run(&["refresh", "b", "-q"]);
    assert_eq!(output.stderr, "", "{output:?}");
    let output = stage.run(&["refresh", "b"]);
    assert!(!output.stderr.contains("waiting for"), "{output:?}");
}

/// Eight ask while one waits for its answer: the others wait for that one, and use what it brought.
#[test]
fn eight_processes_renew_one_login_with_one_request() {
    let stage = Stage::two_with_server("rf-eight");
    stage.expire("a");
    let gate = Gate::new();
    server(&stage).script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let spawn = |_| {
        let mut command = stage.command(&["refresh", "a", "--json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
    };
    let children: Vec<Child> = (0..8).map(spawn).collect();
    assert!(gate.is_reached());
    gate.open();
    let mut renewed = 0;
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{output:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        renewed += usize::from(document["changed"] == true);
    }
    assert_eq!((renewed, posts(&stage), stage.slot("a")), (1, 1, "A2".into()));
    server(&stage).assert_clean();
}

/// What a running `claude` uses is its to renew, and what it renewed is taken home where it is proven whose it is.
#[cfg(target_os = "linux")]
#[test]
fn what_a_running_claude_renewed_first_is_adopted_with_proof_and_only_then() {
    for (name, proven) in [("proven", true), ("not proven", false)] {
        let stage = Stage::two_with_server("rf-adopt");
        let mut claude = stage.claude(&[]);
        assert_eq!(stage.run(&["refresh", "b"]).code, Some(5), "{name}: its own to renew");
        assert_eq!(posts(&stage), 0, "{name}");
        assert_eq!(claude.send("refresh")["ok"], true, "{name}");
        if !proven {
            // Nothing says any more whose login that is, and nobody can be asked.
            server(&stage).script(Route::Profile, vec![Reply::status(500); 9]);
            stage.world.edit_json(&stage.world.state_path(), |state| drop(state.remove("oauthAccount")));
            stage.world.edit_json(&stage.world.credentials_path(), |object| {
                object["claudeAiOauth"].as_object_mut().expect("a login").remove("refreshTokenExpiresAt");
            });
        }
        let output = stage.run(&["refresh", "b"]);
        assert_eq!(output.code, Some(if proven { 0 } else { 5 }), "{name}: {output:?}");
        assert_eq!(loan(&stage), if proven { "B2" } else { "B1" }, "{name}");
        assert_eq!((stage.world.live(), posts(&stage)), ("B2".to_owned(), 1), "{name}: claude's own");
        server(&stage).assert_clean();
    }
}

/// A reading never renews what a running `claude` will renew by itself.
#[cfg(target_os = "linux")]
#[test]
fn a_refused_token_is_left_to_a_running_claude() {
    let stage = Stage::two_with_server("rf-running");
    let claude = stage.claude(&[]);
    server(&stage).script(Route::Usage, vec![Reply::unauthorized("token_expired"); 2]);
    let document = stage.json(&["usage", "b", "--refresh"]);
    assert_eq!(document["accounts"][0]["usage"]["error"], "expired", "{document}");
    assert_eq!((posts(&stage), stage.world.live()), (0, "B1".into()));
    drop(claude);
    // Once it has ended, the login is ours to renew.
    let document = stage.json(&["usage", "b", "--refresh"]);
    assert_eq!(document["accounts"][0]["usage"]["error"], serde_json::Value::Null, "{document}");
    assert_eq!((posts(&stage), stage.world.live()), (1, "B2".into()));
    server(&stage).assert_clean();
}

/// A process that is killed at its n-th effect, for a spread of n: the next command lands what came, and a token of which
/// nobody knows what became is sent once more and never again.
#[cfg(unix)]
#[test]
fn a_killed_renewal_is_finished_by_the_next_command() {
    let mut ended = false;
    for at in (1..200).step_by(5) {
        let stage = Stage::two_with_server("rf-killed");
        stage.expire("a");
        let mut command = stage.command(&["refresh", "a"]);
        command.env("CLAUTH_CRASH_AT", at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        ended = command.status().expect("it runs").success();
        stage.ok(&["order", "a", "1"]);
        let newest = format!("A{}", server(&stage).generation("A").max(1));
        let document = stage.json(&["list"]);
        match document["accounts"][0]["state"].as_str() {
            // Killed with the answer in hand: the mark tells of it.
            Some("unknown") => assert_eq!(stage.slot("a"), "A1", "at {at}"),
            Some("ok" | "expired") => assert_eq!(stage.slot("a"), newest, "at {at}"),
            other => panic!("at {at}: {other:?}"),
        }
        for _ in 0..3 {
            let _ = stage.run(&["refresh", "a"]);
        }
        assert!(server(&stage).reused() <= 1, "at {at}: the one retry");
        if ended {
            break;
        }
    }
    assert!(ended, "more effects than were tried");
}
