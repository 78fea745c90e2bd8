//! Links in Claude Code's home that lead into the root: each dangles once the root is gone.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, real_path};
use clauth_durable::Kind;

use crate::{Engine, Error};

/// What a person may well keep elsewhere and link to, however deep. Of every other directory the entries are looked at.
const DEEP: [&str; 8] = ["agents", "commands", "hooks", "output-styles", "plugins", "rules", "skills", "workflows"];

/// How many levels below those, and how many entries in all.
const LEVELS: usize = 3;
const MOST: usize = 20_000;

/// A walk that ends.
struct Walk<'e> {
    engine: &'e Engine,
    root: PathBuf,
    left: usize,
    found: Vec<PathBuf>,
}

impl Engine {
    /// The links in `home` that lead into the root.
    pub(crate) fn links_into_root(&self, home: &ClaudeHome) -> Result<Vec<PathBuf>, Error> {
        let mut walk =
            Walk { engine: self, root: real_path(&self.disk, self.root.path()), left: MOST, found: Vec::new() };
        let mut directories = Vec::new();
        for name in self.disk.list(&home.dir)? {
            let path = home.dir.join(&name);
            if walk.is_directory(&path) {
                directories.push((path, if DEEP.iter().any(|deep| *deep == name) { LEVELS } else { 0 }));
            }
        }
        let _ = walk.is_directory(&home.state);
        for (path, levels) in directories {
            walk.below(&path, levels);
        }
        walk.found.sort_unstable();
        walk.found.dedup();
        Ok(walk.found)
    }
}

impl Walk<'_> {
    /// Notes a link that leads into the root; whether it is a directory that can be gone into.
    fn is_directory(&mut self, path: &Path) -> bool {
        let disk = &self.engine.disk;
        match disk.lstat(path).ok().flatten().map(|stat| stat.kind) {
            Some(Kind::Dir) => true,
            Some(Kind::Link) => {
                if real_path(disk, path).starts_with(&self.root) {
                    self.found.push(path.to_owned());
                }
                false
            }
            _ => false,
        }
    }

    /// What cannot be listed has nothing to be told.
    fn below(&mut self, directory: &Path, levels: usize) {
        for name in self.engine.disk.list(directory).unwrap_or_default() {
            if self.left == 0 {
                return;
            }
            self.left -= 1;
            let path = directory.join(name);
            if self.is_directory(&path) && levels > 0 {
                self.below(&path, levels - 1);
            }
        }
    }
}
