//! The status page: asked beside readings, seldom, and in nobody's way.

use std::thread;

use clauth_engine::{Asked, Asking, Usage};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Reply, Route};
use serde_json::json;

use crate::house::House;

fn house(name: &str) -> House {
    let house = House::two_with_server(name);
    let incident = json!({"name": "Elevated errors", "status": "identified", "impact": "minor",
        "started_at": "2026-11-20T18:37:44.116Z", "components": [{"name": "claude.ai", "status": "degraded_performance"}]});
    house.fake().set_status("minor", vec![incident]);
    house
}

fn names(usage: &Usage) -> Option<Vec<&str>> {
    let incidents = usage.listing.incidents.as_ref()?;
    Some(incidents.iter().map(|incident| incident.name.as_str()).collect())
}

#[test]
fn the_status_page_is_asked_beside_readings_at_most_every_five_minutes() {
    let house = house("i-seldom");
    assert_eq!(house.fake().requests_to(Route::Status).len(), 0, "captures do not ask it");
    house.engine().list().expect("a list");
    let nothing = house.engine().usage(None, Asking::Nobody).expect("usage");
    assert_eq!(names(&nothing), None, "nobody asked, so nothing is known");
    for (seconds, asked) in [(0, 1), (1, 1), (290, 1), (310, 2), (400, 2), (620, 3)] {
        let usage = house.later(seconds).usage(None, Asking::Everybody).expect("usage");
        assert_eq!(names(&usage), Some(vec!["Elevated errors"]), "after {seconds} s");
        assert_eq!(house.fake().requests_to(Route::Status).len(), asked, "after {seconds} s");
    }
    let request = house.fake().requests_to(Route::Status).remove(0);
    assert_eq!((request.path.as_str(), request.bearer), ("/api/v2/incidents/unresolved.json", None), "without a token");
    let old = house.later(3 * 3600).usage(None, Asking::Nobody).expect("usage");
    assert_eq!(names(&old), None, "what was so hours ago tells nothing of now");
}

#[test]
fn a_status_page_that_fails_changes_no_reading_and_is_not_asked_again_at_once() {
    let page = || Reply::Status(200, vec![], "<html></html>".into());
    for (name, reply) in [("an error", Reply::status(500)), ("a page", page()), ("nothing", Reply::DropBefore)] {
        let house = house("i-fails");
        house.fake().script(Route::Status, vec![reply]);
        for _ in 0..3 {
            let usage = house.engine().usage(None, Asking::Everybody).expect("usage");
            assert!(usage.tried.iter().all(|tried| tried.asked == Asked::Answered), "{name}");
            assert_eq!(names(&usage), None, "{name}: unknown is not nothing");
        }
        assert_eq!(house.fake().requests_to(Route::Status).len(), 1, "{name}");
    }
}

#[test]
fn a_status_page_that_never_answers_holds_up_no_reading() {
    let house = house("i-hangs");
    let gate = Gate::new();
    house.fake().script(Route::Status, vec![Reply::Wait(gate.clone())]);
    thread::scope(|scope| {
        let asking = scope.spawn(|| house.engine().usage(None, Asking::Everybody));
        assert!(gate.is_reached());
        let stored = |name: &str| house.world.root().join("profiles").join(name).join("usage_cache.json").exists();
        let both = || stored("a") && stored("b");
        while !both() && !asking.is_finished() {
            thread::yield_now();
        }
        assert!(both(), "they are stored while it is waited for");
        gate.open();
        asking.join().expect("no panic").expect("usage");
    });
}

#[test]
fn where_nobody_is_asked_the_status_page_is_not_either() {
    let house = house("i-nobody");
    let settings = house.world.root().join("settings.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("network = \"off\"\n{text}")).expect("written");
    house.engine().usage(None, Asking::Everybody).expect("usage");
    house.engine().poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Status).len(), 0, "the network is off");
    std::fs::write(&settings, text).expect("written");
    house.engine().poll_once(true).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Status).len(), 0, "just after a sleep readings come first");
    // Polls are five seconds apart.
    house.later(600).poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Status).len(), 1);
}
