//! Endpoints, `[env]` and `[models]`: what a switch sets in `settings.json`, and how it comes back.

use std::path::PathBuf;

use clauth_engine::{Engine, Kind, LiveState, Options, ProfileKind, Target};
use clauth_host::Secret;
use clauth_sandbox::Account;

use crate::house::House;

const URL: &str = "https://e.example/anthropic";
const KEY: &str = "sk-FAKE-ENDPOINT";

/// a and b captured, b live, and the endpoint e.
pub(crate) fn with_endpoint(name: &str) -> House {
    let house = House::two(name);
    house.engine().add("e", URL, &Secret::new(KEY)).expect("an endpoint");
    house
}

fn path(house: &House) -> PathBuf {
    house.world.claude_dir().join("settings.json")
}

fn settings(house: &House) -> String {
    std::fs::read_to_string(path(house)).unwrap_or_default()
}

fn put(house: &House, text: &str) {
    std::fs::write(path(house), text).expect("settings");
}

fn kind(result: Result<clauth_engine::Report, clauth_engine::Error>) -> Option<Kind> {
    result.err().map(|error| error.kind())
}

fn set(house: &House, profile: &str, key: &str, value: &str) {
    let _ = house.engine().set(key, value, Some(profile)).expect("set");
}

#[test]
fn an_endpoint_comes_and_goes_and_leaves_no_trace() {
    let house = with_endpoint("e-round");
    house.world.seed_mcp();
    let before = settings(&house);
    let report = house.switch("e");
    assert_eq!((report.from.as_deref(), report.to.as_str(), report.switched), (Some("b"), "e", true));
    assert_eq!((house.world.live(), house.slot("b"), house.loan("b")), ("none".into(), "B1".into(), "none".into()));
    assert_eq!(house.world.identity(), "none");
    let set = settings(&house);
    assert!(set.contains(URL) && set.contains("__key") && !set.contains(KEY), "{set}");
    for at in ["mcpOAuth", "pluginSecrets"] {
        assert!(house.world.read_json(&house.world.credentials_path()).get(at).is_some(), "{at}");
    }
    let listed = house.engine().list().expect("a list");
    assert_eq!((listed.active.as_deref(), listed.live, listed.overrides.len()), (Some("e"), LiveState::Own, 0));
    let which = house.engine().which().expect("an answer");
    assert_eq!((which.profile.as_deref(), which.kind, which.oauth), (Some("e"), ProfileKind::Endpoint, false));
    assert!(!house.switch("e").switched);
    assert_eq!(settings(&house), set);
    let report = house.switch("a");
    assert_eq!((report.from.as_deref(), report.to.as_str()), (Some("e"), "a"));
    assert_eq!((settings(&house), house.world.live()), (before, "A1".to_owned()));
    assert!(!house.world.root().join("applied.json").exists());
}

#[test]
fn undo_goes_to_an_endpoint_and_away_from_one() {
    let house = with_endpoint("e-undo");
    let before = settings(&house);
    house.switch("e");
    assert_eq!(house.engine().undo(false).expect("taken back").to, "b");
    assert_eq!((settings(&house), house.world.live()), (before, "B1".to_owned()));
    house.switch("e");
    house.switch("a");
    assert_eq!(house.engine().undo(false).expect("taken back").to, "e");
    assert!(settings(&house).contains(URL) && house.world.live() == "none");
    assert_eq!(house.engine().switch(Target::Previous, Options::default()).expect("back").to, "a");
}

#[test]
fn the_key_goes_to_its_host_only() {
    let house = with_endpoint("e-key");
    let key = |engine: &Engine| engine.endpoint_key("e").map(|key| key.expose().to_owned());
    for (name, url, given) in [
        ("its own", URL, true),
        ("another path", "https://e.example/v2", true),
        ("another host", "https://evil.example/anthropic", false),
        ("its name at another host", "https://e.example.evil.example", false),
        ("nothing, which is Anthropic's", "", false),
    ] {
        let mut engine = house.engine();
        let variables = engine.host.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        engine.host.env = variables.chain([("ANTHROPIC_BASE_URL".into(), url.into())]).collect();
        assert_eq!(key(&engine).ok().as_deref(), given.then_some(KEY), "{name}");
    }
    assert!(key(&house.engine()).is_err(), "no variable at all");
    assert!(house.engine().endpoint_key("a").is_err());
}

