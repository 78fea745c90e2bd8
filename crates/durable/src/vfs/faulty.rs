//! A file system that fails where it is told to.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{Handle, Stat, Vfs};

/// What the system may refuse with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Errno {
    /// The disk is full.
    NoSpace,
    /// The disk is broken.
    Io,
    /// Not permitted.
    Access,
    /// Mounted read-only.
    ReadOnly,
    /// In use.
    Busy,
}

impl Errno {
    fn error(self) -> io::Error {
        match self {
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::Io => io::Error::other("input/output error"),
            Self::Access => io::ErrorKind::PermissionDenied.into(),
            Self::ReadOnly => io::ErrorKind::ReadOnlyFilesystem.into(),
            Self::Busy => io::ErrorKind::ResourceBusy.into(),
        }
    }
}

/// What happens at the chosen effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is gone: from here on nothing has any effect.
    Kill,
    /// This one effect fails, without effect.
    Error(Errno),
    /// This one and all later ones fail, without effect.
    ErrorFrom(Errno),
    /// A write takes one byte only; no other effect is touched.
    ShortWrite,
}

/// Something that was asked of the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The method's name.
    pub name: &'static str,
    /// The (first) path.
    pub path: PathBuf,
}

type Callback = Box<dyn FnMut() + Send>;

enum Plan {
    Count,
    Fault(Fault),
    Call(Option<Callback>),
}

struct Progress {
    effects: Vec<Effect>,
    at: usize,
    plan: Plan,
    fired: bool,
}

/// A file system with a fault at the n-th effect. Clones share one count.
#[derive(Clone)]
pub struct FaultyVfs {
    inner: Arc<dyn Vfs>,
    progress: Arc<Mutex<Progress>>,
}

/// What an effect is to do.
enum Verdict {
    Go,
    Short,
    Fail(io::Error),
}

impl FaultyVfs {
    fn new(inner: Arc<dyn Vfs>, at: usize, plan: Plan) -> Self {
        Self { inner, progress: Arc::new(Mutex::new(Progress { effects: Vec::new(), at, plan, fired: false })) }
    }

    /// Counts only.
    #[must_use]
    pub fn counting(inner: Arc<dyn Vfs>) -> Self {
        Self::new(inner, 0, Plan::Count)
    }

    /// Fails at the `at`-th effect, counted from 1.
    #[must_use]
    pub fn failing(inner: Arc<dyn Vfs>, at: usize, fault: Fault) -> Self {
        Self::new(inner, at, Plan::Fault(fault))
    }

    /// Calls `callback` right before the `at`-th effect, which then happens.
    #[must_use]
    pub fn with_callback(inner: Arc<dyn Vfs>, at: usize, callback: impl FnMut() + Send + 'static) -> Self {
        Self::new(inner, at, Plan::Call(Some(Box::new(callback))))
    }

    /// What was asked so far.
    #[must_use]
    pub fn effects(&self) -> Vec<Effect> {
        self.progress().effects.clone()
    }

    /// Whether the fault has happened.
    #[must_use]
    pub fn fired(&self) -> bool {
        self.progress().fired
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, name: &'static str, path: &Path) -> Verdict {
        let mut progress = self.progress();
        // Signs of life come by the clock: none of them is the n-th of what an operation does.
        let counts = !crate::lock::is_heart();
        if counts {
            progress.effects.push(Effect { name, path: path.to_owned() });
        }
        let (count, at) = (progress.effects.len(), progress.at);
        let now = counts && count == at;
        progress.fired |= now;
        let fault = match &mut progress.plan {
            Plan::Count => return Verdict::Go,
            Plan::Call(callback) => {
                let callback = callback.take_if(|_| now);
                drop(progress);
                callback.into_iter().for_each(|mut callback| callback());
                return Verdict::Go;
            }
            Plan::Fault(fault) => *fault,
        };
        match fault {
            Fault::Kill if count >= at => Verdict::Fail(io::Error::other("the process is gone")),
            Fault::ErrorFrom(errno) if count >= at => Verdict::Fail(errno.error()),
            Fault::Error(errno) if now => Verdict::Fail(errno.error()),
            Fault::ShortWrite if now => Verdict::Short,
            _ => Verdict::Go,
        }
    }

