//! Endpoint profiles as their users meet them.

use std::path::Path;
use std::process::{Command, Stdio};

use clauth_sandbox::Output;
use clauth_sandbox::world::{DEADLINE, run};

use crate::stage::{Stage, finish};

const KEY: &str = "sk-FAKE-CANARY";

/// Runs the program with a text on its standard input.
pub(crate) fn given(stage: &Stage, words: &[&str], text: &str) -> Output {
    let input = stage.world.home().join("input");
    std::fs::write(&input, text).expect("an input");
    let mut command = stage.command(words);
    command.stdin(Stdio::from(std::fs::File::open(&input).expect("an input")));
    let output = run(command, DEADLINE);
    std::fs::remove_file(&input).expect("removed");
    output
}

fn with_endpoint(name: &str) -> Stage {
    let stage = Stage::two(name);
    let _ = given(&stage, &["add", "deep", "--preset", "deepseek"], &format!("{KEY}\n")).success();
    stage
}

fn settings(stage: &Stage) -> serde_json::Value {
    stage.world.read_json(&stage.world.claude_dir().join("settings.json"))
}

/// A command line as Node gives it to the system's shell.
#[cfg(unix)]
fn shell(stage: &Stage, line: &str) -> Command {
    let mut command = stage.world.command(Path::new("/bin/sh"), None);
    command.args(["-c", line]);
    command
}

/// A command line as Node gives it to the system's shell: verbatim, in quotes that `/s` takes off.
#[cfg(windows)]
fn shell(stage: &Stage, line: &str) -> Command {
    use std::os::windows::process::CommandExt as _;
    let mut command = stage.world.command(Path::new("cmd.exe"), None);
    command.raw_arg(format!("/d /s /c \"{line}\""));
    command
}

/// What a shell makes of the helper, in an environment with this variable.
pub(crate) fn helped(stage: &Stage, url: &str) -> Output {
    let helper = settings(stage)["apiKeyHelper"].as_str().expect("a helper").to_owned();
    let mut command = shell(stage, &helper);
    command.env("ANTHROPIC_BASE_URL", url).env("CLAUTH_HOME", stage.world.home().join("another"));
    run(command, DEADLINE)
}

#[test]
fn the_helper_prints_the_key_and_nothing_else() {
    let stage = with_endpoint("n-helper");
    stage.ok(&["switch", "deep"]);
    let output = helped(&stage, "https://api.deepseek.com/anthropic");
    assert_eq!((output.code, output.stdout.trim_end(), output.stderr.as_str()), (Some(0), KEY, ""), "{output:?}");
    let output = helped(&stage, "https://elsewhere.example");
    assert!(output.code != Some(0) && output.stdout.is_empty() && output.stderr.contains("elsewhere"), "{output:?}");
}

#[test]
fn the_key_is_nowhere_but_in_its_profile() {
    let stage = with_endpoint("n-canary");
    let mut said = Vec::new();
    for words in [
        &["list"][..],
        &["switch", "deep", "--dry-run"],
        &["switch", "deep"],
        &["list"],
        &["which"],
        &["custody"],
        &["config", "list", "--profile", "deep"],
        &["config", "get", "api_key", "--profile", "deep"],
        &["why"],
        &["rename", "deep", "d2"],
        &["switch", "a"],
        &["undo"],
    ] {
        let words = |more: &'static str| words.iter().copied().chain([more]).collect::<Vec<_>>();
        said.extend([stage.run(&words("-vv")), stage.run(&words("--json"))]);
    }
    said.push(given(&stage, &["add", "x", "--base-url", "nonsense"], KEY));
    said.push(given(&stage, &["add", "x", "--preset", "zai"], &format!("two {KEY}")));
    for output in &said {
        assert!(!format!("{}{}", output.stdout, output.stderr).contains("CANARY"), "{output:?}");
    }
    for (path, entry) in stage.world.snapshot() {
        let clauth_sandbox::world::Entry::File(_, bytes) = entry else { continue };
        let holds = bytes.windows(KEY.len()).any(|window| window == KEY.as_bytes());
        assert_eq!(holds, path == ".clauth/profiles/d2/config.toml", "{path}");
    }
}