#[test]
fn what_was_set_by_hand_comes_back_and_what_was_edited_since_stays() {
    let house = with_endpoint("e-hand");
    let by_hand = "{\"env\":{\"ANTHROPIC_AUTH_TOKEN\":\"FAKE-MINE\",\"X\":\"1\"},\"apiKeyHelper\":\"mine\",\"n\":1.10}";
    put(&house, by_hand);
    house.switch("e");
    assert!(!settings(&house).contains("FAKE-MINE"), "{}", settings(&house));
    house.switch("a");
    assert_eq!(settings(&house), by_hand);
    set(&house, "a", "models.opus", "opus-of-a");
    set(&house, "a", "env.X", "2");
    house.switch("b");
    assert_eq!(settings(&house), by_hand);
    house.switch("a");
    let set = settings(&house);
    assert!(set.contains("\"X\":\"2\"") && set.contains("opus-of-a"), "{set}");
    put(&house, &set.replace("opus-of-a", "opus-of-the-user"));
    house.switch("b");
    let left = settings(&house);
    assert!(left.contains("opus-of-the-user") && left.contains("\"X\":\"1\""), "{left}");
}

/// What the user had set already is theirs, whatever a profile wants there: nothing had to change, and nothing has to.
#[test]
fn what_stood_there_already_stays_the_users_also_where_it_is_read_only() {
    let house = with_endpoint("e-stood");
    let by_hand = "{\"env\":{\"FOO\":\"1\",\"BAR\":\"x\"}}";
    put(&house, by_hand);
    set(&house, "a", "env.FOO", "1");
    read_only(&house, true);
    house.switch("a");
    house.switch("b");
    assert_eq!(settings(&house), by_hand);
    read_only(&house, false);
    std::fs::remove_file(house.world.root().join("applied.json")).ok();
    house.switch("a");
    std::fs::remove_file(house.world.root().join("applied.json")).expect("a record of what stood there");
    house.switch("b");
    assert_eq!(settings(&house), by_hand, "what equals is ours in a tree of 0.4.0 only");
}

#[test]
fn read_only_settings_are_refused_before_the_login_is_touched() {
    let house = with_endpoint("e-readonly");
    read_only(&house, true);
    let before = house.world.snapshot();
    let error = house.try_switch("e").err().expect("refused");
    assert_eq!(error.kind(), Kind::Protected);
    assert!(error.place().is_some_and(|place| place.ends_with("settings.json")));
    let changes = clauth_sandbox::world::changes(&before, &house.world.snapshot());
    assert!(changes.iter().all(|change| change.contains("/locks") || change.contains(".lock")), "{changes:?}");
    // What needs no change is no obstacle.
    house.switch("a");
    read_only(&house, false);
    house.switch("e");
    read_only(&house, true);
    assert_eq!(kind(house.try_switch("a")), Some(Kind::Protected));
    assert_eq!(house.world.live(), "none");
    read_only(&house, false);
}

#[cfg(unix)]
fn read_only(house: &House, on: bool) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = if on { 0o444 } else { 0o644 };
    std::fs::set_permissions(path(house), std::fs::Permissions::from_mode(mode)).expect("a mode");
}

#[cfg(windows)]
fn read_only(house: &House, on: bool) {
    let mut permissions = std::fs::metadata(path(house)).expect("settings").permissions();
    permissions.set_readonly(on);
    std::fs::set_permissions(path(house), permissions).expect("an attribute");
}

