//! The one door to the file system.
//!
//! Looking methods have no effect. Every *effect* is exactly one system call on Linux, so that counting them in process
//! counts what `strace` counts.

mod faulty;
#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

pub use faulty::{Effect, Errno, Fault, FaultyVfs};
pub use platform::RealVfs;

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
}
