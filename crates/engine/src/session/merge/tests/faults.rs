//! Every fault at every effect of a pass and of a seed: each file is whole at every moment, and the next pass ends where it
//! would have ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_sandbox::swept;
use serde_json::json;

use super::house::{House, rest, settings_of, state_of};
use crate::session::Place;

const STATE: &str =
    "{\n  \"userID\": \"u\",\n  \"theme\": \"dark\",\n  \"cost\": 1.10,\n  \"oauthAccount\": {\"a\": 1}\n}\n";
const SETTINGS: &str = "{\n  \"model\": \"opus\",\n  \"cleanupPeriodDays\": 365\n}\n";
const FAULTS: [Fault; 4] = [Fault::Kill, Fault::Error(Errno::Io), Fault::ErrorFrom(Errno::NoSpace), Fault::ShortWrite];

/// The six files.
fn files(house: &House, places: &[Place]) -> Vec<PathBuf> {
    let mut files = vec![house.world.state_path(), house.settings()];
    files.extend(places.iter().flat_map(|place| [state_of(place), settings_of(place)]));
    files
}

fn leftovers(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(leftovers(&entry.path()));
        } else if entry.file_name().to_string_lossy().contains(".clauth-merge-") {
            found.push(entry.path());
        }
    }
    found
}

#[test]
fn a_pass_that_fails_anywhere_leaves_whole_files_and_the_next_one_ends_it() {
    let house = House::new(STATE, SETTINGS);
    let places = house.seeded(&["a", "b"]);
    for fault in FAULTS {
        for at in swept(1..) {
            rest(&mut house.converger(&places)).expect("rest");
            house.set(&state_of(&places[0]), "theme", &json!(format!("{fault:?}{at}")));
            house.set(&settings_of(&places[1]), "model", &json!(format!("{fault:?}{at}")));
            house.set(&house.world.state_path(), "other", &json!(at));
            let before: Vec<String> = files(&house, &places).iter().map(|path| house.text(path)).collect();
            let vfs = FaultyVfs::failing(Arc::new(RealVfs), at, fault);
            let ended = house.converger_on(&house.on(vfs.clone()), &places).pass();
            for (path, before) in files(&house, &places).iter().zip(before) {
                let text = house.text(path);
                assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{fault:?} {at}: {path:?}: {text}");
                let all_of_it = text == before || text.contains(&at.to_string());
                assert!(all_of_it, "{fault:?} {at}: {path:?} is neither: {text}");
            }
            if !vfs.fired() {
                ended.expect("no fault, no error");
                assert!(at > 20, "{fault:?}: only {at} effects");
                break;
            }
            house.unlock();
            rest(&mut house.converger(&places)).expect("rest");
            for path in files(&house, &places) {
                let value = house.value(&path);
                let found = value.get("theme").or_else(|| value.get("model"));
                assert_eq!(found, Some(&json!(format!("{fault:?}{at}"))), "{fault:?} {at}: {path:?}");
            }
            assert_eq!(leftovers(house.world.home()), Vec::<PathBuf>::new(), "{fault:?} {at}");
        }
    }
}

#[test]
fn a_seed_that_fails_anywhere_leaves_whole_files_and_the_next_one_ends_it() {
    for fault in FAULTS {
        for at in swept(1..200) {
            let house = House::new(STATE, SETTINGS);
            let place = house.place("a");
            let vfs = FaultyVfs::failing(Arc::new(RealVfs), at, fault);
            let overrides = vec![(vec!["model".to_owned()], Some(json!("haiku")))];
            let engine = house.on(vfs.clone());
            let ended = crate::session::merge::seed(&engine, &house.home(), &place, &overrides);
            for path in [state_of(&place), settings_of(&place)].iter().filter(|path| path.exists()) {
                assert!(house.value(path).is_object(), "{fault:?} {at}: {path:?}");
            }
            house.unlock();
            crate::session::merge::seed(&house.engine, &house.home(), &place, &overrides).expect("a seed");
            assert_eq!(house.value(&state_of(&place)), json!({"userID": "u", "theme": "dark", "cost": 1.1}));
            assert_eq!(house.value(&settings_of(&place)), json!({"model": "haiku", "cleanupPeriodDays": 365}));
            assert_eq!(
                (house.text(&house.world.state_path()), house.text(&house.settings())),
                (STATE.into(), SETTINGS.into())
            );
            if !vfs.fired() {
                ended.expect("no fault, no error");
                assert!(at > 10, "{fault:?}: only {at} effects");
                break;
            }
        }
    }
}