#[test]
fn settings_that_cannot_be_understood_stop_only_what_would_change_them() {
    let house = with_endpoint("e-torn");
    put(&house, "{\"env\": ");
    assert_eq!(kind(house.try_switch("e")), Some(Kind::Unreadable));
    assert_eq!(house.world.live(), "B1");
    house.switch("a");
    assert_eq!(settings(&house), "{\"env\": ");
    put(&house, "{\"env\": []}");
    assert_eq!(kind(house.try_switch("e")), Some(Kind::Unreadable));
}

/// The settings as version 0.4.0 left them for an endpoint.
#[test]
fn what_version_0_4_0_set_is_ours_and_goes() {
    let house = with_endpoint("e-old");
    let roster = house.world.root().join("profiles.toml");
    let mark = |name: &str| {
        let text = std::fs::read_to_string(&roster).expect("a list");
        let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("active_profile")).collect();
        std::fs::write(&roster, format!("active_profile = \"{name}\"\n{}\n", rest.join("\n"))).expect("a list");
    };
    let clean = "{\n  \"env\": {\n    \"MINE\": \"1\"\n  },\n  \"z\": 1\n}";
    put(&house, clean);
    house.switch("e");
    let old = format!("\"1\",\n    \"ANTHROPIC_BASE_URL\": \"{URL}\",\n    \"ANTHROPIC_AUTH_TOKEN\": \"{KEY}\"\n");
    std::fs::remove_file(house.world.root().join("applied.json")).expect("no record");
    put(&house, &clean.replace("\"1\"\n", &old));
    mark("e");
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("e"));
    assert_eq!(house.engine().which().expect("an answer").over, None, "it is the active profile's own");
    assert_eq!(house.engine().list().expect("a list").overrides, Vec::<String>::new());
    mark("b");
    assert_eq!(house.engine().which().expect("an answer").over, Some("settings.json: env.ANTHROPIC_AUTH_TOKEN".into()));
    mark("e");
    assert!(!house.switch("e").switched);
    let now = settings(&house);
    assert!(!now.contains(KEY) && now.contains("__key"), "the key left the settings: {now}");
    put(&house, &clean.replace("\"1\"\n", &old));
    std::fs::remove_file(house.world.root().join("applied.json")).expect("no record");
    house.switch("a");
    assert_eq!((settings(&house), house.world.live()), (clean.to_owned(), "A1".to_owned()));
}

/// W6: without the record of what was set, a login must not come back beside the endpoint's address or its helper.
#[test]
fn w6_what_an_endpoint_set_goes_also_without_the_record_of_it() {
    let house = with_endpoint("e-record");
    let before = settings(&house);
    let record = house.world.root().join("applied.json");
    house.switch("e");
    let set = settings(&house);
    std::fs::write(&record, "{\"keys\": [").expect("a torn record");
    assert_eq!(kind(house.try_switch("a")), Some(Kind::Unreadable));
    assert_eq!((settings(&house), house.world.live()), (set.clone(), "none".to_owned()), "nothing was changed");
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("e"));
    std::fs::remove_file(&record).expect("moved away");
    house.switch("a");
    assert_eq!((settings(&house), house.world.live()), (before.clone(), "A1".to_owned()));

    house.switch("e");
    std::fs::remove_file(&record).expect("gone");
    // The program lay elsewhere when it was set.
    put(&house, &settings(&house).replacen(" __key ", "-old __key ", 1));
    assert_ne!(settings(&house), set);
    house.switch("b");
    assert_eq!((settings(&house), house.world.live()), (before, "B1".to_owned()));
}

