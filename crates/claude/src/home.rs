//! Where everything lives (facts §1.1), and Claude Code's locks (facts §2.3).

use std::path::{Path, PathBuf};
use std::time::Duration;

use clauth_durable::{DirLock, Disk};
use clauth_host::Host;

use crate::keychain::{exported, item_of};
use crate::{Error, Store};

/// Moves Claude Code's config home.
pub(crate) const CONFIG: &str = "CLAUDE_CONFIG_DIR";
/// Moves its credential store alone; defined but empty means the default one.
pub(crate) const SECURE: &str = "CLAUDE_SECURESTORAGE_CONFIG_DIR";

/// A config home of Claude Code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaudeHome {
    /// The config home, as it is named.
    pub dir: PathBuf,
    /// The directory of the credential store and its locks.
    pub secure: PathBuf,
    /// The state file: beside the default home, inside a named one; a legacy `.config.json` in the home wins.
    pub state: PathBuf,
    /// Named by `CLAUDE_CONFIG_DIR`.
    pub named: bool,
    /// The item that its credential is in, by its name in the place of a path; `None` where that is a file (facts §1.5).
    pub item: Option<PathBuf>,
}

/// Claude Code's locks of one home, in the order of K1.
#[derive(Clone, Debug)]
pub struct HomeLocks {
    /// Token refresh, primary.
    pub refresh: DirLock,
    /// Token refresh, legacy; taken second.
    pub legacy: DirLock,
    /// Each change of the credential store.
    pub storage: DirLock,
    /// Each change of the state file.
    pub state: DirLock,
}

impl ClaudeHome {
    /// The home that a `claude` started with this environment uses.
    ///
    /// # Errors
    /// A directory variable that is no absolute path.
    pub fn of(host: &Host, disk: &Disk) -> Result<Self, Error> {
        let absolute = |variable, path: PathBuf| {
            if path.is_absolute() { Ok(path) } else { Err(Error::Relative { variable, path }) }
        };
        let mut home = match host.env.path(CONFIG) {
            Some(dir) => Self::laid_out(absolute(CONFIG, dir)?, true, host, disk),
            None => Self::default_of(host, disk),
        };
        match host.env.raw(SECURE) {
            None => {}
            Some(value) if value.is_empty() => home.secure = default_dir(host),
            Some(value) => home.secure = absolute(SECURE, PathBuf::from(value))?,
        }
        home.item = disk.items.is_some().then(|| item_of(exported(&host.env)));
        Ok(home)
    }

    /// `~/.claude`, whatever the environment says.
    #[must_use]
    pub fn default_of(host: &Host, disk: &Disk) -> Self {
        Self::laid_out(default_dir(host), false, host, disk)
    }

    /// The home at a directory: `~/.claude`, under whatever name, in its own layout, any other as if `CLAUDE_CONFIG_DIR`
    /// named it.
    #[must_use]
    pub fn at(dir: &Path, host: &Host, disk: &Disk) -> Self {
        let plain = default_dir(host);
        if same_path(disk, dir, &plain) {
            Self::default_of(host, disk)
        } else {
            Self::laid_out(dir.to_owned(), true, host, disk)
        }
    }

    /// The home at a directory as `CLAUDE_CONFIG_DIR` names it, be it the default one.
    #[must_use]
    pub fn named_at(dir: &Path, host: &Host, disk: &Disk) -> Self {
        Self::laid_out(dir.to_owned(), true, host, disk)
    }

    /// Whether both are one home, links resolved: config home, credential store and state file. Where the credential is an
    /// item it must be the same item: two names of one directory have two.
    #[must_use]
    pub fn is(&self, other: &Self, disk: &Disk) -> bool {
        let parts = |home: &Self| [&home.dir, &home.secure, &home.state].map(|path| real_path(disk, path));
        self == other || (self.item == other.item && parts(self) == parts(other))
    }

    fn laid_out(dir: PathBuf, named: bool, host: &Host, disk: &Disk) -> Self {
        let legacy = dir.join(".config.json");
        let state = if disk.vfs.stat(&legacy).is_ok() {
            legacy
        } else if named {
            dir.join(".claude.json")
        } else {
            host.home.join(".claude.json")
        };
        let item = disk.items.is_some().then(|| item_of(named.then_some(dir.as_os_str())));
        Self { secure: dir.clone(), dir, state, named, item }
    }

    /// The credentials file; where the credential is an item, what Claude Code falls back to.
    #[must_use]
    pub fn credentials(&self) -> PathBuf {
        self.secure.join(".credentials.json")
    }

    /// Where its credential is: the item, or the file.
    #[must_use]
    pub fn credential(&self) -> PathBuf {
        self.item.clone().unwrap_or_else(|| self.credentials())
    }

    /// Its credential store.
    #[must_use]
    pub fn store(&self) -> Store {
        Store::of(self.item.clone(), self.credentials())
    }

    /// The user's settings.
    #[must_use]
    pub fn settings(&self) -> PathBuf {
        self.dir.join("settings.json")
    }

    /// Where running sessions are registered.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        self.dir.join("sessions")
    }

    /// Where the credential store really is, links resolved: two names of one home are equal here.
    #[must_use]
    pub fn real(&self, disk: &Disk) -> PathBuf {
        real_path(disk, &self.secure)
    }

    /// Claude Code's locks of this home.
    #[must_use]
    pub fn locks(&self, disk: &Disk) -> HomeLocks {
        let lock = |path: PathBuf, seconds, name: &str| DirLock {
            path,
            stale: Duration::from_secs(seconds),
            name: name.into(),
        };
        HomeLocks {
            refresh: lock(self.secure.join(".oauth_refresh.lock"), 60, "Claude Code's token refresh"),
            legacy: lock(with_suffix(&self.real(disk)), 60, "Claude Code's token refresh"),
            storage: lock(self.secure.join(".storage-write.lock"), 15, "Claude Code's credential store"),
            // Claude Code names the lock after the path as it knows it, also when the file is a link.
            state: lock(with_suffix(&self.state), 10, "Claude Code's state file"),
        }
    }
}

fn default_dir(host: &Host) -> PathBuf {
    host.home.join(".claude")
}

fn with_suffix(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

/// Whether two paths lead to one place, links resolved.
#[must_use]
pub fn same_path(disk: &Disk, one: &Path, other: &Path) -> bool {
    one == other || real_path(disk, one) == real_path(disk, other)
}

/// A path with every link on the way resolved, as far as it exists.
#[must_use]
pub fn real_path(disk: &Disk, path: &Path) -> PathBuf {
    let mut real = PathBuf::new();
    let mut rest: Vec<_> = path.components().map(|part| part.as_os_str().to_owned()).rev().collect();
    let mut links = 0;
    while let Some(part) = rest.pop() {
        if part == "." {
            continue;
        }
        if part == ".." {
            real.pop();
            continue;
        }
        let here = real.join(&part);
        // The root is no link.
        if here.parent().is_none() {
            real = here;
            continue;
        }
        match disk.vfs.read_link(&here) {
            Ok(target) if links < 40 => {
                links += 1;
                if target.is_absolute() {
                    real = PathBuf::new();
                }
                rest.extend(target.components().map(|part| part.as_os_str().to_owned()).rev());
            }
            _ => real = here,
        }
    }
    real
}

#[cfg(test)]
mod tests;
