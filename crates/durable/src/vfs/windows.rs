//! The real file system on Windows.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use winsafe::co;

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
            Err(error) if waited < PATIENCE && matches!(error.raw_os_error(), Some(5 | 32 | 33 | 1175 | 1176)) => {
                std::thread::sleep(pause);
                waited += pause;
                pause = (pause * 3 / 2).min(Duration::from_millis(60));
            }
            result => return result,
        }
    }
}

/// Where an exchange keeps what stood at the other place, until the second of its two steps: a batch's own name for what it
/// moves aside, which its journal knows.
fn aside(a: &Path) -> PathBuf {
    let mut name = a.file_name().unwrap_or_default().to_owned();
    name.push("o");
    a.with_file_name(name)
}

/// `ERROR_UNABLE_TO_MOVE_REPLACEMENT_2`: what stood there lies at its new name, and nothing in its place.
const HALF_DONE: i32 = 1177;

/// Puts `new` in the place of `old` and that at `kept`, by one call of the system's: no moment that can be seen is without
/// a file there, and no kill leaves one (W1, W2).
fn replace_keeping(new: &Path, old: &Path, kept: &Path) -> io::Result<()> {
    let told = |path: &Path| Some(whole(path)?.to_str()?.to_owned());
    let (Some(from), Some(to), Some(backup)) = (told(new), told(old), told(kept)) else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    // Whose file it is and who may read it stays as it was; where that cannot be carried over, the directory's holds.
    let flags = co::REPLACEFILE::IGNORE_MERGE_ERRORS | co::REPLACEFILE::IGNORE_ACL_ERRORS;
    winsafe::ReplaceFile(&to, &from, Some(&backup), flags).map_err(|error| {
        if matches!(error, co::ERROR::INVALID_FUNCTION | co::ERROR::NOT_SUPPORTED | co::ERROR::CALL_NOT_IMPLEMENTED) {
            return io::ErrorKind::Unsupported.into();
        }
        let error = io::Error::from_raw_os_error(i32::try_from(error.raw()).unwrap_or(i32::MAX));
        if error.raw_os_error() == Some(HALF_DONE) && fs::symlink_metadata(old).is_err() {
            let _ = again(|| fs::rename(kept, old));
        }
        error
    })
}

/// A path of any length, as the system's own calls take it.
fn whole(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    let long = path.as_os_str().len() > 240 && path.to_str().is_some_and(|text| text.as_bytes().get(1) == Some(&b':'));
    if !long {
        return Some(path);
    }
    let mut prefixed = OsString::from(r"\\?\");
    prefixed.push(path);
    Some(PathBuf::from(prefixed))
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

    fn read_only(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path)?.permissions().readonly())
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

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        // The system's call is for plain files.
        if !(fs::symlink_metadata(a)?.is_file() && fs::symlink_metadata(b)?.is_file()) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let aside = aside(a);
        if fs::symlink_metadata(&aside).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        again(|| replace_keeping(a, b, &aside))?;
        again(|| fs::rename(&aside, a)).or_else(|error| {
            again(|| replace_keeping(&aside, b, a))?;
            Err(error)
        })
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
