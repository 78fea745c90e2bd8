//! `.credentials.json`: reading with its mtime, and changes under `.storage-write.lock`.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use super::locks::{Lock, LockError, Patience, STORAGE_STALE};
use super::paths::Dirs;
use super::process::Claude;
use super::variant::Variant;
use crate::json::Object;
use crate::login::oauth_of;
use crate::{disk, entropy, json};

/// The entries of the credentials that belong to the account (facts §1.2).
pub(super) const ACCOUNT_KEYS: [&str; 5] =
    ["claudeAiOauth", "organizationUuid", "trustedDeviceToken", "enterpriseGateway", "designOauth"];

/// Why a file could not be changed.
#[derive(Debug)]
pub enum Trouble {
    /// Its lock is held by somebody else.
    Busy(PathBuf),
    /// It cannot be read or written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy(path) => write!(f, "{} is held by another process", path.display()),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for Trouble {}

impl From<LockError> for Trouble {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held(path) => Self::Busy(path),
            LockError::Io(path, error) => Self::Io(path, error),
        }
    }
}

/// The login that a process has in memory, and the mtime of the file it came from.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// The file's mtime; nothing if there was no file.
    pub(super) modified: Option<SystemTime>,
    /// The `claudeAiOauth` object; nothing if there was none or the file could not be parsed.
    pub(super) oauth: Option<Object>,
}

impl Held {
    /// Reads the file. The mtime is taken first: a write in between shows as a difference at the next look.
    pub(super) fn read(dirs: &Dirs) -> Self {
        let modified = modified(dirs);
        let credentials = disk::object(&dirs.stored()).ok().flatten();
        Self { modified, oauth: credentials.as_ref().and_then(oauth_of) }
    }
}

/// The credentials file's mtime, through links.
pub(super) fn modified(dirs: &Dirs) -> Option<SystemTime> {
    std::fs::metadata(dirs.stored()).ok()?.modified().ok()
}

impl Claude {
    /// Changes the credentials: takes `.storage-write.lock`, re-reads, lets `edit` decide, writes if it says so.
    /// Returns what `edit` said. A document that cannot be parsed counts as empty.
    pub(super) fn change_credentials(&self, edit: impl FnOnce(&mut Object) -> bool) -> Result<bool, Trouble> {
        let path = self.dirs.stored();
        let failed = |error| Trouble::Io(path.clone(), error);
        disk::ensure_private_dir(&self.dirs.secure).map_err(failed)?;
        let bare = self.is(&Variant::NoLocks) || self.is(&Variant::OldLocks);
        let patience = if self.patience == Patience::NONE { &Patience::NONE } else { &Patience::WRITE };
        let _lock = match bare {
            true => None,
            false => Some(Lock::wait(&self.dirs.storage_lock(), STORAGE_STALE, patience)?),
        };
        let mut document = match disk::object(&path) {
            Ok(found) => found.unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Object::new(),
            Err(error) => return Err(failed(error)),
        };
        let write = edit(&mut document);
        if write {
            self.write_credentials(&json::line(&document)).map_err(failed)?;
        }
        Ok(write)
    }

    /// Temp and rename (which replaces a link), or in place where the variant says so.
    fn write_credentials(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(item) = self.dirs.item() {
            return disk::replace(&item, bytes, 0o600);
        }
        let path = self.dirs.credentials();
        if self.is(&Variant::InPlaceWrites) {
            return disk::write_in_place(&path, bytes, 0o600);
        }
        let temp = self.dirs.secure.join(format!(".credentials.json.tmp.{}", entropy::hex(12)));
        disk::replace_via(&temp, &path, bytes, 0o600)
    }
}
