//! `sessions/<pid>.json` (facts §1.7). Crash leftovers are left to Claude Code; here they only do not count.

use std::path::PathBuf;

use clauth_durable::{Disk, Document};
use jiff::Timestamp;

use super::{RunningClaude, platform};
use crate::ClaudeHome;

pub(super) fn all(disk: &Disk, home: &ClaudeHome) -> Vec<RunningClaude> {
    let names = disk.list(&home.sessions()).unwrap_or_default();
    let files = names.iter().filter_map(|name| pid_of(name.to_str()?));
    files.filter_map(|pid| one(disk, home, pid)).collect()
}

/// The process that a file is named after; `007.json` and `+7.json` would name process 7 again.
fn pid_of(file: &str) -> Option<u32> {
    let name = file.strip_suffix(".json")?;
    name.parse().ok().filter(|pid: &u32| pid.to_string() == name)
}

pub(super) fn one(disk: &Disk, home: &ClaudeHome, pid: u32) -> Option<RunningClaude> {
    let document = Document::parse(disk.read(&home.sessions().join(format!("{pid}.json"))).ok()??).ok()?;
    let start = document.get::<String>(&["procStart"]);
    if document.get::<u32>(&["pid"]).is_some_and(|named| named != pid)
        || !platform::is_alive(disk, pid, start.as_deref())
    {
        return None;
    }
    Some(RunningClaude {
        pid,
        config_dir: home.dir.clone(),
        status: document.get(&["status"]),
        kind: document.get(&["kind"]),
        cwd: document.get::<String>(&["cwd"]).map(PathBuf::from),
        started_at: document.get::<i64>(&["startedAt"]).and_then(|ms| Timestamp::from_millisecond(ms).ok()),
        overrides: Vec::new(),
    })
}
