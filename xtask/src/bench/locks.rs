//! How long Claude Code finds its locks taken (K3), with a state file as large as one gets.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clauth_sandbox::World;

use super::report::Row;
use super::stage::{Stage, make_runnable};

/// The state file: so many projects of so many bytes each, 100 MB in all.
const PROJECTS: usize = 5_000;
const BYTES: usize = 20_000;

/// Turns of each subject.
const TURNS: usize = 5;

/// A `claude` that changes its state file as Claude Code does, and lives for as long as a merge takes.
const BUSY: &str = r#"#!/bin/sh
cd "$CLAUDE_CONFIG_DIR" || exit 1
sed "s/\"numStartups\": [0-9]*/\"numStartups\": $TURN/" .claude.json > .claude.json.tmp.1
mv .claude.json.tmp.1 .claude.json
sleep 3
"#;

/// Measures the longest hold of Claude Code's locks by a switch and by a session.
pub(super) fn measure(stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let world = stage.another(2)?;
    fatten(&world)?;
    let claude = world.home().join("busy");
    fs::write(&claude, BUSY)?;
    make_runnable(&claude)?;
    let (mut switches, mut sessions) = (Vec::new(), Vec::new());
    for turn in 0..TURNS {
        let name = format!("profile-{:02}", turn % 2);
        switches.push(longest(&world, &mut stage.in_home(&world, &["switch", &name]))?);
        let mut start = stage.in_home(&world, &["start", "profile-00"]);
        start.env("CLAUTH_CLAUDE", &claude).env("CLAUTH_LINKS", "real").env("TURN", (100 + turn).to_string());
        sessions.push(longest(&world, &mut start)?);
    }
    let changed = fs::read_to_string(world.state_path())?.contains("\"numStartups\": 104");
    ensure!(changed, "what the session wrote did not reach the home");
    let row = |what: &str, mut holds: Vec<Duration>| {
        holds.sort();
        Row::plain(what, holds[TURNS / 2].as_secs_f64() * 1000.0, "ms", 3000.0)
    };
    Ok(vec![
        row("Claude Code's locks during `switch`, state file of 100 MB", switches),
        row("Claude Code's locks during a session, state file of 100 MB", sessions),
    ])
}

fn fatten(world: &World) -> anyhow::Result<()> {
    let text = fs::read_to_string(world.state_path())?;
    let line = "\"a line of somebody's history\", ".repeat(BYTES / 32);
    let project = |at: usize| format!("\"/home/u/project-{at}\": {{ \"history\": [{line}\"{at}\"] }},\n    ");
    let projects: String = (0..PROJECTS).map(project).collect();
    let (head, tail) = text.split_once("\"projects\": {").context("no projects in the state file")?;
    let text = format!("{head}\"projects\": {{ {projects}{}", tail.trim_start());
    ensure!(text.len() > 90_000_000, "the state file has only {} bytes", text.len());
    Ok(fs::write(world.state_path(), text)?)
}

/// Runs a command, and answers for how long any of Claude Code's locks stood without a break.
fn longest(world: &World, command: &mut Command) -> anyhow::Result<Duration> {
    let tree = world.root().join("profiles/profile-00/runtime");
    let mut locks: Vec<PathBuf> = vec![world.home().join(".claude.json.lock"), world.home().join(".claude.lock")];
    for dir in [world.claude_dir(), tree] {
        locks.extend([".oauth_refresh.lock", ".storage-write.lock", ".claude.json.lock"].map(|lock| dir.join(lock)));
    }
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let (mut since, mut longest) = (None, Duration::ZERO);
            while !over.load(Ordering::Relaxed) {
                let taken = locks.iter().any(|lock| lock.exists());
                since = taken.then(|| since.unwrap_or_else(Instant::now));
                longest = since.map_or(longest, |since: Instant| longest.max(since.elapsed()));
                thread::sleep(Duration::from_millis(1));
            }
            longest
        });
        let output = command.stdin(Stdio::null()).output().context("cannot run clauth");
        over.store(true, Ordering::Relaxed);
        let longest = watcher.join().map_err(|_| anyhow::anyhow!("the locks could not be watched"))?;
        let output = output?;
        ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(longest)
    })
}
