//! Where the credential is kept: in a file, or on macOS in a Keychain item with perhaps a file beside it.

mod item;

use std::path::PathBuf;

use clauth_durable::{Change, Disk, Manner};
use jiff::Timestamp;

pub use item::KeychainStore;

use crate::Error;

/// The bytes of a credential as they were read.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading {
    /// The object's text.
    pub bytes: Vec<u8>,
    /// When it was written; `None` where that is not told beside it.
    pub modified: Option<Timestamp>,
    /// What each place holds, where there are two: the item and the file beside it.
    pub beside: Option<Beside>,
}

/// What an item and the file beside it hold.
#[derive(Clone, PartialEq, Eq)]
pub struct Beside {
    /// The item's bytes.
    pub item: Option<Vec<u8>>,
    /// The file's bytes.
    pub file: Option<Vec<u8>>,
}

/// A place where Claude Code keeps its credential.
pub trait CredentialStore {
    /// What is there.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, disk: &Disk) -> Result<Option<Reading>, Error>;

    /// The changes that put `after` in the place of `before` (W2), in order.
    fn changes(&self, before: Option<&Reading>, after: Vec<u8>) -> Vec<Change>;
}

/// A credentials file.
#[derive(Clone, Debug)]
pub struct FileStore {
    /// The file, as Claude Code names it.
    pub path: PathBuf,
}

impl CredentialStore for FileStore {
    fn read(&self, disk: &Disk) -> Result<Option<Reading>, Error> {
        let read = disk.read_stat(&self.path)?;
        Ok(read.map(|(bytes, stat)| Reading { bytes, modified: Some(stat.modified), beside: None }))
    }

    fn changes(&self, before: Option<&Reading>, after: Vec<u8>) -> Vec<Change> {
        vec![Change {
            path: self.path.clone(),
            before: before.map(|reading| reading.bytes.clone()),
            after: Some(after),
            manner: Manner::Credential,
        }]
    }
}

/// The credential store of a home.
#[derive(Clone, Debug)]
pub enum Store {
    /// A file.
    File(FileStore),
    /// An item.
    Keychain(KeychainStore),
}

impl Store {
    /// The item where there is one, else the file.
    #[must_use]
    pub fn of(item: Option<PathBuf>, file: PathBuf) -> Self {
        match item {
            Some(item) => Self::Keychain(KeychainStore { item, file }),
            None => Self::File(FileStore { path: file }),
        }
    }
}

impl CredentialStore for Store {
    fn read(&self, disk: &Disk) -> Result<Option<Reading>, Error> {
        match self {
            Self::File(store) => store.read(disk),
            Self::Keychain(store) => store.read(disk),
        }
    }

    fn changes(&self, before: Option<&Reading>, after: Vec<u8>) -> Vec<Change> {
        match self {
            Self::File(store) => store.changes(before, after),
            Self::Keychain(store) => store.changes(before, after),
        }
    }
}

#[cfg(test)]
mod tests;