/// A profile's name as the helper of this system has it, in JSON.
fn word(name: &str) -> String {
    if cfg!(windows) { format!(r#"\"{name}\""#) } else { format!("'{name}'") }
}

#[test]
fn one_endpoint_follows_another() {
    let house = with_endpoint("e-two");
    house.engine().add("f", "https://f.example", &Secret::new("sk-FAKE-F")).expect("an endpoint");
    let before = settings(&house);
    house.switch("e");
    house.switch("f");
    let now = settings(&house);
    assert!(
        now.contains("https://f.example")
            && !now.contains(URL)
            && now.contains(&word("f"))
            && !now.contains(&word("e")),
        "{now}"
    );
    house.switch("b");
    assert_eq!((settings(&house), house.world.live()), (before, "B1".to_owned()));
}

#[test]
fn a_login_that_was_made_beside_an_endpoint_is_kept() {
    let house = with_endpoint("e-beside");
    house.switch("e");
    house.sign_in(&Account::c());
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("e"));
    house.switch("e");
    assert_eq!((house.world.live(), house.vault()), ("none".to_owned(), vec!["C1".to_owned()]));
    house.sign_in(&Account::new('D'));
    house.switch("a");
    assert_eq!((house.world.live(), house.vault()), ("A1".to_owned(), vec!["C1".to_owned(), "D1".to_owned()]));
}

#[test]
fn an_endpoint_is_captured_from_what_was_set_by_hand() {
    let house = House::two("e-capture");
    assert_eq!(house.engine().endpoint_by_hand().expect("an answer"), None);
    assert_eq!(house.engine().capture_endpoint("h").err().map(|error| error.kind()), Some(Kind::Nothing));
    let clean = "{\"env\":{\"MINE\":\"1\"}}";
    put(
        &house,
        &format!("{{\"env\":{{\"MINE\":\"1\",\"ANTHROPIC_BASE_URL\":\"{URL}\",\"ANTHROPIC_API_KEY\":\"{KEY}\"}}}}"),
    );
    assert_eq!(house.engine().endpoint_by_hand().expect("an answer").as_deref(), Some(URL));
    let before = settings(&house);
    assert_eq!(house.engine().capture_endpoint("h").expect("captured").base_url, URL);
    assert_eq!(settings(&house), before);
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("h"));
    assert_eq!(house.engine().endpoint_by_hand().expect("an answer"), None);
    house.switch("h");
    assert!(!settings(&house).contains(KEY), "{}", settings(&house));
    house.switch("a");
    assert_eq!(settings(&house), clean);
}

#[test]
fn what_cannot_be_an_endpoint_is_refused_and_nothing_is_written() {
    let house = with_endpoint("e-refuse");
    let before = house.world.snapshot();
    for (name, profile, url, key, expected) in [
        ("taken", "A", URL, KEY, Kind::Name),
        ("a command", "list", URL, KEY, Kind::Name),
        ("unprotected", "x", "http://e.example", KEY, Kind::Usage),
        ("two words", "x", URL, "sk FAKE", Kind::Usage),
        ("nothing", "x", URL, "", Kind::Usage),
    ] {
        let refused = house.engine().add(profile, url, &Secret::new(key)).err().expect("refused");
        assert_eq!(refused.kind(), expected, "{name}");
        assert!(!format!("{refused}{:?}", refused.hints()).contains("FAKE"), "{name}: {refused}");
        assert_eq!(clauth_sandbox::world::changes(&before, &house.world.snapshot()), Vec::<String>::new(), "{name}");
    }
    std::fs::write(house.world.root().join("profiles/e/config.toml"), format!("base_url = \"{URL}\"\n"))
        .expect("a config");
    assert_eq!(kind(house.try_switch("e")), Some(Kind::DeadLogin));
}

#[test]
fn a_profile_that_is_renamed_or_removed_takes_its_settings_along() {
    let house = with_endpoint("e-rename");
    let before = settings(&house);
    house.switch("e");
    house.engine().rename("e", "g").expect("renamed");
    assert!(settings(&house).contains(&word("g")) && !settings(&house).contains(&word("e")), "{}", settings(&house));
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("g"));
    assert_eq!(house.engine().remove("g", false).err().map(|error| error.kind()), Some(Kind::Protected));
    house.engine().remove("g", true).expect("removed");
    assert_eq!(settings(&house), before);
    set(&house, "a", "models.haiku", "haiku-of-a");
    house.switch("a");
    assert!(settings(&house).contains("haiku-of-a"));
    house.engine().remove("a", true).expect("removed");
    assert_eq!((settings(&house), house.world.live()), (before, "A1".to_owned()));
}

