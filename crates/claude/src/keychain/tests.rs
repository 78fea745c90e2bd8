//! The keychain against a tool that is a program of its own: well-behaved, locked, hanging, truncating and lying.

#![expect(clippy::disallowed_methods, reason = "tests arrange and inspect a throw-away home by hand")]

use std::sync::Arc;
use std::time::Duration;

use clauth_durable::{Batch, Change, CommitError, Disk, Items, Manner};
use clauth_host::{Clock, Env, Host, Random};
use clauth_sandbox::World;

use super::Keychain;

const NAME: &str = "Claude Code-credentials";
const TEXT: &str = r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","refreshToken":"sk-ant-ort01-FAKE-A1"}}"#;

fn world(name: &str) -> World {
    let world = World::new(name);
    world.with_keychain();
    world
}

fn host(world: &World) -> Host {
    Host::from_env(world.env(None).into_iter().collect::<Env>()).expect("a host")
}

fn keychain(world: &World) -> Keychain {
    Keychain::of(&host(world)).expect("a keychain")
}

fn disk(world: &World) -> Disk {
    Disk::new(Clock::system(), Random::system()).with_items(Arc::new(keychain(world)))
}

#[test]
fn an_item_is_made_read_replaced_and_removed() {
    let world = world("kc-plain");
    let keychain = keychain(&world);
    assert_eq!(keychain.read(NAME).expect("an answer"), None, "not there");
    assert!(!keychain.remove(NAME).expect("an answer"), "nothing to remove");
    let long = format!("{{\"mcpOAuth\":\"{}\"}}", "x".repeat(5000));
    for (name, text) in
        [("a line", TEXT), ("long", &long), ("not printable", "{\n\"caf\u{e9}\": 1}\n"), ("short", "{}")]
    {
        keychain.write(NAME, text.as_bytes()).expect("written");
        let read = keychain.read(NAME).expect("an answer").expect("there");
        assert_eq!(String::from_utf8_lossy(&read), text, "{name}");
    }
    let age = Clock::system().file_now().duration_since(keychain.modified(NAME).expect("an answer").expect("a time"));
    assert!(age.abs() < jiff::SignedDuration::from_mins(1), "{age}");
    assert!(keychain.remove(NAME).expect("removed"));
    assert_eq!(keychain.read(NAME).expect("an answer"), None);
    assert_eq!(keychain.modified(NAME).expect("an answer"), None);
}

#[test]
fn a_secret_that_fits_a_line_is_in_no_argument_and_an_account_is_always_given() {
    let world = world("kc-argv");
    let keychain = keychain(&world);
    // 4096 bytes with the words around it: the longest that goes the silent way.
    let around = format!("add-generic-password -U -a \"tester\" -s \"{NAME}\" -X \"\"\n").len();
    let longest = "y".repeat((4096 - around) / 2);
    for text in [TEXT, &longest] {
        keychain.write(NAME, text.as_bytes()).expect("written");
        assert_eq!(keychain.read(NAME).expect("an answer"), Some(text.as_bytes().to_vec()));
    }
    let calls = world.keychain_calls();
    assert_eq!(calls.iter().filter(|call| *call == "-i").count(), 2, "{calls:?}");
    assert!(calls.iter().filter(|call| *call != "-i").all(|call| call.contains("-a tester")), "{calls:?}");
    assert!(calls.iter().all(|call| !call.contains("FAKE") && !call.contains("7979")), "{calls:?}");
}

