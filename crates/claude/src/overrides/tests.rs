//! Each variable and setting of facts §2.1.

use super::*;
use crate::fixture::Place;

const KEY: &str = "FAKE-VALUE-THAT-NOBODY-MAY-SEE";

/// What outranks a saved login by being set to anything, and what only by being switched on.
const VARIABLES: [(&str, bool); 10] = [
    ("CLAUDE_CODE_USE_BEDROCK", true),
    ("CLAUDE_CODE_USE_VERTEX", true),
    ("CLAUDE_CODE_USE_FOUNDRY", true),
    ("ANTHROPIC_AUTH_TOKEN", false),
    ("ANTHROPIC_API_KEY", false),
    ("CLAUDE_CODE_OAUTH_TOKEN", false),
    ("ANTHROPIC_PROFILE", false),
    // It needs ANTHROPIC_ORGANIZATION_ID beside it, which may stand where it is not looked for: said too often is safe.
    ("ANTHROPIC_FEDERATION_RULE_ID", false),
    ("ANTHROPIC_BASE_URL", false),
    ("CLAUDE_CODE_SIMPLE", true),
];

/// Names of the same families that leave the saved login alone.
const HARMLESS: [&str; 8] = [
    "ANTHROPIC_MODEL",
    "ANTHROPIC_ORGANIZATION_ID",
    "ANTHROPIC_CUSTOM_HEADERS",
    "CLAUDE_CODE_ACCOUNT_UUID",
    "CLAUDE_CODE_USER_EMAIL",
    "CLAUDE_CODE_ORGANIZATION_UUID",
    "CLAUDE_CODE_OAUTH_SCOPES",
    "CLAUDE_CONFIG_DIR",
];

fn names(place: &Place, env: &[(&str, &str)]) -> Vec<String> {
    let host = place.host(env);
    let home = ClaudeHome::default_of(&host, &place.disk);
    overrides(&host, &place.disk, &home, None).iter().map(Override::name).collect()
}

