//! The fault sweep: every command, with every fault at every effect that it has on the disk.
//!
//! After an error each byte is as before. After a kill every file parses, every refresh token is still on disk, no account
//! is named that is not live, and the next acting command ends in one of the two states.

use std::sync::Arc;

use clauth_durable::vfs::{Errno, Fault, FaultyVfs, RealVfs};
use clauth_engine::{Engine, Error};
use clauth_sandbox::swept;
use clauth_sandbox::world::{Entry, Snapshot, holders};

use crate::custody::{assert_one_holder_when, is_shared};
use crate::fault_cases::{CASES, KEYCHAIN};
use crate::house::{House, Unsynced, counting, restore};

pub(crate) type Act = fn(&Engine) -> Result<(), Error>;

/// One command, and the home that it is run in.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) house: fn() -> House,
    pub(crate) act: Act,
    /// The command settles something first, which stands even when the command itself fails.
    pub(crate) settles: bool,
    /// Refresh tokens that must be on disk at every moment.
    pub(crate) tokens: &'static [&'static str],
}

/// The least acting command: it finishes what was interrupted and changes nothing itself.
pub(crate) fn next_command(engine: &Engine) -> Result<(), Error> {
    let Some(name) = engine.names()?.first().cloned() else { return engine.capture(Some("a"), false).map(drop) };
    match engine.order(&name, 1) {
        // What was interrupted was its removal or its renaming.
        Err(Error::NoProfile { .. }) => Ok(()),
        result => result.map(drop),
    }
}

pub(crate) fn faulty(at: usize, fault: Fault) -> FaultyVfs {
    FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, fault)
}

pub(crate) fn effects(house: &House, act: Act) -> usize {
    let picture = house.world.snapshot();
    let vfs = counting();
    act(&house.engine_on(Arc::new(vfs.clone()))).expect("works without faults");
    restore(house.world.home(), &picture);
    vfs.effects().len()
}

/// Without lock files and leftovers of ours that are no one's content.
fn contents(picture: &Snapshot) -> Snapshot {
    let mut picture = picture.clone();
    picture.retain(|path, _| {
        // What is counted, or tried for, is no change of anything.
        !path.starts_with(".clauth/locks")
            && !path.starts_with(".clauth/poll")
            && path != ".clauth/.lock"
            && !matches!(path.as_str(), ".clauth/profiles" | ".clauth/journal" | ".clauth/vault")
    });
    picture
}

/// The journal of a switch that did not come to its first step.
const NOTHING_DONE: &str =
    r#"{"schema":1,"done":"switch","from":null,"to":null,"at":"2026-11-20T10:00:00Z","tokens":[],"temps":[]}"#;

/// All cases at once, each in a home of its own: most of the time goes into waiting for the disk.
fn every_case(cases: &[Case], check: impl Fn(&Case) + Sync) {
    let only = std::env::var("CASE").ok();
    let cases = cases.iter().filter(|case| only.as_ref().is_none_or(|only| case.name.contains(only.as_str())));
    std::thread::scope(|scope| cases.for_each(|case| drop(scope.spawn(|| check(case)))));
}

#[test]
fn an_error_anywhere_changes_nothing() {
    assert_errors_change_nothing(CASES);
}

#[test]
fn an_error_anywhere_around_an_item_changes_nothing() {
    assert_errors_change_nothing(KEYCHAIN);
}

pub(crate) fn assert_errors_change_nothing(cases: &[Case]) {
    every_case(cases, |case| {
        if case.name == "recover" {
            return;
        }
        let house = (case.house)();
        let before = house.world.snapshot();
        let count = effects(&house, case.act);
        let after = {
            (case.act)(&house.engine()).expect("works");
            let picture = house.picture();
            restore(house.world.home(), &before);
            picture
        };
        for at in swept(1..=count) {
            for fault in [Errno::NoSpace, Errno::Io, Errno::Access, Errno::ReadOnly, Errno::Busy]
                .map(Fault::Error)
                .into_iter()
                .chain([Fault::ShortWrite])
            {
                let vfs = faulty(at, fault);
                let result = (case.act)(&house.engine_on(Arc::new(vfs.clone())));
                let told = format!("{}: {fault:?} at {at} of {count}: {:?}", case.name, vfs.effects().get(at - 1));
                if result.is_ok() {
                    assert_eq!(house.picture(), after, "{told}: done");
                } else if case.settles && house.picture() == after {
                    // What was due before the command itself stands; the command failed.
                } else {
                    let changes =
                        clauth_sandbox::world::changes(&contents(&before), &contents(&house.world.snapshot()));
                    assert_eq!(
                        changes,
                        Vec::<String>::new(),
                        "{told}: {:?}",
                        result.err().map(|error| error.to_string())
                    );
                }
                restore(house.world.home(), &before);
            }
        }
    });
}

