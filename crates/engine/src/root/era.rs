//! Which version's tree a root is: our own says its format; what other versions leave is known by its files.

use std::path::{Path, PathBuf};

use clauth_durable::Disk;
use toml_edit::DocumentMut;

use super::Root;
use crate::{Error, toml};

/// Whose tree it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    /// Ours, or one without a profile.
    Ours,
    /// Version 0.4.0's.
    Old,
    /// A later version's, by the file that only it makes.
    Later(PathBuf),
}

/// What only later versions make, in the root or in a profile's directory.
const LATER: [&str; 5] =
    ["clauthd.lock", "auth.spent.json", "session-token.json", "credentials.json.staged", "rotation-locks"];

/// How the names of their session trees begin.
const LATER_TREE: &str = "runtime-";

impl Era {
    /// Tells by what stands there; `settings` is our own `settings.toml`, which says a format once we have worked there.
    pub(super) fn of(disk: &Disk, root: &Root, settings: &DocumentMut) -> Result<Self, Error> {
        if settings.contains_key("format") {
            return Ok(Self::Ours);
        }
        if let Some(path) = later(disk, root)? {
            return Ok(Self::Later(path));
        }
        // A sign-in that was made before anything was captured leaves a history, and no format yet.
        let listed = toml::read(disk, &root.roster()).is_ok_and(|list| !toml::texts(&list, "profiles").is_empty());
        let ours = !listed || disk.lstat(&root.history())?.is_some();
        Ok(if ours { Self::Ours } else { Self::Old })
    }
}

/// The first file in the root that only a later version makes.
fn later(disk: &Disk, root: &Root) -> Result<Option<PathBuf>, Error> {
    if let Some(path) = mark_in(disk, root.path())? {
        return Ok(Some(path));
    }
    for name in disk.list(&root.profiles())? {
        // What may not be looked into, or is no directory, belongs to one profile and speaks for none.
        if let Ok(Some(path)) = mark_in(disk, &root.profiles().join(name)) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

fn mark_in(disk: &Disk, directory: &Path) -> Result<Option<PathBuf>, Error> {
    let names = disk.list(directory)?;
    let marks = |name: &str| LATER.contains(&name) || name.starts_with(LATER_TREE);
    Ok(names.iter().find(|name| name.to_str().is_some_and(marks)).map(|name| directory.join(name)))
}
