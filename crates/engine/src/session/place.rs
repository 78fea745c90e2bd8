//! Where a profile's sessions live.

use std::path::PathBuf;

use clauth_durable::{Disk, Mode};

use super::LinkMode;
use crate::{Error, Root};

/// The directories and files of one profile's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// clauth's own root, into which no link is followed (L8).
    pub(crate) root: PathBuf,
    /// The profile.
    pub(crate) name: String,
    /// The config directory that its sessions share: the tree.
    pub(crate) tree: PathBuf,
    /// The config directories of isolated sessions, which use the tree's login and nothing else of it.
    pub(crate) isolated: PathBuf,
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
            root: root.path().to_owned(),
            name: name.to_owned(),
            tree: profile.join("runtime"),
            isolated: profile.join("isolated"),
            holders: profile.join("sessions"),
            base: profile.join("base"),
            conflicts: profile.join("conflicts"),
            slot: root.slot(name),
        }
    }

    /// The session's credential file.
    pub(crate) fn credential(&self) -> PathBuf {
        self.tree.join(".credentials.json")
    }

    /// How the tree was made; a start records it.
    pub(crate) fn mode(&self, disk: &Disk) -> LinkMode {
        let copied = disk.read(&self.mode_file()).is_ok_and(|bytes| bytes.as_deref() == Some(b"copy"));
        if copied { LinkMode::Copy } else { LinkMode::Real }
    }

    pub(crate) fn record_mode(&self, disk: &Disk, mode: LinkMode) -> Result<(), Error> {
        disk.ensure_dir(&self.base)?;
        Ok(disk.replace(&self.mode_file(), mode.word().as_bytes(), Mode::Private)?)
    }

    fn mode_file(&self) -> PathBuf {
        self.base.join("links")
    }
}
