//! Taking every lock that an operation needs, in the one order (K1).

use std::path::Path;
use std::time::Duration;

use clauth_claude::ClaudeHome;
use clauth_durable::{DirLock, FileLock, Held, Kind, Lock, LockOwner, Rules, Waiting};

use crate::session::Place;
use crate::{Engine, Error};

/// How long locks are tried for (K2).
const DEADLINE: Duration = Duration::from_secs(9);

/// How long the making of a tree is waited for.
const MAKING: Duration = Duration::from_secs(120);

impl Engine {
    /// The state lock alone: for changes that touch nothing of Claude Code's.
    pub(crate) fn lock_state(&self) -> Result<Held, Error> {
        self.take(&[self.state_lock()], DEADLINE, &|_| LockOwner::Dead)
    }

    /// The refresh locks of `profiles`, the state lock, Claude Code's own locks of `home`, and the two refresh locks of
    /// every tree in which a session of one of `profiles` may run, in the order of K1.
    pub(crate) fn lock_all(&self, home: &ClaudeHome, profiles: &[String]) -> Result<Held, Error> {
        let mut names: Vec<&String> = profiles.iter().collect();
        names.sort_by_cached_key(|name| folded(name));
        let mut homes: Vec<ClaudeHome> = names.iter().filter_map(|name| self.tree(name)).collect();
        homes.push(home.clone());
        homes.sort_by_cached_key(|home| home.real(&self.disk));
        homes.dedup_by_key(|home| home.real(&self.disk));
        names.dedup_by_key(|name| folded(name));
        let mut locks: Vec<Lock> = names.iter().map(|name| self.refresh_lock(name)).collect();
        locks.push(self.state_lock());
        for home_or_tree in &homes {
            let theirs = home_or_tree.locks(&self.disk);
            locks.extend([theirs.refresh, theirs.legacy].map(Lock::Dir));
            if home_or_tree == home {
                locks.extend([theirs.storage, theirs.state].map(Lock::Dir));
            } else {
                locks.push(Lock::Dir(theirs.storage));
            }
        }
        self.take(&locks, DEADLINE, &|path| self.owner_of(&homes, path))
    }

    /// The locks under which a tree's credential is brought home (S2).
    pub(crate) fn lock_tree(&self, tree: &ClaudeHome, profile: &str) -> Result<Held, Error> {
        let locks = [self.refresh_lock(profile), self.state_lock(), Lock::Dir(tree.locks(&self.disk).storage)];
        self.take(&locks, DEADLINE, &|path| clauth_claude::lock_owner(&self.host, &self.disk, tree, path))
    }

    /// The lock under which a profile's tree is made or taken down, which may take as long as copying a home does.
    pub(crate) fn lock_making(&self, profile: &str) -> Result<Held, Error> {
        let at = |extension: &str| self.root.locks().join(format!("tree-{}{extension}", folded(profile)));
        let lock = FileLock { file: at(".lock"), dir: at(""), name: format!("the sessions of '{profile}'") };
        self.take(&[Lock::File(lock)], MAKING, &|_| LockOwner::Dead)
    }

    /// The lock of the requests that are counted for an account.
    pub(crate) fn lock_poll(&self, account: &str) -> Result<Held, Error> {
        let at = |extension: &str| self.root.locks().join(format!("poll-{account}{extension}"));
        let lock = FileLock { file: at(".lock"), dir: at(""), name: "the count of requests".into() };
        self.take(&[Lock::File(lock)], DEADLINE, &|_| LockOwner::Dead)
    }

