//! What is put outside the root: as one or not at all, on record before it stands, and gone again to the letter.

use std::path::PathBuf;
use std::sync::Arc;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_engine::{Engine, Kind, Piece};
use clauth_sandbox::swept;
use clauth_sandbox::world::Snapshot;
use serde_json::json;

use crate::house::{House, Unsynced};

fn lines(file: PathBuf) -> Piece {
    Piece::Lines { file, comment: "# clauth".into(), line: "load clauth".into() }
}

fn status(house: &House) -> Piece {
    let value = json!({"type": "command", "command": "clauth statusline"});
    Piece::Key { file: house.world.claude_dir().join("settings.json"), key: vec!["statusLine".into()], value }
}

/// What changed, but for locks.
fn changed(house: &House, before: &Snapshot) -> Vec<String> {
    let mut changes = clauth_sandbox::world::changes(before, &house.world.snapshot());
    changes.retain(|change| !change.contains(".clauth/locks") && !change.ends_with(".clauth/.lock"));
    changes
}

fn all(engine: &Engine) -> Vec<clauth_engine::Taken> {
    engine.take_out(&|_| true).expect("taken out")
}

#[test]
fn a_key_and_lines_stand_and_go_to_the_letter() {
    for (name, settings) in [
        ("nothing", None),
        ("others", Some("{\n  \"model\": \"opus\",\n  \"n\": 1.10\n}\n")),
        ("one of the user's", Some("{\"statusLine\" : {\"type\":\"command\", \"command\":\"mine\"}, \"a\": 1}")),
        ("an odd nothing", Some("{ }\n\n")),
    ] {
        let house = House::two("outside");
        let (rc, file) = (house.world.home().join("deep/er/rc"), house.world.claude_dir().join("settings.json"));
        let _ = std::fs::remove_file(&file);
        settings.into_iter().for_each(|text| std::fs::write(&file, text).expect("settings"));
        let before = house.world.snapshot();
        let engine = house.engine();
        let pieces = [lines(rc.clone()), status(&house)];
        assert!(engine.put_outside("test", &pieces).expect("put").changed, "{name}");
        assert!(!engine.put_outside("test", &pieces).expect("put").changed, "{name}: once");
        assert_eq!(engine.integrations().expect("a record").len(), 2, "{name}");
        let text = std::fs::read_to_string(&file).expect("settings");
        assert!(text.contains("clauth statusline") && text.contains("n"), "{name}: {text}");
        let taken = all(&engine);
        assert!(taken.len() == 2 && taken.iter().all(|one| one.stays.is_none()), "{name}: {taken:?}");
        assert_eq!(changed(&house, &before), Vec::<String>::new(), "{name}");
        assert!(all(&engine).is_empty(), "{name}: nothing is left");
    }
}

#[test]
fn what_somebody_set_instead_stays_theirs() {
    let house = House::two("instead");
    let file = house.world.claude_dir().join("settings.json");
    let engine = house.engine();
    engine.put_outside("test", &[status(&house), lines(house.world.home().join("rc"))]).expect("put");
    std::fs::write(&file, "{\"statusLine\": \"theirs\"}").expect("settings");
    std::fs::remove_file(house.world.home().join("rc")).expect("gone");
    let stays: Vec<_> = all(&engine).into_iter().map(|one| one.stays).collect();
    assert_eq!(stays, [Some("the file is gone"), Some("you have changed it since")]);
    assert_eq!(std::fs::read_to_string(&file).expect("settings"), "{\"statusLine\": \"theirs\"}");
}

#[test]
fn what_cannot_be_written_is_refused_with_nothing_changed() {
    let house = House::two("refused");
    let file = house.world.claude_dir().join("settings.json");
    for (name, text, kind) in [
        ("torn", "{\"a\": ", Kind::Unreadable),
        ("an array", "[]", Kind::Unreadable),
        ("two", "{}{}", Kind::Unreadable),
    ] {
        std::fs::write(&file, text).expect("settings");
        let before = house.world.snapshot();
        let pieces = [lines(house.world.home().join("deep/rc")), status(&house)];
        let refused = house.engine().put_outside("test", &pieces).expect_err(name);
        assert_eq!(refused.kind(), kind, "{name}");
        assert_eq!(changed(&house, &before), Vec::<String>::new(), "{name}");
    }
    std::fs::write(house.world.root().join("integrations.json"), "{\"schema\": 2, \"installed\": []}").expect("a file");
    let refused = house.engine().put_outside("test", &[lines(house.world.home().join("rc"))]).expect_err("later");
    assert_eq!(refused.kind(), Kind::Unreadable);
}

/// Killed or refused at any effect: afterwards it can be put there, and taken back, as if nothing had been.
#[test]
fn a_fault_at_any_effect_leaves_nothing_behind() {
    for fault in [Fault::Kill, Fault::Error(Errno::NoSpace)] {
        for at in swept(1..) {
            let house = House::two("fault");
            let rc = house.world.home().join("rc");
            std::fs::write(&rc, "mine").expect("a file");
            let before = house.world.snapshot();
            let pieces = [lines(rc.clone()), status(&house)];
            let vfs = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, fault);
            let engine = house.engine_on(Arc::new(vfs.clone()));
            let put = engine.put_outside("test", &pieces);
            if !vfs.fired() {
                assert!(at > 10, "only {at} effects");
                break;
            }
            let killed = fault == Fault::Kill;
            let text = std::fs::read_to_string(&rc).expect("the file");
            assert!(text.starts_with("mine"), "{at}: {text}");
            if !killed && put.is_err() {
                assert_eq!(changed(&house, &before), Vec::<String>::new(), "{at}: as before");
            }
            house.unlock();
            house.engine().put_outside("test", &pieces).expect("afterwards");
            let taken = all(&house.engine());
            assert!(taken.iter().all(|one| one.stays.is_none()) && taken.len() == 2, "{at}: {taken:?}");
            assert_eq!(std::fs::read_to_string(&rc).expect("the file"), "mine", "{at}");
            let mut left = changed(&house, &before);
            // That an interrupted command was finished is told.
            left.retain(|change| change != "~ .clauth/history.jsonl");
            assert_eq!(left, Vec::<String>::new(), "{at}: nothing is left");
        }
    }
}
