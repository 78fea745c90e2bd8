//! Where a profile's sessions live.

use std::path::PathBuf;

use crate::Root;

/// The directories and files of one profile's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The profile.
    pub(crate) name: String,
    /// The config directory that its sessions share: the tree.
    pub(crate) tree: PathBuf,
    /// One file for each running session (S1).
    pub(crate) holders: PathBuf,
    /// What each side had at the last merge (S5) and at the last mirroring (S6).
    pub(crate) base: PathBuf,
    /// What lost against something newer, kept (S6, S7).
    pub(crate) conflicts: PathBuf,
    /// The canonical credential, which the tree's is a link to or a mirror of (L4).
    pub(crate) slot: PathBuf,
}

impl Place {
    pub(crate) fn of(root: &Root, name: &str) -> Self {
        let profile = root.profile(name);
        Self {
            name: name.to_owned(),
            tree: profile.join("runtime"),
            holders: profile.join("sessions"),
            base: profile.join("base"),
            conflicts: profile.join("conflicts"),
            slot: root.slot(name),
        }
    }
}
