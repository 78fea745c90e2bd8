//! The converger on real files.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use clauth_durable::vfs::{FaultyVfs, RealVfs};
use serde_json::json;
use std::sync::Arc;

use super::house::{House, rest, settings_of, state_of};
use crate::session::merge::forget;

const STATE: &str = "{\n  \"userID\": \"u\",\n  \"theme\": \"dark\",\n  \"cost\": 1.10,\n  \"projects\": {}\n}\n";
const SETTINGS: &str = "{\n  \"model\": \"opus\",\n  \"env\": {\n    \"A\": \"1\"\n  }\n}\n";

#[test]
fn what_a_session_changes_reaches_the_home_and_the_other_sessions() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b"]);
    let mut converger = house.converger(&places);
    rest(&mut converger).expect("rest");
    house.world.claude_in(&places[0].tree).rewrite_state().expect("a rewritten state file");
    house.set(&state_of(&places[0]), "theme", &json!("light"));
    house.set(&settings_of(&places[1]), "model", &json!("haiku"));
    house.set(&house.settings(), "verbose", &json!(true));
    rest(&mut converger).expect("rest");
    for path in [house.world.state_path(), state_of(&places[0]), state_of(&places[1])] {
        let state = house.value(&path);
        assert_eq!((&state["theme"], &state["promptQueueUseCount"]), (&json!("light"), &json!(1)), "{path:?}");
    }
    for path in [house.settings(), settings_of(&places[0]), settings_of(&places[1])] {
        assert_eq!(house.value(&path), json!({"model": "haiku", "env": {"A": "1"}, "verbose": true}), "{path:?}");
    }
    assert!(house.text(&house.world.state_path()).contains("1.10"), "numbers keep their text");
}

/// Point 8: converged files are not rewritten.
#[test]
fn converged_files_are_not_rewritten_and_a_quiet_pass_has_no_effect() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b"]);
    let vfs = FaultyVfs::counting(Arc::new(RealVfs));
    let mut converger = house.converger_on(&house.on(vfs.clone()), &places);
    rest(&mut converger).expect("rest");
    let before = house.world.snapshot();
    let count = vfs.effects().len();
    for _ in 0..3 {
        let passed = converger.pass().expect("a pass");
        assert_eq!((passed.wrote.len(), passed.torn.len()), (0, 0));
    }
    assert_eq!(vfs.effects().len(), count, "not even a lock is taken");
    // Rewritten in another layout: looked at, and left alone.
    let state = house.value(&state_of(&places[0]));
    house.put(&state_of(&places[0]), &state.to_string());
    rest(&mut converger).expect("rest");
    assert_eq!(house.text(&state_of(&places[0])), state.to_string());
    assert_eq!(house.text(&house.world.state_path()), STATE);
    house.put(&state_of(&places[0]), STATE);
    rest(&mut converger).expect("rest");
    assert_eq!(clauth_sandbox::world::changes(&before, &house.world.snapshot()), Vec::<String>::new());
}

#[test]
fn a_torn_file_is_neither_read_nor_written() {
    for (name, torn_home) in [("the home's", true), ("the session's", false)] {
        let house = House::new(STATE, SETTINGS);
        let places = house.seeded(&["a", "b"]);
        let mut converger = house.converger(&places);
        rest(&mut converger).expect("rest");
        let path = if torn_home { house.world.state_path() } else { state_of(&places[0]) };
        for torn in ["{\"userID\": \"u\", \"th", " ", "[]", "{} {}"] {
            house.put(&path, torn);
            house.set(&state_of(&places[1]), "theme", &json!(torn));
            let passed = converger.pass().expect("a pass");
            assert_eq!(passed.torn, std::slice::from_ref(&path), "{name}: {torn}");
            assert_eq!(house.text(&path), torn, "{name}");
            if !torn_home {
                rest(&mut converger).expect("rest");
                assert_eq!(house.value(&house.world.state_path())["theme"], torn, "{name}: the others go on");
            }
        }
    }
}

