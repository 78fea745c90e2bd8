//! What the history says of a change that was interrupted: `undo` and `switch -` go by it (W8, W9).

use std::sync::Arc;

use clauth_durable::vfs::{Fault, FaultyVfs, RealVfs};
use clauth_engine::{Engine, Error, Options, Target};
use clauth_host::Secret;
use clauth_sandbox::{Account, is_wine, swept};

use crate::fault_cases::switch_to_a;
use crate::faults::Act;
use crate::house::{House, Unsynced, counting, restore};

/// A change, and what has to be possible once it stands.
struct Case {
    name: &'static str,
    house: fn() -> House,
    act: Act,
    /// The live login when it stands.
    done: &'static str,
    /// The events that it adds, but for what a recovery says of itself.
    tells: &'static [&'static str],
    /// What `switch -` then goes to.
    previous: Option<&'static str>,
    /// The live login after an `undo` then.
    undone: Option<&'static str>,
}

const CASES: &[Case] = &[
    Case {
        name: "switch",
        house: || House::two("r-switch"),
        act: switch_to_a,
        done: "A1",
        tells: &["switch"],
        previous: Some("b"),
        undone: Some("B1"),
    },
    Case {
        name: "switch-harvest",
        house: || {
            let house = House::two_with_server("r-harvest");
            house.world.claude().rotate_offline();
            house
        },
        act: switch_to_a,
        done: "A1",
        tells: &["harvest", "switch"],
        previous: Some("b"),
        undone: Some("B2"),
    },
    Case {
        name: "switch-vault",
        house: || {
            let house = House::two("r-vault");
            house.sign_in(&Account::c());
            house
        },
        act: switch_to_a,
        done: "A1",
        tells: &["vault", "switch"],
        previous: None,
        undone: Some("C1"),
    },
    Case { name: "undo", house: switched, act: undo, done: "B1", tells: &["undo"], previous: Some("a"), undone: None },
    Case {
        name: "undo-vault",
        house: || {
            let house = House::two("r-undo-vault");
            house.sign_in(&Account::c());
            house.switch("a");
            house
        },
        act: undo,
        done: "C1",
        tells: &["undo"],
        previous: Some("a"),
        undone: None,
    },
];

fn switched() -> House {
    let house = House::two("r-undo");
    house.switch("a");
    house
}

fn undo(engine: &Engine) -> Result<(), Error> {
    engine.undo(false).map(drop)
}

/// The least acting command.
fn next(engine: &Engine) {
    engine.order("b", 2).expect("an acting command");
}

fn killing(at: usize) -> Arc<FaultyVfs> {
    Arc::new(FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, Fault::Kill))
}

fn effects(house: &House, act: Act) -> usize {
    let picture = house.world.snapshot();
    let vfs = counting();
    act(&house.engine_on(Arc::new(vfs.clone()))).expect("works without faults");
    restore(house.world.home(), &picture);
    vfs.effects().len()
}

/// The words of all events so far, in order.
fn told(house: &House) -> Vec<String> {
    let events = house.engine().why(None, usize::MAX).expect("a history");
    events.into_iter().filter(|event| event.event != "settle").map(|event| event.event).collect()
}

/// That the history says of a change what is so, and that what goes by the history works.
fn assert_told(house: &House, case: &Case, before: &[String], at: &str) {
    let stands = house.world.live() == case.done;
    let mut expected = before.to_vec();
    if stands {
        expected.extend(case.tells.iter().map(|word| (*word).to_owned()));
    }
    let now = told(house);
    if stands || !case.tells.contains(&"harvest") {
        assert_eq!(now, expected, "{at}");
    }
    if stands {
        assert_eq!(house.engine().previous().ok().as_deref(), case.previous, "{at}: switch -");
        let undone = house.engine().undo(false).map(|_| house.world.live());
        assert_eq!(undone.as_deref().ok(), case.undone, "{at}: undo: {undone:?}");
    }
}

#[test]
fn a_change_that_was_killed_and_stands_is_in_the_history() {
    std::thread::scope(|scope| CASES.iter().for_each(|case| drop(scope.spawn(|| killed_anywhere(case)))));
}

fn killed_anywhere(case: &Case) {
    let house = (case.house)();
    let (start, before) = (house.world.snapshot(), told(&house));
    let (mut stood, mut count) = (0, effects(&house, case.act));
    for at in swept(1..=count) {
        let _ = (case.act)(&house.engine_on(killing(at)));
        next(&house.engine());
        stood += usize::from(house.world.live() == case.done);
        assert_told(&house, case, &before, &format!("{}: killed at {at}", case.name));
        restore(house.world.home(), &start);
    }
    let enough = if is_wine() { 1 } else { 10 };
    assert!(stood > enough, "{}: it stood {stood} times", case.name);
    // And the recovery itself is killed anywhere, of a change whose credential has just been swapped in.
    let swapped = (1..=count).find(|at| {
        restore(house.world.home(), &start);
        let _ = (case.act)(&house.engine_on(killing(*at)));
        house.world.live() == case.done
    });
    assert!(swapped.is_some(), "{}: no such moment", case.name);
    house.unlock();
    let middle = house.world.snapshot();
    count = effects(&house, |engine| engine.order("b", 2).map(drop));
    for at in swept(1..=count) {
        let vfs = killing(at);
        let _ = house.engine_on(vfs.clone()).order("b", 2);
        house.let_it_go_stale(&format!("{:?}", vfs.effects().get(at - 1)));
        next(&house.engine());
        assert_told(&house, case, &before, &format!("{}: its recovery killed at {at}", case.name));
        restore(house.world.home(), &middle);
    }
}

