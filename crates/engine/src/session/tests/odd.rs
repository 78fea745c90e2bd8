//! A disk on which the root and the home are file systems of their own, or which cannot exchange, and which tells what was
//! listed.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clauth_durable::vfs::{Handle, RealVfs, Stat, Vfs};
use jiff::Timestamp;

#[derive(Clone, Default)]
pub(super) struct Odd {
    /// Nothing is renamed or exchanged across the border of this directory.
    pub(super) other_disk: Option<PathBuf>,
    /// No two files are exchanged.
    pub(super) poor: bool,
    /// What is written is stored wrong.
    pub(super) broken: bool,
    /// The directories that were listed.
    pub(super) listed: Arc<Mutex<Vec<PathBuf>>>,
}

impl Odd {
    fn across(&self, a: &Path, b: &Path) -> io::Result<()> {
        let inside = |path: &Path| self.other_disk.as_ref().is_some_and(|other| path.starts_with(other));
        if inside(a) == inside(b) { Ok(()) } else { Err(io::ErrorKind::CrossesDevices.into()) }
    }
}

/// Stores other bytes than it is given.
struct Broken(Box<dyn Handle>);

impl Handle for Broken {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&vec![0; bytes.len()])
    }
    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }
    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        self.0.set_modified(at)
    }
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }
    fn clone_from(&mut self, _: &File) -> io::Result<()> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn copy_from(&mut self, _: &File, _: u64) -> io::Result<u64> {
        Err(io::ErrorKind::Unsupported.into())
    }
    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.0.set_mode(mode)
    }
    fn stat(&self) -> io::Result<Stat> {
        self.0.stat()
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
}

macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> io::Result<$result> { RealVfs.$name($($arg),*) })*
    };
}

impl Vfs for Odd {
    forward! {
        read(path: &Path, limit: u64) -> Vec<u8>;
        stat(path: &Path) -> Stat;
        lstat(path: &Path) -> Stat;
        read_link(path: &Path) -> PathBuf;
        open(path: &Path) -> File;
        append(path: &Path, mode: u32) -> Box<dyn Handle>;
        remove_file(path: &Path) -> ();
        create_dir(path: &Path, mode: u32) -> ();
        remove_dir(path: &Path) -> ();
        sync_dir(path: &Path) -> ();
        set_mode(path: &Path, mode: u32) -> ();
        set_modified(path: &Path, at: Timestamp) -> ();
        symlink(target: &Path, link: &Path) -> ();
        open_lock(path: &Path) -> File;
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        let handle = RealVfs.create(path, mode)?;
        Ok(if self.broken { Box::new(Broken(handle)) } else { handle })
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
        RealVfs.read_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.across(from, to)?;
        RealVfs.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.across(from, to)?;
        RealVfs.rename_new(from, to)
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.across(a, b)?;
        if self.poor { Err(io::ErrorKind::Unsupported.into()) } else { RealVfs.exchange(a, b) }
    }
}
