//! `usage`: what its figures promise to people and programs.

use clauth_sandbox::{Account, Reply, Route};
use serde_json::{Value, json};

use crate::endpoint::given;
use crate::stage::{Stage, finish};

fn window<'d>(account: &'d Value, id: &str) -> &'d Value {
    let windows = account["usage"]["windows"].as_array().expect("windows");
    windows.iter().find(|window| window["id"] == id).expect("the window")
}

#[test]
fn the_document_has_the_contracts_fields() {
    let stage = Stage::two_with_server("us-contract");
    let document = stage.json(&["usage", "a"]);
    assert_eq!(document["schema"], 1);
    let account = &document["accounts"][0];
    assert_eq!(document["accounts"].as_array().map(Vec::len), Some(1));
    for field in ["as_of", "age_s", "stale", "source", "error", "retry_at", "windows", "spend", "budget"] {
        assert!(account["usage"].get(field).is_some(), "{field}: {account}");
    }
    for field in ["id", "label", "percent", "resets_at", "binding", "pace"] {
        assert!(window(account, "5h").get(field).is_some(), "{field}");
    }
    assert_eq!(account["usage"]["source"], "api");
    assert_eq!(account["usage"]["stale"], false);
    assert_eq!(window(account, "7d:fable")["binding"], true);
    assert_eq!(window(account, "7d:fable")["label"], "7d Fable");
    let spend = json!({"used": 3.2, "limit": 10.0, "currency": "USD", "percent": 32.0, "enabled": true});
    assert_eq!(account["usage"]["spend"], spend);
    assert_eq!(account["usage"]["budget"], json!({"used": 3, "limit": 20, "next_at": null}), "the capture's too");
    assert_eq!(
        stage.json(&["list"])["accounts"][0]["usage"]["windows"],
        account["usage"]["windows"],
        "list says the same"
    );
}

#[test]
fn exit_codes_follow_what_could_be_read() {
    let rows: [(&str, &[&str], Vec<Reply>, i32); 5] = [
        ("read", &["usage", "--refresh"], vec![], 0),
        ("one of two", &["usage", "--refresh"], vec![Reply::status(500)], 0),
        ("none, as asked", &["usage", "--refresh"], vec![Reply::status(500), Reply::status(503)], 6),
        ("none, unasked", &["usage"], vec![Reply::status(500), Reply::status(503)], 0),
        ("none, nobody there", &["usage", "--refresh"], vec![Reply::DropBefore, Reply::DropBefore], 6),
    ];
    for (name, words, replies, code) in rows {
        let stage = Stage::two_with_server("us-exit");
        stage.server.as_ref().expect("a server").script(Route::Usage, replies);
        let output = stage.run(words);
        assert_eq!(output.code, Some(code), "{name}: {output:?}");
        assert!(output.stdout.contains("WINDOW"), "the report is printed whatever the code: {name}");
    }
}

#[test]
fn at_the_end_of_the_budget_the_cached_reading_is_shown() {
    let stage = Stage::two_with_server("us-budget");
    for _ in 0..21 {
        stage.ok(&["usage", "a", "--refresh"]);
    }
    let asked = stage.server.as_ref().expect("a server").requests_to(Route::Usage).len();
    let output = stage.run(&["usage", "a", "--refresh"]);
    assert_eq!(output.code, Some(0));
    assert!(output.stdout.contains("47 %"), "{}", output.stdout);
    assert!(output.stderr.contains("is not asked now; the next time is"), "{}", output.stderr);
    assert_eq!(stage.server.as_ref().expect("a server").requests_to(Route::Usage).len(), asked);
}

#[test]
fn nothing_of_a_body_steers_the_terminal() {
    let stage = Stage::two_with_server("us-hostile");
    let body = json!({
        "limits": [
            {"kind": "weekly_scoped", "percent": 150, "scope": {"model": {"display_name": "F\u{1b}[2J\u{202e}able\r\n"}}},
            {"kind": "odd\u{7}kind", "percent": "12"},
        ],
    });
    stage.server.as_ref().expect("a server").set_usage(&Account::a(), body);
    for words in [&["usage", "a"][..], &["usage", "--offline"], &["list"]] {
        let output = stage.run(words);
        let text = format!("{}{}", output.stdout, output.stderr);
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{7}', '\r']), "{words:?}: {text:?}");
        assert!(text.contains("100 %") && text.contains("12 %"), "{words:?}: {text}");
    }
}

#[test]
fn no_token_is_in_any_file_of_readings() {
    let stage = Stage::two_with_server("us-secret");
    stage.ok(&["usage"]);
    let profile = stage.world.root().join("profiles").join("a");
    let poll = stage.world.root().join("poll");
    let files = [profile.join("usage_cache.json"), profile.join("usage_history.jsonl")];
    let poll = std::fs::read_dir(poll).expect("poll").flatten().map(|entry| entry.path());
    for file in files.into_iter().chain(poll) {
        let text = std::fs::read_to_string(&file).expect("a file");
        assert!(!text.contains("sk-ant") && !text.contains("@example"), "{}: {text}", file.display());
    }
}