#[test]
fn each_variable_counts_when_it_means_something() {
    let place = Place::new("overrides-env");
    assert_eq!(OUTRANKING, VARIABLES.map(|(name, _)| name), "the facts' list, strongest first");
    for (name, switch) in VARIABLES {
        for (value, on) in [
            (KEY, true),
            ("1", true),
            ("TRUE", true),
            ("", false),
            ("0", !switch),
            (" False ", !switch),
            ("no", !switch),
            ("OFF", !switch),
        ] {
            let expected = if on { vec![name.to_owned()] } else { Vec::new() };
            assert_eq!(names(&place, &[(name, value)]), expected, "{name}={value:?}");

            let settings = format!(r#"{{"env": {{"{name}": "{value}", "MINE": "1"}}, "model": "opus"}}"#);
            place.put(".claude/settings.json", settings);
            let expected = if on { vec![format!("settings.json: env.{name}")] } else { Vec::new() };
            assert_eq!(names(&place, &[]), expected, "{name}={value:?} in settings");
            place.put(".claude/settings.json", "{}");
        }
    }
    for name in HARMLESS {
        place.put(".claude/settings.json", format!(r#"{{"env": {{"{name}": "1"}}}}"#));
        assert_eq!(names(&place, &[(name, "1")]), Vec::<String>::new(), "{name}");
    }
}

/// Windows does not tell upper from lower case in a variable's name, wherever it is set.
#[test]
fn a_name_in_another_case_counts_where_the_system_takes_it_for_the_same() {
    let place = Place::new("overrides-case");
    let expected = |name: &str| if cfg!(windows) { vec![name.to_owned()] } else { Vec::new() };
    assert_eq!(names(&place, &[("anthropic_api_key", KEY)]), expected("ANTHROPIC_API_KEY"));
    place.put(".claude/settings.json", r#"{"env": {"Anthropic_Api_Key": "x"}}"#);
    assert_eq!(names(&place, &[]), expected("settings.json: env.ANTHROPIC_API_KEY"));
    place.put(".claude/settings.json", r#"{"env": {"ANTHROPIC_API_KEY": "x", "anthropic_api_key": ""}}"#);
    let last = if cfg!(windows) { Vec::new() } else { vec!["settings.json: env.ANTHROPIC_API_KEY"] };
    assert_eq!(names(&place, &[]), last, "of two the later one");
}

#[test]
fn each_setting_counts_when_it_means_something() {
    let place = Place::new("overrides-settings");
    let helper: &[&str] = &["settings.json: apiKeyHelper"];
    for (name, settings, expected) in [
        ("a helper", r#"{"apiKeyHelper": "/bin/key"}"#, helper),
        ("the last of two helpers", r#"{"apiKeyHelper": "", "apiKeyHelper": "/bin/key"}"#, helper),
        ("after a mark", "\u{feff}{\"apiKeyHelper\": \"/bin/key\"}", helper),
        ("an empty helper", r#"{"apiKeyHelper": " "}"#, &[]),
        ("no helper", r#"{"apiKeyHelper": null}"#, &[]),
        ("a list as helper", r#"{"apiKeyHelper": ["/bin/key"]}"#, &[]),
        ("a number", r#"{"env": {"CLAUDE_CODE_USE_VERTEX": 1}}"#, &["settings.json: env.CLAUDE_CODE_USE_VERTEX"]),
        ("a flag", r#"{"env": {"CLAUDE_CODE_SIMPLE": true}}"#, &["settings.json: env.CLAUDE_CODE_SIMPLE"]),
        ("a zero", r#"{"env": {"CLAUDE_CODE_USE_VERTEX": 0, "CLAUDE_CODE_SIMPLE": false}}"#, &[]),
        ("not in the block", r#"{"ANTHROPIC_API_KEY": "x", "env": {"nested": {"ANTHROPIC_API_KEY": "x"}}}"#, &[]),
        ("no block", r#"{"env": ["ANTHROPIC_API_KEY"]}"#, &[]),
        ("torn", r#"{"apiKeyHelper": "/bin/key""#, &[]),
        ("a list", r#"[{"apiKeyHelper": "/bin/key"}]"#, &[]),
        ("empty", "", &[]),
    ] {
        place.put(".claude/settings.json", settings);
        assert_eq!(names(&place, &[]), expected, "{name}");
    }
    place.disk.remove_file(&place.path(".claude/settings.json")).expect("removed");
    assert_eq!(names(&place, &[]), Vec::<String>::new(), "no file");
    place.put(".claude/settings.json/a-directory", "");
    assert_eq!(names(&place, &[]), Vec::<String>::new(), "a directory");
}

#[test]
fn the_environment_comes_before_the_settings_of_that_home() {
    let place = Place::new("overrides-order");
    let secret = format!(
        r#"{{"apiKeyHelper": "{KEY}", "env": {{"ANTHROPIC_BASE_URL": "{KEY}", "ANTHROPIC_API_KEY": "{KEY}"}}}}"#
    );
    let file = place.put("work/settings.json", &secret);
    place.put(".claude/settings.json", r#"{"apiKeyHelper": "/bin/of-another-home"}"#);
    let host = place.host(&[("CLAUDE_CODE_OAUTH_TOKEN", KEY), ("ANTHROPIC_AUTH_TOKEN", KEY)]);
    let home = ClaudeHome::at(&place.path("work"), &host, &place.disk);
    let all = overrides(&host, &place.disk, &home, None);
    let setting = |key: &str| Override::Setting { file: file.clone(), label: "settings.json".into(), key: key.into() };
    let expected = [
        Override::Variable("ANTHROPIC_AUTH_TOKEN"),
        Override::Variable("CLAUDE_CODE_OAUTH_TOKEN"),
        setting("env.ANTHROPIC_API_KEY"),
        setting("env.ANTHROPIC_BASE_URL"),
        setting("apiKeyHelper"),
    ];
    assert_eq!(all, expected);
    assert!(!format!("{all:?}").contains(KEY), "by name and never by value");
}

#[test]
fn the_systems_settings_count_outside_of_a_sandbox() {
    let place = Place::new("overrides-managed");
    let mut host = place.host(&[]);
    assert_eq!(managed(&host), None, "a sandbox is its own system");
    host.sandbox = false;
    let path = managed(&host).expect("the system has one place for them");
    assert!(path.is_absolute() && path.ends_with("managed-settings.json"), "{}", path.display());

    let file = place.put("etc/managed-settings.json", r#"{"env": {"CLAUDE_CODE_USE_BEDROCK": "1"}}"#);
    let names: Vec<_> = in_settings(&place.disk, &file, "managed-settings.json").iter().map(Override::name).collect();
    assert_eq!(names, ["managed-settings.json: env.CLAUDE_CODE_USE_BEDROCK"]);
}

#[cfg(unix)]
#[test]
fn a_value_that_is_no_text_counts() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let odd = || OsString::from_vec(vec![0xff, b'0']);
    let env: Env = ["ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_VERTEX"].map(|name| (name, odd())).into_iter().collect();
    assert_eq!(outranking(&env), ["CLAUDE_CODE_USE_VERTEX", "ANTHROPIC_API_KEY"]);
}

#[test]
fn a_projects_settings_count_where_they_stand() {
    let place = Place::new("overrides-project");
    place.put("work/.claude/settings.json", r#"{"env": {"ANTHROPIC_API_KEY": "FAKE"}}"#);
    place.put("work/.claude/settings.local.json", r#"{"apiKeyHelper": "/bin/key"}"#);
    place.put(".claude/settings.json", r#"{"env": {"ANTHROPIC_BASE_URL": "http://127.0.0.1:1"}}"#);
    let host = place.host(&[]);
    let home = ClaudeHome::default_of(&host, &place.disk);
    let in_dir = |here: &str| -> Vec<String> {
        let here = place.path(here);
        overrides(&host, &place.disk, &home, Some(&here)).iter().map(Override::name).collect()
    };
    let user = "settings.json: env.ANTHROPIC_BASE_URL";
    let local = ".claude/settings.local.json: apiKeyHelper";
    assert_eq!(in_dir("work"), [local, ".claude/settings.json: env.ANTHROPIC_API_KEY", user]);
    assert_eq!(in_dir("other"), [user]);
    assert_eq!(in_dir(""), [user], "the user's own file is told of once");
}
