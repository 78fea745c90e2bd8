//! What is to be kept where the live credential is a Keychain item: bytes that are no credential, and the login in the file
//! that stands beside the item.

use clauth_claude::{AccountPart, Credentials, Found, Store};
use clauth_durable::Manner;

use super::Desk;
use crate::Error;
use crate::custody::claim::used_up;

impl Desk<'_> {
    /// Keeps the bytes of an item that are no JSON object, so that another login can be put there: the beginning of a login
    /// often survives in them. A file of that sort is left to its owner, who can move it away.
    pub(crate) fn quarantine(&mut self) -> Result<(), Error> {
        let Some(bytes) = self.snapshot.live.reading.as_ref().map(|reading| reading.bytes.clone()) else {
            return Err(self.unreadable());
        };
        if self.snapshot.home.item.is_none() || self.snapshot.live.object.is_some() {
            return Err(self.unreadable());
        }
        let name = format!("unreadable-{}", self.now.strftime("%Y%m%dT%H%M%SZ"));
        let path = self.root.vault().join(name);
        self.draft.put(&path, Manner::Own, bytes)?;
        self.warnings.push(format!("what the Keychain held was no login; its bytes are kept in {}", path.display()));
        self.quarantined = true;
        Ok(())
    }

    /// Puts the login of the file beside the item into the vault before it is overwritten, unless it is held elsewhere.
    pub(super) fn keep_file_beside(&mut self, incoming: &AccountPart) -> Result<(), Error> {
        let beside = self.snapshot.live.reading.as_ref().and_then(|reading| reading.beside.as_ref());
        let Some(file) = beside.and_then(|beside| beside.file.clone()) else { return Ok(()) };
        let Ok(object) = Credentials::parse(file) else { return Ok(()) };
        let part = object.account();
        let is_login = matches!(part.login(), Found::Login(login) if login.refresh.is_some());
        let known = part.bytes() == incoming.bytes() || self.snapshot.holds_token(&part);
        if !is_login || known || used_up(self.snapshot, &part) {
            return Ok(());
        }
        let vaulted = self.vaulted.take();
        let kept = self.put_away(&part, "in the file beside the Keychain item", None, None);
        self.vaulted = vaulted;
        kept
    }

    /// After an interruption between the item and the file beside it: the file shows the live login too, without its refresh
    /// token. The item, which is the credential, is not written here (W7).
    pub(crate) fn align_file(&mut self, name: &str) -> Result<(), Error> {
        let Store::Keychain(store) = self.snapshot.home.store() else { return Ok(()) };
        let (Some(reading), Some(part)) = (self.snapshot.live.reading.as_ref(), self.holds(name).cloned()) else {
            return Ok(());
        };
        if let Some(change) = store.align(reading, &part) {
            self.keep_file_beside(&part)?;
            self.draft.push(change);
        }
        Ok(())
    }
}
