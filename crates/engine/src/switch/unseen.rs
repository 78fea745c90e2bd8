//! The refusal to put away a login that may be that of a profile which cannot be seen, as on a disk that is not there. It looks
//! only, and never keeps a switch from a login whose owner is known.

use std::path::Path;

use clauth_durable::{Disk, Kind as FileKind};

use super::plan::Incoming;
use crate::custody::Snapshot;
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{Known, Record};
use crate::{Engine, Error};

impl Engine {
    /// Refuses to put an unknown login away while it may be that of a profile which cannot be seen: its earlier one would come
    /// back with the profile (L6).
    pub(super) fn refuse_unseen(
        &self,
        snapshot: &Snapshot,
        owner: &Owner,
        incoming: &Incoming,
        force: bool,
    ) -> Result<(), Error> {
        if force || !matches!(owner, Owner::Unknown(_)) {
            return Ok(());
        }
        // Who is another account than the one that is named has nothing to do with it.
        let named = match &snapshot.answer {
            Some(known) => Some(known.clone()),
            None => self.state(snapshot)?.and_then(Known::of_state),
        };
        let another =
            |record: &Record| matches!((record.key(), &named), (Some(key), Some(named)) if !key.agrees(&named.key));
        let hidden = |record: &&Record| {
            (record.hides_loan() || !is_dir(&self.disk, &self.root.profile(&record.name))) && !another(record)
        };
        let mut others = snapshot.records.iter().filter(|record| incoming.profile() != Some(&record.name));
        let Some(record) = others.find(hidden) else { return Ok(()) };
        let directory = self.root.profile(&record.name);
        let what =
            format!("the live login is no profile's that can be seen, and '{}' cannot: it may be its own", record.name);
        let to = incoming.profile().unwrap_or("NAME");
        let force = format!("to keep that login in the vault all the same: clauth switch {to} --force");
        let gone =
            || format!("bring {} back, or if it is gone for good: clauth remove {}", directory.display(), record.name);
        let mend = record.broken().map_or_else(gone, |path| record.mend(path));
        Err(Error::refused(Kind::Unreadable, what, directory.display().to_string(), &[&mend, &force]))
    }
}

/// Behind links as well.
fn is_dir(disk: &Disk, path: &Path) -> bool {
    disk.stat(path).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Dir))
}
