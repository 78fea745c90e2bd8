//! What gives way is kept under `conflicts/` before it goes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Manners, Stat};

use super::super::index::{Hash, Stamp};
use super::super::name;
use super::content::digest;

type Error = clauth_durable::Error;

/// Keeps the file at `path`, durably, under its relative name and the beginning of its hash: to keep the same bytes twice
/// changes nothing. It must be as `expected`.
pub(super) fn keep(
    disk: &Disk,
    conflicts: &Path,
    (relative, path): (&Path, &Path),
    expected: &Stat,
) -> Result<(), Error> {
    let found = digest(disk, path)?;
    if Stamp::of(&found.stat) != Stamp::of(expected) {
        return Err(Error::Moved { path: path.to_owned() });
    }
    let kept = conflicts.join(relative).with_file_name(kept_name(relative, found.hash));
    if disk.lstat(&kept)?.is_some() {
        return Ok(());
    }
    let parent = kept.parent().unwrap_or(conflicts);
    disk.ensure_dir(parent)?;
    let temp = parent.join(name::staged("keep", &disk.random.name()));
    let saved = disk.copy_new(path, &temp, Manners { share: true, sync: true }).and_then(|copied| {
        if copied.torn || Stamp::of(&copied.from) != Stamp::of(expected) {
            return Err(Error::Moved { path: path.to_owned() });
        }
        let io = |source| Error::Io { doing: "keep", path: kept.clone(), source };
        disk.vfs.rename(&temp, &kept).map_err(io)?;
        disk.vfs.sync_dir(parent).map_err(io)
    });
    if saved.is_err() {
        let _ = disk.vfs.remove_file(&temp);
    }
    saved
}

/// `NAME.HASH`, shortened at the end of `NAME` where it would become too long for a file.
fn kept_name(relative: &Path, hash: Hash) -> PathBuf {
    let digits: String = hash[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    let mut kept: OsString = name::shorten(relative.file_name().unwrap_or_default(), digits.len() + 1);
    kept.push(".");
    kept.push(digits);
    PathBuf::from(kept)
}