#[test]
fn a_file_whose_lock_claude_code_holds_is_left_for_the_next_pass() {
    for home_is_locked in [true, false] {
        let house = House::new(STATE, SETTINGS);
        let places = house.seeded(&["a", "b"]);
        let mut converger = house.converger(&places);
        rest(&mut converger).expect("rest");
        house.set(&state_of(&places[0]), "theme", &json!("light"));
        let locked = if home_is_locked { house.world.state_path() } else { state_of(&places[1]) };
        let lock = locked.with_file_name(".claude.json.lock");
        std::fs::create_dir(&lock).expect("a lock");
        let passed = converger.pass().expect("a pass");
        assert_eq!(passed.skipped, std::slice::from_ref(&locked), "{home_is_locked}");
        assert_eq!(house.value(&locked)["theme"], "dark", "{home_is_locked}");
        std::fs::remove_dir(&lock).expect("our own lock");
        rest(&mut converger).expect("rest");
        assert_eq!(house.value(&state_of(&places[1]))["theme"], "light", "{home_is_locked}");
    }
}

/// Somebody writes in the moment of each effect of a pass: what they wrote and what we merged are both there in the end.
#[test]
fn a_file_that_moves_is_skipped_and_nothing_is_lost() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b"]);
    let targets = [house.world.state_path(), state_of(&places[1])];
    let mut converger = house.converger(&places);
    rest(&mut converger).expect("rest");
    let mut skipped = 0;
    for at in 1..200 {
        let mut fired = false;
        for (which, target) in targets.iter().enumerate() {
            let (mine, theirs) = (format!("mine{at}-{which}"), format!("theirs{at}-{which}"));
            house.set(&state_of(&places[0]), &mine, &json!(at));
            let (path, key) = (target.clone(), theirs.clone());
            let vfs = FaultyVfs::with_callback(Arc::new(RealVfs), at, move || {
                let bytes = std::fs::read(&path).expect("a file at every moment");
                let mut all: serde_json::Value = serde_json::from_slice(&bytes).expect("a document at every moment");
                all[&key] = json!(1);
                let temp = path.with_extension("tmp");
                std::fs::write(&temp, all.to_string()).expect("a temporary file");
                std::fs::rename(&temp, &path).expect("a rename");
            });
            let passed = house.converger_on(&house.on(vfs.clone()), &places).pass().expect("a pass");
            skipped += passed.skipped.len();
            fired |= vfs.fired();
            rest(&mut house.converger(&places)).expect("rest");
            for path in [house.world.state_path(), state_of(&places[0]), state_of(&places[1])] {
                let state = house.value(&path);
                assert_eq!(state[&mine], at, "effect {at}: {path:?}");
                assert!(!vfs.fired() || state[&theirs] == 1, "effect {at}: {path:?}");
            }
        }
        if !fired {
            assert!(at > 10 && skipped > 0, "{at} {skipped}");
            return;
        }
    }
    panic!("a pass has fewer effects");
}

#[test]
fn settings_that_the_home_lacks_are_made_from_what_a_session_adds() {
    let house = House::new(STATE, "");
    let places = house.seeded(&["a", "b"]);
    let mut converger = house.converger(&places);
    rest(&mut converger).expect("rest");
    assert!(!house.settings().exists(), "not for nothing");
    house.put(&settings_of(&places[0]), "{\"model\": \"opus\",\"env\": {\"A\": \"1\"}}");
    rest(&mut converger).expect("rest");
    assert_eq!(house.text(&house.settings()), "{\n  \"model\": \"opus\",\n  \"env\": {\"A\": \"1\"}\n}\n");
    assert_eq!(house.value(&settings_of(&places[1])), json!({"env": {"A": "1"}, "model": "opus"}));
}