    fn effect<T>(&self, name: &'static str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.ask(name, path) {
            Verdict::Fail(error) => Err(error),
            Verdict::Go | Verdict::Short => act(),
        }
    }

    fn handle(&self, inner: Box<dyn Handle>, path: &Path) -> Box<dyn Handle> {
        Box::new(FaultyHandle { inner, vfs: self.clone(), path: path.to_owned() })
    }
}

struct FaultyHandle {
    inner: Box<dyn Handle>,
    vfs: FaultyVfs,
    path: PathBuf,
}

impl Handle for FaultyHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.vfs.ask("write", &self.path) {
            Verdict::Fail(error) => Err(error),
            Verdict::Go => self.inner.write(bytes),
            Verdict::Short => self.inner.write(&bytes[..bytes.len().min(1)]),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        let vfs = self.vfs.clone();
        vfs.effect("sync", &self.path, || self.inner.sync())
    }

    fn rewind(&mut self) -> io::Result<()> {
        self.inner.rewind()
    }

    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        let vfs = self.vfs.clone();
        vfs.effect("set_modified", &self.path, || self.inner.set_modified(at))
    }

    fn truncate(&mut self, len: u64) -> io::Result<()> {
        let vfs = self.vfs.clone();
        vfs.effect("truncate", &self.path, || self.inner.truncate(len))
    }

    fn clone_from(&mut self, source: &File) -> io::Result<()> {
        let vfs = self.vfs.clone();
        vfs.effect("clone_from", &self.path, || self.inner.clone_from(source))
    }

    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64> {
        match self.vfs.ask("copy_from", &self.path) {
            Verdict::Fail(error) => {
                // A system that refuses here has often taken the beginning already.
                let _ = self.inner.copy_from(source, most / 2);
                Err(error)
            }
            Verdict::Go => self.inner.copy_from(source, most),
            Verdict::Short => self.inner.copy_from(source, most.min(1)),
        }
    }

    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        let vfs = self.vfs.clone();
        vfs.effect("set_mode", &self.path, || self.inner.set_mode(mode))
    }

    fn stat(&self) -> io::Result<Stat> {
        self.inner.stat()
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

impl Vfs for FaultyVfs {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.inner.read(path, limit)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.inner.stat(path)
    }
    fn read_only(&self, path: &Path) -> io::Result<bool> {
        self.inner.read_only(path)
    }
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        self.inner.lstat(path)
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        self.inner.read_link(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        self.inner.read_dir(path)
    }
    fn open(&self, path: &Path) -> io::Result<File> {
        self.inner.open(path)
    }
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(self.handle(self.effect("create", path, || self.inner.create(path, mode))?, path))
    }
    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(self.handle(self.effect("append", path, || self.inner.append(path, mode))?, path))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.effect("rename", from, || self.inner.rename(from, to))
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.effect("rename_new", from, || self.inner.rename_new(from, to))
    }
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        self.effect("exchange", a, || self.inner.exchange(a, b))
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.effect("remove_file", path, || self.inner.remove_file(path))
    }
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.effect("create_dir", path, || self.inner.create_dir(path, mode))
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.effect("remove_dir", path, || self.inner.remove_dir(path))
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.effect("sync_dir", path, || self.inner.sync_dir(path))
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        self.effect("set_mode", path, || self.inner.set_mode(path, mode))
    }
    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()> {
        self.effect("set_modified", path, || self.inner.set_modified(path, at))
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.effect("symlink", link, || self.inner.symlink(target, link))
    }
    fn open_lock(&self, path: &Path) -> io::Result<File> {
        self.effect("open_lock", path, || self.inner.open_lock(path))
    }
}
