//! `clauth config`: what it takes, what it refuses, and that nothing of a file is lost by it.

use std::path::PathBuf;
use std::process::Stdio;

use clauth_sandbox::Account;

use crate::stage::{Stage, finish};

fn settings(stage: &Stage) -> PathBuf {
    stage.world.root().join("settings.toml")
}

#[test]
fn a_setting_is_set_shown_and_put_back() {
    let stage = Stage::two("c-set");
    assert_eq!(stage.run(&["config", "get", "network"]).success().stdout, "on\n");
    for (name, value, stored) in [("plain", "off", "off"), ("another word", "true", "on"), ("again", "off", "off")] {
        let answer = stage.json(&["config", "set", "network", value]);
        assert_eq!((&answer["done"], &answer["value"]), (&"config".into(), &stored.into()), "{name}");
        assert_eq!(answer["changed"], true, "{name}");
    }
    assert_eq!(stage.json(&["config", "set", "network", "off"])["changed"], false);
    assert_eq!(stage.run(&["config", "get", "network"]).success().stdout, "off\n");
    let listed = stage.json(&["config"]);
    let network = listed["config"].as_array().expect("a list").iter().find(|entry| entry["key"] == "network");
    let network = network.expect("the setting");
    assert_eq!(
        (&network["value"], &network["default"], &network["profile"]),
        (&"off".into(), &"on".into(), &serde_json::Value::Null)
    );
    stage.ok(&["config", "unset", "network"]);
    assert_eq!(stage.run(&["config", "get", "network"]).success().stdout, "on\n");
}

#[test]
fn with_the_network_off_a_capture_says_why_nothing_was_confirmed() {
    let stage = Stage::with_server("c-off");
    stage.sign_in(&Account::a());
    stage.ok(&["config", "set", "network", "off"]);
    let captured = stage.run(&["capture", "a"]).success();
    assert!(captured.stderr.contains("was not confirmed: the network is off"), "{}", captured.stderr);
}

#[test]
fn comments_and_unknown_keys_survive_every_change() {
    let stage = Stage::two("c-keep");
    let path = settings(&stage);
    let own = std::fs::read_to_string(&path).expect("settings");
    let text = format!("# mine\nfuture = 1.10 # why\n{own}\n[later]\nx = [1, 2] # too\n");
    std::fs::write(&path, &text).expect("settings");
    for words in [
        &["config", "set", "poll.active", "10m"][..],
        &["config", "set", "network", "off"],
        &["config", "unset", "poll.active"],
        &["config", "unset", "network"],
    ] {
        stage.ok(words);
        let now = std::fs::read_to_string(&path).expect("settings");
        for line in text.lines() {
            assert!(now.contains(line), "{words:?} lost {line:?}: {now}");
        }
    }
    assert_eq!(std::fs::read_to_string(&path).expect("settings"), text);
}

#[test]
fn a_profiles_settings_are_its_own() {
    let stage = Stage::two("c-profile");
    stage.ok(&["config", "set", "--profile", "A", "models.opus", "claude-opus-5"]);
    stage.ok(&["config", "--profile", "a", "set", "fallback_threshold", "90"]);
    stage.ok(&["config", "set", "env.HTTP_PROXY", "http://127.0.0.1:1", "--profile", "a"]);
    let directory = stage.world.root().join("profiles/a");
    let config = std::fs::read_to_string(directory.join("config.toml")).expect("config.toml");
    assert_eq!(config, "fallback_threshold = 90.0\n\n[env]\nHTTP_PROXY = \"http://127.0.0.1:1\"\n");
    let options = std::fs::read_to_string(directory.join("options.toml")).expect("options.toml");
    assert_eq!(options, "[models]\nopus = \"claude-opus-5\"\n");
    assert_eq!(stage.run(&["config", "get", "--profile", "b", "models.opus"]).success().stdout, "");
    let shown = stage.json(&["config", "list", "--profile", "a"]);
    let keys: Vec<&str> =
        shown["config"].as_array().expect("a list").iter().filter_map(|entry| entry["key"].as_str()).collect();
    assert!(keys.contains(&"env.HTTP_PROXY") && keys.contains(&"line_week") && !keys.contains(&"network"), "{keys:?}");
    let paths = stage.run(&["config", "path", "--profile", "a"]).success().stdout;
    assert_eq!(paths.lines().count(), 2, "{paths}");
}