#[test]
fn a_kill_anywhere_is_finished_by_the_next_command() {
    assert_kills_are_finished(CASES);
}

#[test]
fn a_kill_anywhere_around_an_item_is_finished_by_the_next_command() {
    assert_kills_are_finished(KEYCHAIN);
}

pub(crate) fn assert_kills_are_finished(cases: &[Case]) {
    every_case(cases, |case| {
        let house = (case.house)();
        let before = house.world.snapshot();
        let shared = is_shared(&house);
        let count = effects(&house, case.act);
        // What recovery makes of the home before and after is what counts as the two states.
        let settled = |house: &House| next_command(&house.engine()).map(|()| house.picture());
        let start = settled(&house).expect("works");
        restore(house.world.home(), &before);
        // Finishing an interrupted command settles: what was renewed or displaced before it began is brought home.
        let journal = house.world.root().join("journal");
        let _ = std::fs::create_dir(&journal);
        std::fs::write(journal.join("open.json"), NOTHING_DONE).expect("a journal");
        let brought_home = settled(&house).expect("works");
        restore(house.world.home(), &before);
        (case.act)(&house.engine()).expect("works");
        let end = house.picture();
        restore(house.world.home(), &before);
        for at in swept(1..=count) {
            let vfs = faulty(at, Fault::Kill);
            let _ = (case.act)(&house.engine_on(Arc::new(vfs.clone())));
            let told = format!("{}: killed at {at} of {count}: {:?}", case.name, vfs.effects().get(at - 1));
            assert_intact(&house, case, &told);
            if !shared {
                assert_one_holder_when(&house, &told);
            }
            house.let_it_go_stale(&told);
            let now = settled(&house);
            assert!(now.is_ok(), "{told}: {:?}", now.err().map(|error| error.to_string()));
            let now = now.unwrap_or_default();
            let same = |state: &Vec<String>| comparable(state) == comparable(&now);
            assert!(
                same(&start) || same(&brought_home) || same(&end),
                "{told}\nnow   {now:#?}\nstart {start:#?}\nend   {end:#?}"
            );
            assert_intact(&house, case, &told);
            assert_one_holder_when(&house, &told);
            assert_tidy(&house, &told);
            restore(house.world.home(), &before);
        }
    });
}

/// Without the identity: it is hidden first, and only a proven one is shown again. That it never names another account is
/// asserted apart.
fn comparable(picture: &[String]) -> Vec<&String> {
    picture.iter().filter(|line| !line.starts_with("identity")).collect()
}

fn assert_intact(house: &House, case: &Case, told: &str) {
    for path in [house.world.dirs().stored(), house.world.state_path(), house.world.claude_dir().join("settings.json")]
    {
        assert!(house.world.read_json(&path).is_object(), "{told}: {} does not parse", path.display());
    }
    let picture = house.world.snapshot();
    for token in case.tokens {
        assert!(!holders(&picture, &format!("sk-ant-ort01-FAKE-{token}")).is_empty(), "{told}: {token} is lost");
    }
    let (live, identity) = (house.world.live(), house.world.identity());
    assert!(identity == "none" || live.starts_with(&identity), "{told}: {live} is live, but {identity} is named");
}

fn assert_tidy(house: &House, told: &str) {
    for (path, entry) in house.world.snapshot() {
        // What a killed count leaves goes by age: no journal names it.
        let counted = path.starts_with(".clauth/poll/");
        let leftover = (path.contains(".clauth-") && !counted) || path.ends_with("journal/open.json");
        let lock = matches!(entry, Entry::Dir(_)) && path.ends_with(".lock");
        assert!(!leftover && !lock, "{told}: {path} is left behind");
    }
}
