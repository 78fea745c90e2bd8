//! A list of profiles that is gone, though their directories are there.

use std::path::PathBuf;

use clauth_durable::Manner;

use crate::custody::{Draft, Operation, below, is_dir};
use crate::profile::Roster;
use crate::root::TREES;
use crate::{Engine, Error};

impl Engine {
    /// Names of profiles whose directories are there while there is no `profiles.toml` that could list any. Empty where
    /// one stands, whatever it lists.
    ///
    /// # Errors
    /// Our own files cannot be read.
    pub fn lost_names(&self) -> Result<Vec<String>, Error> {
        if self.disk.lstat(&self.root.roster())?.is_some() {
            return Ok(Vec::new());
        }
        let paths = self.unlisted(&Roster::read(&self.disk, &self.root)?);
        let mut names: Vec<String> =
            paths.iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect();
        // As the list itself is read.
        names.retain(|name| !name.starts_with('.'));
        names.sort();
        Ok(names)
    }

    /// Directories of profiles that `roster` does not list, with something in them.
    pub(crate) fn unlisted(&self, roster: &Roster) -> Vec<PathBuf> {
        let names = self.disk.list(&self.root.profiles()).unwrap_or_default();
        let holds = |path: &PathBuf| {
            is_dir(&self.disk, path).unwrap_or(false)
                && below(&self.disk, path, &TREES).is_ok_and(|files| !files.is_empty())
        };
        let strange = names.iter().filter(|name| !roster.names.iter().any(|listed| **name == *listed.as_str()));
        strange.map(|name| self.root.profiles().join(name)).filter(holds).collect()
    }

    /// Lists them again, by name: in which order they were, nothing else tells.
    pub(crate) fn relist(&self) -> Result<(), Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let names = self.lost_names()?;
        if names.is_empty() {
            return Ok(());
        }
        let mut roster = Roster::read(&self.disk, &self.root)?;
        roster.names = names;
        let mut draft = Draft::new(&self.disk);
        draft.put(&self.root.roster(), Manner::Document, roster.bytes())?;
        self.apply(&Operation { done: "order", ..Operation::default() }, draft.into_changes(), &held)?.once()
    }
}
