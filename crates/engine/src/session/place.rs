//! Where a profile's sessions live.

use std::path::{Path, PathBuf};

use clauth_claude::{AccountPart, Credentials, Found, Login, item_of, printable};
use clauth_durable::{Disk, Kind, Mode};
use clauth_host::Fingerprint;

use super::LinkMode;
use super::record::write_quickly;
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
    /// The Keychain item of a `claude` that is given the tree's path, where credentials are kept so (S8).
    pub(crate) item: Option<PathBuf>,
}

impl Place {
    pub(crate) fn of(root: &Root, name: &str) -> Self {
        let profile = root.profile(name);
        let tree = profile.join("runtime");
        Self {
            // By the very text that a session's `claude` is given: `SessionHandle::config_dir`.
            item: root.has_items().then(|| item_of(Some(tree.as_os_str()))),
            root: root.path().to_owned(),
            name: name.to_owned(),
            tree,
            isolated: profile.join("isolated"),
            holders: profile.join("sessions"),
            base: profile.join("base"),
            conflicts: profile.join("conflicts"),
            slot: root.slot(name),
        }
    }

    /// The session's credential: a file in the tree, or an item.
    pub(crate) fn credential(&self) -> PathBuf {
        self.item.clone().unwrap_or_else(|| self.file())
    }

    /// The file that a session's `claude` reads, or falls back to where its credential is an item.
    pub(crate) fn file(&self) -> PathBuf {
        self.tree.join(".credentials.json")
    }

    /// Where a session may have a login of its own: its credential, unless that is a link to the slot, and the file that
    /// Claude Code fell back to. Without a tree nothing is asked.
    pub(crate) fn own_copies(&self, disk: &Disk) -> Vec<PathBuf> {
        let stands = |kind: Kind| disk.vfs.lstat(&self.tree).is_ok_and(|stat| stat.kind == kind);
        let item = self.item.clone().filter(|_| stands(Kind::Dir));
        let file = Some(self.file()).filter(|file| disk.vfs.lstat(file).is_ok_and(|stat| stat.kind == Kind::File));
        item.into_iter().chain(file).collect()
    }

    /// What says that a session's item was made by us, and for which directory.
    pub(crate) fn item_record(&self) -> PathBuf {
        self.base.join("item")
    }

    /// What says which stored login the tree had last, by its access token's fingerprint: what else stands in the tree was
    /// made from it (S3).
    pub(crate) fn given(&self) -> PathBuf {
        self.base.join("login")
    }

    /// Whether the tree was given this login last.
    pub(crate) fn was_given(&self, disk: &Disk, access: &Fingerprint) -> bool {
        disk.read(&self.given()).ok().flatten().is_some_and(|bytes| bytes == access.full().as_bytes())
    }

    /// Notes that the tree has the stored login now. Where that fails, dates decide (S3).
    pub(crate) fn note_given(&self, disk: &Disk) {
        let _ = disk.remove_file(&self.other());
        let Some(access) = self.stored_access(disk).filter(|access| !self.was_given(disk, access)) else { return };
        let written = disk.ensure_dir(&self.base).map_err(Error::from);
        let _ = written.and_then(|()| write_quickly(disk, &self.given(), access.full().as_bytes()));
    }

    /// What says that a login of somebody else stood in the tree since.
    fn other(&self) -> PathBuf {
        self.base.join("other")
    }

    /// Notes that somebody else's login stands in the tree: what is renewed there from now on is not ours (S2).
    pub(crate) fn note_other(&self, disk: &Disk) {
        if !matches!(disk.lstat(&self.other()), Ok(Some(_))) {
            let _ =
                disk.ensure_dir(&self.base).map_err(Error::from).and_then(|()| write_quickly(disk, &self.other(), b""));
        }
    }

    /// Whether the last login that we know to have been in the tree is the stored one, whole: a bearer copy is renewed by
    /// nobody there (O5).
    pub(crate) fn had_the_stored(&self, disk: &Disk) -> bool {
        let stored = self.stored(disk).filter(|login| login.refresh.is_some());
        stored.is_some_and(|login| self.was_given(disk, &login.access_print()))
            && matches!(disk.lstat(&self.other()), Ok(None))
    }

    fn stored_access(&self, disk: &Disk) -> Option<Fingerprint> {
        self.stored(disk).map(|login| login.access_print())
    }

    /// The stored login.
    fn stored(&self, disk: &Disk) -> Option<Login> {
        let slot = disk.read(&self.slot).ok()??;
        match Credentials::parse(slot).ok()?.login() {
            Found::Login(login) => Some(login),
            Found::Blank | Found::Absent | Found::Malformed => None,
        }
    }

    /// What a mirror at `path` says where the slot holds `slot`; its machine keys stay. Beside an item the file has no refresh
    /// token: one place alone does (L5).
    pub(crate) fn mirror_in(&self, path: &Path, object: &Credentials, slot: &AccountPart) -> Option<Vec<u8>> {
        let is_item = self.item.as_deref() == Some(path);
        let shown = if self.item.is_some() && !is_item { slot.bearer() } else { slot.clone() };
        let spliced = object.with_account(&shown).ok()?;
        Some(if is_item { printable(spliced.bytes()) } else { spliced.bytes().to_vec() })
    }

    /// How the tree was made; a start of a copied one records it.
    pub(crate) fn mode(&self, disk: &Disk) -> LinkMode {
        let copied = disk.read(&self.mode_file()).is_ok_and(|bytes| bytes.as_deref() == Some(b"copy"));
        if copied { LinkMode::Copy } else { LinkMode::Real }
    }

    /// Whether the session's credential is a mirror of the slot, and no link to it.
    pub(crate) fn is_mirrored(&self, disk: &Disk) -> bool {
        self.item.is_some() || self.mode(disk) == LinkMode::Copy
    }

    /// Writes down how the tree is made. Links are what it is made of when nothing is written, so that most starts have
    /// nothing to wait for.
    pub(crate) fn record_mode(&self, disk: &Disk, mode: LinkMode) -> Result<(), Error> {
        let stands = disk.read(&self.mode_file())?;
        let is_so = match &stands {
            Some(word) => word == mode.word().as_bytes(),
            None => mode == LinkMode::Real,
        };
        if is_so {
            return Ok(());
        }
        disk.ensure_dir(&self.base)?;
        Ok(disk.replace(&self.mode_file(), mode.word().as_bytes(), Mode::Private)?)
    }

    fn mode_file(&self) -> PathBuf {
        self.base.join("links")
    }
}
