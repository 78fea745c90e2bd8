//! Whether a session's tree can be made of links.

use std::io;
use std::path::Path;

use clauth_durable::{Disk, Kind};
use clauth_host::Env;

use crate::Error;
use crate::error::Kind as Refusal;

/// Forces one of the two.
const VARIABLE: &str = "CLAUTH_LINKS";

/// What a session's tree is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LinkMode {
    /// Links to the home's entries.
    Real,
    /// Copies, kept in step both ways (S6).
    Copy,
}

impl LinkMode {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Real => "real",
            Self::Copy => "copy",
        }
    }
}

/// Finds the mode for `tree`, a directory that is there, by making a link in it.
///
/// # Errors
/// An unknown word in `CLAUTH_LINKS`, `real` there where links are denied, or a disk that is full or may not be written.
pub(crate) fn probe(disk: &Disk, env: &Env, tree: &Path) -> Result<LinkMode, Error> {
    let forced = forced(env)?;
    if forced == Some(LinkMode::Copy) {
        return Ok(LinkMode::Copy);
    }
    match make(disk, tree) {
        Ok(true) => Ok(LinkMode::Real),
        Err(error) if is_no_denial(&error) && !is_about_links(disk, tree, &error) => {
            Err(Error::io("make a link in", tree)(error))
        }
        denied if forced.is_some() => {
            let why = denied.err().map_or_else(|| "it made something else".to_owned(), |error| error.to_string());
            let what = format!("{VARIABLE} is 'real', but the system denies links in {}: {why}", tree.display());
            let next = "unset CLAUTH_LINKS, and sessions get a copy that is kept in step";
            Err(Error::refused(Refusal::Io, what, tree.display().to_string(), &[next]))
        }
        _ => Ok(LinkMode::Copy),
    }
}

/// What the environment asks for.
fn forced(env: &Env) -> Result<Option<LinkMode>, Error> {
    match env.get(VARIABLE) {
        None => Ok(None),
        Some(word) if word == LinkMode::Real.word() => Ok(Some(LinkMode::Real)),
        Some(word) if word == LinkMode::Copy.word() => Ok(Some(LinkMode::Copy)),
        Some(word) => {
            let what =
                format!("{VARIABLE} is '{}', which is neither real nor copy", crate::shown(&word.to_string_lossy()));
            Err(Error::refused(Refusal::Usage, what, VARIABLE, &["unset CLAUTH_LINKS"]))
        }
    }
}

/// What is said of a tree that others live in already, where it is not made as the environment asks.
///
/// # Errors
/// An unknown word in `CLAUTH_LINKS`.
pub(crate) fn not_as_asked(env: &Env, profile: &str, mode: LinkMode) -> Result<Option<String>, Error> {
    let other = forced(env)?.filter(|asked| *asked != mode);
    Ok(other.map(|asked| {
        format!(
            "{VARIABLE} is '{}', but sessions of '{profile}' run already, with '{}'; all of them share one directory",
            asked.word(),
            mode.word()
        )
    }))
}

/// Makes a link, and says whether a link is what it made.
fn make(disk: &Disk, tree: &Path) -> io::Result<bool> {
    let link = tree.join(format!(".clauth-probe-{}", disk.random.name()));
    disk.vfs.symlink(tree, &link)?;
    let made = disk.vfs.lstat(&link).is_ok_and(|stat| stat.kind == Kind::Link);
    disk.vfs.remove_file(&link)?;
    Ok(made)
}

/// Whether a link cannot be made in a directory that is there: some systems say so by finding nothing.
fn is_about_links(disk: &Disk, tree: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && disk.vfs.stat(tree).is_ok_and(|stat| stat.kind == Kind::Dir)
}

/// Whether nothing could have been made there at all, so that a copy would fail as well.
fn is_no_denial(error: &io::Error) -> bool {
    use io::ErrorKind::{NotADirectory, NotFound, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), NotFound | NotADirectory | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}