#[test]
fn a_command_that_names_a_profile_finishes_first_what_was_interrupted() {
    let house = House::two("r-names");
    let rename: Act = |engine| engine.rename("a", "c").map(drop);
    let (start, count) = (house.world.snapshot(), effects(&house, rename));
    for at in 1..=count {
        for (name, is_new) in [("a", false), ("c", true)] {
            let vfs = killing(at);
            let _ = rename(&house.engine_on(vfs.clone()));
            house.let_it_go_stale(&format!("{:?}", vfs.effects().get(at - 1)));
            let switched = house.engine().switch(Target::Named(name), Options::default());
            let engine = house.engine();
            assert!(engine.list().expect("a list").unfinished.is_none(), "killed at {at}, switch {name}");
            let renamed = engine.names().expect("names").contains(&"c".to_owned());
            assert_eq!(switched.is_ok(), renamed == is_new, "killed at {at}, switch {name}: {:?}", switched.err());
            assert_eq!(told(&house).contains(&"rename".to_owned()), renamed, "killed at {at}, switch {name}");
            restore(house.world.home(), &start);
        }
    }
}

#[test]
fn a_removal_that_was_killed_tells_where_the_login_is() {
    let house = switched();
    house.switch("b");
    let remove: Act = |engine| engine.remove("a", false).map(drop);
    let (start, count) = (house.world.snapshot(), effects(&house, remove));
    for at in 1..=count {
        let _ = remove(&house.engine_on(killing(at)));
        let asked = house.engine().removable("a", false);
        let engine = house.engine();
        let stands = engine.names().expect("names").contains(&"a".to_owned());
        assert_eq!(asked.is_ok(), stands, "killed at {at}");
        let events = engine.why(Some("a"), usize::MAX).expect("a history");
        let removed: Vec<_> = events.iter().filter(|event| event.event == "remove").collect();
        assert_eq!(removed.len(), usize::from(!stands), "killed at {at}");
        if let [event] = removed.as_slice() {
            let id = event.vault.as_deref().unwrap_or_default();
            assert!(engine.vaulted(id).is_ok(), "killed at {at}: {id:?} is not in the vault");
        }
        restore(house.world.home(), &start);
    }
}

/// What is not about who is live, and the profile that its journal names.
const BESIDE: &[(&str, Act)] = &[
    ("order", |engine| engine.order("e", 1).map(drop)),
    ("add", |engine| engine.add("d", "https://d.example", &Secret::new("sk-FAKE-D")).map(drop)),
    ("config", |engine| engine.set("env.X", "1", Some("e")).map(drop)),
    ("purge", |engine| engine.purge(&engine.vault()?[0].id).map(drop)),
];

/// C's login is in the vault, `e` is an endpoint, and the live login, b's, is gone.
fn without_a_login(name: &str) -> House {
    let house = crate::endpoint::with_endpoint(name);
    house.sign_in(&Account::c());
    house.switch("b");
    std::fs::remove_file(house.world.credentials_path()).expect("a login");
    house
}

/// L3: a home without a login displaces nothing. Should its file come back, what Claude Code renewed there is in it.
#[test]
fn an_interrupted_change_beside_takes_no_loan_home_and_goes_to_no_endpoint() {
    let house = without_a_login("r-missing");
    let live = std::fs::read_to_string(house.world.claude_dir().join("settings.json")).unwrap_or_default();
    let start = house.world.snapshot();
    for (name, act) in BESIDE {
        for at in 1..=effects(&house, *act) {
            let _ = act(&house.engine_on(killing(at)));
            next(&house.engine());
            let told = format!("{name}: killed at {at}");
            assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()), "{told}");
            let settings = std::fs::read_to_string(house.world.claude_dir().join("settings.json")).unwrap_or_default();
            assert_eq!(settings, live, "{told}: no endpoint");
            restore(house.world.home(), &start);
        }
    }
}

/// The same of a switch: what was on its way in comes back, and every other loan stands.
#[test]
fn an_interrupted_switch_into_a_home_without_a_login_takes_back_only_its_own_loan() {
    let house = without_a_login("r-empty");
    let (start, mut returned) = (house.world.snapshot(), 0);
    for at in 1..=effects(&house, switch_to_a) {
        let _ = switch_to_a(&house.engine_on(killing(at)));
        let lent = house.loan("a") == "A1";
        next(&house.engine());
        if house.world.live() != "A1" {
            assert_eq!((house.loan("a"), house.slot("a")), ("none".into(), "A1".into()), "killed at {at}");
            assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()), "killed at {at}");
            returned += usize::from(lent);
        }
        restore(house.world.home(), &start);
    }
    assert!(returned > 0, "it was never lent for nothing");
}