/// The marked profile's name and end are no reason to touch what an endpoint that is used by hand has there.
#[test]
fn a_rename_or_removal_of_another_profile_leaves_the_settings_as_they_are() {
    let by_hand = format!("{{\"env\":{{\"ANTHROPIC_BASE_URL\":\"{URL}\",\"ANTHROPIC_AUTH_TOKEN\":\"{KEY}\"}}}}");
    let house = with_endpoint("e-other-name");
    put(&house, &by_hand);
    let active = |house: &House| house.engine().list().expect("a list").active;
    assert_eq!(active(&house).as_deref(), Some("e"));
    house.engine().rename("b", "bb").expect("renamed");
    assert_eq!((settings(&house), active(&house).as_deref()), (by_hand.clone(), Some("e")));
    assert_eq!(
        (house.world.live(), house.engine().list().expect("a list").marker.as_deref()),
        ("B1".into(), Some("bb"))
    );
    house.engine().remove("bb", true).expect("removed");
    assert_eq!((settings(&house), active(&house).as_deref()), (by_hand, Some("e")));

    // What was changed by hand and not yet set does not come with the name.
    let house = with_endpoint("e-name-only");
    set(&house, "b", "models.haiku", "first");
    house.switch("b");
    let before = settings(&house);
    let options = house.world.root().join("profiles/b/options.toml");
    std::fs::write(&options, "[models]\nhaiku = \"second\"\n").expect("options");
    house.engine().rename("b", "bb").expect("renamed");
    assert_eq!(settings(&house), before);
    house.switch("a");
    assert!(!settings(&house).contains("first"), "{}", settings(&house));
}

#[test]
fn a_setting_of_the_active_profile_takes_effect_at_once() {
    let house = with_endpoint("e-at-once");
    set(&house, "b", "models.default", "opus");
    assert!(settings(&house).contains("\"opus\""), "{}", settings(&house));
    set(&house, "a", "models.default", "of-a");
    assert!(!settings(&house).contains("of-a"));
    let _ = house.engine().unset("models.default", Some("b")).expect("unset");
    house.switch("e");
    set(&house, "e", "base_url", "https://other.example");
    assert!(settings(&house).contains("other.example"), "{}", settings(&house));
    assert_eq!(house.world.live(), "none");
}

#[test]
fn a_session_has_its_own_profiles_settings_whoever_is_active() {
    let house = with_endpoint("e-session");
    set(&house, "a", "env.X", "of-a");
    house.switch("e");
    let of =
        |session: &clauth_engine::SessionHandle| house.world.read_json(&session.config_dir().join("settings.json"));
    let engine = house.engine();
    let login = engine.begin("a").expect("a session");
    let seen = of(&login);
    assert_eq!(seen["env"]["X"], "of-a", "{seen}");
    assert!(seen.get("apiKeyHelper").is_none() && seen["env"].get("ANTHROPIC_BASE_URL").is_none(), "{seen}");
    let endpoint = engine.begin("e").expect("a session");
    let seen = of(&endpoint);
    assert_eq!(seen["env"]["ANTHROPIC_BASE_URL"], URL, "{seen}");
    assert!(seen["apiKeyHelper"].as_str().is_some_and(|helper| helper.contains("__key")), "{seen}");
    assert!(!endpoint.config_dir().join(".credentials.json").exists());
    let _ = (login.end(), endpoint.end());
    // A switch while a session runs changes nothing in it.
    house.switch("b");
    let before = settings(&house);
    let login = engine.begin("a").expect("a session");
    house.switch("e");
    std::thread::sleep(std::time::Duration::from_millis(1500));
    let seen = of(&login);
    assert!(seen.get("apiKeyHelper").is_none() && seen["env"].get("ANTHROPIC_BASE_URL").is_none(), "{seen}");
    let _ = login.end();
    house.switch("b");
    assert_eq!(settings(&house), before);
}

