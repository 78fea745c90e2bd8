//! The checkout as a value: its text files, read once, so that a rule is a function of them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// What holds nothing of ours; in a linked work tree `.git` is a file.
const SKIPPED: [&str; 2] = [".git", "target"];

/// Endings of files that `.gitignore` keeps out.
const SKIPPED_ENDINGS: [&str; 2] = [".pending-snap", ".snap.new"];

/// One text file of the checkout.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Relative to the root, with `/` on every platform.
    pub(crate) path: String,
    /// The content.
    pub(crate) text: String,
}

/// All text files of the checkout, sorted by path.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    files: Vec<Source>,
}

impl Tree {
    /// The checkout that cargo runs this program for; without cargo, the one that it was built from. As the runner of a
    /// crate's tests it is run for that crate, somewhere below.
    pub(crate) fn root() -> PathBuf {
        let manifest = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let manifest = PathBuf::from(manifest);
        let root = manifest.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
        root.map_or_else(|| manifest.clone(), Path::to_path_buf)
    }

    /// Reads every text file below `root`; files that are no UTF-8 are not text.
    pub(crate) fn load(root: &Path) -> anyhow::Result<Self> {
        let mut files = Vec::new();
        collect(root, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Every file.
    pub(crate) fn files(&self) -> impl Iterator<Item = &Source> {
        self.files.iter()
    }

    /// Every Rust file.
    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.files().filter(|file| file.path.ends_with(".rs"))
    }

    /// The file at `path`, relative to the root.
    pub(crate) fn get(&self, path: &str) -> Option<&Source> {
        self.files.binary_search_by(|file| file.path.as_str().cmp(path)).ok().map(|index| &self.files[index])
    }

    /// A tree written down in a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let source = |&(path, text): &(&str, &str)| Source { path: path.into(), text: text.into() };
        let mut files: Vec<_> = files.iter().map(source).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Self { files }
    }
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<Source>) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), &path, files)?;
        } else if kind.is_file() && !SKIPPED_ENDINGS.iter().any(|ending| name.ends_with(ending)) {
            let bytes = fs::read(entry.path()).with_context(|| format!("cannot read {path}"))?;
            files.extend(String::from_utf8(bytes).ok().map(|text| Source { path, text }));
        }
    }
    Ok(())
}
