//! The credential as a Keychain item. Claude Code falls back to the file beside it where there is one: it is read second,
//! never made and never removed, and holds no refresh token after we wrote it, so that one place alone does (L5).

use std::path::PathBuf;

use clauth_durable::{Change, Disk, Manner};
use jiff::SignedDuration;

use super::{Beside, CredentialStore, FileStore, Reading};
use crate::keychain::printable;
use crate::{AccountPart, Credentials, Error, Found, Login};

/// Two ends this close are one login's: a refresh does not extend it (O1).
const SAME_END: SignedDuration = SignedDuration::from_mins(2);

/// A Keychain item, and the file that may stand beside it.
#[derive(Clone, Debug)]
pub struct KeychainStore {
    /// The item, by its name in the place of a path.
    pub item: PathBuf,
    /// The file, as Claude Code names it.
    pub file: PathBuf,
}

impl CredentialStore for KeychainStore {
    /// The item decides. The file does where there is no item, or where a process that fell back to it has renewed the
    /// very login that the item has: then the item's is used up.
    fn read(&self, disk: &Disk) -> Result<Option<Reading>, Error> {
        let item = disk.read(&self.item)?;
        let file = FileStore { path: self.file.clone() }.read(disk)?;
        let beside = Some(Beside { item: item.clone(), file: file.as_ref().map(|reading| reading.bytes.clone()) });
        Ok(match (item, file) {
            (None, None) => None,
            (Some(item), Some(file)) if is_later(&item, &file.bytes) => Some(Reading { beside, ..file }),
            (Some(item), _) => Some(Reading { bytes: item, modified: None, beside }),
            (None, Some(file)) => Some(Reading { beside, ..file }),
        })
    }

    /// The item first: it is what decides. Machine keys stay in each place as they are there (W4).
    fn changes(&self, before: Option<&Reading>, after: Vec<u8>) -> Vec<Change> {
        let (item, file) = match before.and_then(|reading| reading.beside.clone()) {
            Some(beside) => (beside.item, beside.file),
            None => (before.map(|reading| reading.bytes.clone()), None),
        };
        let part = Credentials::parse(after.clone()).ok().map(|object| object.account());
        let spliced = part.as_ref().and_then(|part| splice(item.as_deref(), part)).unwrap_or(after);
        let mut changes = vec![change(self.item.clone(), item, printable(&spliced))];
        if let (Some(file), Some(part)) = (file, part)
            && let Some(shown) = splice(Some(&file), &part.bearer())
        {
            changes.push(change(self.file.clone(), Some(file), shown));
        }
        changes
    }
}

impl KeychainStore {
    /// The change that takes the refresh token out of the file beside the item, where it still has one after `part` was put
    /// live.
    #[must_use]
    pub fn align(&self, reading: &Reading, part: &AccountPart) -> Option<Change> {
        let beside = reading.beside.as_ref().filter(|beside| beside.item.is_some())?;
        let file = beside.file.as_ref()?;
        let shown = splice(Some(file), &part.bearer())?;
        let holds = Credentials::parse(file.clone()).ok().map(|object| object.account())?;
        let same = holds.bytes() == part.bytes() || holds.bytes() == part.bearer().bytes();
        (!same).then(|| change(self.file.clone(), Some(file.clone()), shown))
    }
}

/// The account part in an object, whose machine keys stay.
fn splice(object: Option<&[u8]>, part: &AccountPart) -> Option<Vec<u8>> {
    let object = Credentials::parse(object?.to_vec()).ok()?;
    object.with_account(part).ok().map(|spliced| spliced.bytes().to_vec())
}

fn change(path: PathBuf, before: Option<Vec<u8>>, after: Vec<u8>) -> Change {
    Change { path, before, after: Some(after), manner: Manner::Credential }
}

/// Whether the file holds a later generation of the item's login: by its end, where the organization does not speak
/// against it.
fn is_later(item: &[u8], file: &[u8]) -> bool {
    let (Some((item, item_org)), Some((file, file_org))) = (login(item), login(file)) else { return false };
    if item_org.is_some() && file_org.is_some() && item_org != file_org {
        return false;
    }
    let same = match (item.refresh_expires_at, file.refresh_expires_at) {
        (Some(one), Some(other)) => one.duration_since(other).abs() <= SAME_END,
        _ => false,
    };
    same && file.refresh.is_some() && file.refresh_print() != item.refresh_print() && file.expires_at > item.expires_at
}

/// A login, and the organization beside it.
fn login(bytes: &[u8]) -> Option<(Login, Option<String>)> {
    let part = Credentials::parse(bytes.to_vec()).ok()?.account();
    match part.login() {
        Found::Login(login) => Some((login, part.organization_uuid())),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}
