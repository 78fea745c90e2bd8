//! The real file system on Windows.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;

use super::{Handle, Kind, Stat, Vfs};

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealVfs;

struct RealHandle(File);

impl Handle for RealHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }

    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        self.0.set_modified(SystemTime::from(at))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn clone_from(&mut self, _: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64> {
        super::by_hand(&mut self.0, source, most)
    }

    fn set_mode(&mut self, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn stat(&self) -> io::Result<Stat> {
        stat_of(&self.0)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

/// What the file system tells of an open file.
///
/// # Errors
/// As the system says.
pub fn stat_of(file: &File) -> io::Result<Stat> {
    Ok(to_stat(&file.metadata()?))
}

fn to_stat(meta: &fs::Metadata) -> Stat {
    let kind = if meta.is_symlink() {
        Kind::Link
    } else if meta.is_dir() {
        Kind::Dir
    } else if meta.is_file() {
        Kind::File
    } else {
        Kind::Other
    };
    let modified = meta.modified().ok().and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    Stat { kind, len: meta.len(), mode: 0, modified, dev: 0, ino: 0 }
}

/// How long a refusal is not believed; less than Claude Code's locks may be held for (K3).
const PATIENCE: Duration = Duration::from_millis(1200);

/// A scanner or a reader may hold a file for a moment; then Windows refuses what Unix would allow. Pauses of many lengths
/// find the gap between readers that come again and again.
fn again<T>(mut try_once: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let (mut pause, mut waited) = (Duration::from_millis(3), Duration::ZERO);
    loop {
        match try_once() {
            Err(error) if waited < PATIENCE && matches!(error.raw_os_error(), Some(5 | 32 | 33)) => {
                std::thread::sleep(pause);
                waited += pause;
                pause = (pause * 3 / 2).min(Duration::from_millis(60));
            }
            result => return result,
        }
    }
}

/// `FILE_FLAG_BACKUP_SEMANTICS`: lets a directory be opened.
const DIRECTORIES_TOO: u32 = 0x0200_0000;

/// `FILE_FLAG_OPEN_REPARSE_POINT`: a link is opened itself, not what it leads to.
const THE_LINK_ITSELF: u32 = 0x0020_0000;

#[expect(clippy::disallowed_methods, reason = "this is the door that the ban leads to")]
impl Vfs for RealVfs {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let mut file = again(|| File::open(path))?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if meta.len() > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(to_stat(&fs::metadata(path)?))
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        Ok(to_stat(&fs::symlink_metadata(path)?))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        fs::read_link(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        fs::read_dir(path)?.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        use std::os::windows::fs::OpenOptionsExt as _;
        let file = again(|| OpenOptions::new().read(true).custom_flags(THE_LINK_ITSELF).open(path))?;
        if file.metadata()?.is_symlink() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a link"));
        }
        Ok(file)
    }

    fn create(&self, path: &Path, _: u32) -> io::Result<Box<dyn Handle>> {
        let file = again(|| OpenOptions::new().write(true).create_new(true).open(path))?;
        Ok(Box::new(RealHandle(file)))
    }

    fn append(&self, path: &Path, _: u32) -> io::Result<Box<dyn Handle>> {
        let file = again(|| OpenOptions::new().append(true).create(true).open(path))?;
        Ok(Box::new(RealHandle(file)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        again(|| fs::rename(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        if fs::symlink_metadata(to).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.rename(from, to)
    }

    fn exchange(&self, _: &Path, _: &Path) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        // A link to a directory is a directory to Windows.
        again(|| fs::remove_file(path)).or_else(|error| {
            let link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
            if link { fs::remove_dir(path) } else { Err(error) }
        })
    }

    fn create_dir(&self, path: &Path, _: u32) -> io::Result<()> {
        // A directory that was removed while somebody had it open keeps its name until they let go.
        again(|| fs::create_dir(path))
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        again(|| fs::remove_dir(path))
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        // NTFS writes its directories through its own journal; there is no call for it.
        Ok(())
    }

    fn set_mode(&self, _: &Path, _: u32) -> io::Result<()> {
        Ok(())
    }

    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()> {
        use std::os::windows::fs::OpenOptionsExt as _;
        let file = OpenOptions::new().write(true).custom_flags(DIRECTORIES_TOO).open(path)?;
        file.set_modified(SystemTime::from(at))
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        use std::os::windows::fs::{FileTypeExt as _, symlink_dir, symlink_file};
        // Where the target is itself a link that leads nowhere at the moment, its own kind tells.
        let directory = fs::metadata(target)
            .map(|meta| meta.is_dir())
            .or_else(|_| fs::symlink_metadata(target).map(|meta| meta.file_type().is_symlink_dir()));
        if directory.unwrap_or(false) { symlink_dir(target, link) } else { symlink_file(target, link) }
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        again(|| OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path))
    }
}

/// Whether the system says that there are no locks here; it has a kind of its own for that.
pub(super) fn has_no_locks(_: &io::Error) -> bool {
    false
}
