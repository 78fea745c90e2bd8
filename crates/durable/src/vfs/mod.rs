//! The one door to the file system.
//!
//! Looking methods have no effect. Every *effect* is exactly one system call on Linux, so that counting them in process
//! counts what `strace` counts; but for root in somebody else's directory, where what is made is then given to them, and for
//! a umask that keeps things from their own owner (W1).

mod faulty;
#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use faulty::{Effect, Errno, Fault, FaultyVfs};
pub use platform::{RealVfs, stat_of};

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A FIFO, socket or device.
    Other,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Dir => "a directory",
            Self::Link => "a link",
            Self::Other => "a pipe, socket or device",
        }
    }

    /// What should be there instead, where it is in the way.
    pub(crate) fn missed(self) -> &'static str {
        match self {
            Self::File => "a directory",
            Self::Dir | Self::Link | Self::Other => "a regular file",
        }
    }
}

/// What the file system tells of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its size in bytes.
    pub len: u64,
    /// Its permission bits; 0 on Windows.
    pub mode: u32,
    /// When it was last modified, as the file system stored it.
    pub modified: Timestamp,
    /// The file system; 0 on Windows.
    pub dev: u64,
    /// The file's number in it; 0 on Windows.
    pub ino: u64,
}

/// A file open for writing.
pub trait Handle: Send {
    /// Writes some of `bytes`; answers how many.
    ///
    /// # Errors
    /// As the system says.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;
    /// Makes what was written durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync(&mut self) -> io::Result<()>;
    /// Goes back to the beginning, so that the next write replaces what is there. No effect.
    ///
    /// # Errors
    /// As the system says.
    fn rewind(&mut self) -> io::Result<()>;
    /// Sets the time of modification.
    ///
    /// # Errors
    /// As the system says.
    fn set_modified(&mut self, at: Timestamp) -> io::Result<()>;
    /// Cuts the file to `len` bytes.
    ///
    /// # Errors
    /// As the system says.
    fn truncate(&mut self, len: u64) -> io::Result<()>;
    /// Makes this empty file share all bytes of `source`, without copying one.
    ///
    /// # Errors
    /// `Unsupported` where the file system cannot, or as the system says.
    fn clone_from(&mut self, source: &File) -> io::Result<()>;
    /// Takes over at most `most` bytes of `source` from where it stands; answers how many, 0 at its end.
    ///
    /// # Errors
    /// As the system says.
    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64>;
    /// Sets permission bits.
    ///
    /// # Errors
    /// As the system says.
    fn set_mode(&mut self, mode: u32) -> io::Result<()>;
    /// What the file system tells of it. No effect.
    ///
    /// # Errors
    /// As the system says.
    fn stat(&self) -> io::Result<Stat>;
    /// Its size in bytes. No effect.
    ///
    /// # Errors
    /// As the system says.
    fn len(&self) -> io::Result<u64>;
    /// Whether it has no bytes. No effect.
    ///
    /// # Errors
    /// As the system says.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

/// The file system.
pub trait Vfs: Send + Sync {
    /// A regular file's bytes; anything else is refused at once, without waiting for a writer.
    ///
    /// # Errors
    /// As the system says; `InvalidInput` for what is no regular file, `FileTooLarge` above `limit`.
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>>;
    /// What stands at the end of the links.
    ///
    /// # Errors
    /// As the system says.
    fn stat(&self, path: &Path) -> io::Result<Stat>;
    /// Whether whoever owns a file does not want it written: no mode lets anybody, or the attribute that Windows has for it.
    ///
    /// # Errors
    /// As the system says.
    fn read_only(&self, path: &Path) -> io::Result<bool> {
        Ok(cfg!(unix) && self.stat(path)?.mode & 0o222 == 0)
    }
    /// What stands at the path itself.
    ///
    /// # Errors
    /// As the system says.
    fn lstat(&self, path: &Path) -> io::Result<Stat>;
    /// Where a link leads.
    ///
    /// # Errors
    /// As the system says.
    fn read_link(&self, path: &Path) -> io::Result<PathBuf>;
    /// The names in a directory.
    ///
    /// # Errors
    /// As the system says.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>>;
    /// Opens what stands at the path itself for reading: never creates it, never through a link, never waits for a
    /// writer.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// Creates a file that was not there, never through a link, with `mode` narrowed by the umask.
    ///
    /// # Errors
    /// As the system says.
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>>;
    /// Opens a file for appending, creating it with `mode`, never through a link.
    ///
    /// # Errors
    /// As the system says.
    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>>;
    /// Renames over whatever is there.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Renames to where nothing is.
    ///
    /// # Errors
    /// `AlreadyExists`, or as the system says.
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Exchanges two files in one step.
    ///
    /// # Errors
    /// `Unsupported` where the system cannot, or as the system says.
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()>;
    /// Removes a file or link.
    ///
    /// # Errors
    /// As the system says.
    fn remove_file(&self, path: &Path) -> io::Result<()>;
    /// Creates a directory.
    ///
    /// # Errors
    /// As the system says.
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Removes an empty directory.
    ///
    /// # Errors
    /// As the system says.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;
    /// Makes a directory's entries durable.
    ///
    /// # Errors
    /// As the system says.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;
    /// Sets permission bits, never through a link.
    ///
    /// # Errors
    /// As the system says.
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()>;
    /// Sets the time of modification of a file or directory.
    ///
    /// # Errors
    /// As the system says.
    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()>;
    /// Makes a symbolic link.
    ///
    /// # Errors
    /// As the system says.
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()>;
    /// Opens a file for an OS file lock, creating it when it is missing; never truncates.
    ///
    /// # Errors
    /// As the system says.
    fn open_lock(&self, path: &Path) -> io::Result<File>;

    /// Tries for the OS lock of an open file.
    ///
    /// # Errors
    /// It is taken, or the system refuses; see [`is_void`].
    fn try_lock(&self, file: &File) -> Result<(), TryLockError> {
        file.try_lock()
    }
}

/// Whether an error says that a file system has no file locks: there a lock directory has to stand in (K6). Network homes
/// answer in one of four words.
#[must_use]
pub fn is_void(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported || platform::has_no_locks(error)
}

/// Copies at most `most` bytes through a buffer.
fn by_hand(to: &mut File, mut from: &File, most: u64) -> io::Result<u64> {
    use std::io::{Read as _, Write as _};
    let mut buffer = vec![0; usize::try_from(most).unwrap_or(usize::MAX).min(256 << 10)];
    let count = from.read(&mut buffer)?;
    to.write_all(&buffer[..count])?;
    Ok(count as u64)
}
