//! When a tree holds nothing that the home does not: told by contents, not by dates.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use serde_json::json;

use super::house::{House, settings_of, state_of};
use crate::session::Place;
use crate::session::merge::{is_in_step, seed_with};

const STATE: &str =
    r#"{"userID": "u", "theme": "dark", "a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1, "h": 1, "i": 1}"#;
const SETTINGS: &str = "{\n  \"model\": \"opus\"\n}\n";

type Row = (&'static str, fn(&House, &Place), bool);

fn write_without_a_new_date(path: &std::path::Path, text: &str) {
    let date = std::fs::metadata(path).and_then(|data| data.modified()).expect("a date");
    std::fs::write(path, text).expect("a written file");
    let file = std::fs::File::options().append(true).open(path).expect("a file");
    file.set_modified(date).expect("a date");
}

#[test]
fn only_what_nobody_wrote_since_it_was_merged_is_in_step() {
    let rows: [Row; 10] = [
        ("nothing", |_, _| (), true),
        ("the same once more", |house, place| house.put(&state_of(place), &house.text(&state_of(place))), true),
        ("the home alone", |house, _| house.set(&house.settings(), "model", &json!("haiku")), true),
        ("the home's state file gone", |house, _| house.put(&house.world.state_path(), ""), false),
        (
            "as long and of the same date",
            |house, place| {
                write_without_a_new_date(&settings_of(place), &house.text(&settings_of(place)).replace("opus", "opUS"));
            },
            false,
        ),
        ("a new key", |house, place| house.set(&state_of(place), "new", &json!(1)), false),
        ("torn", |house, place| house.put(&settings_of(place), "{\"model\""), false),
        ("gone", |house, place| house.put(&state_of(place), ""), false),
        ("without a base", |_, place| std::fs::remove_file(place.base.join("settings.json")).expect("removed"), false),
        (
            "more deletions than one pass makes",
            |house, place| {
                house.put(&state_of(place), r#"{"userID": "u", "theme": "dark", "f": 1, "g": 1, "h": 1, "i": 1}"#);
                house.converger(std::slice::from_ref(place)).pass().expect("a pass");
                assert_ne!(house.value(&house.world.state_path()), house.value(&state_of(place)), "some are left");
            },
            false,
        ),
    ];
    for (name, change, expected) in rows {
        let house = House::new(STATE, SETTINGS);
        let place = house.seeded(&["a"]).remove(0);
        change(&house, &place);
        let tree = clauth_claude::ClaudeHome::at(&place.tree, &house.engine.host, &house.engine.disk);
        assert_eq!(is_in_step(&house.engine.disk, &house.home(), &place, &tree).expect("files"), expected, "{name}");
    }
}

#[test]
fn what_was_just_made_is_not_merged_again_unless_the_home_was_written_this_moment() {
    for (name, old, merges) in [("long ago", true, false), ("this moment", false, true)] {
        let house = House::new(STATE, SETTINGS);
        if old {
            let date = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
            for path in [house.world.state_path(), house.settings()] {
                let file = std::fs::File::options().append(true).open(path).expect("a file");
                file.set_modified(date).expect("a date");
            }
        }
        let place = house.place("a");
        let counting = clauth_durable::vfs::FaultyVfs::counting(std::sync::Arc::new(clauth_durable::vfs::RealVfs));
        let engine = house.on(counting.clone());
        let (_, mut converger) = seed_with(&engine, &house.home(), &place, &[]).expect("a seed");
        let before = counting.effects().len();
        converger.pass().expect("a pass");
        assert_eq!(counting.effects().len() > before, merges, "{name}");
        // Whatever is written from now on is seen.
        house.set(&settings_of(&place), "model", &json!("haiku-of-the-session"));
        converger.pass().expect("a pass");
        assert_eq!(house.value(&house.settings())["model"], "haiku-of-the-session", "{name}");
    }
}

/// K3: a state file may be as large as a disk is slow.
#[test]
fn what_is_to_be_written_is_on_the_disk_before_claude_codes_lock_is_taken() {
    let house = House::new(STATE, SETTINGS);
    let place = house.seeded(&["a"]).remove(0);
    house.set(&state_of(&place), "theme", &json!("light"));
    let counting = clauth_durable::vfs::FaultyVfs::counting(std::sync::Arc::new(clauth_durable::vfs::RealVfs));
    house.converger_on(&house.on(counting.clone()), std::slice::from_ref(&place)).pass().expect("a pass");
    assert_eq!(house.value(&house.world.state_path())["theme"], "light");
    let effects = counting.effects();
    let of = |name: &str, part: &str| {
        let is =
            |effect: &clauth_durable::vfs::Effect| effect.name == name && effect.path.to_string_lossy().contains(part);
        effects.iter().position(is).expect("such an effect")
    };
    let locked = of("create_dir", ".claude.json.lock");
    assert!(of("sync", ".claude.json.clauth-merge-") < locked, "{effects:?}");
    assert!(of("exchange", ".claude.json.clauth-merge-") > locked, "{effects:?}");
}
