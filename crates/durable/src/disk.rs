//! Reading, replacing and removing one file at a time (W1).

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clauth_host::{Clock, Random};
use jiff::Timestamp;

use crate::Error;
use crate::items::{Items, item_name};
use crate::vfs::{Handle, Kind, RealVfs, Stat, Vfs};

/// Larger than anything that clauth reads whole.
const LIMIT: u64 = 512 << 20;

/// How many links are followed.
const LINKS: usize = 40;

/// A disk, and what writing to it needs.
#[derive(Clone)]
pub struct Disk {
    /// The file system.
    pub vfs: Arc<dyn Vfs>,
    /// Time.
    pub clock: Clock,
    /// Randomness for temporary names.
    pub random: Random,
    /// Where secrets lie that are not in the file system; `None` where all are.
    pub items: Option<Arc<dyn Items>>,
}

/// Permission bits of a file that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// 0600.
    Private,
    /// Those of the file that is replaced; 0600 for a new one.
    Keep,
}

/// What a rename must replace so that the links that lead there stay links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The path to replace.
    pub path: PathBuf,
    /// What stands there; `None` for nothing.
    pub stat: Option<Stat>,
    /// The path is a link of our own into our root, to be replaced itself (L8).
    pub ours: bool,
}

impl Disk {
    /// The real disk.
    #[must_use]
    pub fn new(clock: Clock, random: Random) -> Self {
        Self { vfs: Arc::new(RealVfs), clock, random, items: None }
    }

    /// The same on another file system.
    #[must_use]
    pub fn with_vfs(mut self, vfs: Arc<dyn Vfs>) -> Self {
        self.vfs = vfs;
        self
    }

