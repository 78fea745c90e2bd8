//! Secrets that the system keeps outside of its file system: read, written and removed by name, one at a time.
//!
//! An item has a name in the place of a path, so that a change of one stands beside changes of files in a draft, a batch
//! and an error. There is no exchange: a change is a read, a write and a read back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::disk::Target;
use crate::vfs::{Kind, Stat};
use crate::{Disk, Error};

/// How the name of an item begins where a path could stand.
const PREFIX: &str = "keychain:";

/// The name of an item, as it stands in the place of a path.
#[must_use]
pub fn item_path(name: &str) -> PathBuf {
    PathBuf::from(format!("{PREFIX}{name}"))
}

/// The name of the item that a path stands for; `None` for the path of a file.
#[must_use]
pub fn item_name(path: &Path) -> Option<&str> {
    path.to_str()?.strip_prefix(PREFIX)
}

/// Why an item could not be reached. Its texts hold nothing of the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What is the matter.
    pub why: String,
    /// What helps.
    pub next: String,
}

/// Where items are kept. A missing item is never an error, and an error never a missing item.
pub trait Items: Send + Sync {
    /// An item's bytes; `None` when there is none of that name.
    ///
    /// # Errors
    /// It is not known whether there is one, or what is in it.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble>;
    /// Makes an item, or replaces what is in it. Whoever calls reads it back: that this succeeds proves nothing.
    ///
    /// # Errors
    /// It may or may not have been written.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble>;
    /// Removes an item; answers whether there was one.
    ///
    /// # Errors
    /// It may or may not have been removed.
    fn remove(&self, name: &str) -> Result<bool, Trouble>;
    /// When an item was last written, if that can be told.
    ///
    /// # Errors
    /// Nobody answers.
    fn modified(&self, name: &str) -> Result<Option<Timestamp>, Trouble>;
}

impl Disk {
    /// The same with a place for items.
    #[must_use]
    pub fn with_items(mut self, items: Arc<dyn Items>) -> Self {
        self.items = Some(items);
        self
    }

    /// When an item was last written, if that can be told.
    ///
    /// # Errors
    /// The item cannot be reached.
    pub fn item_modified(&self, path: &Path) -> Result<Option<Timestamp>, Error> {
        let Some(name) = item_name(path) else { return Ok(None) };
        self.store("look at", path)?.modified(name).map_err(Error::item("look at", path))
    }

    /// What an item holds.
    pub(crate) fn read_item(&self, path: &Path, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.store("read", path)?.read(name).map_err(Error::item("read", path))
    }

    pub(crate) fn put_item(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.store("write", path)?.write(name, bytes).map_err(Error::item("write", path))
    }

    pub(crate) fn remove_item(&self, path: &Path, name: &str) -> Result<bool, Error> {
        self.store("remove", path)?.remove(name).map_err(Error::item("remove", path))
    }

    /// Writes an item whatever it holds, and sees that it holds `bytes` then.
    pub(crate) fn replace_item(&self, path: &Path, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.put_item(path, name, bytes)?;
        match self.read_item(path, name)? {
            Some(found) if found == bytes => Ok(()),
            _ => Err(not_taken(path)),
        }
    }

    /// What an item looks like to who asks for a file.
    pub(crate) fn stat_item(&self, path: &Path, name: &str) -> Result<Option<Stat>, Error> {
        Ok(self.read_item(path, name)?.map(|bytes| Stat {
            kind: Kind::File,
            len: bytes.len() as u64,
            mode: 0o600,
            modified: Timestamp::UNIX_EPOCH,
            dev: 0,
            ino: 0,
        }))
    }

    pub(crate) fn target_of_item(path: &Path) -> Target {
        Target { path: path.to_owned(), stat: None, ours: false }
    }

    fn store(&self, doing: &'static str, path: &Path) -> Result<&Arc<dyn Items>, Error> {
        self.items.as_ref().ok_or_else(|| {
            Error::item(doing, path)(Trouble {
                why: "this system has no such place".into(),
                next: "unset CLAUTH_CREDENTIALS, or set it to file".into(),
            })
        })
    }
}

/// The error about an item that does not hold what was written into it.
pub(crate) fn not_taken(path: &Path) -> Error {
    Error::item("write", path)(Trouble {
        why: "it does not hold what was written into it".into(),
        next: "look at it in Keychain Access, then try again".into(),
    })
}