/// W6: an address of the endpoint's host is never left beside a login that comes back, whoever edited its path; one of another
/// host keeps the login away.
#[test]
fn an_edited_address_never_stands_beside_a_login() {
    for (name, address, goes) in [
        ("another path", "https://e.example/v2", true),
        ("a slash", "https://e.example/anthropic/", true),
        ("another host", "https://other.example/anthropic", false),
    ] {
        let house = with_endpoint("e-edited");
        let before = settings(&house);
        house.switch("e");
        put(&house, &settings(&house).replacen(URL, address, 1));
        let (edited, result) = (settings(&house), house.try_switch("a"));
        if goes {
            assert_eq!(result.expect(name).from.as_deref(), Some("e"), "{name}");
            assert_eq!((settings(&house), house.world.live()), (before, "A1".to_owned()), "{name}");
        } else {
            let error = result.err().expect(name);
            assert_eq!(error.kind(), Kind::Protected, "{name}");
            assert!(error.to_string().contains("other.example"), "{name}: {error}");
            assert_eq!((settings(&house), house.world.live()), (edited, "none".to_owned()), "{name}");
            put(&house, &before);
            house.switch("a");
            assert_eq!(house.world.live(), "A1", "{name}: once it is gone");
        }
    }
}

/// The same in a tree of 0.4.0, which kept no record: its key goes with whatever address of that host stands there.
#[test]
fn an_edited_address_of_the_first_version_goes_with_its_key() {
    let house = with_endpoint("e-edited-old");
    house.switch("e");
    std::fs::remove_file(house.world.root().join("applied.json")).expect("no record");
    for (address, goes) in [("https://other.example", false), ("https://e.example/v2", true)] {
        put(
            &house,
            &format!("{{\"env\":{{\"ANTHROPIC_BASE_URL\":\"{address}\",\"ANTHROPIC_AUTH_TOKEN\":\"{KEY}\"}}}}"),
        );
        assert_eq!(kind(house.try_switch("a")), (!goes).then_some(Kind::Protected), "{address}");
        assert_eq!(house.world.live(), if goes { "A1" } else { "none" }, "{address}");
    }
    assert!(!settings(&house).contains("example"), "{}", settings(&house));
}

/// An address that a hand wrote is no better than one that `add` would refuse: the key would go there.
#[test]
fn an_address_that_add_would_refuse_is_refused_wherever_it_stands() {
    for url in ["\"http://gw.example.com/v1\"", "\"ftp://x\"", "\"https://user:pass@e.example\""] {
        let house = with_endpoint("e-hand");
        let file = house.world.root().join("profiles/e/config.toml");
        let text = format!("base_url = {url}\napi_key = \"{KEY}\"\n");
        let before = settings(&house);
        std::fs::write(&file, &text).expect("a config");
        let account = house.engine().list().expect("a list").accounts.remove(2);
        assert_eq!((account.kind, account.state.word()), (ProfileKind::Endpoint, "unreadable"), "{url}");
        let reason = account.reason.expect("a reason");
        assert!(reason.contains("config.toml") && reason.contains("base_url"), "{url}: {reason}");
        assert_eq!(kind(house.try_switch("e")), Some(Kind::Unreadable), "{url}");
        let mut engine = house.engine();
        let mut env: Vec<_> = house.world.env(None);
        env.push(("ANTHROPIC_BASE_URL".into(), url.trim_matches('"').into()));
        engine.host.env = env.into_iter().collect();
        assert_eq!(engine.endpoint_key("e").map(drop).expect_err("refused").kind(), Kind::Unreadable, "{url}");
        assert_eq!((house.world.live().as_str(), settings(&house)), ("B1", before.clone()), "{url}");
        // What is live already can be left, and mended by the command that says so.
        std::fs::write(&file, format!("base_url = \"{URL}\"\napi_key = \"{KEY}\"\n")).expect("a config");
        house.switch("e");
        std::fs::write(&file, &text).expect("a config");
        assert_eq!(kind(house.try_switch("e")), Some(Kind::Unreadable), "{url}");
        house.switch("b");
        assert!(!settings(&house).contains("BASE_URL"), "{url}: {}", settings(&house));
        set(&house, "e", "base_url", URL);
        house.switch("e");
    }
}