/// W6: whoever removes the endpoint by force has not ended what runs under it.
#[test]
fn a_claude_that_ran_under_a_removed_endpoint_keeps_a_login_from_coming_back() {
    let stage = Stage::two("ep-removed");
    let _ = given(&stage, &["add", "deep", "--preset", "deepseek"], "sk-FAKE-KEY\n").success();
    stage.ok(&["switch", "deep"]);
    let under = stage.claude(&[]);
    stage.ok(&["remove", "deep", "--yes", "--force"]);
    let record = stage.world.root().join("applied.json");
    for words in [&["switch", "a"][..], &["undo"]] {
        let output = stage.run(words);
        assert_eq!(output.code, Some(5), "{words:?}: {output:?}");
    }
    let output = stage.run(&["switch", "a"]);
    assert!(output.stderr.contains("still runs under the endpoint 'deep'"), "{output:?}");
    assert_eq!(stage.world.live(), "none");
    drop(under);
    // One that began since is none of it.
    let since = stage.claude(&[]);
    stage.ok(&["switch", "a"]);
    assert_eq!((stage.world.live().as_str(), record.exists()), ("A1", false));
    drop(since);
}

#[test]
fn a_running_claude_keeps_a_login_from_coming_back() {
    let stage = with_endpoint("n-running");
    stage.ok(&["switch", "deep"]);
    let claude = stage.claude(&[]);
    let before = stage.world.snapshot();
    for words in [&["switch", "a"][..], &["switch", "a", "--dry-run"], &["undo"], &["-"]] {
        let output = stage.run(words);
        assert_eq!(output.code, Some(5), "{words:?}: {output:?}");
        assert!(output.stderr.contains("still runs under the endpoint 'deep'"), "{words:?}: {}", output.stderr);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{words:?}");
    }
    let settings = stage.world.claude_dir().join("settings.json");
    let set = std::fs::read(&settings).expect("settings");
    std::fs::write(&settings, "{}").expect("replaced by hand");
    assert_eq!(stage.run(&["switch", "a"]).code, Some(5), "what it has in memory is not in the file");
    std::fs::write(&settings, set).expect("put back");
    assert_eq!(stage.run(&["switch", "deep"]).code, Some(0));
    let _ = given(&stage, &["add", "other", "--preset", "zai"], "sk-FAKE-OTHER").success();
    stage.ok(&["switch", "other"]);
    stage.ok(&["switch", "a", "--force"]);
    assert_eq!(stage.world.live(), "A1");
    drop(claude);
}

#[test]
fn what_settings_hold_by_hand_is_offered() {
    let stage = Stage::new("n-hand");
    let path = stage.world.claude_dir().join("settings.json");
    std::fs::write(
        &path,
        "{\"env\":{\"ANTHROPIC_BASE_URL\":\"https://hand.example\",\"ANTHROPIC_AUTH_TOKEN\":\"sk-FAKE-HAND\"}}",
    )
    .expect("settings");
    let output = stage.run(&["capture", "hand"]);
    assert_eq!(output.code, Some(3), "{output:?}");
    assert!(output.stderr.contains("clauth capture hand --endpoint"), "{}", output.stderr);
    let captured = stage.json(&["capture", "hand", "--endpoint"]);
    assert_eq!((&captured["captured"], &captured["base_url"]), (&"hand".into(), &"https://hand.example".into()));
    let listed = stage.json(&["list"]);
    assert_eq!((&listed["active"], &listed["accounts"][0]["kind"]), (&"hand".into(), &"endpoint".into()));
    assert_eq!(listed["accounts"][0]["custodian"], serde_json::Value::Null);
    stage.ok(&["switch", "hand"]);
    assert!(settings(&stage)["env"].get("ANTHROPIC_AUTH_TOKEN").is_none());
    assert_eq!(helped(&stage, "https://hand.example").stdout.trim_end(), "sk-FAKE-HAND");
}

