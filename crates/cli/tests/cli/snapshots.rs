//! What each command prints, for people and for programs.

use clauth_sandbox::{Account, Output, Reply, Route};
use serde_json::Value;

use crate::stage::Stage;

/// A run as a terminal would show it.
fn transcript(stage: &Stage, words: &[&str]) -> String {
    shown(stage, words, stage.run(words))
}

fn shown(stage: &Stage, words: &[&str], output: Output) -> String {
    let Output { stdout, stderr, code, .. } = output;
    let stderr = without_waits(&stderr);
    let stdout = match serde_json::from_str::<Value>(&stdout) {
        Ok(document) => format!("{document:#}\n"),
        Err(_) => stdout,
    };
    let section = |title: &str, text: &str| if text.is_empty() { String::new() } else { format!("{title}\n{text}") };
    let home = stage.world.home().display().to_string();
    let text = format!(
        "$ clauth {}\n{}{}exit {}\n",
        words.join(" "),
        section("", &stdout).trim_start_matches('\n'),
        section("-- stderr", &stderr),
        code.map_or("none".into(), |code| code.to_string())
    );
    // In a document the separators of Windows are escaped.
    slashes(&text.replace(&home, "[home]").replace(&home.replace('\\', "\\\\"), "[home]"))
}

/// What is told of a wait that takes long depends on how slow this system is, not on the command.
fn without_waits(stderr: &str) -> String {
    stderr.split_inclusive('\n').filter(|line| !line.starts_with("waiting for ")).collect()
}

/// Paths below the home as other systems write them.
fn slashes(text: &str) -> String {
    let mut pieces =
        text.split_inclusive(['\n', ' ', '"']).map(|piece| match piece.find("[home]\\").or(piece.find("~\\")) {
            Some(at) if cfg!(windows) => {
                let (before, path) = piece.split_at(at);
                format!("{before}{}", path.replace("\\\\", "/").replace('\\', "/"))
            }
            _ => piece.to_owned(),
        });
    pieces.by_ref().collect()
}

