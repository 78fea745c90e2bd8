//! What a tree's own files begin with.

use serde_json::{Value, json};

use super::house::{House, rest, settings_of, state_of};
use crate::Error;
use crate::session::Place;
use crate::session::merge::seed::{Overrides, Seeded};
use crate::session::merge::{Own, seed};

const STATE: &str = "{\n  \"theme\": \"dark\",\n  \"cost\": 1.10,\n  \"primaryApiKey\": \"FAKE\",\n  \"oauthAccount\": {\n    \"accountUuid\": \"acc\",\n    \"organizationUuid\": \"org\"\n  }\n}\n";
const SETTINGS: &str = "{\n  \"model\": \"opus\",\n  \"env\": {\n    \"A\": \"1\"\n  }\n}\n";

fn seeded(house: &House, place: &Place, overrides: &Overrides) -> Result<Seeded, Error> {
    seed(&house.engine, &house.home(), place, overrides)
}

fn overrides(all: &[(&[&str], Value)]) -> Vec<(Vec<String>, Option<Value>)> {
    all.iter()
        .map(|(path, value)| (path.iter().map(|part| (*part).to_owned()).collect(), Some(value.clone())))
        .collect()
}

/// Point 8: the private copy.
#[test]
fn the_account_bound_keys_come_along_only_when_they_are_proven_to_be_this_profiles_own() {
    let cases = [
        ("no identity", None, false),
        ("its own, proven", Some(("acc", Some("org"), true)), true),
        ("its own, unproven", Some(("acc", Some("org"), false)), false),
        ("another account", Some(("other", Some("org"), true)), false),
        ("another organization", Some(("acc", Some("other"), true)), false),
        ("no organization", Some(("acc", None, true)), false),
    ];
    for (name, identity, comes_along) in cases {
        let house = House::new(STATE, SETTINGS);
        let place = house.place("a");
        if let Some((account, organization, proven)) = identity {
            let known = json!({"account_uuid": account, "organization_uuid": organization, "proven": proven});
            house.put(&house.engine.root.identity("a"), &known.to_string());
        }
        assert_eq!(seeded(&house, &place, &[]).expect("a seed"), Seeded { state: true, settings: true }, "{name}");
        let wanted = if comes_along { STATE } else { "{\n  \"theme\": \"dark\",\n  \"cost\": 1.10\n}\n" };
        assert_eq!(house.text(&state_of(&place)), wanted, "{name}");
        assert_eq!(house.text(&house.world.state_path()), STATE, "{name}: the home's stays");
    }
}

/// Point 8: in one step.
#[cfg(unix)]
#[test]
fn an_old_shared_link_is_replaced_by_a_copy_and_never_written_through() {
    for (name, state) in [("a file", STATE), ("nothing there", "")] {
        let house = House::new(state, SETTINGS);
        let place = house.place("a");
        std::os::unix::fs::symlink(house.world.state_path(), state_of(&place)).expect("a link");
        std::os::unix::fs::symlink(house.settings(), settings_of(&place)).expect("a link");
        let overrides = overrides(&[(&["model"], json!("haiku"))]);
        assert_eq!(
            seeded(&house, &place, &overrides).expect("a seed"),
            Seeded { state: true, settings: true },
            "{name}"
        );
        assert!(!state_of(&place).is_symlink() && !settings_of(&place).is_symlink(), "{name}");
        assert_eq!(state_of(&place).exists(), !state.is_empty(), "{name}");
        assert_eq!(house.world.state_path().exists(), !state.is_empty(), "{name}");
        assert_eq!(house.text(&house.settings()), SETTINGS, "{name}");
        assert_eq!(house.value(&settings_of(&place))["model"], "haiku", "{name}");
    }
}