#[test]
fn watching_shows_what_another_process_stores() {
    use std::io::{BufRead as _, BufReader};
    let stage = Stage::two_with_server("us-watch");
    let server = stage.server.as_ref().expect("a server");
    let mut command = stage.command(&["usage", "a", "--watch", "--offline", "--json"]);
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("a process");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut next = || -> Value { serde_json::from_str(&lines.next().expect("a line").expect("text")).expect("JSON") };
    assert_eq!(next()["accounts"][0]["usage"], Value::Null);
    stage.ok(&["usage", "a", "--refresh"]);
    assert_eq!(window(&next()["accounts"][0], "5h")["percent"], 47.0);
    server.set_usage(&Account::a(), json!({"limits": [{"kind": "session", "percent": 48}]}));
    stage.ok(&["usage", "a", "--refresh"]);
    assert_eq!(window(&next()["accounts"][0], "5h")["percent"], 48.0);
    child.kill().expect("killed");
    child.wait().expect("ended");
}

#[test]
fn watching_ends_when_nobody_reads_any_more() {
    let stage = Stage::two_with_server("us-unread");
    let mut command = stage.command(&["usage", "--watch", "--json"]);
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().expect("a process");
    drop(child.stdout.take());
    // What it polls is news, for which nobody is left.
    let ended = child.wait().expect("ended");
    assert_eq!(ended.code(), Some(0));
}

/// A home with endpoint profiles beside a and b.
fn with_providers(name: &str) -> Stage {
    let stage = Stage::two_with_server(name);
    for (profile, url) in [
        ("deep", "https://api.deepseek.com/anthropic"),
        ("glm", "https://api.z.ai/api/anthropic"),
        ("gate", "https://gateway.example.invalid/anthropic"),
    ] {
        let words = ["add", profile, "--base-url", url];
        let _ = given(&stage, &words, "sk-FAKE-PROVIDER-KEY\n").success();
    }
    stage
}

