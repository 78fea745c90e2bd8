//! The real file system on Unix.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{self as sys, AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps};

use super::{Handle, Kind, Stat, Vfs};

mod place;

use place::Place;

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealVfs;

struct RealHandle(File);

impl Handle for RealHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        // On macOS plain fsync leaves the bytes in the drive; `sync_all` asks for F_FULLFSYNC there.
        self.0.sync_all()
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }

    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        Ok(sys::futimens(&self.0, &times(at))?)
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        Ok(sys::ftruncate(&self.0, len)?)
    }

    fn clone_from(&mut self, source: &File) -> io::Result<()> {
        match share(&self.0, source) {
            Err(error) if cannot_share(&error) => Err(io::ErrorKind::Unsupported.into()),
            result => result,
        }
    }

    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64> {
        match in_kernel(&self.0, source, most) {
            Err(error) if cannot_share(&error) => super::by_hand(&mut self.0, source, most),
            result => result,
        }
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        Ok(sys::fchmod(&self.0, Mode::from_raw_mode(bits(mode)))?)
    }

    fn stat(&self) -> io::Result<Stat> {
        stat_of(&self.0)
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn share(to: &File, from: &File) -> io::Result<()> {
    Ok(sys::ioctl_ficlone(to, from)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn share(_: &File, _: &File) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn in_kernel(to: &File, from: &File, most: u64) -> io::Result<u64> {
    let most = usize::try_from(most).unwrap_or(usize::MAX).min(1 << 30);
    Ok(sys::copy_file_range(from, None, to, None, most)? as u64)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn in_kernel(_: &File, _: &File, _: u64) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether the two files lie where the kernel can neither share nor copy by itself.
fn cannot_share(error: &io::Error) -> bool {
    let raw = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    unsupported(error)
        || matches!(raw, Some(rustix::io::Errno::XDEV | rustix::io::Errno::NOTTY | rustix::io::Errno::PERM))
}

/// What the file system tells of an open file.
///
/// # Errors
/// As the system says.
pub fn stat_of(file: &File) -> io::Result<Stat> {
    Ok(to_stat(&sys::fstat(file)?))
}

/// The time of modification set, the time of access left alone.
fn times(at: Timestamp) -> Timestamps {
    Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: sys::UTIME_OMIT },
        last_modification: Timespec { tv_sec: at.as_second(), tv_nsec: at.subsec_nanosecond().into() },
    }
}

/// What most files that are read whole fit in.
const SMALL: usize = 2048;

/// The library reads into the room that is left only where there is at least as much as this.
const SPARE: usize = 64;

fn open(path: &Path, flags: OFlags, mode: u32) -> io::Result<File> {
    let flags = flags | OFlags::CLOEXEC;
    Ok(File::from(sys::open(path, flags, Mode::from_raw_mode(bits(mode)))?))
}

/// Permission bits as this system's own type.
fn bits(mode: u32) -> sys::RawMode {
    sys::RawMode::try_from(mode & 0o7777).unwrap_or(0o600)
}

#[expect(clippy::useless_conversion, clippy::unnecessary_cast, reason = "the types differ from system to system")]
fn to_stat(stat: &sys::Stat) -> Stat {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        _ => Kind::Other,
    };
    let nanosecond = i32::try_from(stat.st_mtime_nsec).unwrap_or(0);
    Stat {
        kind,
        len: u64::try_from(stat.st_size).unwrap_or(0),
        mode: u32::from(stat.st_mode) & 0o7777,
        modified: Timestamp::new(stat.st_mtime as i64, nanosecond).unwrap_or(Timestamp::UNIX_EPOCH),
        dev: stat.st_dev as u64,
        ino: u64::from(stat.st_ino),
    }
}

impl Vfs for RealVfs {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let file = open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY, 0)?;
        let stat = to_stat(&sys::fstat(&file)?);
        if stat.kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        if stat.len > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // Room for one more read than the length says, and for what proc(5) shows with a length of 0: one read gets it
        // all and the next one finds the end. `take` keeps the library from asking for the length once more.
        let mut bytes = Vec::with_capacity(usize::try_from(stat.len).unwrap_or(0).max(SMALL) + SPARE);
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Ok(to_stat(&sys::stat(path)?))
    }

    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        Ok(to_stat(&sys::lstat(path)?))
    }

    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        let target = sys::readlink(path, Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let directory = open(path, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
        let mut names = Vec::new();
        for entry in sys::Dir::new(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name != b"." && name != b".." {
                names.push(OsStr::from_bytes(name).to_owned());
            }
        }
        Ok(names)
    }

    fn open(&self, path: &Path) -> io::Result<File> {
        open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY, 0)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        Ok(Box::new(RealHandle(Place::of(path).create(flags, mode)?)))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        Ok(Box::new(RealHandle(Place::of(path).create(flags, mode)?)))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Ok(sys::rename(from, to)?)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        match with_flags(from, to, Special::New) {
            Err(error) if unsupported(&error) => {
                if sys::lstat(to).is_ok() {
                    return Err(io::ErrorKind::AlreadyExists.into());
                }
                self.rename(from, to)
            }
            result => result,
        }
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        match with_flags(a, b, Special::Exchange) {
            Err(error) if unsupported(&error) => Err(io::ErrorKind::Unsupported.into()),
            result => result,
        }
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        Ok(sys::unlink(path)?)
    }

    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        Place::of(path).create_dir(mode)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        Ok(sys::rmdir(path)?)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let directory = open(path, OFlags::RDONLY | OFlags::DIRECTORY, 0)?;
        Ok(sys::fsync(&directory)?)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        let file = open(path, OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK, 0)?;
        Ok(sys::fchmod(&file, Mode::from_raw_mode(bits(mode)))?)
    }

    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()> {
        Ok(sys::utimensat(CWD, path, &times(at), AtFlags::SYMLINK_NOFOLLOW)?)
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        Place::of(link).symlink(target)
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        Place::of(path).create(OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK, 0o600)
    }
}

/// The renames that are more than a rename.
#[derive(Clone, Copy)]
enum Special {
    New,
    Exchange,
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn with_flags(from: &Path, to: &Path, special: Special) -> io::Result<()> {
    let flags = match special {
        Special::New => sys::RenameFlags::NOREPLACE,
        Special::Exchange => sys::RenameFlags::EXCHANGE,
    };
    Ok(sys::renameat_with(CWD, from, CWD, to, flags)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn with_flags(_: &Path, _: &Path, _: Special) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether a file system or kernel does not know the flag.
fn unsupported(error: &io::Error) -> bool {
    let raw = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    error.kind() == io::ErrorKind::Unsupported
        || matches!(raw, Some(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::NOTSUP))
}

/// Whether `flock` says that there are no locks here: no server for them, or no such call.
pub(super) fn has_no_locks(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| [Errno::NOLCK, Errno::NOSYS, Errno::OPNOTSUPP, Errno::INVAL].contains(&errno))
}
