//! Refreshes: locks, the re-read, the compare-and-swap, the dead marker.

use std::time::Duration;

use serde_json::json;

use super::common::{expired, names};
use crate::claude::*;
use crate::server::Gate;
use crate::{Account, Login, Pair, Reply, Route, Server, disk, now_ms};

#[test]
fn several_on_one_expired_login_make_one_request() {
    let (world, server) = (expired("three"), Server::start());
    let quick = Patience { retries: 200, shortest: Duration::from_millis(5), longest: Duration::from_millis(20) };
    std::thread::scope(|scope| {
        for _ in 0..3 {
            let mut claude = world.claude().on(&server).patient(quick.clone());
            scope.spawn(move || assert_eq!(claude.turn("hello").expect("answered").bearer, "A2"));
        }
    });
    assert_eq!(server.requests_to(Route::Token).len(), 1);
    server.assert_clean();
}

#[test]
fn a_swap_during_a_refresh_drops_the_answer_unless_the_variant_writes_it_anyway() {
    for (name, variant, outcome, live) in [
        ("as seen", None, Refreshed::Dropped, "B1"),
        ("no locks", Some(Variant::NoLocks), Refreshed::Dropped, "B1"),
        ("no compare-and-swap", Some(Variant::NoCas), Refreshed::Renewed(Pair::new("A", 2)), "A2"),
        ("refused for good", None, Refreshed::Dead, "B1"),
    ] {
        let (world, server, gate) = (expired("swap"), Server::start(), Gate::new());
        if outcome == Refreshed::Dead {
            server.revoke("A");
        }
        server.script(Route::Token, vec![Reply::Wait(gate.clone())]);
        let mut claude = world.claude().on(&server);
        claude.variants.extend(variant);
        std::thread::scope(|scope| {
            let refreshing = scope.spawn(|| claude.refresh_now());
            assert!(gate.is_reached());
            let b = Login::new(&Account::b(), Pair::new("B", 1)).credentials();
            disk::replace(&world.credentials_path(), b.to_string().as_bytes(), 0o600).expect("writable");
            gate.open();
            assert_eq!(refreshing.join().expect("no panic"), outcome, "{name}");
        });
        assert_eq!(world.live(), live, "{name}");
        assert_eq!(claude.login(), live, "{name}");
    }
}

#[test]
fn it_re_reads_inside_its_locks() {
    let (world, server) = (expired("reread"), Server::start());
    let mut claude = world.claude().on(&server);
    claude.expire();
    world.store_login(&Login::new(&Account::b(), Pair::new("B", 1)));
    assert_eq!(claude.refresh_login(), Refreshed::Adopted);
    assert_eq!(claude.turn("hello").expect("answered").bearer, "B1");
    assert!(server.requests_to(Route::Token).is_empty());
}

#[test]
fn held_locks_stop_it_except_where_it_takes_none() {
    for (name, variant, held, outcome) in [
        ("primary", None, "refresh", "busy"),
        ("legacy", None, "legacy", "busy"),
        ("storage", None, "storage", "busy"),
        ("old client, storage", Some(Variant::OldLocks), "storage", "renewed"),
        ("old client, primary", Some(Variant::OldLocks), "refresh", "busy"),
        ("no locks", Some(Variant::NoLocks), "refresh", "renewed"),
    ] {
        let world = expired("held");
        let dirs = world.dirs();
        let path = match held {
            "refresh" => dirs.refresh_lock(),
            "legacy" => dirs.legacy_lock(),
            _ => dirs.storage_lock(),
        };
        let lock = Lock::take(&path, REFRESH_STALE).expect("free");
        let mut claude = world.claude();
        claude.variants.extend(variant);
        match claude.rotate_offline() {
            Refreshed::Busy(at) => assert_eq!((outcome, at), ("busy", path.clone()), "{name}"),
            other => assert_eq!((outcome, other), ("renewed", Refreshed::Renewed(Pair::new("A", 2))), "{name}"),
        }
        assert_eq!(world.live(), if outcome == "busy" { "A1" } else { "A2" }, "{name}");
        drop(lock);
        let left: Vec<_> = names(&world.claude_dir()).into_iter().filter(|name| name.contains("lock")).collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
}

#[test]
fn answers_of_the_token_endpoint() {
    for (name, reply, outcome, live) in [
        ("dead", Reply::invalid_grant(), "dead", "blank"),
        ("throttled", Reply::throttled(None), "failed", "A1"),
        ("block page", Reply::Html, "failed", "A1"),
        ("lost", Reply::Drop, "failed", "A1"),
        ("torn", Reply::Truncate, "failed", "A1"),
        ("other 400", Reply::json(400, &json!({ "error": { "type": "invalid_grant" } })), "failed", "A1"),
    ] {
        let (world, server) = (expired("answers"), Server::start());
        server.script(Route::Token, vec![reply]);
        let mut claude = world.claude().on(&server);
        let word = match claude.refresh_now() {
            Refreshed::Dead => "dead",
            Refreshed::Failed(_) => "failed",
            other => unreachable!("{name}: {other:?}"),
        };
        assert_eq!((word, world.live().as_str()), (outcome, live), "{name}");
    }
}

#[test]
fn a_crash_leaves_locks_owner_and_registration() {
    let (world, server) = (expired("crash"), Server::start());
    let mut claude = world.claude().on(&server).with(Variant::CrashHoldingLock);
    claude.start().expect("started");
    assert_eq!(claude.turn("hello"), Err(Stop::Crashed));
    drop(claude);
    let dirs = world.dirs();
    assert!(dirs.refresh_lock().is_dir() && dirs.legacy_lock().is_dir());
    let owner = world.read_json(&world.claude_dir().join(".oauth_refresh.lock.owner"));
    assert_eq!(owner["pid"], std::process::id());
    assert!(owner["lockBirthtimeMs"].as_u64().is_some_and(|birth| now_ms().abs_diff(birth) < 60_000));
    assert_eq!(names(&world.claude_dir().join("sessions")).len(), 2);
    assert!(server.requests_to(Route::Token).is_empty());
    assert!(matches!(world.claude().rotate_offline(), Refreshed::Busy(_)));
}

#[cfg(unix)]
#[test]
fn a_link_is_replaced_or_written_through() {
    for (name, variant, link_stays, target) in
        [("temp and rename", None, false, "A1"), ("in place", Some(Variant::InPlaceWrites), true, "A2")]
    {
        let world = expired("link");
        let elsewhere = world.home().join("elsewhere.json");
        std::fs::rename(world.credentials_path(), &elsewhere).expect("ours");
        std::os::unix::fs::symlink(&elsewhere, world.credentials_path()).expect("free");
        let mut claude = world.claude();
        claude.variants.extend(variant);
        assert_eq!(claude.rotate_offline(), Refreshed::Renewed(Pair::new("A", 2)), "{name}");
        assert_eq!(world.credentials_path().is_symlink(), link_stays, "{name}");
        assert_eq!((world.live().as_str(), world.login_at(&elsewhere).as_str()), ("A2", target), "{name}");
    }
    let world = crate::World::new("statelink");
    let elsewhere = world.home().join("state.json");
    std::fs::rename(world.state_path(), &elsewhere).expect("ours");
    std::os::unix::fs::symlink("state.json", world.state_path()).expect("free");
    world.claude().rewrite_state().expect("written");
    assert!(world.state_path().is_symlink());
    assert_eq!(world.read_json(&elsewhere)["promptQueueUseCount"], 1);
}
