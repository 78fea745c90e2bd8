//! The watcher: it may take its time here, but it must come to the right end.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use clauth_host::{Clock, Random};

use super::Stage;
use crate::session::copy::Watcher;
use crate::session::copy::watch::Say;

/// Waits as long as anything may take on a busy machine.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: not within 30 s");
}

fn start(stage: &Stage, events: bool) -> (Watcher, Arc<Mutex<Vec<String>>>) {
    let said = Arc::new(Mutex::new(Vec::new()));
    let into = said.clone();
    let say: Say = Arc::new(move |text: &str| into.lock().expect("no panic").push(text.to_owned()));
    let disk = clauth_durable::Disk::new(Clock::system(), Random::system());
    let watcher = Watcher::start_by(disk, stage.pair.clone(), Stage::shared(), (say, events)).expect("a thread");
    (watcher, said)
}

/// Point 7: driven by file events, and by walks where those fail.
#[test]
fn what_changes_on_one_side_arrives_on_the_other_with_and_without_events() {
    for events in [true, false] {
        let stage = Stage::new("watch");
        stage.put("H/projects/p/s.jsonl", "0\n", 600);
        let (watcher, said) = start(&stage, events);
        until("the first walk", || stage.text("T/projects/p/s.jsonl").is_some());
        stage.add("T/projects/p/s.jsonl", "1\n");
        until("a line", || stage.text("H/projects/p/s.jsonl").as_deref() == Some("0\n1\n"));
        stage.put("H/CLAUDE.md", "memory", 0);
        until("a file", || stage.text("T/CLAUDE.md").as_deref() == Some("memory"));
        stage.put("T/new/deep/er/x.md", "x", 0);
        until("a directory", || stage.text("H/new/deep/er/x.md").as_deref() == Some("x"));
        stage.put("outside/y.md", "y", 0);
        fs::rename(stage.at("outside"), stage.at("T/moved")).expect("a renamed directory");
        until("a directory moved in", || stage.text("H/moved/y.md").as_deref() == Some("y"));
        stage.put("H/x.json", "{\"a\":1}", 0);
        until("a document", || stage.text("T/x.json").is_some());
        stage.put("T/x.json", "{\"a\":", 0);
        until("a document that stays broken", || stage.text("H/x.json").as_deref() == Some("{\"a\":"));
        let report = watcher.stop().expect("it led");
        assert!(report.is_in_step(), "events {events}: {report:?}");
        assert_eq!(said.lock().expect("no panic").len(), 0, "events {events}: {said:?}");
    }
}

#[test]
fn what_was_written_just_before_the_end_arrives() {
    let stage = Stage::new("last");
    let (watcher, _) = start(&stage, true);
    stage.put("T/last.md", "last words", 0);
    let report = watcher.stop().expect("it led");
    assert!(report.is_in_step(), "{report:?}");
    assert_eq!(stage.text("H/last.md").as_deref(), Some("last words"));
}

#[test]
fn one_session_mirrors_at_a_time_and_another_takes_over() {
    let stage = Stage::new("lead");
    let (first, _) = start(&stage, true);
    stage.put("H/a.md", "a", 600);
    until("the first leads", || stage.text("T/a.md").is_some());
    let (second, _) = start(&stage, true);
    let (third, _) = start(&stage, true);
    assert!(third.stop().is_none(), "the first goes on");
    assert!(first.stop().is_some());
    stage.put("T/b.md", "b", 0);
    until("the second took over", || stage.text("H/b.md").is_some());
    assert!(second.stop().is_some());
}

/// Ctrl-Z on the session that mirrors must not leave the others without.
#[test]
fn a_session_that_is_suspended_lets_another_mirror_until_it_goes_on() {
    let stage = Stage::new("pause");
    let (first, _) = start(&stage, true);
    stage.put("H/a.md", "a", 600);
    until("the first leads", || stage.text("T/a.md").is_some());
    let (second, _) = start(&stage, true);
    first.pause();
    stage.put("T/b.md", "b", 0);
    until("the second took over", || stage.text("H/b.md").is_some());
    first.resume();
    assert!(first.stop().is_none(), "the second goes on");
    let (third, _) = start(&stage, true);
    second.pause();
    second.resume();
    stage.put("T/c.md", "c", 0);
    until("one of them leads", || stage.text("H/c.md").is_some());
    third.pause();
    stage.put("T/d.md", "d", 0);
    until("the second mirrors again", || stage.text("H/d.md").is_some());
    assert!(third.stop().is_none(), "the second goes on");
    assert!(second.stop().is_some());
}

#[test]
fn a_problem_is_told_once_for_as_long_as_it_lasts() {
    let stage = Stage::new("told");
    stage.put("H/a", "a file", 600);
    stage.put("T/a/b.md", "a directory", 600);
    let (watcher, said) = start(&stage, false);
    stage.put("H/c.md", "c", 0);
    until("two walks", || stage.text("T/c.md").is_some());
    stage.put("H/d.md", "d", 0);
    until("three walks", || stage.text("T/d.md").is_some());
    assert_eq!(watcher.stop().expect("it led").problems.len(), 1);
    let said = said.lock().expect("no panic");
    assert!(said.len() == 1 && said[0].contains(&*Path::new("H").join("a").to_string_lossy()), "{said:?}");
}
