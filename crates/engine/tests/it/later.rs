//! The tree of a later version: only looked at until it is adopted, and adopted without loss.
#![cfg(unix)]

use std::fs::File;
use std::path::PathBuf;

use clauth_engine::{Adoption, Fate, Kind, State};
use clauth_sandbox::{Login, Pair};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::custody::assert_one_holder;
use crate::house::House;
use crate::old_tree::{login, logins};

fn hash(token: &str) -> String {
    Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn next(family: &str) -> Login {
    Login { pair: Pair::new(family, 2), ..login(family) }
}

fn profile(house: &House, name: &str) -> PathBuf {
    house.world.root().join("profiles").join(name)
}

/// a and b, a live, and what tells the tree from 0.4.0's.
pub(crate) fn later(name: &str) -> House {
    let house = House::new(name);
    house.world.old_tree(&logins(&[("a", "A"), ("b", "B")]), Some("a"));
    std::fs::write(house.world.root().join("clauthd.lock"), "").expect("a lock");
    std::fs::create_dir(house.world.root().join("rotation-locks")).expect("a directory");
    std::fs::write(house.world.root().join("rotation-locks/a.lock"), "").expect("a lock");
    house
}

pub(crate) fn stage(house: &House, name: &str, pair: &Login, base: &str) {
    let staged = json!({"base": hash(base), "claudeAiOauth": pair.oauth()});
    std::fs::write(profile(house, name).join("credentials.json.staged"), staged.to_string()).expect("a stage");
}

#[test]
fn every_mark_of_a_later_version_is_recognised_and_stops_whoever_acts() {
    let rows: [(&str, &str, bool); 7] = [
        ("its daemon's lock", "clauthd.lock", false),
        ("its record of used-up tokens", "auth.spent.json", false),
        ("its locks around renewals", "rotation-locks", true),
        ("a session token", "profiles/b/session-token.json", false),
        ("a staged pair", "profiles/b/credentials.json.staged", false),
        ("a session's directory", "profiles/b/runtime-4711", true),
        ("a record in a profile", "profiles/b/auth.spent.json", false),
    ];
    for (name, mark, dir) in rows {
        let house = House::new("later-mark");
        house.world.old_tree(&logins(&[("a", "A"), ("b", "B")]), Some("a"));
        let path = house.world.root().join(mark);
        if dir { std::fs::create_dir(&path) } else { std::fs::write(&path, "{}") }.expect("a mark");
        let before = house.world.snapshot();
        let refused = house.try_switch("b").map(drop).expect_err(name);
        assert_eq!(refused.kind(), Kind::Protected, "{name}");
        assert!(refused.hints()[0].contains("clauth adopt"), "{name}");
        house.engine().list().expect("looking works");
        house.engine().which().expect("looking works");
        house.engine().adoptable().expect("a plan");
        assert_eq!(house.world.snapshot(), before, "{name}");
    }
}

#[test]
fn while_it_is_at_work_everybody_waits() {
    let rows: [(&str, &str); 3] = [
        ("its daemon", "clauthd.lock"),
        ("a renewal", "rotation-locks/a.lock"),
        ("a session", "profiles/b/runtime-4711/session.lock"),
    ];
    for (name, lock) in rows {
        let house = later("later-busy");
        let path = house.world.root().join(lock);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        let file = File::create(&path).expect("a lock");
        file.lock().expect("free");
        let before = house.world.snapshot();
        assert_eq!(house.try_switch("b").map(drop).expect_err(name).kind(), Kind::Busy, "{name}");
        assert_eq!(house.engine().adopt().map(drop).expect_err(name).kind(), Kind::Busy, "{name}");
        assert_eq!(house.world.snapshot(), before, "{name}");
        drop(file);
        house.engine().adopt().unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let house = later("later-holder");
    let _session = house.world.old_session("b");
    assert_eq!(house.engine().adopt().map(drop).expect_err("a holder").kind(), Kind::Busy);
}

#[test]
fn adopted_it_is_a_tree_of_ours_and_a_copy_of_it_stays_beside() {
    let house = later("later");
    std::fs::write(profile(&house, "b").join("session-token.json"), "{\"token\": \"sk-ant-oat01-FAKE-LONG\"}")
        .expect("a token");
    std::fs::write(house.world.root().join("unheard-of.db"), "bytes").expect("a file");
    let before = clauth_sandbox::world::snapshot(&house.world.root()).expect("a tree");
    let planned = house.engine().adoptable().expect("a plan");
    let fates: Vec<(&str, Fate)> = planned.adoptees.iter().map(|one| (one.name.as_str(), one.fate)).collect();
    assert_eq!(fates, [("a", Fate::Lent), ("b", Fate::Taken)]);
    let done = house.engine().adopt().expect("adopted");
    assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("A1", "A1 bearer"));
    assert_one_holder(&house);
    let copy = done.copy.expect("a copy");
    assert_eq!(copy.parent(), house.world.root().parent());
    let kept = clauth_sandbox::world::snapshot(&copy).expect("a copy");
    let contents = |picture: &clauth_sandbox::Snapshot| {
        let file = |(name, entry): (&String, &clauth_sandbox::world::Entry)| match entry {
            clauth_sandbox::world::Entry::File(mode, bytes) => Some((name.clone(), bytes.clone(), mode & 0o077)),
            _ => None,
        };
        picture.iter().filter_map(file).map(|(name, bytes, _)| (name, bytes)).collect::<Vec<_>>()
    };
    assert_eq!(contents(&kept), contents(&before));
    for (name, entry) in &kept {
        let (clauth_sandbox::world::Entry::File(mode, _) | clauth_sandbox::world::Entry::Dir(mode)) = entry else {
            continue;
        };
        assert_eq!(mode & 0o077, 0, "{name} is open to others");
    }
    for name in ["clauthd.lock", "unheard-of.db", "profiles/b/session-token.json"] {
        assert!(house.world.root().join(name).exists(), "{name}");
        assert!(done.left.contains(&house.world.root().join(name)), "{name}");
    }
    house.switch("b");
    assert_eq!(house.engine().adopt().map(drop).expect_err("once").kind(), Kind::Nothing);
}

/// Name, whose, its base, what the profile has afterwards, what is live, and what went to the vault.
type Pending<'a> = (&'a str, &'a str, String, &'a str, &'a str, &'a [&'a str]);

/// The pair that came back last is the only one that works: it is put where the token that it was made from stands.
#[test]
fn a_staged_pair_is_landed_by_its_base() {
    let refresh = |family: &str| login(family).pair.refresh();
    let rows: [Pending<'_>; 4] = [
        ("of a parked login", "b", refresh("B"), "B2", "A1", &[]),
        ("of the live one", "a", refresh("A"), "A2", "A2", &[]),
        ("of another token", "b", "sk-ant-ort01-FAKE-OTHER".to_owned(), "B1", "A1", &["B2"]),
        ("of another token, live", "a", "sk-ant-ort01-FAKE-OTHER".to_owned(), "A1", "A1", &["A2"]),
    ];
    for (name, whose, base, stored, live, vault) in rows {
        for detached in [false, true] {
            let house = later("later-staged");
            stage(&house, whose, &next(&whose.to_uppercase()), &base);
            if detached {
                house.world.old_detach();
            }
            house.engine().adopt().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(house.world.live(), live, "{name}, {detached}");
            let has = if whose == "a" { house.loan("a") } else { house.slot("b") };
            assert_eq!(has, stored, "{name}, {detached}");
            assert_eq!(house.vault(), vault, "{name}, {detached}");
            assert!(!profile(&house, whose).join("credentials.json.staged").exists(), "{name}, {detached}");
            assert_one_holder(&house);
        }
    }
}

/// What this clauth made by looking there is its own, and nobody has to look into it.
#[test]
fn what_is_left_is_what_nobody_here_knows() {
    let house = later("later-left");
    let root = house.world.root();
    for name in ["incidents.json", "unknown.bin", "profiles/b/usage_history.old.jsonl", "profiles/b/theirs.json"] {
        std::fs::write(root.join(name), "{}").expect("a file");
    }
    let left = house.engine().adoptable().expect("a plan").left;
    let named: Vec<_> = left.iter().filter_map(|path| path.strip_prefix(&root).ok()?.to_str()).collect();
    assert!(named.contains(&"unknown.bin") && named.contains(&"profiles/b/theirs.json"), "{named:?}");
    assert!(!named.iter().any(|name| name.contains("incidents") || name.contains("usage")), "{named:?}");
}

#[test]
fn a_stage_that_nobody_understands_stays() {
    let house = later("later-odd");
    let path = profile(&house, "b").join("credentials.json.staged");
    std::fs::write(&path, "\u{1}\u{2}").expect("a stage");
    let done = house.engine().adopt().expect("adopted");
    assert!(path.exists() && done.left.contains(&path));
}

#[test]
fn used_up_tokens_are_taken_over_and_a_torn_record_counts_for_nothing_good() {
    let house = later("later-spent");
    let record = json!({"b": [hash(&login("B").pair.refresh())]});
    std::fs::write(house.world.root().join("auth.spent.json"), record.to_string()).expect("a record");
    let done = house.engine().adopt().expect("adopted");
    let said = |done: &Adoption| done.adoptees.iter().find(|one| one.name == "b").and_then(|one| one.note.clone());
    assert!(said(&done).is_some_and(|note| note.contains("used up")), "{:?}", done.adoptees);
    assert_eq!(house.try_switch("b").map(drop).expect_err("used up").kind(), Kind::DeadLogin);
    let listing = house.engine().list().expect("a list");
    assert!(listing.accounts[1].reason.as_deref().is_some_and(|reason| reason.contains("used up")));

    let house = later("later-torn");
    std::fs::write(profile(&house, "b").join("auth.spent.json"), "{\"b\": [").expect("a record");
    let done = house.engine().adopt().expect("adopted");
    assert!(said(&done).is_some_and(|note| note.contains("cannot be read")), "{:?}", done.adoptees);
    let listing = house.engine().list().expect("a list");
    assert_eq!(listing.accounts[1].state, State::Unknown);
    assert_eq!(house.try_switch("b").map(drop).expect_err("unknown").kind(), Kind::DeadLogin);
}

#[test]
fn a_login_in_a_dead_sessions_directory_is_kept() {
    let house = later("later-session");
    let tree = profile(&house, "b").join("runtime-4711");
    std::fs::create_dir(&tree).expect("a tree");
    std::fs::write(tree.join(".credentials.json"), next("B").credentials().to_string()).expect("a login");
    house.engine().adopt().expect("adopted");
    assert_eq!(house.vault(), ["B2"]);
    assert!(tree.join(".credentials.json").exists(), "what is unknown stays");
}

#[test]
fn a_disk_that_takes_no_copy_leaves_everything_as_it_was() {
    let house = later("later-full");
    let before = house.world.snapshot();
    let name = house.world.home().to_owned();
    let count = {
        let vfs = crate::house::counting();
        house.engine_on(std::sync::Arc::new(vfs.clone())).adopt().expect("works");
        crate::house::restore(&name, &before);
        vfs.effects().len()
    };
    for at in 1..=count.min(40) {
        let vfs = clauth_durable::vfs::FaultyVfs::failing(
            std::sync::Arc::new(crate::house::Unsynced(clauth_durable::vfs::RealVfs)),
            at,
            clauth_durable::vfs::Fault::Error(clauth_durable::vfs::Errno::NoSpace),
        );
        if house.engine_on(std::sync::Arc::new(vfs.clone())).adopt().is_err() {
            assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("A1", "A1"), "at {at}");
            assert!(!house.world.root().join("settings.toml").exists(), "at {at}");
        }
        crate::house::restore(&name, &before);
    }
}
