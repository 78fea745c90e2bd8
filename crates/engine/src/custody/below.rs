//! The one walk for deletion: the files below a directory of ours, never through a link.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Kind};

use crate::Error;

/// The plain files below `directory`, but for those in its subdirectories called `but`. A link is never followed, not even
/// `directory` itself: what it leads to is somebody else's.
pub(crate) fn below(disk: &Disk, directory: &Path, but: &[&str]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    if !is_dir(disk, directory)? {
        return Ok(files);
    }
    for name in disk.list(directory)? {
        let path = directory.join(&name);
        match disk.lstat(&path)?.map(|stat| stat.kind) {
            Some(Kind::File) => files.push(path),
            Some(Kind::Dir) if !but.iter().any(|skipped| name.to_str() == Some(skipped)) => {
                files.extend(below(disk, &path, but)?);
            }
            _ => {}
        }
    }
    Ok(files)
}

/// Whether this is a directory itself, and no link to one.
pub(crate) fn is_dir(disk: &Disk, path: &Path) -> Result<bool, Error> {
    Ok(disk.lstat(path)?.is_some_and(|stat| stat.kind == Kind::Dir))
}

/// Only what a batch of ours may have left is ever removed on the journal's word.
pub(super) fn is_temp(path: &Path) -> bool {
    path.file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with('.') && name.contains(".clauth-"))
}