/// S5: the home is the hub also when it has no state file, or none any more: then a session's is the only one there is.
#[test]
fn a_state_file_that_the_home_lacks_is_made_from_what_a_session_has_without_its_account() {
    let bound = r#"{"userID":"u","theme":"dark","projects":{"/p":{"n":1}},"oauthAccount":{"accountUuid":"acc"},"primaryApiKey":"FAKE"}"#;
    let free = json!({"userID": "u", "theme": "dark", "projects": {"/p": {"n": 1}}});
    let large = STATE.replace("{}", r#"{"/p": {"n": 1}}"#);
    let rows =
        [("it never had one", "", bound), ("it is gone", &large, ""), ("it is gone, and was small", "{\"a\":1}", "")];
    for (name, state, wrote) in rows {
        let house = House::new(state, SETTINGS);
        let places = house.seeded(&["a"]);
        let mut converger = house.converger(&places);
        rest(&mut converger).expect("rest");
        assert_eq!(house.world.state_path().exists(), !state.is_empty(), "{name}: not for nothing");
        if !wrote.is_empty() {
            house.put(&state_of(&places[0]), wrote);
        }
        house.put(&house.world.state_path(), "");
        let before = house.value(&state_of(&places[0]));
        rest(&mut converger).expect("rest");
        assert_eq!(house.value(&state_of(&places[0])), before, "{name}: the session's stays");
        let wanted = if wrote.is_empty() { before } else { free.clone() };
        assert_eq!(house.value(&house.world.state_path()), wanted, "{name}");
    }
}

/// W1: it is made under Claude Code's lock, and only where there is none.
#[test]
fn a_state_file_that_somebody_makes_meanwhile_is_not_overwritten() {
    for at in 1..200 {
        let house = House::new("", SETTINGS);
        let places = house.seeded(&["a"]);
        house.put(&state_of(&places[0]), r#"{"theme":"dark","ours":1}"#);
        let path = house.world.state_path();
        let vfs = FaultyVfs::with_callback(Arc::new(RealVfs), at, move || {
            if !path.exists() {
                std::fs::write(&path, r#"{"theme":"light","theirs":1}"#).expect("a written file");
            }
        });
        house.converger_on(&house.on(vfs.clone()), &places).pass().expect("a pass");
        rest(&mut house.converger(&places)).expect("rest");
        let state = house.value(&house.world.state_path());
        assert_eq!(state["ours"], 1, "effect {at}");
        if !vfs.fired() {
            assert!(at > 5, "{at}");
            return;
        }
        assert!(state["theirs"] == 1 || state["theme"] == "dark", "effect {at}: {state}");
    }
    panic!("a pass has fewer effects");
}

#[test]
fn a_base_holds_no_value_and_one_that_cannot_be_read_is_none() {
    let house = House::new(&STATE.replace("dark", "PLAIN-SECRET"), SETTINGS);
    let places = house.seeded(&["a"]);
    let mut converger = house.converger(&places);
    house.set(&state_of(&places[0]), "projects", &json!({"/p": {"n": "PLAIN-SECRET-2"}}));
    rest(&mut converger).expect("rest");
    let base = places[0].base.join("claude.json");
    assert!(house.text(&base).contains("/p") && !house.text(&base).contains("PLAIN"), "{}", house.text(&base));
    house.put(&base, "{\"schema\": 99}");
    // Without a base the session may add, but not change.
    house.set(&state_of(&places[0]), "theme", &json!("light"));
    house.set(&state_of(&places[0]), "added", &json!(1));
    rest(&mut house.converger(&places)).expect("rest");
    let state = house.value(&house.world.state_path());
    assert_eq!((&state["theme"], &state["added"]), (&json!("PLAIN-SECRET"), &json!(1)));
    forget(&house.engine.disk, &places[0]).expect("forgotten");
    assert!(!base.exists());
}

#[test]
fn processes_that_merge_at_once_lose_nothing() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b", "c"]);
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut converger = house.converger(&places);
                for _ in 0..15 {
                    converger.pass().expect("a pass");
                }
            });
        }
        for place in &places {
            scope.spawn(|| {
                for _ in 0..5 {
                    // On Windows a file that we read just now may refuse; Claude Code tries again there (facts §1.6).
                    let rewrite = || house.world.claude_in(&place.tree).rewrite_state();
                    let pause = || std::thread::sleep(std::time::Duration::from_millis(5));
                    let again = (0..400).any(|_| rewrite().map_err(|_| pause()).is_ok() || cfg!(unix));
                    assert!(again, "a rewritten state file");
                }
            });
        }
    });
    let mut all = serde_json::Map::new();
    for (at, place) in places.iter().enumerate() {
        house.set(&state_of(place), &format!("k{at}"), &json!(at));
        all.insert(format!("k{at}"), json!(at));
    }
    rest(&mut house.converger(&places)).expect("rest");
    let home = house.value(&house.world.state_path());
    for place in &places {
        assert_eq!(house.value(&state_of(place)), home);
    }
    for (key, value) in all {
        assert_eq!(home[&key], value);
    }
}

