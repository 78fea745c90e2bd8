//! Where the credential is kept. A trait, since on macOS it is a Keychain item; this is the file.

use std::path::PathBuf;

use clauth_durable::{Change, Disk, Manner};
use jiff::Timestamp;

use crate::Error;

/// The bytes of a credential as they were read.
#[derive(Clone, PartialEq, Eq)]
pub struct Reading {
    /// The object's text.
    pub bytes: Vec<u8>,
    /// When it was written.
    pub modified: Timestamp,
}

/// A place where Claude Code keeps its credential.
pub trait CredentialStore {
    /// What is there.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, disk: &Disk) -> Result<Option<Reading>, Error>;

    /// The change that puts `after` in the place of `before`, by exchange and inspect (W2).
    fn change(&self, before: Option<&Reading>, after: Vec<u8>) -> Change;
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
        Ok(read.map(|(bytes, stat)| Reading { bytes, modified: stat.modified }))
    }

    fn change(&self, before: Option<&Reading>, after: Vec<u8>) -> Change {
        Change {
            path: self.path.clone(),
            before: before.map(|reading| reading.bytes.clone()),
            after: Some(after),
            manner: Manner::Credential,
        }
    }
}

#[cfg(test)]
mod tests;
