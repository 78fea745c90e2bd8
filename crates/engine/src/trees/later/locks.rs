//! The locks of a later version: whoever of it is at work holds one. Taken by trying, and held while its tree is adopted.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use clauth_durable::Kind as FileKind;

use crate::error::Kind;
use crate::root::{Era, Settings};
use crate::session::{self, Place};
use crate::{Engine, Error};

/// Their daemon's lock.
const DAEMON: &str = "clauthd.lock";

/// Locks of theirs that are held, until this is dropped.
pub(super) struct Theirs {
    _files: Vec<File>,
}

impl Engine {
    /// The refusal to act in a tree that a later version left: busy while it is at work, else until it is adopted.
    pub(crate) fn refuse_later(&self, settings: &Settings) -> Result<(), Error> {
        let Era::Later(mark) = &settings.era else { return self.refuse_daemon() };
        drop(self.lock_later()?);
        let what = "these profiles are in the tree of a later version of clauth";
        let next =
            ["clauth adopt, which shows first what it takes over", "clauth list, and all that only looks, works"];
        Err(Error::refused(Kind::Protected, what, mark.display().to_string(), &next))
    }

    /// The refusal to act while their daemon works on in the tree that was adopted.
    fn refuse_daemon(&self) -> Result<(), Error> {
        self.daemon_at_work().map_or(Ok(()), |path| Err(busy(&path, "its daemon is running")))
    }

    /// The lock that a daemon of theirs holds.
    pub(crate) fn daemon_at_work(&self) -> Option<PathBuf> {
        let path = self.root.path().join(DAEMON);
        matches!(self.try_theirs(&path), Err(Held::Busy)).then_some(path)
    }

    /// Takes every lock of theirs.
    pub(super) fn lock_later(&self) -> Result<Theirs, Error> {
        let mut files = Vec::new();
        for (path, who) in self.their_locks()? {
            match self.try_theirs(&path) {
                Ok(file) => files.extend(file),
                Err(Held::Busy) => return Err(busy(&path, who)),
                Err(Held::Failed(error)) => return Err(Error::io("lock", &path)(error)),
            }
        }
        self.refuse_their_sessions()?;
        Ok(Theirs { _files: files })
    }

    /// Every file that one of their processes may hold a lock on, and who that is.
    fn their_locks(&self) -> Result<Vec<(PathBuf, &'static str)>, Error> {
        let root = self.root.path();
        let mut locks = vec![(root.join(DAEMON), "its daemon is running")];
        for name in self.disk.list(&root.join("rotation-locks"))? {
            locks.push((root.join("rotation-locks").join(name), "it is renewing a login"));
        }
        for directory in self.their_trees()? {
            for name in self.disk.list(&directory)? {
                if name.to_str().is_some_and(|name| name.ends_with("lock")) {
                    locks.push((directory.join(name), "one of its sessions is running"));
                }
            }
        }
        Ok(locks)
    }

    /// The directories of their sessions, wherever they lie.
    pub(super) fn their_trees(&self) -> Result<Vec<PathBuf>, Error> {
        let mut places = vec![self.root.path().to_owned()];
        places.extend(self.names()?.iter().map(|name| self.root.profile(name)));
        let mut trees = Vec::new();
        for place in places {
            let names = self.disk.list(&place).unwrap_or_default();
            let begins = |name: &&std::ffi::OsString| name.to_str().is_some_and(|name| name.starts_with("runtime-"));
            trees.extend(names.iter().filter(begins).map(|name| place.join(name)));
        }
        trees
            .retain(|tree| self.disk.lstat(tree).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Dir)));
        Ok(trees)
    }

    /// Somebody lives in one of their trees: by a holder's lock as 0.4.0 has it, or as a `claude` that is seen there.
    fn refuse_their_sessions(&self) -> Result<(), Error> {
        let home = self.home()?;
        let running = clauth_claude::running(&self.host, &self.disk, &home);
        if let Some(claude) = running.iter().find(|claude| claude.config_dir.starts_with(self.root.profiles())) {
            return Err(busy(&claude.config_dir, "one of its sessions is running"));
        }
        for name in self.names()? {
            let place = Place::of(&self.root, &name);
            if !session::live(&self.disk, &place, &running).is_empty() {
                return Err(busy(&place.holders, "one of its sessions is running"));
            }
        }
        Ok(())
    }

    /// Takes one lock; nothing where there is no such file, or where file locks tell nothing.
    fn try_theirs(&self, path: &Path) -> Result<Option<File>, Held> {
        if !self.disk.lstat(path).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::File)) {
            return Ok(None);
        }
        let file = match self.disk.vfs.open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // What may not be opened may be held.
            Err(error) => return Err(Held::Failed(error)),
        };
        match self.disk.vfs.try_lock(&file) {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Err(Held::Busy),
            Err(TryLockError::Error(error)) if clauth_durable::vfs::is_void(&error) => Ok(None),
            Err(TryLockError::Error(error)) => Err(Held::Failed(error)),
        }
    }
}

enum Held {
    Busy,
    Failed(io::Error),
}

fn busy(path: &Path, who: &str) -> Error {
    let what = format!("this tree is in use by a later version of clauth: {who}");
    let next = ["end it, then try again", "clauth list, and all that only looks, works meanwhile"];
    Error::refused(Kind::Busy, what, path.display().to_string(), &next)
}
