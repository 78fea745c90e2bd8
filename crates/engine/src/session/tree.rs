//! The tree: a config directory of links to the home's entries, for one profile's sessions. What stands in it is left
//! alone, since a `claude` may be at work there; only the top level is walked.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use clauth_claude::ClaudeHome;
use clauth_durable::{Disk, Kind};

use super::{LinkMode, Place, is_shared};
use crate::Error;
use crate::error::Kind as Refusal;

/// The directories that Claude Code makes in its home (facts §1.7). They are there before the tree is, since what it
/// would otherwise make in the tree, other sessions would not see.
const DIRECTORIES: [&str; 21] = [
    "agents",
    "commands",
    "debug",
    "file-history",
    "ide",
    "image-cache",
    "jobs",
    "output-styles",
    "paste-cache",
    "plans",
    "plugins",
    "projects",
    "rules",
    "session-env",
    "sessions",
    "shell-snapshots",
    "skills",
    "tasks",
    "themes",
    "usage-data",
    "workflows",
];

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Built {
    /// Links made.
    pub(crate) linked: usize,
    /// Links of ours removed, since the home has nothing there any more or it is no longer shared.
    pub(crate) removed: usize,
    /// Shared names under which the tree has a file or directory of its own; S7 moves them into the home.
    pub(crate) own: Vec<OsString>,
}

/// Makes the tree, or adds to it what is new in the home. In copy mode only the directory itself and what must be in the
/// home: copying is the mirror's. `fresh`: nobody lives in it, so links of an earlier home are made anew.
///
/// The credential, the settings and the state file in it are not touched. The caller holds the lock under which
/// trees are made.
///
/// # Errors
/// No home, or as the system says.
pub(crate) fn build(
    disk: &Disk,
    home: &ClaudeHome,
    place: &Place,
    mode: LinkMode,
    fresh: bool,
) -> Result<Built, Error> {
    installed(disk, &home.dir)?;
    for name in DIRECTORIES.iter().filter(|name| is_shared(OsStr::new(name), mode)) {
        // A link that leads nowhere is the user's, and so is whatever else stands there.
        let path = home.dir.join(name);
        if disk.lstat(&path)?.is_none() {
            disk.ensure_dir(&path)?;
        }
    }
    disk.ensure_dir(&place.tree)?;
    let mut builder = Builder { disk, home: &home.dir, tree: &place.tree, fresh, built: Built::default() };
    if mode == LinkMode::Real {
        builder.unlink()?;
        builder.link()?;
    }
    Ok(builder.built)
}

/// The refusal on a machine without Claude Code's home.
pub(super) fn installed(disk: &Disk, dir: &Path) -> Result<(), Error> {
    if disk.stat(dir)?.is_some_and(|stat| stat.kind == Kind::Dir) {
        return Ok(());
    }
    let what = match disk.lstat(dir)? {
        None => "Claude Code has no home here".to_owned(),
        Some(_) => format!("{} is no directory, and Claude Code's home should be", dir.display()),
    };
    let place = dir.display().to_string();
    let next = ["install Claude Code first, and sign in: claude auth login"];
    Err(Error::refused(Refusal::NotInstalled, what, place, &next))
}

struct Builder<'a> {
    disk: &'a Disk,
    home: &'a Path,
    tree: &'a Path,
    fresh: bool,
    built: Built,
}

impl Builder<'_> {
    /// Removes the links of ours that should not be there.
    fn unlink(&mut self) -> Result<(), Error> {
        for name in self.disk.list(self.tree)? {
            let path = self.tree.join(&name);
            let Some(target) = self.target_of(&path)? else { continue };
            let ours = target == self.home.join(&name);
            let gone = ours && self.disk.lstat(&target)?.is_none();
            let moved = self.fresh && !ours && target.file_name() == Some(&name) && is_shared(&name, LinkMode::Real);
            let private = ours && is_private(&name);
            if (gone || moved || private) && self.disk.remove_file(&path)? {
                self.built.removed += 1;
            }
        }
        Ok(())
    }

    /// Where a link leads; `None` for anything else.
    fn target_of(&self, path: &Path) -> Result<Option<PathBuf>, Error> {
        if self.disk.lstat(path)?.is_none_or(|stat| stat.kind != Kind::Link) {
            return Ok(None);
        }
        self.disk.vfs.read_link(path).map(Some).map_err(Error::io("read the link", path))
    }

    /// Links everything that is shared and not there.
    fn link(&mut self) -> Result<(), Error> {
        let there: BTreeSet<OsString> = self.disk.list(self.tree)?.into_iter().collect();
        for name in self.disk.list(self.home)? {
            if !is_shared(&name, LinkMode::Real) || !self.is_linkable(&self.home.join(&name)) {
                continue;
            }
            if there.contains(&name) {
                self.note(name)?;
                continue;
            }
            let link = self.tree.join(&name);
            match self.disk.vfs.symlink(&self.home.join(&name), &link) {
                Ok(()) => self.built.linked += 1,
                // Made meanwhile, or the same name in another case.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.note(name)?,
                Err(error) => return Err(Error::io("make the link", &link)(error)),
            }
        }
        Ok(())
    }

    /// Notes what stands where a link should be.
    fn note(&mut self, name: OsString) -> Result<(), Error> {
        let stat = self.disk.lstat(&self.tree.join(&name))?;
        if stat.is_some_and(|stat| matches!(stat.kind, Kind::File | Kind::Dir)) {
            self.built.own.push(name);
        }
        Ok(())
    }

    /// Whether the home's entry is one for links: no socket, FIFO or device, and no link back into the tree, which would
    /// lead in a circle. What cannot be told, as of a link whose target is not mounted, is for Claude Code to find out.
    fn is_linkable(&self, path: &Path) -> bool {
        let back = self.disk.vfs.read_link(path).is_ok_and(|target| target.starts_with(self.tree));
        !back && !self.disk.vfs.stat(path).is_ok_and(|stat| stat.kind == Kind::Other)
    }
}

/// Whether a link under this name is to go: an earlier version's, to what S4 keeps apart. The three files that every
/// profile has of its own are put right by those who write them, in one step.
fn is_private(name: &OsStr) -> bool {
    let own = [".credentials.json", ".claude.json", "settings.json"];
    !is_shared(name, LinkMode::Real) && own.iter().all(|own| OsStr::new(own) != name)
}
