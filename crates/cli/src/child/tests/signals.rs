//! Signals that another process sends to the parent alone.
#![expect(
    clippy::disallowed_methods,
    reason = "a test waits for real processes, and finds them as the system shows them"
)]

use clauth_sandbox::Running;
use clauth_sandbox::world::DEADLINE;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::parent::{ANSWERING, parent, script, signals_are_ignored, world};

fn send(pid: u64, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("a signal");
}

/// Asks until the answer has at least one signal of that name.
fn counts_once_there(child: &mut Running, name: &str) -> Value {
    let began = std::time::Instant::now();
    loop {
        let counts = child.send("count");
        if counts[name].as_u64() > Some(0) {
            return counts;
        }
        assert!(began.elapsed() < DEADLINE, "no {name}: {counts}");
    }
}

/// Point 12: SIGTERM, SIGHUP and their like.
#[test]
fn what_is_sent_to_the_parent_alone_reaches_the_child_once() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-alone");
    let mut child = Running::start(parent(&world, &script(&world, ANSWERING), &[]));
    let parent = child.send("parent")["parent"].as_u64().expect("the parent");
    let mut counts = Value::Null;
    for (signal, name) in [(Signal::TERM, "TERM"), (Signal::HUP, "HUP"), (Signal::INT, "INT")] {
        send(parent, signal);
        counts = counts_once_there(&mut child, name);
        assert_eq!(counts[name], 1, "{name}");
    }
    // They are passed on in order: with the last one there, no second one of the others can be under way.
    assert_eq!((&counts["TERM"], &counts["HUP"], &counts["INT"]), (&1.into(), &1.into(), &1.into()));
    child.post("end");
    assert_eq!(child.finish(), Some(7));
}

#[cfg(target_os = "linux")]
#[test]
fn what_nohup_ignores_stays_ignored_by_both() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-nohup");
    let inner = parent(&world, &script(&world, ANSWERING), &[]);
    let mut outer = world.command(std::path::Path::new("/bin/sh"), None);
    outer.args(["-c", "trap '' HUP; exec \"$@\"", "sh"]).arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = Running::start(outer);
    let parent = child.send("parent")["parent"].as_u64().expect("the parent");
    send(parent, Signal::HUP);
    send(u64::from(child.pid()), Signal::HUP);
    send(parent, Signal::TERM);
    assert_eq!(counts_once_there(&mut child, "TERM")["HUP"], 0);
    child.post("end");
    assert_eq!(child.finish(), Some(7));
}

/// Point 12: also what whoever stops a container sends, in which this is the first process and sees no other.
#[cfg(target_os = "linux")]
#[test]
fn what_is_sent_from_outside_of_a_container_reaches_the_child() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-container");
    let inside = |words: &[&str]| {
        let mut command = world.command(std::path::Path::new("/usr/bin/unshare"), None);
        command.args(["--user", "--map-root-user", "--pid", "--fork", "--kill-child"]).args(words);
        command
    };
    if !inside(&["/bin/true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: no container can be made here");
        return;
    }
    let inner = parent(&world, &script(&world, ANSWERING), &[]);
    let mut outer = inside(&[]);
    outer.arg(inner.get_program()).args(inner.get_args());
    outer.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut child = Running::start(outer);
    let unshare = child.parent();
    let children = std::fs::read_to_string(format!("/proc/{unshare}/task/{unshare}/children")).expect("its children");
    send(children.trim().parse().expect("one of them"), Signal::TERM);
    assert_eq!(counts_once_there(&mut child, "TERM")["TERM"], 1);
    child.post("end");
    assert_eq!(child.finish(), Some(7));
}