/// Several runs, once as they are and once with `--json`.
#[track_caller]
fn check(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "[time]");
    settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "[local time]    ");
    settings.add_filter(r"\d+ h \d\d min left", "[left]");
    settings.add_filter(r"\d+ s( ago|, stale|\n)", "[age]$1");
    settings.add_filter(r"RESETS +AGE", "RESETS  AGE");
    // A few seconds make a tenth.
    settings.add_filter(r#"("expected_percent": \d+)\.\d"#, "$1.x");
    // A quarter, which a fraction of a millisecond rounds up or down.
    settings.add_filter(r#"("percent_per_hour": 0)\.[23]"#, "$1.2");
    settings.add_filter(r#""age_s": \d+"#, r#""age_s": 0"#);
    settings.add_filter(r"in \d+ (d \d+ h|h \d\d min|min), (\w{3} \d\d \w{3} )?\d\d:\d\d +", "[reset]  ");
    settings.add_filter(r"login ends   .*", "login ends   [clock]");
    settings.add_filter(r"(time is|before|full at) (\w{3} \d\d \w{3} )?\d\d:\d\d", "$1 [clock]");
    settings.add_filter(r"\(in \d+ min\)", "(in [wait])");
    settings.add_filter(r"\d{8}-\d{6}-[0-9a-f]{8}", "[id]");
    settings.add_filter(r#""machine": (null|"[^"]*")"#, r#""machine": "[machine]""#);
    settings.add_filter(r#""store": "[^"]*""#, r#""store": "[store]""#);
    settings.add_filter(r#"(xpiresAt"): \d+"#, "$1: [time]");
    settings.add_filter(r"claude \d+", "claude [pid]");
    settings.add_filter(r#""pid": \d+"#, r#""pid": 0"#);
    settings.add_filter(r"claude\.exe", "claude");
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

fn both(stage: &Stage, words: &[&str]) -> String {
    let json: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
    format!("{}\n{}", transcript(stage, words), transcript(stage, &json))
}

#[test]
fn a_slow_system_shows_the_same() {
    let stage = Stage::two_with_server("s-slow");
    let late = Reply::Delay(std::time::Duration::from_millis(1500));
    stage.server.as_ref().expect("a server").script(Route::Profile, vec![late]);
    let shown = transcript(&stage, &["switch", "a", "--verify", "--dry-run"]);
    assert!(!shown.contains("waiting for"), "{shown}");
}

#[test]
fn capture() {
    let stage = Stage::with_server("s-capture");
    let mut text = both(&stage, &["capture", "a"]);
    stage.sign_in(&Account::a());
    text += &transcript(&stage, &["capture", "a"]);
    text += &transcript(&stage, &["capture", "--json"]);
    text += &both(&stage, &["capture", "other"]);
    check("capture", &text);
    let offline = Stage::new("s-capture-offline");
    offline.sign_in(&Account::b());
    check("capture-unproven", &both(&offline, &["capture", "b"]));
}

#[test]
fn switch() {
    let stage = Stage::two_with_server("s-switch");
    let claude = stage.claude(&[]);
    let mut text = transcript(&stage, &["switch", "a"]);
    text += &transcript(&stage, &["-", "--json"]);
    text += &both(&stage, &["b"]);
    text += &both(&stage, &["switch", "nobody"]);
    drop(claude);
    stage.world.claude().rotate_offline();
    text += &transcript(&stage, &["a"]);
    check("switch", &text);
}

#[test]
fn dry_run() {
    let stage = Stage::two_with_server("s-dry");
    check("switch-dry-run", &both(&stage, &["switch", "a", "--dry-run"]));
}

#[test]
fn verify() {
    let stage = Stage::two_with_server("s-verify");
    let server = stage.server.as_ref().expect("a server");
    let mut text = transcript(&stage, &["a", "--verify", "--dry-run"]);
    text += &both(&stage, &["switch", "a", "--verify"]);
    server.script(Route::Profile, vec![Reply::unauthorized("token_revoked"); 2]);
    text += &both(&stage, &["switch", "b", "--verify"]);
    server.script(Route::Profile, vec![Reply::throttled(Some("720"))]);
    text += &transcript(&stage, &["switch", "b", "--verify"]);
    stage.expire("b");
    text += &transcript(&stage, &["switch", "b", "--verify"]);
    text += &transcript(&stage, &["switch", "b", "--verify", "--force"]);
    check("switch-verify", &text);
}

/// A login's own end: told from five days before, by whatever shows the login.
#[test]
fn ends() {
    let stage = Stage::with_server("s-ends");
    let end = clauth_sandbox::now_ms() + 4 * 24 * 3_600_000 + 60_000;
    let login = clauth_sandbox::Login::new(&Account::a(), clauth_sandbox::Pair::new("A", 1)).ending_at(Some(end));
    stage.world.store_login(&login);
    stage.server.as_ref().expect("a server").know(&login);
    stage.ok(&["capture", "a"]);
    let mut text = both(&stage, &["list"]);
    text += &transcript(&stage, &["usage", "a"]);
    text += &transcript(&stage, &["custody"]);
    text += &transcript(&stage, &["refresh", "a"]);
    check("login-ends", &text);
}

#[test]
fn switch_void() {
    let stage = Stage::two("s-void");
    let mut command = stage.command(&["switch", "a"]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE");
    let output = crate::stage::finish(command);
    check("switch-void", &format!("{}{}", output.stdout, without_waits(&output.stderr)));
}

#[test]
fn undo() {
    let stage = Stage::two("s-undo");
    stage.ok(&["switch", "a"]);
    let mut text = transcript(&stage, &["undo", "--dry-run", "--json"]);
    text += &transcript(&stage, &["undo"]);
    text += &both(&stage, &["undo"]);
    check("undo", &text);
}

#[test]
fn list() {
    let empty = Stage::new("s-empty");
    check("list-empty", &both(&empty, &["list"]));
    let stage = Stage::two_with_server("s-list");
    stage.ok(&["disable", "a"]);
    check("list", &both(&stage, &["list"]));
    stage.sign_in(&Account::c());
    check("list-unknown", &transcript(&stage, &[]));
}

#[test]
fn usage() {
    let empty = Stage::new("s-usage-empty");
    check("usage-empty", &both(&empty, &["usage"]));
    let stage = Stage::two_with_server("s-usage");
    let mut text = transcript(&stage, &["usage", "--offline"]);
    text += &both(&stage, &["usage"]);
    text += &transcript(&stage, &["usage", "a", "--offline"]);
    text += &transcript(&stage, &["list"]);
    let throttled = || Reply::throttled(Some("720"));
    stage.server.as_ref().expect("a server").script(Route::Usage, vec![throttled(), throttled()]);
    text += &transcript(&stage, &["usage", "--refresh"]);
    text += &both(&stage, &["usage", "a", "--refresh"]);
    check("usage", &text);
}

#[test]
fn which() {
    let stage = Stage::two_with_server("s-which");
    let mut text = both(&stage, &["which"]);
    stage.sign_in(&Account::c());
    text += &transcript(&stage, &["which"]);
    check("which", &text);
}

#[test]
fn why() {
    let stage = Stage::two("s-why");
    stage.world.claude().rotate_offline();
    stage.ok(&["switch", "a"]);
    stage.ok(&["undo"]);
    check("why", &(transcript(&stage, &["why"]) + &transcript(&stage, &["why", "a", "--last", "1", "--json"])));
}

#[test]
fn custody() {
    let stage = Stage::two("s-custody");
    stage.world.claude().rotate_offline();
    stage.ok(&["switch", "a"]);
    check("custody", &(transcript(&stage, &["custody"]) + &transcript(&stage, &["custody", "b", "--json"])));
}

#[test]
fn refresh() {
    let stage = Stage::two_with_server("s-refresh");
    let server = stage.server.as_ref().expect("a server");
    let mut text = both(&stage, &["refresh", "a"]);
    text += &both(&stage, &["refresh", "--all"]);
    let claude = stage.claude(&[]);
    text += &both(&stage, &["refresh", "b"]);
    drop(claude);
    text += &transcript(&stage, &["refresh", "b", "--json"]);
    text += &both(&stage, &["refresh", "nobody"]);
    text += &both(&stage, &["refresh"]);
    stage.sign_in(&Account::c());
    stage.ok(&["capture", "c"]);
    stage.ok(&["switch", "a"]);
    server.script(Route::Token, vec![Reply::throttled(None)]);
    text += &both(&stage, &["refresh", "c"]);
    server.revoke("B");
    stage.expire("b");
    text += &both(&stage, &["refresh", "--all"]);
    text += &both(&stage, &["refresh", "b"]);
    check("refresh", &text);
    let offline = Stage::two("s-refresh-offline");
    offline.expire("a");
    check("refresh-offline", &(both(&offline, &["refresh", "a"]) + &both(&offline, &["refresh", "--all"])));
}

#[test]
fn vault() {
    let stage = Stage::two("s-vault");
    let mut text = both(&stage, &["vault"]);
    stage.sign_in(&Account::c());
    text += &transcript(&stage, &["switch", "a"]);
    text += &both(&stage, &["vault", "list"]);
    let id = stage.json(&["vault"])["vault"][0]["id"].as_str().expect("an id").to_owned();
    text += &transcript(&stage, &["vault", "purge", &id]);
    text += &transcript(&stage, &["vault", "restore", &id]);
    text += &transcript(&stage, &["vault", "restore", &id, "--as", "c"]);
    text += &transcript(&stage, &["vault", "purge", "nothing", "--yes", "--json"]);
    check("vault", &text);
}

#[test]
fn bind() {
    let stage = Stage::two("s-bind");
    let mut text = both(&stage, &["bind"]);
    std::fs::create_dir(stage.world.home().join("job")).expect("a directory");
    text += &transcript(&stage, &["bind", "a", "job"]);
    text += &transcript(&stage, &["bind", "b", "job"]);
    text += &transcript(&stage, &["bind", "a", ".", "--json"]);
    text += &both(&stage, &["bind"]);
    text += &both(&stage, &["which"]);
    text += &transcript(&stage, &["bind", "a", "nowhere"]);
    text += &transcript(&stage, &["unbind", "job"]);
    text += &transcript(&stage, &["unbind", "--json"]);
    text += &transcript(&stage, &["unbind"]);
    check("bind", &text);
}

#[cfg(target_os = "linux")]
#[test]
fn sessions() {
    let stage = Stage::two("s-sessions");
    let mut text = both(&stage, &["sessions"]);
    let claude = stage.claude(&[]);
    // The width of the other column for people is the process id's.
    text += &transcript(&stage, &["sessions", "--json"]);
    drop(claude);
    check("sessions", &text);
}

#[test]
fn login() {
    let stage = Stage::two_with_server("s-login");
    let mut text = transcript(&stage, &["login", "c"]);
    let _ = stage.world.install_claude(std::path::Path::new(crate::stage::PROGRAM)).expect("a claude");
    let mut signed_in = |words: &[&str], account: &str| {
        let mut command = stage.command(words);
        command.env("FAKE_LOGIN_ACCOUNT", account);
        text += &shown(&stage, words, crate::stage::finish(command));
    };
    signed_in(&["login", "c", "--json"], "C");
    signed_in(&["login", "b"], "B");
    signed_in(&["login", "a"], "D");
    signed_in(&["login", "a", "--replace", "--json"], "D");
    text += &transcript(&stage, &["switch", "b"]);
    text += &both(&stage, &["login", "ci", "--token"]);
    check("login", &text);
}

#[test]
fn manage() {
    let stage = Stage::two("s-manage");
    let mut text = both(&stage, &["order"]);
    text += &transcript(&stage, &["order", "b", "1"]);
    text += &transcript(&stage, &["order", "b", "1", "--json"]);
    text += &transcript(&stage, &["disable", "a"]);
    text += &transcript(&stage, &["enable", "a", "--json"]);
    text += &transcript(&stage, &["rename", "a", "alpha"]);
    text += &transcript(&stage, &["rename", "alpha", "b", "--json"]);
    text += &transcript(&stage, &["remove", "alpha"]);
    text += &transcript(&stage, &["remove", "b", "--yes"]);
    text += &transcript(&stage, &["remove", "alpha", "--yes"]);
    text += &transcript(&stage, &["remove", "b", "--yes", "--force", "--json"]);
    check("manage", &text);
}
