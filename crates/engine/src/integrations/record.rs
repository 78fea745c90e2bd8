//! `integrations.json`: everything of ours that stands outside the root.

use std::path::Path;

use clauth_durable::{Disk, Manner};
use serde::{Deserialize, Serialize};

use super::Integration;
use crate::custody::Draft;
use crate::{Error, Root};

/// The version of the file's form.
const SCHEMA: u32 = 1;

/// The file.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Record {
    schema: u32,
    pub(crate) installed: Vec<Integration>,
}

impl Record {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let path = root.integrations();
        let Some(bytes) = disk.read(&path)? else { return Ok(Self { schema: SCHEMA, installed: Vec::new() }) };
        let known = serde_json::from_slice::<Self>(&bytes).ok().filter(|known| known.schema == SCHEMA);
        known.ok_or_else(|| Error::Unreadable {
            what: "the record of what stands outside the root".into(),
            path,
            next: "mend that file; it says what `clauth uninstall` has to take back".into(),
        })
    }

    /// Drafts the file; without anything in it there is none.
    pub(super) fn put(&self, draft: &mut Draft<'_>, root: &Root) -> Result<(), Error> {
        let path = root.integrations();
        if self.installed.is_empty() {
            return draft.delete(&path, Manner::Own);
        }
        let value = serde_json::to_value(self).unwrap_or_default();
        draft.put(&path, Manner::Own, crate::json::bytes(&value))
    }

    pub(super) fn of(&self, by: &str, file: &Path) -> Option<&Integration> {
        self.installed.iter().find(|one| one.by == by && one.file == file)
    }

    pub(super) fn set(&mut self, new: Integration) {
        match self.installed.iter_mut().find(|one| one.by == new.by && one.file == new.file) {
            Some(one) => *one = new,
            None => self.installed.push(new),
        }
    }
}
