//! Claude Code's account-bound files in the config home: they leave with the account that is left and come back with it
//! (S4), so that one organization's policy never binds another's login.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Kind, Manner};

use super::Draft;
use crate::Error;

/// The four files (facts §1.7).
const FILES: [&str; 4] =
    ["policy-limits.json", "limits-cache.json", "remote-settings.json", "mcp-needs-auth-cache.json"];

/// What the state file has of the account that no server could be asked for again lies beside them while it is parked.
pub(super) const GIVEN: &str = "given.json";

/// The plain files among them in `home`: a link or anything else is the user's doing and stays as it is.
fn plain(disk: &Disk, home: &Path) -> Result<Vec<(&'static str, PathBuf)>, Error> {
    let mut plain = Vec::new();
    for name in FILES {
        let live = home.join(name);
        if disk.lstat(&live)?.is_none_or(|stat| stat.kind == Kind::File) {
            plain.push((name, live));
        }
    }
    Ok(plain)
}

/// Drafts copies of them in `leaving`. As long as what is in the home is the same, the exchange is still to come: by that an
/// interrupted one is finished or taken back. Should both accounts' be the same to the letter, the incoming one's may be taken
/// for the other's and go; it stands in `leaving` then.
pub(super) fn park(disk: &Disk, draft: &mut Draft<'_>, home: &Path, leaving: &Path) -> Result<(), Error> {
    for (name, live) in plain(disk, home)? {
        if let Some(bytes) = draft.read(&live)? {
            draft.put(&leaving.join(name), Manner::Own, bytes)?;
        }
    }
    Ok(())
}

/// Drafts their exchange: out of `home`, where they are parked in `leaving`, and out of `entering` into `home`.
pub(super) fn exchange(
    disk: &Disk,
    draft: &mut Draft<'_>,
    home: &Path,
    (leaving, entering): (Option<&Path>, &Path),
) -> Result<(), Error> {
    for (name, live) in plain(disk, home)? {
        let (there, coming) = (draft.read(&live)?, draft.read(&entering.join(name))?);
        let parked = leaving.map(|leaving| draft.read(&leaving.join(name))).transpose()?.flatten();
        if there.is_some() && there == parked {
            draft.delete(&live, Manner::Document)?;
        }
        let Some(coming) = coming else { continue };
        match draft.read(&live)? {
            None => draft.put(&live, Manner::Document, coming)?,
            // It has come in already.
            Some(there) if there == coming => {}
            Some(_) => continue,
        }
        draft.delete(&entering.join(name), Manner::Own)?;
    }
    Ok(())
}

/// Drafts the removal of copies in `leaving` that were not left after all.
pub(super) fn take_back(disk: &Disk, draft: &mut Draft<'_>, home: &Path, leaving: &Path) -> Result<(), Error> {
    for (name, live) in plain(disk, home)? {
        let there = draft.read(&live)?;
        if there.is_some() && there == draft.read(&leaving.join(name))? {
            draft.delete(&leaving.join(name), Manner::Own)?;
        }
    }
    Ok(())
}