#[test]
fn what_cannot_be_reached_is_an_error_and_never_an_absence() {
    for (mode, says) in [("locked", "exit 36"), ("denied", "exit 51")] {
        let world = world("kc-shut");
        let keychain = keychain(&world);
        keychain.write(NAME, TEXT.as_bytes()).expect("written");
        world.keychain_mode(mode);
        let trouble = keychain.read(NAME).expect_err("no answer");
        assert!(trouble.why.contains(says) && !trouble.why.contains("FAKE"), "{mode}: {}", trouble.why);
        assert!(keychain.write(NAME, b"{}").is_err() && keychain.remove(NAME).is_err(), "{mode}");
    }
    let world = world("kc-none");
    std::fs::remove_file(world.home().join("bin/security")).expect("removed");
    let mut env = world.env(None);
    env.push(("CLAUTH_CREDENTIALS".into(), "keychain".into()));
    let host = |env: &[(std::ffi::OsString, std::ffi::OsString)]| {
        Host::from_env(env.iter().cloned().collect::<Env>()).expect("a host")
    };
    let unnamed = Keychain::of(&host(&env)).expect("a keychain");
    let trouble = unnamed.read(NAME).expect_err("a sandbox never asks the real one");
    assert!(trouble.why.contains("CLAUTH_SECURITY"), "{}", trouble.why);
    env.push(("CLAUTH_SECURITY".into(), world.home().join("bin/nothing").into()));
    assert!(Keychain::of(&host(&env)).expect("a keychain").read(NAME).is_err(), "a tool that is not there");
}

#[test]
fn a_tool_that_hangs_is_killed_at_its_deadline() {
    let world = world("kc-hang");
    world.keychain_mode("hang");
    let host = host(&world);
    let tool = super::Tool::new(world.home().join("bin/security"), &host);
    let began = host.clock.monotonic();
    let ended = tool.run(&["find-generic-password"], None, Duration::from_millis(300), &host.clock);
    let took = host.clock.monotonic() - began;
    assert!(ended.is_err_and(|trouble| trouble.why.contains("in time")));
    assert!(took >= Duration::from_millis(300) && took < Duration::from_secs(30), "{took:?}");
}

/// A change of the item by way of a batch, as a switch makes it.
fn change(world: &World, before: Option<&str>, after: Option<&str>) -> Result<(), CommitError> {
    let disk = disk(world);
    let bytes = |text: &str| text.as_bytes().to_vec();
    let change = Change {
        path: clauth_durable::item_path(NAME),
        before: before.map(bytes),
        after: after.map(bytes),
        manner: Manner::Credential,
    };
    let mut batch = Batch::plan(&disk, &world.root(), "t", vec![change]).map_err(CommitError::Failed)?;
    batch.stage().map_err(CommitError::Failed)?;
    batch.commit(&mut || Ok(()))?;
    assert!(batch.finish(), "nothing is left");
    Ok(())
}

#[test]
fn a_change_is_believed_only_after_it_was_read_back() {
    let other = TEXT.replace("A1", "B1");
    for mode in ["lie", "truncate", "refuse-write"] {
        let world = world("kc-batch");
        keychain(&world).write(NAME, TEXT.as_bytes()).expect("written");
        world.keychain_mode(mode);
        let failed = change(&world, Some(TEXT), Some(&other));
        // Where not even the former bytes can be put back they lie in a file of ours.
        match failed {
            Err(CommitError::Failed(_)) => {
                assert_eq!(keychain(&world).read(NAME).expect("an answer"), Some(TEXT.as_bytes().to_vec()), "{mode}");
            }
            Err(CommitError::Stuck { left, .. }) => {
                assert_eq!(mode, "truncate");
                assert_eq!(std::fs::read_to_string(&left[0]).expect("kept"), TEXT);
            }
            Err(CommitError::Moved { .. }) | Ok(()) => panic!("{mode}: not told"),
        }
    }
}

#[test]
fn a_change_of_an_item_that_is_no_longer_what_it_was_does_nothing() {
    let world = world("kc-moved");
    let other = TEXT.replace("A1", "B1");
    keychain(&world).write(NAME, other.as_bytes()).expect("written");
    for before in [Some(TEXT), None] {
        let moved = change(&world, before, Some("{}"));
        assert!(matches!(moved, Err(CommitError::Moved { .. })), "{before:?}");
        assert_eq!(keychain(&world).read(NAME).expect("an answer"), Some(other.clone().into_bytes()));
    }
    change(&world, Some(&other), None).expect("removed");
    change(&world, None, Some(TEXT)).expect("made");
    assert_eq!(keychain(&world).read(NAME).expect("an answer"), Some(TEXT.as_bytes().to_vec()));
}
