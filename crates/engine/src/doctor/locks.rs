//! Locks: how old, whose, and whether they can be taken at all.

use std::fs::TryLockError;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clauth_claude::ClaudeHome;
use clauth_durable::lock::{process_is_gone, process_lives};
use clauth_durable::vfs::is_void;
use clauth_durable::{DirLock, Document, Kind, LockOwner};
use jiff::SignedDuration;

use super::Finding;
use super::examine::Seen;
use super::rules::{LOCK_BLOCKED, LOCK_LEFT, LOCK_STALE, LOCKS_VOID};
use crate::Engine;
use crate::session::Place;

/// Our own lock directories go stale as Claude Code's refresh locks do.
const OURS_STALE: Duration = Duration::from_secs(60);

/// What is dated further ahead than this was not stamped by a clock like ours (K5).
const AHEAD: SignedDuration = SignedDuration::from_mins(1);

/// Something that stands in the place of a lock.
struct Standing {
    lock: DirLock,
    /// An empty directory, as a lock is.
    is_lock: bool,
    /// Since its last sign of life; negative when it is dated ahead.
    age: SignedDuration,
    /// Who could hold it, in words.
    holder: Option<String>,
}

pub(super) fn findings(engine: &Engine, seen: Option<&Seen>) -> Vec<Finding> {
    let left = left(engine);
    let mut findings: Vec<Finding> = Vec::new();
    if let Some(first) = left.first() {
        findings
            .push(Finding::mendable(LOCK_LEFT, format!("a clauth that was killed left {} locked", first.display())));
    }
    let all = all(engine, seen).into_iter().filter(|(lock, _)| !left.contains(&lock.path));
    findings.extend(all.filter_map(|(lock, home)| look(engine, lock, home.as_ref())).filter_map(|one| judge(&one)));
    findings.extend(void(engine));
    findings
}

/// The lock directories that there may be, with the home that they belong to; ours belong to none.
fn all(engine: &Engine, seen: Option<&Seen>) -> Vec<(DirLock, Option<ClaudeHome>)> {
    let ours = |path: PathBuf| DirLock { path, stale: OURS_STALE, name: "clauth's".into() };
    let names = engine.disk.list(&engine.root.locks()).unwrap_or_default();
    let files = names.iter().filter(|name| **name != "held" && !name.to_string_lossy().ends_with(".lock"));
    let mut all: Vec<_> = files.map(|name| (ours(engine.root.locks().join(name)), None)).collect();
    let Some(seen) = seen else { return all };
    let mut homes = vec![seen.snapshot.home.clone()];
    let trees = seen.snapshot.roster.names.iter().map(|name| Place::of(&engine.root, name).tree);
    homes.extend(trees.map(|tree| ClaudeHome::at(&tree, &engine.host, &engine.disk)));
    for home in homes {
        let theirs = home.locks(&engine.disk);
        for lock in [theirs.refresh, theirs.legacy, theirs.storage, theirs.state] {
            all.push((lock, Some(home.clone())));
        }
    }
    all
}

fn look(engine: &Engine, lock: DirLock, home: Option<&ClaudeHome>) -> Option<Standing> {
    let stat = engine.disk.lstat(&lock.path).ok()??;
    let empty = engine.disk.list(&lock.path).is_ok_and(|names| names.is_empty());
    let owner = home.map(|home| clauth_claude::lock_owner(&engine.host, &engine.disk, home, &lock.path));
    Some(Standing {
        is_lock: stat.kind == Kind::Dir && empty,
        age: engine.disk.clock.file_now().duration_since(stat.modified),
        holder: owner.and_then(|owner| match owner {
            LockOwner::Alive(who) => Some(who),
            LockOwner::Dead | LockOwner::Unknown => None,
        }),
        lock,
    })
}

fn judge(one: &Standing) -> Option<Finding> {
    let shown = one.lock.path.display();
    if !one.is_lock {
        let message = format!("{shown} is no empty directory, so nobody can take or release the lock of that name");
        return Some(Finding::new(LOCK_BLOCKED, message, format!("see that nobody needs it, then remove it: {shown}")));
    }
    let stale = SignedDuration::try_from(one.lock.stale).unwrap_or(SignedDuration::MAX);
    let age = match one.age {
        age if age < -AHEAD => format!("dated {} s ahead", -age.as_secs()),
        age if age > stale => format!("{} s without a sign of life", age.as_secs()),
        _ => return None,
    };
    let holder = one
        .holder
        .as_ref()
        .map_or_else(|| "nobody who could hold it runs".to_owned(), |who| format!("{who} could hold it"));
    Some(Finding::mendable(LOCK_STALE, format!("{shown}, the lock of {}: {age}; {holder}", one.lock.name)))
}

