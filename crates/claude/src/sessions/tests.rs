//! `sessions/<pid>.json` (facts §1.7) and the owner file beside a lock.

use super::*;
use crate::fixture::Place;

/// This process: it lives for as long as the test does.
fn me() -> u32 {
    std::process::id()
}

/// Above every limit that a system sets: nobody's.
const NOBODY: u32 = 2_000_000_000;

fn home(place: &Place) -> ClaudeHome {
    ClaudeHome::default_of(&place.host(&[]), &place.disk)
}

fn registered(place: &Place) -> Vec<RunningClaude> {
    registered::all(&place.disk, &home(place))
}

#[test]
fn a_registration_tells_what_it_knows() {
    let place = Place::new("sessions-fields");
    let bare = || RunningClaude {
        pid: me(),
        config_dir: place.path(".claude"),
        status: None,
        kind: None,
        cwd: None,
        started_at: None,
        overrides: Vec::new(),
    };
    let started = Timestamp::from_millisecond(1_795_150_000_000).ok();
    let whole = RunningClaude {
        status: Some("busy".into()),
        kind: Some("interactive".into()),
        cwd: Some("/home/u/proj".into()),
        started_at: started,
        ..bare()
    };
    for (name, text, expected) in [
        (
            "whole",
            r#"{"pid":PID,"sessionId":"0c1f","cwd":"/home/u/proj","startedAt":1795150000000,"kind":"interactive",
            "entrypoint":"cli","status":"busy","future":{}}"#,
            whole,
        ),
        ("without status", r#"{"pid":PID,"kind":"bg"}"#, RunningClaude { kind: Some("bg".into()), ..bare() }),
        ("by its name alone", "{}", bare()),
        ("a kind of tomorrow", r#"{"kind":"remote"}"#, RunningClaude { kind: Some("remote".into()), ..bare() }),
        ("other types", r#"{"status":1,"kind":null,"cwd":[],"startedAt":"now"}"#, bare()),
        ("beyond the calendar", r#"{"startedAt":9223372036854775807}"#, bare()),
    ] {
        place.put(&format!(".claude/sessions/{}.json", me()), text.replace("PID", &me().to_string()));
        assert_eq!(registered(&place), [expected], "{name}");
    }
}

#[test]
fn what_is_no_registration_of_a_living_process_does_not_count() {
    for (name, file, text) in [
        ("a dead process", format!("{NOBODY}.json"), format!(r#"{{"pid":{NOBODY}}}"#)),
        ("another process's", format!("{}.json", me()), format!(r#"{{"pid":{NOBODY}}}"#)),
        ("torn", format!("{}.json", me()), r#"{"pid":"#.to_owned()),
        ("empty", format!("{}.json", me()), String::new()),
        ("a list", format!("{}.json", me()), "[]".to_owned()),
        ("a session's key", format!("{}.0123abcd.key", me()), "FAKE".to_owned()),
        ("a copy", format!("{}.json.bak", me()), "{}".to_owned()),
        ("a sign before it", format!("+{}.json", me()), "{}".to_owned()),
        ("no number", "session.json".to_owned(), "{}".to_owned()),
        ("no process", "0.json".to_owned(), "{}".to_owned()),
        ("a number too large", "99999999999999999999.json".to_owned(), "{}".to_owned()),
        ("a directory", format!("{}.json/inside", me()), "{}".to_owned()),
    ] {
        let place = Place::new("sessions-odd");
        place.put(&format!(".claude/sessions/{file}"), text);
        assert_eq!(registered(&place), [], "{name}");
    }
    assert_eq!(registered(&Place::new("sessions-none")), [], "no folder");
}

#[test]
fn a_process_is_counted_once() {
    let place = Place::new("sessions-once");
    for name in [format!("{}", me()), format!("0{}", me()), format!("+{}", me())] {
        place.put(&format!(".claude/sessions/{name}.json"), "{}");
    }
    assert_eq!(registered(&place).len(), 1);
}

#[test]
fn only_the_home_asked_for_is_looked_at() {
    let place = Place::new("sessions-home");
    place.put(&format!("work/sessions/{}.json", me()), "{}");
    assert_eq!(registered(&place), []);
    let work = ClaudeHome::at(&place.path("work"), &place.host(&[]), &place.disk);
    assert_eq!(registered::all(&place.disk, &work)[0].config_dir, place.path("work"));
}

#[test]
fn an_owner_file_names_who_holds_a_lock() {
    let place = Place::new("sessions-owner");
    let lock = place.path(".claude/.oauth_refresh.lock");
    let alive = format!(r#"{{"pid":{},"pidDomain":"host","lockBirthtimeMs":1795150000000}}"#, me());
    let owner = place.put(".claude/.oauth_refresh.lock.owner", &alive);
    let found = lock_owner(&place.host(&[]), &place.disk, &home(&place), &lock);
    assert_eq!(found, LockOwner::Alive(format!("claude (process {})", me())));

    for (name, text) in [
        ("a dead process", format!(r#"{{"pid":{NOBODY}}}"#)),
        ("no process", "{}".to_owned()),
        ("a negative one", r#"{"pid":-1}"#.to_owned()),
        ("a text", format!(r#"{{"pid":"{}"}}"#, me())),
        ("torn", alive[..alive.len() - 1].to_owned()),
        ("empty", String::new()),
    ] {
        place.put(".claude/.oauth_refresh.lock.owner", text);
        assert_eq!(named_owner(&place.disk, &owner), None, "{name}");
    }
    assert_eq!(named_owner(&place.disk, &place.path("nowhere")), None, "no file");
}

#[test]
fn a_registered_session_may_own_a_lock_that_names_nobody() {
    let place = Place::new("sessions-may-own");
    place.put(&format!(".claude/sessions/{}.json", me()), "{}");
    let found = lock_owner(&place.host(&[]), &place.disk, &home(&place), &place.path(".claude.lock"));
    assert!(matches!(found, LockOwner::Alive(_)), "{found:?}");
}
