//! A session's credential as a Keychain item (S8): given at the start, taken away at the end.

use clauth_claude::{ClaudeHome, Credentials, Found, printable};
use clauth_durable::{Change, Held, Manner, Mode};

use super::{Place, Tended};
use crate::custody::{Applied, Desk, Operation};
use crate::error::Kind;
use crate::{Engine, Error};

impl Engine {
    /// Makes the item say what the slot says. What was left in it is brought home first; where others live in the tree a
    /// login of another account stays (S2).
    pub(super) fn give_item(&self, home: &ClaudeHome, place: &Place, fresh: bool) -> Result<(), Error> {
        let Some(item) = &place.item else { return Ok(()) };
        let tended = self.tend(place)?;
        let tree = ClaudeHome::named_at(&place.tree, &self.host, &self.disk);
        if tree.item.as_ref() == home.item.as_ref() {
            let what = "a session's Keychain item is the one of the live home";
            return Err(Error::refused(Kind::Internal, what, item.display().to_string(), &["clauth list"]));
        }
        let held = self.lock_tree(&tree, &place.name)?;
        let before = self.disk.read(item)?;
        if matches!(tended, Tended::Foreign { .. } | Tended::Unproven { .. }) && !fresh {
            return Ok(());
        }
        let object = match before.clone().map(Credentials::parse) {
            None => Credentials::empty(),
            Some(Ok(object)) => object,
            Some(Err(_)) => {
                self.keep_unreadable(place, before.as_deref().unwrap_or_default())?;
                Credentials::empty()
            }
        };
        if before.is_none() {
            self.record_item(place, item)?;
        }
        let slot = self.disk.read(&place.slot)?.and_then(|bytes| clauth_claude::AccountPart::parse(bytes).ok());
        let Some(after) = slot.and_then(|slot| place.mirror_in(item, &object, &slot)) else { return Ok(()) };
        self.put_item(place, (before, Some(after)), &held)
    }

    /// Takes the item away with the tree that it belongs to, in which nobody lives: what is in it is stored, or it stays. An
    /// item that was there before us is only signed out.
    pub(super) fn take_item(&self, place: &Place, held: &Held) -> Result<(), Error> {
        let Some(item) = &place.item else { return Ok(()) };
        let Some(bytes) = self.disk.read(item)? else { return self.forget_item(place) };
        let Ok(object) = Credentials::parse(bytes.clone()) else { return Ok(()) };
        if let Found::Login(_) = object.login() {
            let snapshot = self.snapshot()?;
            if !snapshot.holds_token(&object.account()) {
                let mut desk = Desk::new(self, &snapshot)?;
                desk.put_away(&object.account(), "left in the Keychain by a session", Some(&place.name), None)?;
                let operation = Operation { done: "adopt", to: Some(place.name.clone()), ..Operation::default() };
                if let Applied::Moved(path) = self.apply(&operation, desk.finish()?.changes, held)? {
                    return Err(Error::Contended { path });
                }
            }
        }
        let part = Credentials::empty().account();
        let left = object.with_account(&part).map(|object| printable(object.bytes()));
        let ours = self.disk.read(&place.item_record())?.is_some();
        let after = if ours { None } else { left.ok() };
        self.put_item(place, (Some(bytes), after), held)?;
        self.forget_item(place)
    }

    fn put_item(
        &self,
        place: &Place,
        (before, after): (Option<Vec<u8>>, Option<Vec<u8>>),
        held: &Held,
    ) -> Result<(), Error> {
        let Some(path) = place.item.clone().filter(|_| before != after) else { return Ok(()) };
        let operation = Operation { done: "adopt", to: Some(place.name.clone()), ..Operation::default() };
        let change = Change { path, before, after, manner: Manner::Credential };
        self.apply(&operation, vec![change], held)?.once()
    }

    /// On record before the item is made: an item without a record is never removed.
    fn record_item(&self, place: &Place, item: &std::path::Path) -> Result<(), Error> {
        self.disk.ensure_dir(&place.base)?;
        let record = serde_json::json!({
            "schema": 1, "item": item.to_string_lossy(), "exported": place.tree.to_string_lossy(),
        });
        Ok(self.disk.replace(&place.item_record(), &crate::json::bytes(&record), Mode::Private)?)
    }

    fn forget_item(&self, place: &Place) -> Result<(), Error> {
        Ok(self.disk.remove_file(&place.item_record()).map(drop)?)
    }

    /// Bytes in a left-over item that are no credential.
    fn keep_unreadable(&self, place: &Place, bytes: &[u8]) -> Result<(), Error> {
        let name = format!("unreadable-{}-{}", place.name, self.host.random.name());
        self.disk.ensure_dir(&self.root.vault())?;
        let path = self.root.vault().join(name);
        self.disk.create(&path, bytes)?;
        (self.say)(&format!("what the Keychain held was no login; its bytes are kept in {}", path.display()));
        Ok(())
    }
}
