//! What an isolated session leaves: its transcripts, and what belongs to them, go into the home; what a person made there is
//! kept beside it; the home's own files are never replaced.

use std::ffi::OsStr;
use std::path::Path;

use clauth_claude::ClaudeHome;
use clauth_durable::{Disk, Document, Kind};

use crate::Error;
use crate::session::reconcile::Work;
use crate::session::{LinkMode, is_shared};

/// The transcripts, and what a transcript that is taken up again refers to.
const HOME: [&str; 7] = ["projects", "file-history", "plans", "tasks", "todos", "image-cache", "paste-cache"];

/// What Claude Code makes anew whenever it is missing.
const PASSING: [&str; 12] = [
    "cache",
    "debug",
    "downloads",
    "jobs",
    "logs",
    "plugins",
    "session-env",
    "shell-snapshots",
    "stats-cache.json",
    "statsig",
    "telemetry",
    "usage-data",
];

/// What becomes of an entry of an isolated session's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Into the home, where nothing stands in its way.
    Home,
    /// Its lines to those of the home.
    Lines,
    /// To what lost against something: somebody may have made it, and it is not for the home.
    Beside,
    /// It goes with the directory.
    Passes,
}

fn fate(name: &OsStr) -> Fate {
    let listed = |names: &[&str]| name.to_str().is_some_and(|name| names.contains(&name));
    if listed(&HOME) {
        Fate::Home
    } else if name == "history.jsonl" {
        Fate::Lines
    } else if listed(&PASSING) || !is_shared(name, LinkMode::Copy) {
        Fate::Passes
    } else {
        Fate::Beside
    }
}

/// Saves what `dir` holds; what could not be saved is told in the work, and still there. `settings` is what its settings began
/// as.
pub(super) fn keep(
    disk: &Disk,
    home: &ClaudeHome,
    dir: &Path,
    settings: &[u8],
    work: &mut Work<'_>,
) -> Result<(), Error> {
    notes(disk, dir, work)?;
    for name in disk.list(dir)? {
        let from = dir.join(&name);
        match fate(&name) {
            Fate::Home => work.attempt(&from, &home.dir.join(&name), Path::new(&name)),
            Fate::Lines => lines(disk, &from, &home.dir.join(&name))?,
            Fate::Beside if !is_hollow(disk, &from)? => work.put_aside(&from, Path::new(&name)),
            Fate::Beside | Fate::Passes => {}
        }
    }
    configured(disk, dir, settings, work)
}

/// What was noted for later (`projects/<directory>/memory`) is no transcript, and not for the home.
fn notes(disk: &Disk, dir: &Path, work: &mut Work<'_>) -> Result<(), Error> {
    let projects = dir.join("projects");
    if disk.lstat(&projects)?.is_none_or(|stat| stat.kind != Kind::Dir) {
        return Ok(());
    }
    for project in disk.list(&projects)? {
        let memory = projects.join(&project).join("memory");
        match disk.lstat(&memory)? {
            None => {}
            Some(_) if is_hollow(disk, &memory)? => disk.remove_tree(&memory)?,
            Some(_) => work.put_aside(&memory, &Path::new("projects").join(&project).join("memory")),
        }
    }
    Ok(())
}

/// Settings and servers that were set up in the session.
fn configured(disk: &Disk, dir: &Path, began: &[u8], work: &mut Work<'_>) -> Result<(), Error> {
    let settings = dir.join("settings.json");
    if disk.read(&settings)?.is_some_and(|bytes| bytes != began) {
        work.put_aside(&settings, Path::new("settings.json"));
    }
    let state = dir.join(".claude.json");
    let document = disk.read(&state)?.and_then(|bytes| Document::parse(bytes).ok());
    let servers =
        document.and_then(|document| document.get::<serde_json::Map<String, serde_json::Value>>(&["mcpServers"]));
    if servers.is_some_and(|servers| !servers.is_empty()) {
        work.put_aside(&state, Path::new(".claude.json"));
    }
    Ok(())
}

/// Appends the whole of a file of lines to the home's. One that ends with it already had it appended before a kill.
fn lines(disk: &Disk, from: &Path, to: &Path) -> Result<(), Error> {
    let Some(mut bytes) = disk.read(from)?.filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
    if bytes.last() != Some(&b'\n') {
        bytes.push(b'\n');
    }
    let theirs = disk.read(to)?.unwrap_or_default();
    if !theirs.ends_with(&bytes) {
        // A line of theirs that is not at its end yet stays a line of its own.
        if theirs.last().is_some_and(|last| *last != b'\n') {
            bytes.insert(0, b'\n');
        }
        let target = disk.target(to, None)?.path;
        let mut file = disk.vfs.append(&target, 0o600).map_err(Error::io("append to", &target))?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            match file.write(rest).map_err(Error::io("append to", &target))? {
                0 => return Err(Error::io("append to", &target)(std::io::ErrorKind::WriteZero.into())),
                count => rest = &rest[count..],
            }
        }
        file.sync().map_err(Error::io("sync", &target))?;
    }
    disk.remove_file(from)?;
    Ok(())
}

/// Whether there is nothing below a path but directories, and what no file can hold.
fn is_hollow(disk: &Disk, path: &Path) -> Result<bool, Error> {
    match disk.lstat(path)?.map(|stat| stat.kind) {
        Some(Kind::File | Kind::Link) => Ok(false),
        None | Some(Kind::Other) => Ok(true),
        Some(Kind::Dir) => {
            for name in disk.list(path)? {
                if !is_hollow(disk, &path.join(name))? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_has_its_fate() {
        for (name, expected) in [
            ("projects", Fate::Home),
            ("file-history", Fate::Home),
            ("history.jsonl", Fate::Lines),
            ("CLAUDE.md", Fate::Beside),
            ("agents", Fate::Beside),
            ("skills", Fate::Beside),
            ("something-new", Fate::Beside),
            ("plugins", Fate::Passes),
            ("settings.json", Fate::Passes),
            (".claude.json", Fate::Passes),
            (".claude.json.lock", Fate::Passes),
            (".credentials.json", Fate::Passes),
            ("backups", Fate::Passes),
            ("sessions", Fate::Passes),
            ("policy-limits.json", Fate::Passes),
        ] {
            assert_eq!(fate(OsStr::new(name)), expected, "{name}");
        }
    }
}
