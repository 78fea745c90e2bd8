//! Claude Code's account-bound files in the config home: they leave with the account that is left and come back with it
//! (S4), so that one organization's policy never binds another's login.

use std::path::PathBuf;

use clauth_durable::{Disk, Kind, Manner};

use super::Draft;
use crate::Error;

/// The four files (facts §1.7).
const FILES: [&str; 4] =
    ["policy-limits.json", "limits-cache.json", "remote-settings.json", "mcp-needs-auth-cache.json"];

/// Drafts their exchange: out of `home` into `leaving`, out of `entering` into `home`.
pub(super) fn exchange(
    disk: &Disk,
    draft: &mut Draft<'_>,
    home: &std::path::Path,
    (leaving, entering): (Option<PathBuf>, Option<PathBuf>),
) -> Result<(), Error> {
    for name in FILES {
        let live = home.join(name);
        // A link or anything else that is no plain file is the user's doing and stays as it is.
        if disk.lstat(&live)?.is_some_and(|stat| stat.kind != Kind::File) {
            continue;
        }
        if let (Some(leaving), Some(bytes)) = (&leaving, draft.read(&live)?) {
            draft.put(&leaving.join(name), Manner::Own, bytes)?;
            draft.delete(&live, Manner::Document)?;
        }
        let Some(entering) = &entering else { continue };
        if draft.read(&live)?.is_none()
            && let Some(bytes) = draft.read(&entering.join(name))?
        {
            draft.put(&live, Manner::Document, bytes)?;
            draft.delete(&entering.join(name), Manner::Own)?;
        }
    }
    Ok(())
}
