//! In which order locks are taken, and that none is held while the network is asked (K1, K3), but for those of a renewal (R3).

use std::sync::Arc;

use clauth_engine::{Engine, Error, Need, Options, Target};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account, Refreshed, Reply, Route};

use crate::fault_cases::switch_to_a;
use crate::faults::Act;
use crate::house::{House, counting};

/// Every lock directory that stands, by its path in the home.
fn standing(house: &House) -> Vec<String> {
    let mut found: Vec<String> = house.world.snapshot().into_keys().filter(|path| is_lock(path)).collect();
    found.retain(|path| house.world.home().join(path).is_dir());
    found
}

fn is_lock(path: &str) -> bool {
    let ours = path.strip_prefix(".clauth/locks/").is_some_and(|name| !name.starts_with("held"));
    ours && !path.ends_with(".lock") || !path.starts_with(".clauth/") && path.ends_with(".lock")
}

/// K1: the refresh locks by name, the state lock, then Claude Code's from the outermost to the innermost.
#[test]
fn locks_are_taken_in_one_order() {
    let house = House::two("l-order");
    let vfs = counting();
    switch_to_a(&house.engine_on(Arc::new(vfs.clone()))).expect("a switch");
    let made = vfs.effects().into_iter().filter(|effect| effect.name == "create_dir");
    let paths =
        made.filter_map(|effect| Some(effect.path.strip_prefix(house.world.home()).ok()?.display().to_string()));
    let mut taken: Vec<String> = paths.map(|path| path.replace('\\', "/")).filter(|path| is_lock(path)).collect();
    // What is taken before is taken alone: the count of requests, the making of a tree.
    let first = taken.iter().position(|path| path.contains("refresh-")).expect("a refresh lock");
    taken.drain(..first);
    let expected = [
        ".clauth/locks/refresh-a",
        ".clauth/locks/refresh-b",
        ".clauth/locks/state",
        ".claude/.oauth_refresh.lock",
        ".claude.lock",
        ".claude/.storage-write.lock",
        ".claude.json.lock",
    ];
    assert_eq!(taken, expected);
    assert_eq!(standing(&house), Vec::<String>::new(), "all are released");
}

/// K3: whoever waits for an answer holds nobody up.
#[test]
fn no_lock_is_held_while_the_server_is_asked() {
    let cases: [(&str, Act); 6] = [
        ("switch", switch_to_a),
        ("switch --verify", |engine| {
            let options = Options { verify: true, ..Options::default() };
            engine.switch(Target::Named("a"), options).map(drop)
        }),
        ("capture", |engine| engine.capture(Some("c"), false).map(drop)),
        ("remove", |engine| engine.remove("a", false).map(drop)),
        ("recovery", |engine| engine.order("b", 1).map(drop)),
        ("restore", restore),
    ];
    std::thread::scope(|scope| {
        for (name, act) in cases {
            scope.spawn(move || asks_without_locks(name, act));
        }
    });
}

fn restore(engine: &Engine) -> Result<(), Error> {
    let id = engine.vault()?[0].id.clone();
    engine.restore(&id, Some("d")).map(drop)
}

fn asks_without_locks(name: &str, act: Act) {
    let house = House::two_with_server("l-asks");
    if name == "restore" {
        // Displaced while nobody could be asked, so it is asked about now.
        house.sign_in(&Account::c());
        let server = house.server.as_ref().expect("a server");
        server.script(Route::Profile, vec![Reply::status(503), Reply::status(503), Reply::status(503)]);
        house.switch("a");
        server.unscript(Route::Profile);
    } else {
        house.sign_in(&Account::c());
    }
    if name == "recovery" {
        let journal = house.world.root().join("journal");
        std::fs::create_dir_all(&journal).expect("a directory");
        let open =
            r#"{"schema":1,"done":"switch","from":null,"to":null,"at":"2026-11-20T10:00:00Z","tokens":[],"temps":[]}"#;
        std::fs::write(journal.join("open.json"), open).expect("a journal");
    }
    let gate = Gate::new();
    house.server.as_ref().expect("a server").script(Route::Profile, vec![Reply::Wait(gate.clone())]);
    std::thread::scope(|scope| {
        let engine = house.engine();
        let running = scope.spawn(move || act(&engine).map_err(|error| error.to_string()));
        let reached = gate.is_reached();
        let held = standing(&house);
        gate.open();
        assert!(reached, "{name}: the server is asked");
        assert_eq!(held, Vec::<String>::new(), "{name}: held while it waits");
        assert_eq!(running.join().expect("no panic"), Ok(()), "{name}");
    });
}

/// R3: who renews a login that sits in a home holds that home's two refresh locks until the new pair is there, so no `claude`
/// sends the same token meanwhile.
#[test]
fn a_renewal_in_a_home_holds_its_refresh_locks_until_the_pair_is_there() {
    let house = House::two_with_server("l-renews");
    let server = house.server.as_ref().expect("a server");
    let gate = Gate::new();
    server.script(Route::Token, vec![Reply::Wait(gate.clone())]);
    let vfs = counting();
    let engine = house.engine_on(Arc::new(vfs.clone()));
    std::thread::scope(|scope| {
        let running = scope.spawn(|| engine.refresh("b", &Need::default()).map_err(|error| error.to_string()));
        let reached = gate.is_reached();
        let held = standing(&house);
        let theirs = house.world.claude().on(server).patient(clauth_sandbox::claude::Patience::NONE).refresh_now();
        gate.open();
        assert!(reached, "the server is asked");
        assert_eq!(held, [".claude.lock", ".claude/.oauth_refresh.lock", ".clauth/locks/refresh-b"]);
        assert!(matches!(theirs, Refreshed::Busy(_)), "{theirs:?}");
        assert!(running.join().expect("no panic").expect("renewed").renewed);
    });
    let effects = vfs.effects();
    let last = |name: &str, below: &str| {
        let path = house.world.home().join(below);
        effects.iter().rposition(|effect| effect.name == name && effect.path.starts_with(&path))
    };
    let there = effects.iter().rposition(|effect| {
        matches!(effect.name, "exchange" | "rename") && effect.path.parent() == Some(&house.world.claude_dir())
    });
    for lock in [".claude/.oauth_refresh.lock", ".claude.lock"] {
        assert!(there.is_some() && there < last("remove_dir", lock), "{lock} is released before the pair is there");
    }
    assert_eq!((house.world.live().as_str(), standing(&house)), ("B2", Vec::new()));
    server.assert_clean();
}
