//! No token is ever seen where it does not belong: a full workout, and then a search for each.

use clauth_sandbox::world::Entry;
use clauth_sandbox::{Account, Output, Reply, Route};

use crate::stage::Stage;

/// Every kind of token begins so.
const CANARY: &str = "sk-ant-";

/// Files that hold logins; nothing else may.
fn may_hold(path: &str) -> bool {
    path == ".claude/.credentials.json"
        || (path.starts_with(".clauth/profiles/")
            && (path.ends_with("/credentials.json") || path.ends_with("/loan.json")))
        || (path.starts_with(".clauth/vault/") && path.ends_with(".json"))
}

#[test]
fn a_full_workout_leaks_nothing() {
    let stage = Stage::two_with_server("x-canary");
    let mut seen: Vec<(String, Output)> = Vec::new();
    let mut run = |words: &[&str]| {
        for more in [&["-vv"][..], &["--json"]] {
            let words: Vec<&str> = words.iter().chain(more).copied().collect();
            seen.push((words.join(" "), stage.run(&words)));
        }
    };
    run(&["switch", "a", "--dry-run"]);
    run(&["switch", "a"]);
    stage.world.claude().rotate_offline();
    run(&["custody"]);
    run(&["refresh", "a"]);
    run(&["refresh", "b"]);
    run(&["b"]);
    stage.expire("a");
    stage.server.as_ref().expect("a server").script(Route::Token, vec![Reply::Truncate]);
    run(&["refresh", "--all"]);
    stage.sign_in(&Account::c());
    run(&["list"]);
    run(&["switch", "-", "--dry-run"]);
    run(&["switch", "a", "--force"]);
    run(&["undo"]);
    run(&["vault"]);
    run(&["capture", "c"]);
    run(&["why"]);
    run(&["which"]);
    run(&["rename", "a", "z"]);
    run(&["remove", "z", "--yes", "--force"]);
    std::fs::write(stage.world.credentials_path(), "{\"claudeAiOauth\":{\"accessToken\":\"sk-ant-oat01-FAKE-TORN")
        .expect("torn");
    run(&["switch", "b"]);
    run(&["list"]);
    for (words, output) in &seen {
        let all = format!("{}{}", output.stdout, output.stderr);
        assert!(!all.contains(CANARY), "clauth {words} printed a token: {all}");
    }
    for (path, entry) in stage.world.snapshot() {
        let Entry::File(_, bytes) = entry else { continue };
        let holds = bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes());
        assert!(!holds || may_hold(&path), "{path} holds a token");
    }
}

/// A request carries its token in its header alone.
#[test]
fn a_look_up_puts_the_token_into_its_header_alone() {
    let stage = Stage::two_with_server("x-request");
    let server = stage.server.as_ref().expect("a server");
    let requests = server.requests();
    assert!(!requests.is_empty(), "capture asks whose login it is");
    for request in requests {
        assert!(!request.path.contains(CANARY), "{}", request.path);
        assert!(!request.path.contains("token"), "clauth never renews a login by itself here: {}", request.path);
    }
}