    /// The tree of a profile's sessions, where there is one.
    fn tree(&self, profile: &str) -> Option<ClaudeHome> {
        let tree = Place::of(&self.root, profile).tree;
        let stands = self.disk.lstat(&tree).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir));
        stands.then(|| ClaudeHome::at(&tree, &self.host, &self.disk))
    }

    /// Whether a lock is one of clauth's own, which no `claude` takes.
    fn is_ours(&self, path: &Path) -> bool {
        path.starts_with(self.root.locks())
    }

    /// Whether somebody who could hold the lock at `path` is alive: a `claude` of the home that the lock belongs to.
    fn owner_of(&self, homes: &[ClaudeHome], path: &Path) -> LockOwner {
        if self.is_ours(path) {
            return LockOwner::Dead;
        }
        let of = |home: &&ClaudeHome| {
            let locks = home.locks(&self.disk);
            [locks.refresh, locks.legacy, locks.storage, locks.state].iter().any(|lock| lock.path == path)
        };
        let home = homes.iter().find(of).or(homes.first());
        home.map_or(LockOwner::Unknown, |home| clauth_claude::lock_owner(&self.host, &self.disk, home, path))
    }

    /// What a renewal holds while it asks the server: the profile's refresh lock, and the two of the home that its login
    /// sits in (K3, R3).
    pub(crate) fn lock_refresh(&self, profile: &str, home: Option<&ClaudeHome>) -> Result<Held, Error> {
        let mut locks = vec![self.refresh_lock(profile)];
        let Some(home) = home else { return self.take(&locks, DEADLINE, &|_| LockOwner::Dead) };
        let theirs = home.locks(&self.disk);
        locks.extend([theirs.refresh, theirs.legacy].map(Lock::Dir));
        self.take(&locks, DEADLINE, &|path| clauth_claude::lock_owner(&self.host, &self.disk, home, path))
    }

    /// Whether nobody is renewing a profile's login at this moment.
    pub(crate) fn is_at_rest(&self, profile: &str) -> Result<bool, Error> {
        match self.take(&[self.refresh_lock(profile)], Duration::ZERO, &|_| LockOwner::Dead) {
            Ok(_) => Ok(true),
            Err(Error::Disk(clauth_durable::Error::Busy { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a renewed pair is put into place under, beside the locks of [`Self::lock_refresh`]: the state lock, and Claude
    /// Code's lock around each change of the credential store of `home`. Whoever else holds these lets go while it waits
    /// (K2), so that trying for them with the others in hand ends.
    pub(crate) fn lock_landing(&self, home: Option<&ClaudeHome>) -> Result<Held, Error> {
        let Some(home) = home else { return self.lock_state() };
        let locks = [self.state_lock(), Lock::Dir(home.locks(&self.disk).storage)];
        self.take(&locks, DEADLINE, &|path| clauth_claude::lock_owner(&self.host, &self.disk, home, path))
    }

    /// Where it is recorded who is about to take what.
    pub(crate) fn lock_records(&self) -> std::path::PathBuf {
        self.root.locks().join("held")
    }

    /// Releases what a killed clauth left locked, before it makes Claude Code wait.
    pub(crate) fn release_debris(&self) -> Result<(), Error> {
        let names = crate::profile::Roster::read(&self.disk, &self.root).map(|roster| roster.names).unwrap_or_default();
        let mut homes = vec![ClaudeHome::default_of(&self.host, &self.disk)];
        homes.extend(names.iter().filter_map(|name| self.tree(name)));
        let owner = |path: &Path| self.owner_of(&homes, path);
        Ok(clauth_durable::lock::release_debris(&self.disk, &self.lock_records(), &owner)?)
    }

    fn take(&self, locks: &[Lock], deadline: Duration, owner: &dyn Fn(&Path) -> LockOwner) -> Result<Held, Error> {
        let owner = |path: &Path| if self.is_ours(path) { LockOwner::Dead } else { owner(path) };
        let rules = Rules {
            records: self.lock_records(),
            deadline,
            waiting: &|waiting: &Waiting<'_>| (self.say)(&waiting_for(waiting)),
            owner: &owner,
        };
        let held = clauth_durable::acquire(&self.disk, locks, &rules)?;
        // The journal is only written under the state lock, so what lies there half-written is a dead process's.
        if locks.contains(&self.state_lock()) {
            clauth_durable::sweep(&self.disk, &[self.root.path().join("journal")])?;
        }
        Ok(held)
    }

    /// The directory that stands for the state lock while it is held.
    pub(crate) fn state_lock_dir(&self) -> std::path::PathBuf {
        self.root.locks().join("state")
    }

    fn state_lock(&self) -> Lock {
        let dir = DirLock { path: self.state_lock_dir(), stale: OURS_STALE, name: "clauth's state".into() };
        Lock::File(FileLock { file: self.root.state_lock(), dir: dir.path, name: dir.name })
    }

    fn refresh_lock(&self, profile: &str) -> Lock {
        let at = |extension: &str| self.root.locks().join(format!("refresh-{}{extension}", folded(profile)));
        Lock::File(FileLock { file: at(".lock"), dir: at(""), name: format!("the login of '{profile}'") })
    }
}

/// A profile's name as its locks bear it: where letters' case does not count, two spellings are one file, and whoever took
/// both would wait for itself. Of a very long name of an old tree as much as fits into a file's name.
fn folded(profile: &str) -> String {
    let name = profile.to_ascii_lowercase();
    if name.len() <= LONGEST {
        return name;
    }
    let print = clauth_host::Fingerprint::of(name.as_bytes());
    let head: String = name.chars().take(LONGEST / 4).collect();
    format!("{head}-{}", print.full())
}

/// The longest name that a lock bears whole.
const LONGEST: usize = 150;

/// Our own lock directories go stale as Claude Code's refresh locks do.
const OURS_STALE: Duration = Duration::from_secs(60);

fn waiting_for(waiting: &Waiting<'_>) -> String {
    let holder = waiting.holder.as_ref().map_or_else(String::new, |holder| format!(", held by {holder}"));
    format!("waiting for {} ({}, {} s old{holder})", waiting.name, waiting.path.display(), waiting.age.as_secs())
}