/// Point 4.
#[test]
fn settings_are_the_homes_with_the_profiles_overrides_and_are_written_only_when_they_would_change() {
    let house = House::new(STATE, SETTINGS);
    let place = house.place("a");
    let mut all = overrides(&[(&["model"], json!("haiku")), (&["env", "B"], json!("2"))]);
    assert!(seeded(&house, &place, &all).expect("a seed").settings);
    let wanted = "{\n  \"model\": \"haiku\",\n  \"env\": {\n    \"A\": \"1\",\n    \"B\": \"2\"\n  }\n}\n";
    assert_eq!(house.text(&settings_of(&place)), wanted);
    let before = std::fs::metadata(settings_of(&place)).expect("a file").modified().expect("a time");
    assert_eq!(seeded(&house, &place, &all).expect("a seed"), Seeded::default());
    assert_eq!(std::fs::metadata(settings_of(&place)).expect("a file").modified().expect("a time"), before);
    // Another override at the next start; the former one is the home's again, and neither reaches the home.
    all = overrides(&[(&["env", "B"], json!("3"))]);
    assert!(seeded(&house, &place, &all).expect("a seed").settings);
    assert_eq!(house.value(&settings_of(&place)), json!({"model": "opus", "env": {"A": "1", "B": "3"}}));
    assert_eq!(house.text(&house.settings()), SETTINGS);
}

#[test]
fn settings_that_the_home_lacks_are_an_empty_document() {
    let house = House::new(STATE, "");
    let place = house.place("a");
    seeded(&house, &place, &[]).expect("a seed");
    assert_eq!(house.text(&settings_of(&place)), "{}");
    let other = house.place("b");
    seeded(&house, &other, &overrides(&[(&["env", "B"], json!("2"))])).expect("a seed");
    assert_eq!(house.value(&settings_of(&other)), json!({"env": {"B": "2"}}));
    assert!(!house.settings().exists());
}

#[test]
fn what_sessions_changed_before_a_start_reaches_the_home_and_stays() {
    let house = House::new(STATE, SETTINGS);
    let place = house.seeded(&["a"]).remove(0);
    house.set(&settings_of(&place), "verbose", &json!(true));
    house.set(&state_of(&place), "theme", &json!("light"));
    house.set(&house.settings(), "fresh", &json!(1));
    seeded(&house, &place, &overrides(&[(&["model"], json!("haiku"))])).expect("a seed");
    assert_eq!(house.value(&house.world.state_path())["theme"], "light");
    assert_eq!(
        house.value(&house.settings()),
        json!({"model": "opus", "env": {"A": "1"}, "verbose": true, "fresh": 1})
    );
    assert_eq!(
        house.value(&settings_of(&place)),
        json!({"model": "haiku", "env": {"A": "1"}, "verbose": true, "fresh": 1})
    );
    let mut converger = house.converger(&[]);
    converger.set_members(vec![(place.clone(), Own::of(&overrides(&[(&["model"], json!("haiku"))])))]);
    rest(&mut converger).expect("rest");
    assert_eq!(house.value(&house.settings())["model"], "opus");
    assert_eq!(house.value(&settings_of(&place))["model"], "haiku");
}

#[test]
fn an_override_stands_also_where_the_home_has_something_odd() {
    let house = House::new(STATE, "{\"env\": null, \"model\": \"opus\"}");
    let place = house.place("a");
    seeded(&house, &place, &overrides(&[(&["env", "B"], json!("2"))])).expect("a seed");
    assert_eq!(house.value(&settings_of(&place)), json!({"model": "opus", "env": {"B": "2"}}));
    rest(&mut house.converger(&[place])).expect("rest");
    assert_eq!(house.text(&house.settings()), "{\"env\": null, \"model\": \"opus\"}");
}

#[test]
fn a_file_that_stays_torn_is_named_and_nothing_is_made_of_it() {
    for (name, state, settings, is_state) in [("state", "{\"a", SETTINGS, true), ("settings", STATE, "{\"a", false)] {
        let house = House::new(state, settings);
        let place = house.place("a");
        let error = seeded(&house, &place, &[]).expect_err("it stays torn");
        let path = if is_state { house.world.state_path() } else { house.settings() };
        assert_eq!(error.place(), Some(path.display().to_string()), "{name}");
        let made = if is_state { state_of(&place) } else { settings_of(&place) };
        assert!(!made.exists(), "{name}");
    }
}
