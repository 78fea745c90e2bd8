//! Which Claude Code home a command acts on (L8).

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, real_path};
use clauth_durable::{Disk, Kind as FileKind};

use crate::error::Kind;
use crate::root::Settings;
use crate::{Engine, Error};

/// The live home, and what the user should know about it.
pub(crate) struct LiveHome {
    pub(crate) home: ClaudeHome,
    /// Where it is, links resolved: what loans name.
    pub(crate) id: PathBuf,
    /// Said when this shell's `claude` uses another directory than the one acted on.
    pub(crate) notice: Option<String>,
}

/// The home that this root's commands act on.
pub(crate) fn live_home(engine: &Engine, settings: &Settings) -> Result<LiveHome, Error> {
    let (host, disk) = (&engine.host, &engine.disk);
    let named = ClaudeHome::of(host, disk)?;
    let recorded = settings.recorded(host, disk);
    let root = OwnDir::of(disk, engine.root.path());
    let (home, notice) = match recorded {
        _ if root.holds_any(disk, &named).is_some() => {
            let home = recorded.unwrap_or_else(|| ClaudeHome::default_of(host, disk));
            let notice =
                format!("this shell runs a clauth session and keeps its own account; acting on {}", home.dir.display());
            (home, Some(notice))
        }
        Some(recorded) if !recorded.is(&named, disk) => return Err(other_home(&recorded, &named)),
        // Just looked at: it is not in the root.
        _ => return Ok(LiveHome { id: named.real(disk), home: named, notice: None }),
    };
    if let Some(dir) = root.holds_any(disk, &home) {
        return Err(own_files(dir, &real_path(disk, dir)));
    }
    let id = home.real(disk);
    Ok(LiveHome { home, id, notice })
}

impl Engine {
    /// Refuses a home whose settings are no file that can be read: Claude Code would hang or fail on them, and whatever is
    /// to be said about them could not be found out.
    pub(crate) fn check_settings(&self, home: &ClaudeHome) -> Result<(), Error> {
        let path = home.settings();
        match self.disk.stat(&path)? {
            Some(stat) if stat.kind != FileKind::File => {
                Err(clauth_durable::Error::NotRegular { path, kind: stat.kind }.into())
            }
            _ => self.check_link(&home.credentials()),
        }
    }

    /// Refuses a live login that is a link to where not even the directory is: what it leads to is not mounted, or gone.
    fn check_link(&self, path: &Path) -> Result<(), Error> {
        let target = self.disk.target(path, Some(self.root.path())).map_err(|error| match error {
            // Told by the name that the user knows.
            clauth_durable::Error::NotRegular { kind, .. } => {
                clauth_durable::Error::NotRegular { path: path.to_owned(), kind }
            }
            error => error,
        });
        let target = target.map_err(super::not_readable)?;
        let lost = target.path != *path && target.stat.is_none();
        let Some(parent) = target.path.parent().filter(|_| lost) else { return Ok(()) };
        if self.disk.stat(parent)?.is_some() {
            return Ok(());
        }
        let what = format!("{} is a link to {}, where nothing is", path.display(), target.path.display());
        let next = ["mount or make what it leads to", "or take the link away and sign in: claude auth login"];
        Err(Error::refused(Kind::Protected, what, path.display().to_string(), &next))
    }

    /// Refuses a root that is Claude Code's home, or in it, or around it: its files and modes are not ours to change.
    ///
    /// # Errors
    /// It is.
    pub fn check_root(&self) -> Result<(), Error> {
        let root = real_path(&self.disk, self.root.path());
        let profiles = OwnDir::of(&self.disk, &self.root.profiles());
        let named = ClaudeHome::of(&self.host, &self.disk).ok();
        let named = named.filter(|home| !profiles.holds(&self.disk, &home.dir));
        let homes = [Some(ClaudeHome::default_of(&self.host, &self.disk)), named];
        let mut directories: Vec<PathBuf> =
            homes.into_iter().flatten().flat_map(|home| [home.dir, home.secure]).collect();
        directories.dedup();
        for dir in directories {
            // A home that is itself a link into the root lies elsewhere; who would act on it refuses it (L8).
            let place = match (dir.parent(), dir.file_name()) {
                (Some(parent), Some(name)) => real_path(&self.disk, parent).join(name),
                _ => dir.clone(),
            };
            if root.starts_with(&place) || root.starts_with(real_path(&self.disk, &dir)) || place.starts_with(&root) {
                let what =
                    format!("clauth's root may not be Claude Code's home {}, nor in it or around it", dir.display());
                let next = ["unset CLAUTH_HOME", "a directory of its own: CLAUTH_HOME=/path/to/another"];
                return Err(Error::refused(Kind::Usage, what, self.root.path().display().to_string(), &next));
            }
        }
        Ok(())
    }
}

/// A directory of ours by both of its names: as it was named, and with the links on the way resolved.
struct OwnDir {
    named: PathBuf,
    real: PathBuf,
}

impl OwnDir {
    fn of(disk: &Disk, path: &Path) -> Self {
        Self { named: path.to_owned(), real: real_path(disk, path) }
    }

    /// The directory of `home` that is in it.
    fn holds_any<'h>(&self, disk: &Disk, home: &'h ClaudeHome) -> Option<&'h Path> {
        let store = Some(home.secure.as_path()).filter(|store| *store != home.dir);
        std::iter::once(home.dir.as_path()).chain(store).find(|dir| self.holds(disk, dir))
    }

    fn holds(&self, disk: &Disk, path: &Path) -> bool {
        path.starts_with(&self.named) || real_path(disk, path).starts_with(&self.real)
    }
}

/// L8: a home that leads into our own files is not written through.
fn own_files(dir: &Path, real: &Path) -> Error {
    let what = format!("{} is a link into clauth's own files: {}", dir.display(), real.display());
    let next = format!("take that link away, and put back what was there before: {}", dir.display());
    Error::refused(Kind::Protected, what, dir.display().to_string(), &[&next])
}

fn other_home(recorded: &ClaudeHome, named: &ClaudeHome) -> Error {
    let secure = recorded.dir == named.dir && recorded.secure != named.secure;
    let variable = if secure { "CLAUDE_SECURESTORAGE_CONFIG_DIR" } else { "CLAUDE_CONFIG_DIR" };
    let (theirs, ours) = match (secure, recorded.dir == named.dir) {
        (true, _) => (&named.secure, &recorded.secure),
        (false, true) => (&named.state, &recorded.state),
        (false, false) => (&named.dir, &recorded.dir),
    };
    let shown = |path: &Path| path.display().to_string();
    let what = if named.named || secure {
        format!(
            "with {variable} as it is set Claude Code uses {}, but this clauth keeps the logins of {}",
            shown(theirs),
            shown(ours)
        )
    } else {
        format!("Claude Code uses {} here, but this clauth keeps the logins of {}", shown(theirs), shown(ours))
    };
    let back = if recorded.named && !secure {
        format!("set {variable}={}", shown(&recorded.dir))
    } else {
        format!("unset {variable}")
    };
    // Beside that directory, and never in it: a slash at its end goes.
    let beside: PathBuf = if secure { &named.secure } else { &named.dir }.components().collect();
    let other = format!("for the other home, give it a root of its own: CLAUTH_HOME={}-clauth", shown(&beside));
    Error::refused(Kind::Protected, what, shown(theirs), &[&back, &other])
}