#[test]
fn what_a_setting_does_not_take_is_refused_and_nothing_is_written() {
    let stage = Stage::two("c-wrong");
    let rows: &[(&str, &[&str], i32, &str)] = &[
        ("unknown key", &["config", "set", "netwrok", "off"], 2, "did you mean: network"),
        ("unknown key read", &["config", "get", "poll.actve"], 2, "did you mean: poll.active"),
        ("unknown key unset", &["config", "unset", "qqqqqqqqqqqq"], 2, "clauth config list"),
        ("bad value", &["config", "set", "network", "maybe"], 2, "network takes on or off"),
        ("too often", &["config", "set", "poll.active", "5s"], 2, "a time from 3m to 1h"),
        ("no value", &["config", "set", "network"], 2, "network takes on or off"),
        ("negative", &["config", "set", "--profile", "a", "line_week", "-3"], 2, "from 0 to 100"),
        ("no zone", &["config", "set", "time.zone", "Moon/Base"], 2, "Europe/Berlin"),
        ("a profile's without it", &["config", "set", "models.opus", "x"], 2, "--profile NAME"),
        ("ours with a profile", &["config", "set", "--profile", "a", "network", "off"], 2, "clauth config get network"),
        ("no such profile", &["config", "list", "--profile", "nobody"], 2, "profiles: "),
        ("no variable", &["config", "set", "--profile", "a", "env.1X", "x"], 2, "clauth config list"),
        (
            "a login as a variable",
            &["config", "set", "--profile", "a", "env.ANTHROPIC_AUTH_TOKEN", "x"],
            2,
            "clauth add",
        ),
        ("a key as a word", &["config", "set", "--profile", "a", "api_key", "sk-FAKE-TYPED"], 2, "< FILE"),
        (
            "an address for a login",
            &["config", "set", "--profile", "a", "base_url", "https://example.com"],
            5,
            "clauth add",
        ),
        ("what is recorded is no setting", &["config", "set", "home", "/x"], 2, "clauth config list"),
    ];
    let before = stage.world.snapshot();
    for (name, words, code, next) in rows {
        let output = stage.run(words);
        assert_eq!(output.code, Some(*code), "{name}: {output:?}");
        assert!(output.stderr.contains(next), "{name}: {}", output.stderr);
        assert!(!output.stderr.contains("FAKE"), "{name}: {}", output.stderr);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_understood_is_named_and_left_alone() {
    let stage = Stage::two("c-broken");
    let path = settings(&stage);
    let own = std::fs::read_to_string(&path).expect("settings");
    // Without TOML there is nothing to list; a value that is none hides no other.
    for (name, text, code) in
        [("no TOML", "network = = 1\n".to_owned(), 5), ("another value", format!("network = \"perhaps\"\n{own}"), 0)]
    {
        std::fs::write(&path, &text).expect("settings");
        let output = stage.run(&["config", "list"]);
        assert_eq!(output.code, Some(code), "{name}: {output:?}");
        assert!(output.stderr.contains("settings.toml"), "{name}: {}", output.stderr);
        assert_eq!(stage.run(&["config", "set", "poll.active", "5m"]).code, Some(5), "{name}");
        assert_eq!(std::fs::read_to_string(&path).expect("settings"), text, "{name}");
    }
}

#[test]
fn a_key_of_a_login_is_not_asked_for() {
    let stage = Stage::two("c-key");
    let before = stage.world.snapshot();
    let mut command = stage.command(&["config", "set", "--profile", "a", "api_key"]);
    command.stdin(Stdio::null());
    let output = finish(command);
    assert!(matches!(output.code, Some(2 | 5)), "{output:?}");
    assert_eq!(stage.changes(&before), Vec::<String>::new());
}

#[test]
fn a_value_that_is_not_taken_hides_no_other_and_a_line_beyond_all_is_a_last_resort() {
    let stage = Stage::two("c-odd");
    let file = stage.world.root().join("profiles/a/config.toml");
    let list = || stage.run(&["config", "list", "--profile", "a", "--json"]).success();
    let entry = |document: &serde_json::Value, key: &str| {
        let entries = document["config"].as_array().expect("a list");
        entries.iter().find(|entry| entry["key"] == key).expect("the setting").clone()
    };
    std::fs::write(&file, "fallback_threshold = 250\n").expect("a config");
    let line = entry(&list().json(), "fallback_threshold");
    assert_eq!((&line["value"], &line["error"]), (&250.0.into(), &serde_json::Value::Null));

    std::fs::write(&file, "fallback_threshold = -1\nauto_start = true\n").expect("a config");
    let document = list().json();
    let (line, start) = (entry(&document, "fallback_threshold"), entry(&document, "auto_start"));
    assert_eq!(
        (&line["value"], &start["value"], &start["error"]),
        (&(-1).into(), &true.into(), &serde_json::Value::Null)
    );
    assert!(line["error"].as_str().is_some_and(|error| error.contains("a number from 0 to 100")), "{line}");
    let shown = stage.run(&["config", "list", "--profile", "a"]).success();
    assert!(shown.stdout.contains("auto_start") && shown.stderr.contains("fallback_threshold in"), "{shown:?}");
    assert_eq!(stage.run(&["config", "get", "--profile", "a", "fallback_threshold"]).code, Some(5));
    assert_eq!(stage.run(&["config", "set", "--profile", "a", "fallback_threshold", "250"]).code, Some(2));
}

/// Version 0.4.0 gave the keys of proxies and tools in `[env]`.
#[test]
fn what_a_variables_name_calls_a_secret_is_not_shown() {
    let stage = Stage::two("c-secret");
    let file = stage.world.root().join("profiles/a/config.toml");
    std::fs::write(&file, "kick_timer = true\n[env]\nMY_API_KEY = \"FAKE-1\"\nNPM_TOKEN = 777001\nPLAIN = \"x\"\n")
        .expect("a config");
    for words in [&["list"][..], &["list", "--json"], &["get", "env.MY_API_KEY"], &["get", "env.MY_API_KEY", "--json"]]
    {
        let shown = stage.run(&[&["config", "--profile", "a"], words].concat()).success();
        assert!(
            !format!("{shown:?}").contains("FAKE-1") && !format!("{shown:?}").contains("777001"),
            "{words:?}: {shown:?}"
        );
        assert!(shown.stdout.contains("set (not shown)"), "{words:?}: {shown:?}");
    }
    assert!(stage.run(&["config", "list", "--profile", "a"]).stdout.contains('x'));
    // The older name of a setting is that setting.
    let get = || stage.run(&["config", "get", "--profile", "a", "auto_start"]).success().stdout;
    assert_eq!(get(), "true\n");
    stage.ok(&["config", "unset", "--profile", "a", "auto_start"]);
    assert_eq!((get().as_str(), &stage.json(&["list"])["accounts"][0]["auto_start"]), ("false\n", &false.into()));
}

#[test]
fn line_ends_of_another_editor_stay() {
    let stage = Stage::two("c-crlf");
    let path = settings(&stage);
    let own = std::fs::read_to_string(&path).expect("settings").replace('\n', "\r\n");
    std::fs::write(&path, format!("# mine\r\n{own}")).expect("settings");
    stage.ok(&["config", "set", "network", "off"]);
    stage.ok(&["config", "set", "poll.active", "10m"]);
    let now = std::fs::read_to_string(&path).expect("settings");
    assert!(now.starts_with("# mine\r\n") && now.contains("network = \"off\"\r\n"), "{now:?}");
    assert_eq!(now.matches('\n').count(), now.matches("\r\n").count(), "{now:?}");
}
