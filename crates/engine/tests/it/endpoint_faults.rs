//! The fault sweep's commands around endpoints and what profiles set in `settings.json`.

use clauth_engine::{Engine, Error, Options, Target};
use clauth_host::Secret;

use crate::endpoint::with_endpoint;
use crate::fault_cases::switch_to_a;
use crate::faults::{Case, assert_errors_change_nothing, assert_kills_are_finished};
use crate::house::House;

const CASES: &[Case] = &[
    Case {
        name: "add",
        house: plain,
        act: |engine| engine.add("e", "https://e.example", &Secret::new("sk-FAKE-E")).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case { name: "switch-to-endpoint", house: endpoint, act: switch_to_e, settles: false, tokens: &["A1", "B1"] },
    Case { name: "switch-from-endpoint", house: at_endpoint, act: switch_to_a, settles: false, tokens: &["A1", "B1"] },
    Case {
        name: "switch-with-settings",
        house: with_settings,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "rename-endpoint",
        house: at_endpoint,
        act: |engine| engine.rename("e", "c").map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "remove-endpoint",
        house: at_endpoint,
        act: |engine| engine.remove("e", true).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
];

fn switch_to_e(engine: &Engine) -> Result<(), Error> {
    engine.switch(Target::Named("e"), Options::default()).map(drop)
}

/// b is live, and there is an endpoint.
fn endpoint() -> House {
    with_endpoint("f-endpoint")
}

/// The endpoint is used.
fn at_endpoint() -> House {
    let house = endpoint();
    house.switch("e");
    house
}

/// Each of the two has settings of its own, and b's are in effect; one of them stands in the place of the user's.
fn with_settings() -> House {
    let house = House::two("f-settings");
    std::fs::write(house.world.claude_dir().join("settings.json"), "{\"model\": \"mine\", \"z\": 1.10}")
        .expect("settings");
    for (profile, key, value) in [
        ("a", "models.default", "of-a"),
        ("a", "env.BOTH", "a"),
        ("b", "models.default", "of-b"),
        ("b", "env.BOTH", "b"),
        ("b", "env.ONLY", "b"),
    ] {
        let _ = house.engine().set(key, value, Some(profile)).expect("set");
    }
    house.switch("b");
    house
}

fn plain() -> House {
    House::two("f-add")
}

#[test]
fn an_error_anywhere_around_an_endpoint_changes_nothing() {
    assert_errors_change_nothing(CASES);
}

#[test]
fn a_kill_anywhere_around_an_endpoint_is_finished_by_the_next_command() {
    assert_kills_are_finished(CASES);
}