#[cfg(unix)]
#[test]
fn links_of_the_user_stay_links_and_modes_stay_what_they_are() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
    let house = House::new(STATE, SETTINGS);
    let dotfiles = house.world.home().join("dotfiles.json");
    std::fs::rename(house.settings(), &dotfiles).expect("a moved file");
    std::fs::set_permissions(&dotfiles, std::fs::Permissions::from_mode(0o640)).expect("a mode");
    symlink("../dotfiles.json", house.settings()).expect("a link");
    let places = house.seeded(&["a"]);
    house.set(&settings_of(&places[0]), "model", &json!("haiku"));
    rest(&mut house.converger(&places)).expect("rest");
    assert!(house.settings().is_symlink());
    assert_eq!(house.value(&dotfiles)["model"], "haiku");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("a file").mode() & 0o777;
    assert_eq!(mode(&dotfiles), 0o640);
    assert_eq!(mode(&places[0].base.join("settings.json")), 0o600);
    assert_eq!(mode(&state_of(&places[0])), 0o600);
}

#[cfg(unix)]
#[test]
fn a_home_that_cannot_be_written_is_named_and_the_other_file_is_merged() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a"]);
    let mut converger = house.converger(&places);
    rest(&mut converger).expect("rest");
    // Nobody may write here, whoever runs the test: what should be a file is a directory.
    house.set(&state_of(&places[0]), "theme", &json!("light"));
    house.set(&settings_of(&places[0]), "model", &json!("haiku"));
    std::fs::remove_file(house.world.state_path()).expect("a file");
    std::fs::create_dir(house.world.state_path()).expect("a directory");
    let error = converger.pass().expect_err("a directory is no file");
    assert_eq!(error.place(), Some(house.world.state_path().display().to_string()));
    assert_eq!(house.value(&house.settings())["model"], "haiku");
}

/// Each profile's sessions are merged by processes of their own.
#[test]
fn sessions_of_two_profiles_that_change_one_setting_to_and_fro_end_with_the_last_word() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b"]);
    let mut watchers = [house.converger(&places[..1]), house.converger(&places[1..])];
    let mut all_rest = || {
        for _ in 0..3 {
            watchers.iter_mut().for_each(|watcher| drop(rest(watcher).expect("rest")));
        }
    };
    all_rest();
    for (at, model) in [(0, "haiku"), (1, "opus"), (0, "haiku"), (1, "opus")] {
        // A later write that carries what we wrote makes it the session's own.
        for place in &places {
            house.set(&settings_of(place), "touched", &json!(format!("{at}{model}")));
        }
        all_rest();
        house.set(&settings_of(&places[at]), "model", &json!(model));
        all_rest();
        for path in [house.settings(), settings_of(&places[0]), settings_of(&places[1])] {
            assert_eq!(house.value(&path)["model"], model, "{at}: {path:?}");
        }
    }
}
