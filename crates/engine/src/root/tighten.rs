//! Looser modes than private, found in our own root, are made private (design §4).

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Kind};

use super::{Root, TREES};

/// Takes the permissions of group and others away from everything in the root, never through a link. Best effort: a file
/// that is somebody else's stays as it is.
pub(crate) fn tighten(disk: &Disk, root: &Root) {
    let is_link = disk.lstat(root.path()).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Link));
    if !is_link {
        one(disk, root.path());
    }
    for path in children(disk, root.path()) {
        let inside = if one(disk, &path) == Some(Kind::Dir) { children(disk, &path) } else { Vec::new() };
        for path in inside {
            if one(disk, &path) == Some(Kind::Dir) {
                files(disk, &path);
            }
        }
    }
}

/// The files and small directories of one profile, vault entry or lock.
fn files(disk: &Disk, dir: &Path) {
    for path in children(disk, dir) {
        let tree = path.file_name().is_some_and(|name| TREES.iter().any(|tree| name == *tree));
        if one(disk, &path) == Some(Kind::Dir) && !tree {
            for path in children(disk, &path) {
                one(disk, &path);
            }
        }
    }
}

fn children(disk: &Disk, dir: &Path) -> Vec<PathBuf> {
    disk.list(dir).unwrap_or_default().iter().map(|name| dir.join(name)).collect()
}

fn one(disk: &Disk, path: &Path) -> Option<Kind> {
    let stat = disk.lstat(path).ok()??;
    if matches!(stat.kind, Kind::File | Kind::Dir) && stat.mode & 0o077 != 0 {
        let _ = disk.vfs.set_mode(path, stat.mode & 0o700);
    }
    Some(stat.kind)
}