#[test]
fn providers_are_shown_beside_accounts() {
    let stage = with_providers("us-providers");
    let document = stage.json(&["usage"]);
    let accounts = document["accounts"].as_array().expect("accounts");
    let one = |name: &str| accounts.iter().find(|account| account["name"] == name).expect("an account");
    assert_eq!(one("deep")["provider"], "DeepSeek");
    assert_eq!(one("deep")["usage"]["source"], "provider");
    assert_eq!(
        one("deep")["usage"]["balances"],
        json!([{"label": "balance", "amount": 110.0, "currency": "USD"}, {"label": "of it granted", "amount": 10.0, "currency": "USD"}])
    );
    assert_eq!(one("deep")["usage"]["windows"], json!([]));
    assert_eq!((&one("glm")["plan"], &one("glm")["usage"]["windows"][0]["id"]), (&json!("pro"), &json!("5h")));
    assert_eq!((&one("gate")["provider"], &one("gate")["usage"]), (&Value::Null, &Value::Null));
    assert_eq!(one("a")["provider"], Value::Null);
    let text = stage.run(&["usage", "--offline"]).success().stdout;
    for shown in ["110.00 USD", "█░░░░░░░░░  12 %", "not asked: no known provider at gateway.example.invalid"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert!(stage.run(&["list"]).success().stdout.contains("110.00 USD"), "list says the same");
    assert!(stage.run(&["usage", "deep", "--offline"]).success().stdout.contains("of it granted"));
    let all = clauth_sandbox::world::holders(&stage.world.snapshot(), "sk-FAKE-PROVIDER-KEY");
    assert!(all.iter().all(|path| path.ends_with("config.toml")), "{all:?}");
}

#[test]
fn incidents_are_told_and_named_where_a_reading_fails() {
    let stage = Stage::two_with_server("us-incidents");
    let server = stage.server.as_ref().expect("a server");
    let incident = json!({"name": "Elevated\u{1b}[31m errors", "status": "identified", "impact": "major",
        "started_at": "2026-11-20T18:37:44.116Z", "components": [{"name": "Claude Code"}]});
    assert_eq!(stage.json(&["list"])["incidents"], Value::Null, "nobody asked");
    server.set_status("major", vec![incident]);
    let _ = stage.run(&["usage"]).success();
    server.script(Route::Usage, vec![Reply::status(500), Reply::status(500)]);
    let output = stage.run(&["usage", "--refresh"]);
    assert_eq!(output.code, Some(6), "{output:?}");
    let told = "the server answered with an error (0 s ago); status.claude.com tells of 'Elevated[31m errors'";
    assert!(output.stderr.replace("1 s", "0 s").contains(told), "{}", output.stderr);
    assert!(
        output.stderr.contains("status.claude.com: Elevated[31m errors (major, identified, since "),
        "{}",
        output.stderr
    );
    for words in [&["list"][..], &["usage", "--offline"]] {
        assert_eq!(stage.json(words)["incidents"][0]["name"], "Elevated[31m errors", "{words:?}");
        assert!(stage.run(words).success().stderr.contains("status.claude.com: Elevated"), "{words:?}");
    }
    assert_eq!(server.requests_to(Route::Status).len(), 1);
}

#[test]
fn a_proxy_that_lets_nothing_through_is_told_without_its_password() {
    let stage = Stage::two_with_server("us-proxy");
    let mut command = stage.command(&["usage", "--refresh"]);
    for name in ["CLAUTH_API_URL", "CLAUTH_STATUS_URL", "CLAUTH_PROVIDERS_URL"] {
        command.env_remove(name);
    }
    // The discard port: nobody listens, and nothing but the proxy would be reached.
    command.env("HTTPS_PROXY", "http://me:FAKE-PASSWORD@127.0.0.1:9");
    let output = finish(command);
    assert_eq!(output.code, Some(6), "{output:?}");
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(!all.contains("FAKE-PASSWORD") && !all.contains("me:"), "{all}");
    assert_eq!(clauth_sandbox::world::holders(&stage.world.snapshot(), "FAKE-PASSWORD"), Vec::<String>::new());
    let mut command = stage.command(&["usage", "--refresh"]);
    command.env_remove("CLAUTH_API_URL").env("HTTPS_PROXY", "ftp://me:FAKE-PASSWORD@127.0.0.1:9");
    let output = finish(command);
    let all = format!("{}{}", output.stdout, output.stderr);
    assert!(all.contains("the proxy does not let it through") && !all.contains("FAKE-PASSWORD"), "{all}");
}

#[test]
fn look_ups_and_readings_of_many_processes_have_one_budget() {
    let stage = Stage::with_server("us-lookups");
    stage.sign_in(&Account::a());
    for _ in 0..12 {
        stage.ok(&["capture", "a"]);
        let _ = stage.run(&["usage", "--refresh"]);
    }
    let server = stage.server.as_ref().expect("a server");
    let asked = [Route::Usage, Route::Profile].map(|route| server.requests_to(route).len());
    assert_eq!(asked.iter().sum::<usize>(), 20, "{asked:?}");
    let output = stage.run(&["capture", "a", "--json"]).success();
    assert_eq!((output.json()["captured"].as_str(), output.json()["active"].as_bool()), (Some("a"), Some(true)));
    assert!(output.stderr.contains("the server is not asked whose this login is: 20 requests an hour"), "{output:?}");
}

/// On a terminal that is too narrow for everything the figures stay, and no line is longer than it.
#[test]
fn the_figures_are_told_however_narrow_the_terminal_is() {
    let stage = with_providers("us-narrow");
    let long = "a-profile-with-a-name-that-somebody-took-care-of";
    stage.ok(&["rename", "b", long]);
    stage.ok(&["usage"]);
    for columns in ["120", "80", "60", "40", "32"] {
        for words in [&["usage", "--offline"][..], &["usage", "a", "--offline"], &["list"]] {
            let mut command = stage.command(words);
            command.env("COLUMNS", columns);
            let text = finish(command).success().stdout;
            let (name, widest) = (format!("{columns}: {words:?}"), columns.parse::<usize>().expect("a number"));
            for figure in ["47 %", "12 %", "88 %"] {
                assert!(text.contains(figure), "{name}: {figure}\n{text}");
            }
            let too_long = text.lines().find(|line| line.chars().count() > widest);
            assert!(too_long.is_none() || columns == "32", "{name}\n{text}");
            assert!(words[0] != "list" || text.contains("ok"), "{name}: the state\n{text}");
        }
    }
}

/// Why a login is in doubt is told in full where there is no room for it in the table, and costs it no column.
#[test]
fn a_reason_is_never_cut_away() {
    let stage = Stage::two_with_server("us-reason");
    stage.expire("a");
    stage.server.as_ref().expect("a server").script(Route::Token, vec![Reply::status(500)]);
    assert_eq!(stage.run(&["refresh", "a"]).code, Some(6));
    let why = "unknown: a renewal was answered with status 500, which leaves open whether it was made";
    for columns in ["60", "90", "200"] {
        let mut command = stage.command(&["list"]);
        command.env("COLUMNS", columns);
        let output = finish(command).success();
        let below = columns != "200";
        assert_eq!(output.stderr.contains(&format!("'a' is {why}")), below, "{columns}: {}", output.stderr);
        assert_eq!(output.stdout.contains(why), !below, "{columns}: {}", output.stdout);
        assert!(output.stdout.contains("alice@example.invalid"), "{columns}: {}", output.stdout);
    }
}