    /// A file's bytes; `None` when nothing is there, or only a link to nothing.
    ///
    /// # Errors
    /// Links in a circle, anything but a regular file, or a system that refuses.
    pub fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, Error> {
        if let Some(item) = item_name(path) {
            return self.read_item(path, item);
        }
        match self.vfs.read(path, LIMIT) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(self.reading(path, error)),
        }
    }

    /// A file's bytes and what the file system tells of it.
    ///
    /// # Errors
    /// As [`Disk::read`].
    pub fn read_stat(&self, path: &Path) -> Result<Option<(Vec<u8>, Stat)>, Error> {
        // The stat comes first: a file replaced in between then looks older than it is, and is read again sooner.
        let Some(stat) = self.stat(path)? else { return Ok(None) };
        Ok(self.read(path)?.map(|bytes| (bytes, stat)))
    }

    fn reading(&self, path: &Path, error: io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::FileTooLarge => Error::TooLarge { path: path.to_owned(), limit: LIMIT },
            io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory => self.irregular(path, error),
            // A FIFO or device may refuse in its own words.
            _ if self.vfs.stat(path).is_ok_and(|stat| stat.kind != Kind::File) => self.irregular(path, error),
            _ if is_loop(&error) => Error::Loop { path: path.to_owned() },
            _ => Error::io("read", path)(error),
        }
    }

    fn irregular(&self, path: &Path, error: io::Error) -> Error {
        match self.vfs.stat(path) {
            Ok(stat) if stat.kind != Kind::File => Error::NotRegular { path: path.to_owned(), kind: stat.kind },
            _ => Error::io("read", path)(error),
        }
    }

    /// What stands at the end of the links.
    ///
    /// # Errors
    /// As the system says.
    pub fn stat(&self, path: &Path) -> Result<Option<Stat>, Error> {
        if let Some(item) = item_name(path) {
            return self.stat_item(path, item);
        }
        self.optional("look at", path, self.vfs.stat(path))
    }

    /// What stands at the path itself.
    ///
    /// # Errors
    /// As the system says.
    pub fn lstat(&self, path: &Path) -> Result<Option<Stat>, Error> {
        if let Some(item) = item_name(path) {
            return self.stat_item(path, item);
        }
        self.optional("look at", path, self.vfs.lstat(path))
    }

    fn optional<T>(&self, doing: &'static str, path: &Path, result: io::Result<T>) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) if is_loop(&error) => Err(Error::Loop { path: path.to_owned() }),
            Err(error) => Err(Error::io(doing, path)(error)),
        }
    }

    /// The names in a directory, sorted; none when there is no directory.
    ///
    /// # Errors
    /// As the system says.
    pub fn list(&self, path: &Path) -> Result<Vec<OsString>, Error> {
        let mut names = self.optional("list", path, self.vfs.read_dir(path))?.unwrap_or_default();
        names.sort_unstable();
        Ok(names)
    }

    /// Follows the final links of `path` to what a rename must replace. A link that leads into `own_root` is replaced
    /// itself and never written through (L8).
    ///
    /// # Errors
    /// Links in a circle, or anything but a regular file at their end.
    pub fn target(&self, path: &Path, own_root: Option<&Path>) -> Result<Target, Error> {
        if item_name(path).is_some() {
            return Ok(Self::target_of_item(path));
        }
        let inside = |path: &Path| own_root.is_some_and(|root| self.is_inside(path, root));
        let mut here = path.to_owned();
        for _ in 0..=LINKS {
            let Some(stat) = self.lstat(&here)? else { return Ok(Target { path: here, stat: None, ours: false }) };
            match stat.kind {
                Kind::File => return Ok(Target { path: here, stat: Some(stat), ours: false }),
                Kind::Dir | Kind::Other => return Err(Error::NotRegular { path: here, kind: stat.kind }),
                Kind::Link => {}
            }
            let leads_to = self.vfs.read_link(&here).map_err(Error::io("read the link", &here))?;
            let next = clean(&here.parent().unwrap_or(Path::new("/")).join(leads_to));
            if inside(&next) && !inside(path) {
                return Ok(Target { path: here, stat: Some(stat), ours: true });
            }
            here = next;
        }
        Err(Error::Loop { path: path.to_owned() })
    }

    /// Whether `path` is inside `root`, by its name or by where its directory really is.
    fn is_inside(&self, path: &Path, root: &Path) -> bool {
        if path.starts_with(root) {
            return true;
        }
        let id = |path: &Path| self.vfs.stat(path).ok().map(|stat| (stat.dev, stat.ino)).filter(|id| *id != (0, 0));
        let Some(root) = id(root) else { return false };
        path.ancestors().skip(1).any(|directory| id(directory) == Some(root))
    }

    /// Replaces a file whole (W1): a temporary file beside it, mode first, content, sync, rename, directory sync. On any
    /// error the old bytes stand; only when the last sync fails do the new ones.
    ///
    /// # Errors
    /// As the system says.
    pub fn replace(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), Error> {
        if let Some(item) = item_name(path) {
            return self.replace_item(path, item, bytes);
        }
        let target = self.target(path, None)?;
        self.put(&target.path, bytes, mode_of(mode, target.stat.as_ref()), |temp, path| self.vfs.rename(temp, path))
    }

    /// Replaces what stands at the path itself, a link included, in one step, as [`Disk::replace`] does.
    ///
    /// # Errors
    /// As the system says.
    pub fn replace_itself(&self, path: &Path, bytes: &[u8], mode: Mode) -> Result<(), Error> {
        let stat = self.lstat(path)?.filter(|stat| stat.kind == Kind::File);
        self.put(path, bytes, mode_of(mode, stat.as_ref()), |temp, path| self.vfs.rename(temp, path))
    }

    /// Makes a private file whole where nothing is; answers `false`, without effect, when something is there.
    ///
    /// # Errors
    /// As the system says.
    pub fn create(&self, path: &Path, bytes: &[u8]) -> Result<bool, Error> {
        match self.put(path, bytes, 0o600, |temp, path| self.vfs.rename_new(temp, path)) {
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            result => result.map(|()| true),
        }
    }

    /// The same without waiting for the disk, for what can be made again from what is on it: after a power loss the file may
    /// be missing or empty.
    ///
    /// # Errors
    /// As the system says.
    pub fn create_unsynced(&self, path: &Path, bytes: &[u8]) -> Result<bool, Error> {
        let temp = self.temp_beside(path);
        let written = self.write_new(&temp, bytes, 0o600, None).map(drop);
        match written.and_then(|()| self.vfs.rename_new(&temp, path).map_err(Error::io("create", path))) {
            Ok(()) => Ok(true),
            Err(error) => {
                let _ = self.vfs.remove_file(&temp);
                match error {
                    Error::Io { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => Ok(false),
                    error => Err(error),
                }
            }
        }
    }

    /// A name for what is written beside a file before it takes its place.
    fn temp_beside(&self, path: &Path) -> PathBuf {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.with_file_name(format!(".{name}.clauth-{}", self.random.name()))
    }

    /// Writes a file beside `path`, and `swap`s it in.
    fn put(
        &self,
        path: &Path,
        bytes: &[u8],
        mode: u32,
        swap: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> Result<(), Error> {
        let temp = self.temp_beside(path);
        let staged = self.stage(&temp, bytes, mode, None);
        let renamed = staged.and_then(|()| swap(&temp, path).map_err(Error::io("replace", path)));
        if let Err(error) = renamed {
            let _ = self.vfs.remove_file(&temp);
            return Err(error);
        }
        self.sync_parent(path)
    }

    /// Puts a link to `target` in the place of a file, by exchange and inspect (W2): false, and the file as it stands, when
    /// it no longer holds `before`.
    ///
    /// # Errors
    /// As the system says.
    pub fn replace_by_link(&self, path: &Path, before: &[u8], target: &Path) -> Result<bool, Error> {
        let temp = self.temp_beside(path);
        self.vfs.symlink(target, &temp).map_err(Error::io("link", &temp))?;
        let is_before = |path: &Path| self.read(path).is_ok_and(|bytes| bytes.as_deref() == Some(before));
        let put = match self.vfs.exchange(&temp, path) {
            Ok(()) if is_before(&temp) => true,
            Ok(()) => {
                self.vfs.exchange(&temp, path).map_err(Error::io("put back", path))?;
                false
            }
            // A system that cannot exchange: look once more, then put.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                is_before(path) && self.vfs.rename(&temp, path).map_err(Error::io("link", path)).is_ok()
            }
            Err(error) => {
                let _ = self.vfs.remove_file(&temp);
                return Err(Error::io("link", path)(error));
            }
        };
        self.remove_file(&temp)?;
        self.sync_parent(path)?;
        Ok(put)
    }

    /// Writes and syncs a new file with exactly `mode`, stamped with `modified` where given.
    pub(crate) fn stage(&self, temp: &Path, bytes: &[u8], mode: u32, modified: Option<Timestamp>) -> Result<(), Error> {
        self.write_new(temp, bytes, mode, modified)?.sync().map_err(Error::io("sync", temp))
    }

    fn write_new(
        &self,
        temp: &Path,
        bytes: &[u8],
        mode: u32,
        modified: Option<Timestamp>,
    ) -> Result<Box<dyn Handle>, Error> {
        let mut file = self.vfs.create(temp, mode & 0o600).map_err(Error::io("create", temp))?;
        write_all(file.as_mut(), bytes).map_err(Error::io("write", temp))?;
        if mode & !0o600 != 0 {
            self.vfs.set_mode(temp, mode).map_err(Error::io("set the mode of", temp))?;
        }
        if let Some(modified) = modified {
            file.set_modified(modified).map_err(Error::io("stamp", temp))?;
        }
        Ok(file)
    }

    /// Makes the entry of `path` in its directory durable.
    pub(crate) fn sync_parent(&self, path: &Path) -> Result<(), Error> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        self.vfs.sync_dir(parent).map_err(Error::io("sync", parent))
    }

    /// Makes a directory and those above it that are missing, 0700; existing ones stay as they are.
    ///
    /// # Errors
    /// Something else is in the way, or as the system says.
    pub fn ensure_dir(&self, path: &Path) -> Result<(), Error> {
        match self.stat(path)? {
            Some(stat) if stat.kind == Kind::Dir => return Ok(()),
            Some(stat) => return Err(Error::NotRegular { path: path.to_owned(), kind: stat.kind }),
            None => {}
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            self.ensure_dir(parent)?;
        }
        match self.vfs.create_dir(path, 0o700) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists
                    && self.vfs.stat(path).is_ok_and(|stat| stat.kind == Kind::Dir) =>
            {
                Ok(())
            }
            result => result.map_err(Error::io("create", path)),
        }
    }

    /// Removes a file or a link; answers whether there was one.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove_file(&self, path: &Path) -> Result<bool, Error> {
        if let Some(item) = item_name(path) {
            return self.remove_item(path, item);
        }
        Ok(self.optional("remove", path, self.vfs.remove_file(path))?.is_some())
    }

    /// Removes a directory with everything in it. Links are removed and never followed.
    ///
    /// # Errors
    /// As the system says.
    pub fn remove_tree(&self, path: &Path) -> Result<(), Error> {
        let Some(stat) = self.lstat(path)? else { return Ok(()) };
        if stat.kind != Kind::Dir {
            return self.remove_file(path).map(drop);
        }
        for name in self.list(path)? {
            self.remove_tree(&path.join(name))?;
        }
        self.optional("remove", path, self.vfs.remove_dir(path)).map(drop)
    }

    /// Takes group and other permissions away from everything below `root`, never through a link, keeping the owner's
    /// own. Answers how many modes were changed.
    ///
    /// # Errors
    /// As the system says.
    pub fn tighten(&self, root: &Path) -> Result<usize, Error> {
        let Some(stat) = self.lstat(root)? else { return Ok(0) };
        let mut changed = 0;
        if matches!(stat.kind, Kind::File | Kind::Dir) && stat.mode & 0o077 != 0 {
            self.vfs.set_mode(root, stat.mode & 0o700).map_err(Error::io("set the mode of", root))?;
            changed += 1;
        }
        if stat.kind == Kind::Dir {
            for name in self.list(root)? {
                changed += self.tighten(&root.join(name))?;
            }
        }
        Ok(changed)
    }
}

fn mode_of(mode: Mode, stat: Option<&Stat>) -> u32 {
    match mode {
        Mode::Private => 0o600,
        Mode::Keep => stat.map_or(0o600, |stat| stat.mode),
    }
}

/// Writes everything, however little the system takes at once.
pub(crate) fn write_all(file: &mut dyn Handle, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(unix)]
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) == Some(rustix::io::Errno::LOOP)
}

#[cfg(not(unix))]
fn is_loop(error: &io::Error) -> bool {
    // ERROR_CANT_RESOLVE_FILENAME
    error.raw_os_error() == Some(1921)
}

/// A path without `.`; `..` stays, since what is above may be a link.
fn clean(path: &Path) -> PathBuf {
    path.components().filter(|part| !matches!(part, Component::CurDir)).collect()
}

#[cfg(test)]
mod tests;
