//! `clauth start --auto`: the enabled account with the most room by cached readings; exit 3 when there is none.

use clauth_sandbox::Account;
use serde_json::{Value, json};

use crate::stage::{Stage, finish, usual};

/// A usage body with these percentages of five hours and of the week.
fn usage(session: f64, week: f64) -> Value {
    let window = |percent: f64| json!({ "utilization": percent, "resets_at": "2099-01-01T00:00:00Z" });
    json!({ "five_hour": window(session), "seven_day": window(week) })
}

/// Two accounts of which `a` has used `a` percent, `b` `b` percent of the week.
fn read(stage: &Stage, a: f64, b: f64) {
    let server = stage.server.as_ref().expect("a server");
    server.set_usage(&Account::a(), usage(3.0, a));
    server.set_usage(&Account::b(), usage(3.0, b));
    stage.ok(&["usage", "--refresh"]);
    server.forget_requests();
}

/// Who a `start --auto` is, and what it says.
fn auto(stage: &Stage) -> (Option<i32>, Value, String) {
    let output = finish(stage.start_command(usual(), &["--auto", "--", "auth", "status"]));
    let status: Value = serde_json::from_str(&output.stdout).unwrap_or_default();
    (output.code, status["email"].clone(), output.stderr)
}

#[test]
fn the_account_with_the_most_room_is_started_without_asking_anybody() {
    let stage = Stage::two_with_server("auto-most");
    for (name, (a, b), expected) in [
        ("a has more", (10.0, 20.0), "alice@example.invalid"),
        ("b has more", (60.0, 20.0), "bob@example.invalid"),
        ("b is spent", (99.0, 100.0), "alice@example.invalid"),
    ] {
        read(&stage, a, b);
        let (code, email, told) = auto(&stage);
        assert_eq!((code, &email), (Some(0), &expected.into()), "{name}: {told}");
        assert!(told.contains("7d") && told.contains('%'), "{name}: it says why: {told}");
        let asked = stage.server.as_ref().expect("a server").requests();
        assert!(asked.iter().all(|request| !request.path.contains("usage")), "{name}: {asked:?}");
    }
    stage.ok(&["disable", "a"]);
    read(&stage, 10.0, 60.0);
    assert_eq!(auto(&stage).1, "bob@example.invalid", "a is disabled");
}

#[test]
fn without_an_account_that_has_room_it_is_exit_3() {
    let stage = Stage::two_with_server("auto-none");
    let before = stage.world.snapshot();
    let (code, _, told) = auto(&stage);
    assert_eq!(code, Some(3), "no reading: {told}");
    assert!(told.contains("clauth usage --refresh"), "{told}");
    let mut changes = stage.changes(&before);
    changes.retain(|change| !change.contains("bin/claude"));
    assert_eq!(changes, Vec::<String>::new());
    read(&stage, 100.0, 100.0);
    assert_eq!(auto(&stage).0, Some(3), "all spent");
    read(&stage, 10.0, 10.0);
    stage.ok(&["disable", "a"]);
    stage.ok(&["disable", "b"]);
    assert_eq!(auto(&stage).0, Some(3), "all disabled");
}
