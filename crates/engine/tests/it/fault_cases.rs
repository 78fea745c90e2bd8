//! The commands of the fault sweep, and the homes that they are run in.

use std::sync::Arc;

use clauth_durable::vfs::Fault;
use clauth_engine::{Engine, Error, Options, Target};
use clauth_sandbox::Account;

use crate::faults::{Case, effects, faulty, next_command};
use crate::house::{House, restore};
use crate::keychain;
use crate::login::waiting;

pub(crate) fn switch_to_a(engine: &Engine) -> Result<(), Error> {
    engine.switch(Target::Named("a"), Options::default()).map(drop)
}

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "capture",
        house: fresh,
        act: |engine| engine.capture(Some("a"), false).map(drop),
        settles: false,
        tokens: &["A1"],
    },
    Case {
        name: "capture-second",
        house: second,
        act: |engine| engine.capture(Some("b"), false).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case { name: "switch", house: two, act: switch_to_a, settles: false, tokens: &["A1", "B1"] },
    Case { name: "switch-proven", house: proven, act: switch_to_a, settles: false, tokens: &["A1", "B1"] },
    Case { name: "switch-harvest", house: rotated, act: switch_to_a, settles: false, tokens: &["A1", "B2"] },
    Case { name: "switch-vault", house: stranger, act: switch_to_a, settles: false, tokens: &["A1", "B1", "C1"] },
    Case { name: "switch-bound", house: bound_to_both, act: switch_to_a, settles: false, tokens: &["A1", "B1"] },
    Case {
        name: "switch-vault-bound",
        house: bound_to_a_stranger,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B1", "C1"],
    },
    Case {
        name: "undo",
        house: switched,
        act: |engine| engine.undo(false).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "remove",
        house: two,
        act: |engine| engine.remove("a", false).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "rename",
        house: two,
        act: |engine| engine.rename("a", "c").map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "bind",
        house: two,
        act: |engine| engine.bind("a", &engine.host.home).map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "rename-bound",
        house: bound,
        act: |engine| engine.rename("a", "c").map(drop),
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case { name: "switch-waiting", house: waiting, act: switch_to_b, settles: false, tokens: &["A1", "B1", "BB1"] },
    Case {
        name: "switch-from-waiting",
        house: waiting,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B1", "BB1"],
    },
    Case {
        name: "remove-waiting",
        house: waiting,
        act: |engine| engine.remove("b", true).map(drop),
        settles: false,
        tokens: &["A1", "B1", "BB1"],
    },
    Case {
        name: "restore",
        house: vaulted,
        act: |engine| restore_as(engine, "c"),
        settles: false,
        tokens: &["A1", "B1", "C1"],
    },
    Case {
        name: "restore-over",
        house: displaced,
        act: |engine| restore_as(engine, "b"),
        settles: false,
        tokens: &["A1", "B1", "BB1"],
    },
    Case {
        name: "undo-vaulted",
        house: vaulted,
        act: |engine| engine.undo(false).map(drop),
        settles: false,
        tokens: &["A1", "B1", "C1"],
    },
    #[cfg(unix)]
    Case { name: "takeover", house: old, act: next_command, settles: true, tokens: &["A1", "B1"] },
    #[cfg(unix)]
    Case { name: "takeover-twins", house: old_twins, act: next_command, settles: true, tokens: &["A1", "B1"] },
    #[cfg(unix)]
    Case {
        name: "takeover-sessions",
        house: old_with_sessions,
        act: next_command,
        settles: true,
        tokens: &["A1", "B1"],
    },
    #[cfg(unix)]
    Case { name: "relinked", house: relinked, act: next_command, settles: true, tokens: &["A1", "B1"] },
    Case { name: "recover", house: interrupted, act: next_command, settles: true, tokens: &["A1", "B2"] },
];

/// The same where credentials are Keychain items.
pub(crate) const KEYCHAIN: &[Case] = &[
    Case {
        name: "keychain-capture",
        house: keychain::fresh,
        act: |engine| engine.capture(Some("a"), false).map(drop),
        settles: false,
        tokens: &["A1"],
    },
    Case { name: "keychain-switch", house: keychain::two, act: switch_to_a, settles: false, tokens: &["A1", "B1"] },
    Case {
        name: "keychain-harvest",
        house: keychain::rotated,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B2"],
    },
    Case {
        name: "keychain-beside",
        house: keychain::mirrored,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B1"],
    },
    Case {
        name: "keychain-vault",
        house: keychain::stranger,
        act: switch_to_a,
        settles: false,
        tokens: &["A1", "B1", "C1"],
    },
];

fn switch_to_b(engine: &Engine) -> Result<(), Error> {
    engine.switch(Target::Named("b"), Options::default()).map(drop)
}

fn restore_as(engine: &Engine, name: &str) -> Result<(), Error> {
    let id = engine.vault()?[0].id.clone();
    engine.restore(&id, Some(name)).map(drop)
}

/// C's login is in the vault, with a file that is bound to it.
fn vaulted() -> House {
    let house = two();
    house.sign_in(&Account::c());
    std::fs::write(house.world.claude_dir().join("policy-limits.json"), "{}").expect("a policy");
    house.switch("a");
    house
}

/// An earlier login of the parked b is in the vault.
fn displaced() -> House {
    let house = House::two_with_server("f-displaced");
    house.switch("a");
    house.sign_in(&Account::b());
    house.switch("a");
    house
}

fn bound() -> House {
    let house = two();
    let engine = house.engine();
    engine.bind("a", &engine.host.home).expect("a binding");
    house
}

fn fresh() -> House {
    let house = House::new("f-fresh");
    house.sign_in(&Account::a());
    house
}

fn second() -> House {
    let house = fresh();
    house.capture("a");
    house.sign_in(&Account::b());
    house
}

fn two() -> House {
    House::two("f-two")
}

fn proven() -> House {
    House::two_with_server("f-proven")
}

fn rotated() -> House {
    let house = House::two_with_server("f-rotated");
    house.world.claude().rotate_offline();
    house
}

fn stranger() -> House {
    let house = two();
    house.sign_in(&Account::c());
    house
}

/// What the live account has: a file that is bound to it (S4), a key that somebody gave, and a cache.
fn bind_to_live(house: &House, whose: &str) {
    std::fs::write(house.world.claude_dir().join("policy-limits.json"), whose).expect("a policy");
    house.world.edit_json(&house.world.state_path(), |state| {
        state.insert("primaryApiKey".into(), format!("sk-ant-api03-FAKE-{whose}").into());
        state.insert("modelAccessCache".into(), whose.into());
    });
}

/// b is live, and something is bound to either account.
fn bound_to_both() -> House {
    let house = two();
    house.switch("a");
    bind_to_live(&house, "a");
    house.switch("b");
    bind_to_live(&house, "b");
    house
}

fn bound_to_a_stranger() -> House {
    let house = bound_to_both();
    house.sign_in(&Account::c());
    bind_to_live(&house, "c");
    house
}

fn switched() -> House {
    let house = proven();
    house.switch("a");
    house
}

/// A tree of version 0.4.0, with the modes that clauth gives it before anything else.
#[cfg(unix)]
fn old() -> House {
    let house = House::new("f-old");
    house.sign_in(&Account::a());
    house.world.old_tree(&crate::old_tree::logins(&[("a", "A"), ("b", "B")]), Some("a"));
    tight(house)
}

#[cfg(unix)]
fn old_twins() -> House {
    let house = House::new("f-old-twins");
    house.world.old_tree(&crate::old_tree::logins(&[("a", "A"), ("b", "B"), ("c", "A")]), Some("a"));
    tight(house)
}

/// A tree in which sessions that have ended left their directory.
#[cfg(unix)]
fn old_with_sessions() -> House {
    let house = old();
    let tree = house.world.root().join("profiles/a/runtime");
    std::fs::create_dir(&tree).expect("a tree");
    tight(house)
}

/// A running 0.4.0 has switched to a, after the tree was taken over.
#[cfg(unix)]
fn relinked() -> House {
    let house = two();
    // Its own switch leaves whoever is named there; here nobody is, so that each moment can be looked at.
    house.world.edit_json(&house.world.state_path(), |state| {
        state.remove("oauthAccount");
    });
    house.world.old_store("b", &crate::old_tree::login("B"));
    house.world.old_link("a");
    house.world.old_mark("a");
    tight(house)
}

#[cfg(unix)]
fn tight(house: House) -> House {
    fn each(path: &std::path::Path) {
        use std::os::unix::fs::PermissionsExt as _;
        for entry in std::fs::read_dir(path).expect("a directory").flatten() {
            let is_dir = entry.file_type().expect("a kind").is_dir();
            if entry.file_type().expect("a kind").is_symlink() {
                continue;
            }
            let mode = if is_dir { 0o700 } else { 0o600 };
            std::fs::set_permissions(entry.path(), std::fs::Permissions::from_mode(mode)).expect("own file");
            if is_dir {
                each(&entry.path());
            }
        }
    }
    each(&house.world.root());
    house
}

/// A switch killed right after the credential was swapped in. Its locks are gone, as after a restart of the machine: a
/// lock is known by its time, which does not survive the many times that this home is put back.
fn interrupted() -> House {
    let house = rotated();
    let count = effects(&house, switch_to_a);
    let picture = house.world.snapshot();
    let found = (1..=count).rev().any(|at| {
        restore(house.world.home(), &picture);
        let _ = switch_to_a(&house.engine_on(Arc::new(faulty(at, Fault::Kill))));
        house.world.live() == "A1" && house.loan("b") == "B2"
    });
    assert!(found, "no such moment");
    house.unlock();
    house
}
