//! One document that stands while a change is under way.

use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::disk::Mode;
use crate::{Disk, DocumentError, Error};

/// A journal with room for one entry.
pub struct Journal {
    disk: Disk,
    path: PathBuf,
}

impl Journal {
    /// The journal at `path`.
    #[must_use]
    pub fn at(disk: &Disk, path: PathBuf) -> Self {
        Self { disk: disk.clone(), path }
    }

    /// The entry that stands, if one does.
    ///
    /// # Errors
    /// The file cannot be read, or is not what [`Journal::open`] wrote.
    pub fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let Some(bytes) = self.disk.read(&self.path)? else { return Ok(None) };
        let syntax = |error: serde_json::Error| Error::Document {
            path: self.path.clone(),
            source: DocumentError::Syntax { line: error.line(), column: error.column() },
        };
        serde_json::from_slice(&bytes).map(Some).map_err(syntax)
    }

    /// Writes the entry, durable when this returns.
    ///
    /// # Errors
    /// As the system says; then no entry stands that did not stand before.
    pub fn open<T: Serialize>(&self, entry: &T) -> Result<(), Error> {
        let bytes = serde_json::to_vec(entry).map_err(|error| Error::io("write", &self.path)(error.into()))?;
        if let Some(parent) = self.path.parent() {
            self.disk.ensure_dir(parent)?;
        }
        let former = self.disk.read(&self.path)?;
        self.disk.replace(&self.path, &bytes, Mode::Private).inspect_err(|_| {
            // The rename may have happened and only its sync failed.
            if former.is_none() {
                let _ = self.disk.remove_file(&self.path);
            }
        })
    }

    /// Takes the entry away.
    ///
    /// # Errors
    /// As the system says.
    pub fn close(&self) -> Result<(), Error> {
        if self.disk.remove_file(&self.path)? {
            self.disk.sync_parent(&self.path)?;
        }
        Ok(())
    }
}
