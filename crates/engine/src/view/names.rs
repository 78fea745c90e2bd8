//! The names that a shell completes.

use crate::profile::{Known, Roster};
use crate::{Engine, Error};

impl Engine {
    /// All profiles in the user's order, with their e-mail where it is known. Reads no login, so that it is quick with many.
    ///
    /// # Errors
    /// `profiles.toml` cannot be read.
    pub fn named_accounts(&self) -> Result<Vec<(String, Option<String>)>, Error> {
        let roster = Roster::read(&self.disk, &self.root)?;
        let email = |name: &str| Known::read(&self.disk.read(&self.root.identity(name)).ok()??)?.email;
        Ok(roster.names.iter().map(|name| (name.clone(), email(name))).collect())
    }
}
