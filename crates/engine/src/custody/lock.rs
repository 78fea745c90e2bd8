//! Taking every lock that an operation needs, in the one order (K1).

use std::path::Path;
use std::time::Duration;

use clauth_claude::ClaudeHome;
use clauth_durable::{DirLock, FileLock, Held, Lock, LockOwner, Rules, Waiting};

use crate::{Engine, Error};

/// How long locks are tried for (K2).
const DEADLINE: Duration = Duration::from_secs(9);

impl Engine {
    /// The state lock alone: for changes that touch nothing of Claude Code's.
    pub(crate) fn lock_state(&self) -> Result<Held, Error> {
        self.take(&[self.state_lock()], &|_| LockOwner::Dead)
    }

    /// The refresh locks of `profiles`, the state lock, and Claude Code's own locks of `home`, in the order of K1.
    pub(crate) fn lock_all(&self, home: &ClaudeHome, profiles: &[String]) -> Result<Held, Error> {
        let mut names: Vec<&String> = profiles.iter().collect();
        names.sort();
        names.dedup();
        let mut locks: Vec<Lock> = names.iter().map(|name| self.refresh_lock(name)).collect();
        locks.push(self.state_lock());
        let theirs = home.locks(&self.disk);
        locks.extend([theirs.refresh, theirs.legacy, theirs.storage, theirs.state].map(Lock::Dir));
        self.take(&locks, &|path| clauth_claude::lock_owner(&self.host, &self.disk, home, path))
    }

    /// Where it is recorded who is about to take what.
    fn records(&self) -> std::path::PathBuf {
        self.root.locks().join("held")
    }

    /// Releases what a killed clauth left locked, before it makes Claude Code wait.
    pub(crate) fn release_debris(&self) -> Result<(), Error> {
        let home = |path: &Path| {
            let home = ClaudeHome::default_of(&self.host, &self.disk);
            clauth_claude::lock_owner(&self.host, &self.disk, &home, path)
        };
        Ok(clauth_durable::lock::release_debris(&self.disk, &self.records(), &home)?)
    }

    fn take(&self, locks: &[Lock], owner: &dyn Fn(&Path) -> LockOwner) -> Result<Held, Error> {
        let rules = Rules {
            records: self.records(),
            deadline: DEADLINE,
            waiting: &|waiting: &Waiting<'_>| (self.say)(&waiting_for(waiting)),
            owner,
        };
        let held = clauth_durable::acquire(&self.disk, locks, &rules)?;
        // The journal is only written under the state lock, so what lies there half-written is a dead process's.
        clauth_durable::sweep(&self.disk, &[self.root.path().join("journal")])?;
        Ok(held)
    }

    fn state_lock(&self) -> Lock {
        let dir = DirLock { path: self.root.locks().join("state"), stale: OURS_STALE, name: "clauth's state".into() };
        Lock::File(FileLock { file: self.root.state_lock(), dir: dir.path, name: dir.name })
    }

    fn refresh_lock(&self, profile: &str) -> Lock {
        let at = |extension: &str| self.root.locks().join(format!("refresh-{profile}{extension}"));
        Lock::File(FileLock { file: at(".lock"), dir: at(""), name: format!("the login of '{profile}'") })
    }
}

/// Our own lock directories go stale as Claude Code's refresh locks do.
const OURS_STALE: Duration = Duration::from_secs(60);

fn waiting_for(waiting: &Waiting<'_>) -> String {
    let holder = waiting.holder.as_ref().map_or_else(String::new, |holder| format!(", held by {holder}"));
    format!("waiting for {} ({}, {} s old{holder})", waiting.name, waiting.path.display(), waiting.age.as_secs())
}
