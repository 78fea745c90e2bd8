//! What neither side may take in: the directories that the sides themselves lie in, should one lie inside the other.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Stat};

/// The directories that lead to a side.
#[derive(Clone, Debug)]
pub(super) struct Fence {
    paths: Vec<PathBuf>,
    ids: Vec<(u64, u64)>,
}

impl Fence {
    /// Around all `sides`.
    pub(super) fn around(disk: &Disk, sides: &[&Path]) -> Self {
        let paths: Vec<PathBuf> = sides.iter().flat_map(|side| side.ancestors().map(Path::to_owned)).collect();
        let ids = paths.iter().filter_map(|path| disk.vfs.stat(path).ok()).map(|stat| (stat.dev, stat.ino));
        Self { ids: ids.filter(|id| *id != (0, 0)).collect(), paths }
    }

    /// Whether the directory at `path` is one of them, by name or by what it is.
    pub(super) fn holds(&self, path: &Path, stat: &Stat) -> bool {
        self.ids.contains(&(stat.dev, stat.ino)) || self.paths.iter().any(|held| held == path)
    }
}
