//! A copy of a whole tree beside it, before anything of it is changed. Links are copied as links and never followed.

use std::path::{Path, PathBuf};

use clauth_durable::{Kind as FileKind, Manners};

use crate::{Engine, Error};

/// What the name of a copy has behind the root's, before the time.
const BEFORE: &str = ".before-adopt-";

/// What it ends in while it is made.
const HALF: &str = ".part";

impl Engine {
    /// Where the next copy goes: beside the root.
    pub(super) fn copy_place(&self) -> PathBuf {
        let root = self.root.path();
        let name = root.file_name().map_or_else(|| "clauth".into(), |name| name.to_string_lossy().into_owned());
        let stamp = self.host.clock.now().strftime("%Y%m%d-%H%M%S");
        let place = |number: u32| {
            let again = if number == 1 { String::new() } else { format!("-{number}") };
            root.with_file_name(format!("{name}{BEFORE}{stamp}{again}"))
        };
        // One that was killed in this very second may have left its copy.
        let free = |place: &PathBuf| self.disk.lstat(place).is_ok_and(|there| there.is_none());
        (1..100).map(place).find(free).unwrap_or_else(|| place(1))
    }

    /// Copies the root to `place`, private, and whole or not at all.
    pub(super) fn copy_root(&self, place: &Path) -> Result<(), Error> {
        self.sweep_halves(place)?;
        let mut part = place.as_os_str().to_owned();
        part.push(HALF);
        let part = PathBuf::from(part);
        let copied = self.copy_tree(self.root.path(), &part).and_then(|()| {
            self.disk.vfs.rename_new(&part, place).map_err(Error::io("create", place))?;
            place.parent().map_or(Ok(()), |parent| self.disk.vfs.sync_dir(parent)).map_err(Error::io("sync", place))
        });
        if copied.is_err() {
            // It is a half of what stands untouched beside it.
            let _ = self.disk.remove_tree(&part);
        }
        copied
    }

    /// Removes what killed adoptions had copied: halves of what stands untouched.
    fn sweep_halves(&self, place: &Path) -> Result<(), Error> {
        let Some(parent) = place.parent() else { return Ok(()) };
        let prefix = self.root.path().file_name().map(|name| format!("{}{BEFORE}", name.to_string_lossy()));
        for name in self.disk.list(parent)? {
            let half = name.to_str().zip(prefix.as_deref());
            if half.is_some_and(|(name, prefix)| name.starts_with(prefix) && name.ends_with(HALF)) {
                self.disk.remove_tree(&parent.join(name))?;
            }
        }
        Ok(())
    }

    fn copy_tree(&self, from: &Path, to: &Path) -> Result<(), Error> {
        self.disk.vfs.create_dir(to, 0o700).map_err(Error::io("create", to))?;
        for name in self.disk.list(from)? {
            let (source, copy) = (from.join(&name), to.join(&name));
            match self.disk.lstat(&source)?.map(|stat| stat.kind) {
                Some(FileKind::Dir) => self.copy_tree(&source, &copy)?,
                Some(FileKind::File) => self.copy_file(&source, &copy)?,
                Some(FileKind::Link) => {
                    let target = self.disk.vfs.read_link(&source).map_err(Error::io("read the link", &source))?;
                    self.disk.vfs.symlink(&target, &copy).map_err(Error::io("make the link", &copy))?;
                }
                // A socket or pipe has no content of its own.
                Some(FileKind::Other) | None => {}
            }
        }
        self.disk.vfs.sync_dir(to).map_err(Error::io("sync", to))
    }

    fn copy_file(&self, from: &Path, to: &Path) -> Result<(), Error> {
        let copied = self.disk.copy_new(from, to, Manners { share: true, sync: true })?;
        if copied.to.mode & 0o077 != 0 {
            self.disk.vfs.set_mode(to, copied.to.mode & 0o700).map_err(Error::io("set the mode of", to))?;
        }
        Ok(())
    }
}
