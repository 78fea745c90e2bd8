//! File changes, drafted in order: nothing is written here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clauth_durable::{Change, Disk, Manner};

use crate::Error;

/// One drafted change, as `--dry-run` shows it.
pub struct Planned {
    /// The file.
    pub path: PathBuf,
    /// Its bytes now.
    pub before: Option<Vec<u8>>,
    /// Its bytes afterwards.
    pub after: Option<Vec<u8>>,
}

/// Changes in the order in which they are to happen. A file may change twice.
pub(crate) struct Draft<'d> {
    disk: &'d Disk,
    changes: Vec<Change>,
    contents: BTreeMap<PathBuf, Option<Vec<u8>>>,
}

impl<'d> Draft<'d> {
    pub(crate) fn new(disk: &'d Disk) -> Self {
        Self { disk, changes: Vec::new(), contents: BTreeMap::new() }
    }

    /// Takes in what has been read already, so that a later change is made against those very bytes.
    pub(crate) fn know(&mut self, path: &Path, bytes: Option<Vec<u8>>) {
        self.contents.entry(path.to_owned()).or_insert(bytes);
    }

    /// A file's bytes as they are at this point of the draft.
    pub(crate) fn read(&mut self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        if !self.contents.contains_key(path) {
            self.contents.insert(path.to_owned(), self.disk.read(path)?);
        }
        Ok(self.contents.get(path).cloned().flatten())
    }

    /// Drafts new content; nothing when the file has it already. A TOML file keeps its line ends, of which the parser knows one
    /// kind (W3).
    pub(crate) fn put(&mut self, path: &Path, manner: Manner, bytes: Vec<u8>) -> Result<(), Error> {
        let before = self.read(path)?;
        let is_toml = path.extension().is_some_and(|extension| extension == "toml");
        let bytes = match before {
            Some(before) if is_toml => crate::toml::ended_as(&before, &bytes),
            _ => bytes,
        };
        self.change(path, manner, Some(bytes))
    }

    /// Drafts a removal; nothing when there is no such file.
    pub(crate) fn delete(&mut self, path: &Path, manner: Manner) -> Result<(), Error> {
        self.change(path, manner, None)
    }

    /// The files below `directory` that stand at this point of the draft only because it puts them there.
    pub(crate) fn made_below(&self, directory: &Path) -> Vec<PathBuf> {
        let made = |path: &PathBuf| self.changes.iter().any(|change| change.path == *path);
        let standing = self.contents.iter().filter(|(_, bytes)| bytes.is_some()).map(|(path, _)| path);
        standing.filter(|path| path.starts_with(directory) && made(path)).cloned().collect()
    }

    /// Drafts a line at the end of one of our own files.
    pub(crate) fn append(&mut self, path: &Path, line: &[u8]) -> Result<(), Error> {
        let mut bytes = self.read(path)?.unwrap_or_default();
        if bytes.last().is_some_and(|byte| *byte != b'\n') {
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(line);
        self.put(path, Manner::Log, bytes)
    }

    /// Swaps a whole credential object in, by exchange and inspect (W2).
    pub(crate) fn push(&mut self, change: Change) {
        self.contents.insert(change.path.clone(), change.after.clone());
        self.changes.push(change);
    }

    fn change(&mut self, path: &Path, manner: Manner, after: Option<Vec<u8>>) -> Result<(), Error> {
        let before = self.read(path)?;
        if before != after {
            self.push(Change { path: path.to_owned(), before, after, manner });
        }
        Ok(())
    }

    pub(crate) fn into_changes(self) -> Vec<Change> {
        self.changes
    }
}

/// What the changes come to, file by file: the first `before`, the last `after`.
pub(crate) fn planned(changes: &[Change]) -> Vec<Planned> {
    let mut files: Vec<Planned> = Vec::new();
    for change in changes {
        match files.iter_mut().find(|file| file.path == change.path) {
            Some(file) => file.after.clone_from(&change.after),
            None => files.push(Planned {
                path: change.path.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
            }),
        }
    }
    files.retain(|file| file.before != file.after);
    files
}
