//! The locks of a merge: ours, so that one process merges at a time (S5), and Claude Code's of each state file.
//!
//! They are taken one after the other and none inside the state lock. A watcher must not make anybody wait or speak into a
//! terminal that is the child's: what is not to be had soon is left for the next pass.

use std::path::Path;
use std::time::Duration;

use clauth_claude::ClaudeHome;
use clauth_durable::{FileLock, Held, Lock, LockOwner, Rules};

use crate::{Engine, Error};

/// How long Claude Code's lock is tried for: it holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long locks are tried for at a start and at an end (K2).
const DEADLINE: Duration = Duration::from_secs(9);

/// How long the lock under which merges are made is tried for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// There is a next pass.
    Once,
    /// As any other lock (K2), by who has no next pass.
    AsUsual,
}

/// The lock under which merges are made; `None` while another process merges.
pub(super) fn merging(engine: &Engine, patience: Patience) -> Result<Option<Held>, Error> {
    let deadline = if patience == Patience::Once { Duration::ZERO } else { DEADLINE };
    unless_busy(merge_lock(engine, deadline))
}

/// The same for who cannot go on without it.
pub(super) fn merging_soon(engine: &Engine) -> Result<Held, Error> {
    merge_lock(engine, DEADLINE)
}

/// The same with Claude Code's lock of the state file of `tree`, which is to get one.
pub(super) fn seeding(engine: &Engine, tree: &ClaudeHome) -> Result<Held, Error> {
    let owner = |path: &Path| match path.starts_with(engine.root.locks()) {
        true => LockOwner::Dead,
        false => clauth_claude::lock_owner(&engine.host, &engine.disk, tree, path),
    };
    take(engine, &[of_merges(engine), Lock::Dir(tree.locks(&engine.disk).state)], DEADLINE, &owner)
}

/// Claude Code's lock of a home's state file; `None` while Claude Code holds it.
pub(super) fn state_file(engine: &Engine, home: &ClaudeHome) -> Result<Option<Held>, Error> {
    unless_busy(state_lock(engine, home, PATIENCE))
}

fn merge_lock(engine: &Engine, deadline: Duration) -> Result<Held, Error> {
    take(engine, &[of_merges(engine)], deadline, &|_| LockOwner::Dead)
}

fn of_merges(engine: &Engine) -> Lock {
    let at = |name: &str| engine.root.locks().join(name);
    Lock::File(FileLock { file: at("merge.lock"), dir: at("merge"), name: "the merge of the settings files".into() })
}

fn state_lock(engine: &Engine, home: &ClaudeHome, deadline: Duration) -> Result<Held, Error> {
    let owner = |path: &Path| clauth_claude::lock_owner(&engine.host, &engine.disk, home, path);
    take(engine, &[Lock::Dir(home.locks(&engine.disk).state)], deadline, &owner)
}

fn take(
    engine: &Engine,
    locks: &[Lock],
    deadline: Duration,
    owner: &dyn Fn(&Path) -> LockOwner,
) -> Result<Held, Error> {
    let rules = Rules { records: engine.root.locks().join("held"), deadline, waiting: &|_| {}, owner };
    Ok(clauth_durable::acquire(&engine.disk, locks, &rules)?)
}

fn unless_busy(taken: Result<Held, Error>) -> Result<Option<Held>, Error> {
    match taken {
        Ok(held) => Ok(Some(held)),
        Err(Error::Disk(clauth_durable::Error::Busy { .. })) => Ok(None),
        Err(error) => Err(error),
    }
}