#[test]
fn a_session_under_an_endpoint_gets_its_settings_and_no_login() {
    let stage = with_endpoint("n-session");
    let seen = stage.world.home().join("seen");
    let script = stage.script(
        "claude-script",
        &format!(
            "cp \"$CLAUDE_CONFIG_DIR/settings.json\" '{0}'; ls -a \"$CLAUDE_CONFIG_DIR\" > '{0}.ls'",
            seen.display()
        ),
        &format!(
            "copy \"%CLAUDE_CONFIG_DIR%\\settings.json\" \"{0}\" >nul\ndir /a /b \"%CLAUDE_CONFIG_DIR%\" > \"{0}.ls\"",
            seen.display()
        ),
    );
    let mut command = stage.command(&["start", "deep"]);
    command.env("CLAUTH_CLAUDE", script);
    let _ = finish(command).success();
    let inside = stage.world.read_json(&seen);
    assert_eq!(inside["env"]["ANTHROPIC_BASE_URL"], "https://api.deepseek.com/anthropic", "{inside}");
    assert!(inside["apiKeyHelper"].as_str().is_some_and(|helper| helper.contains("deep")), "{inside}");
    let names = std::fs::read_to_string(seen.with_extension("ls")).expect("names");
    assert!(names.contains("settings.json") && !names.contains(".credentials.json"), "{names}");
    assert_eq!(stage.world.live(), "B1");
    assert!(settings(&stage).get("apiKeyHelper").is_none());
}

#[test]
fn what_cannot_be_added_is_refused() {
    let stage = Stage::two("n-refuse");
    let before = stage.world.snapshot();
    for (name, words, code, next) in [
        ("no address", &["add", "x"][..], 2, "--preset PROVIDER"),
        ("both", &["add", "x", "--preset", "zai", "--base-url", "https://e.example"], 2, "clauth add --help"),
        ("no such provider", &["add", "x", "--preset", "deepsek"], 2, "did you mean: deepseek"),
        ("taken", &["add", "A", "--preset", "zai"], 2, "choose another name"),
        ("unprotected", &["add", "x", "--base-url", "http://e.example"], 2, "https://"),
        ("no key", &["add", "x", "--preset", "zai"], 2, "give the key alone"),
        ("a command", &["add", "list", "--preset", "zai"], 2, "letters"),
    ] {
        let output = given(&stage, words, "");
        assert_eq!(output.code, Some(code), "{name}: {output:?}");
        assert!(output.stderr.contains(next), "{name}: {}", output.stderr);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{name}");
    }
}

/// There claude takes the user's settings for the project's, which outrank those of the session.
#[cfg(unix)]
#[test]
fn no_session_of_another_profile_begins_where_it_would_follow_to_the_endpoint() {
    let stage = with_endpoint("n-project");
    let before = stage.world.snapshot();
    let at_home = |words: &[&str]| {
        let mut command = stage.start_command("real", words);
        command.current_dir(stage.world.home()).env("CLAUTH_CLAUDE", "/bin/true");
        finish(command)
    };
    let _ = at_home(&["a"]).success();
    stage.ok(&["switch", "deep"]);
    let refused = at_home(&["a"]).expect_code(5);
    assert!(refused.stderr.contains("another directory") && refused.stderr.contains("switch a"), "{}", refused.stderr);
    let _ = at_home(&["deep"]).success();
    let mut elsewhere = stage.start_command("real", &["a"]);
    elsewhere.current_dir(stage.world.root()).env("CLAUTH_CLAUDE", "/bin/true");
    let _ = finish(elsewhere).success();
    let _ = given(&stage, &["switch", "a"], "").success();
    let _ = at_home(&["a"]).success();
    let trees = |change: &&String| change.contains("runtime") || change.contains("conflicts");
    assert_eq!(stage.changes(&before).iter().find(trees), None, "nothing is left behind");
}
