//! `order`, `enable` and `disable`.

use clauth_durable::Manner;
use toml_edit::value;

use crate::custody::{Draft, Operation};
use crate::error::Kind;
use crate::profile::Roster;
use crate::{Engine, Error, toml};

impl Engine {
    /// All profile names, in the user's order.
    ///
    /// # Errors
    /// `profiles.toml` cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        Ok(Roster::read(&self.disk, &self.root)?.names)
    }

    /// Moves a profile to `position`, counted from 1. Answers whether anything changed.
    ///
    /// # Errors
    /// No such profile or position.
    pub fn order(&self, asked: &str, position: usize) -> Result<(String, bool), Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let name = self.find(asked)?;
        let mut roster = Roster::read(&self.disk, &self.root)?;
        if position == 0 || position > roster.names.len() {
            let what = format!("there is no position {position}: it is 1 to {}", roster.names.len());
            return Err(Error::refused(Kind::Usage, what, name, &["clauth order"]));
        }
        roster.names.retain(|other| *other != name);
        roster.names.insert(position - 1, name.clone());
        let mut draft = Draft::new(&self.disk);
        draft.put(&self.root.roster(), Manner::Document, roster.bytes())?;
        let changes = draft.into_changes();
        let changed = !changes.is_empty();
        self.apply(&Operation { done: "order", to: Some(name.clone()), ..Operation::default() }, changes, &held)?
            .once()?;
        Ok((name, changed))
    }

    /// Lets automatic choices consider a profile, or not. Answers whether anything changed.
    ///
    /// # Errors
    /// No such profile, or a disk that refuses.
    pub fn set_enabled(&self, asked: &str, enabled: bool) -> Result<(String, bool), Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let name = self.find(asked)?;
        let path = self.root.options(&name);
        let mut document = toml::read(&self.disk, &path)?;
        let stands = document.get("enabled").and_then(toml_edit::Item::as_bool).unwrap_or(true);
        if stands == enabled {
            return Ok((name, false));
        }
        document["enabled"] = value(enabled);
        let mut draft = Draft::new(&self.disk);
        draft.put(&path, Manner::Document, document.to_string().into_bytes())?;
        let done = if enabled { "enable" } else { "disable" };
        self.apply(&Operation { done, to: Some(name.clone()), ..Operation::default() }, draft.into_changes(), &held)?
            .once()?;
        Ok((name, true))
    }

    pub(crate) fn lock_prepared(&self) -> Result<clauth_durable::Held, Error> {
        self.prepare()?;
        self.lock_state()
    }
}