/// The paths that killed processes of ours have on record and that still stand.
fn left(engine: &Engine) -> Vec<PathBuf> {
    let records = engine.root.locks().join("held");
    let names = engine.disk.list(&records).unwrap_or_default();
    let paths = |name: &std::ffi::OsString| {
        let document = Document::parse(engine.disk.read(&records.join(name)).ok()??).ok()?;
        let pid: u32 = document.get(&["pid"])?;
        let start = document.get::<Option<String>>(&["start"]).flatten();
        let gone = process_is_gone(pid) || !process_lives(&engine.disk, pid, start.as_deref());
        document.get::<Vec<PathBuf>>(&["paths"]).filter(|_| gone)
    };
    let stands = |path: &PathBuf| engine.disk.lstat(path).is_ok_and(|stat| stat.is_some());
    names.iter().filter_map(paths).flatten().filter(stands).collect()
}

/// Proves by trying whether file locks hold here: a second handle must not get what the first has. Tried on a file of ours
/// that nobody locks, for a moment.
fn void(engine: &Engine) -> Option<Finding> {
    let files = [engine.root.settings(), engine.root.roster(), engine.root.history()];
    let file = files.iter().find(|path| engine.disk.vfs.lstat(path).is_ok_and(|stat| stat.kind == Kind::File))?;
    let why = are_void(engine, file)?;
    let message = format!("file locks do not hold in {}: {why}", engine.root.path().display());
    let fix = "nothing breaks; do not use this root from two machines at once, and end any clauth of version 0.4.0";
    Some(Finding::new(LOCKS_VOID, message, fix))
}

fn are_void(engine: &Engine, file: &Path) -> Option<&'static str> {
    let (first, second) = (engine.disk.vfs.open(file).ok()?, engine.disk.vfs.open(file).ok()?);
    verdict(engine.disk.vfs.try_lock(&first), || engine.disk.vfs.try_lock(&second))
}

/// What two handles in turn tell.
fn verdict(first: Result<(), TryLockError>, second: impl FnOnce() -> Result<(), TryLockError>) -> Option<&'static str> {
    match first {
        Ok(()) if second().is_ok() => Some("two got the same one"),
        Err(TryLockError::Error(error)) if is_void(&error) => Some("the file system has none"),
        // Somebody else tries at this moment, or the system does not tell.
        Ok(()) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn k6_file_locks_are_void_where_two_get_the_same_or_there_are_none() {
        let void = || Err(TryLockError::Error(std::io::ErrorKind::Unsupported.into()));
        let odd = || Err(TryLockError::Error(std::io::ErrorKind::OutOfMemory.into()));
        for (name, first, second, expected) in [
            ("as it should be", Ok(()), Err(TryLockError::WouldBlock), false),
            ("two got it", Ok(()), Ok(()), true),
            ("there are none", void(), void(), true),
            ("held by somebody", Err(TryLockError::WouldBlock), Ok(()), false),
            ("another error", odd(), odd(), false),
        ] {
            assert_eq!(verdict(first, || second).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn k5_a_lock_is_judged_by_its_age_and_what_it_is() {
        for (name, is_lock, age, expected) in [
            ("fresh", true, 3, None),
            ("at its limit", true, 60, None),
            ("old", true, 61, Some("lock-stale")),
            ("a little ahead", true, -30, None),
            ("far ahead", true, -3600, Some("lock-stale")),
            ("with something in it", false, 3, Some("lock-blocked")),
        ] {
            let lock = DirLock { path: "/h/.lock".into(), stale: Duration::from_secs(60), name: "the test".into() };
            let found = judge(&Standing { lock, is_lock, age: SignedDuration::from_secs(age), holder: None });
            assert_eq!(found.map(|finding| finding.rule.id), expected, "{name}");
        }
    }
}
