//! What the tests of this crate share: throw-away homes, pictures of them, time that passes only when somebody waits,
//! and a disk that does less than the real one.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use clauth_host::{Clock, Random, Time};
use jiff::Timestamp;

use crate::Disk;
use crate::vfs::{Handle, RealVfs, Stat, Vfs};

/// A throw-away home.
pub(crate) struct Scratch(PathBuf);

/// What stood at a path. Modes are 0 on Windows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Dir(u32),
    File(Vec<u8>, u32),
    Link(PathBuf),
    Other,
}

/// Everything below a home, by its path from there.
pub(crate) type Picture = BTreeMap<String, Seen>;

impl Scratch {
    pub(crate) fn new(name: &str) -> Self {
        let base = fs::canonicalize(std::env::temp_dir()).expect("a temporary directory");
        let path = base.join(format!("clauth-durable-{name}-{}", Random::system().name()));
        fs::create_dir(&path).expect("a new directory");
        fs::write(path.join(".sandbox"), "").expect("a marker");
        Self(path)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes in place, as a careless program would.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("directories");
        fs::write(&path, text).expect("a written file");
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a readable file")
    }

    pub(crate) fn dir(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(&path).expect("directories");
        path
    }

    pub(crate) fn picture(&self) -> Picture {
        let mut picture = Picture::new();
        look(&self.0, "", &mut picture);
        picture.remove(".sandbox");
        picture
    }
}

#[cfg(unix)]
impl Scratch {
    pub(crate) fn link(&self, target: impl AsRef<Path>, name: &str) -> PathBuf {
        let path = self.path(name);
        std::os::unix::fs::symlink(target, &path).expect("a link");
        path
    }

    pub(crate) fn chmod(&self, name: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("a changed mode");
    }

    pub(crate) fn mode(&self, name: &str) -> u32 {
        RealVfs.lstat(&self.path(name)).expect("something there").mode
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn look(dir: &Path, prefix: &str, picture: &mut Picture) {
    for entry in fs::read_dir(dir).expect("a readable directory") {
        let entry = entry.expect("an entry");
        let path = entry.path();
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let stat = RealVfs.lstat(&path).expect("something there");
        let seen = match stat.kind {
            crate::Kind::Dir => Seen::Dir(stat.mode),
            crate::Kind::File => Seen::File(fs::read(&path).expect("a readable file"), stat.mode),
            crate::Kind::Link => Seen::Link(fs::read_link(&path).expect("a link")),
            crate::Kind::Other => Seen::Other,
        };
        if stat.kind == crate::Kind::Dir {
            look(&path, &format!("{name}/"), picture);
        }
        picture.insert(name, seen);
    }
}

/// The real disk with real time.
pub(crate) fn disk() -> Disk {
    Disk::new(Clock::system(), Random::system())
}

/// Time that passes only when somebody waits.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<Told>>);

struct Told {
    /// `None` for the real file time, to which what was waited is added.
    began: Option<Timestamp>,
    passed: Duration,
    on_sleep: Option<Box<dyn FnMut(Duration) + Send>>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self::beginning(Some(Clock::system().file_now()))
    }

    /// With file times that agree with those by which the system stamps.
    pub(crate) fn with_real_files() -> Self {
        Self::beginning(None)
    }

    fn beginning(began: Option<Timestamp>) -> Self {
        Self(Arc::new(Mutex::new(Told { began, passed: Duration::ZERO, on_sleep: None })))
    }

    /// Since the beginning, as waited.
    pub(crate) fn passed(&self) -> Duration {
        self.told(|told| told.passed)
    }

    /// Calls `hook` after each wait, with what has passed in all.
    pub(crate) fn on_sleep(&self, hook: impl FnMut(Duration) + Send + 'static) {
        self.told(|told| told.on_sleep = Some(Box::new(hook)));
    }

    fn told<T>(&self, look: impl FnOnce(&mut Told) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Time for Fake {
    fn now(&self) -> Timestamp {
        self.file_now()
    }

    fn file_now(&self) -> Timestamp {
        self.told(|told| told.began.unwrap_or_else(|| Clock::system().file_now()) + told.passed)
    }

    fn monotonic(&self) -> Duration {
        self.passed()
    }

    fn sleep(&self, time: Duration) {
        let (passed, hook) = self.told(|told| {
            told.passed += time;
            (told.passed, told.on_sleep.take())
        });
        // The hook may ask for the time itself.
        if let Some(mut hook) = hook {
            hook(passed);
            self.told(|told| told.on_sleep = Some(hook));
        }
    }
}

/// The real disk without syncing, and with what some systems lack.
#[derive(Clone, Copy)]
pub(crate) struct Poor {
    /// Two files can be exchanged.
    pub(crate) exchanges: bool,
    /// Times of modification are stored in steps of so many seconds; 0 for as they are.
    pub(crate) grain: i64,
    /// What the system answers when a file lock is tried for.
    pub(crate) no_locks: Option<i32>,
}

impl Poor {
    /// As the real one, only faster.
    pub(crate) const RICH: Self = Self { exchanges: true, grain: 0, no_locks: None };

    fn coarse(self, at: Timestamp) -> Timestamp {
        if self.grain == 0 {
            return at;
        }
        Timestamp::from_second(at.as_second() / self.grain * self.grain).expect("a time")
    }
}

struct PoorHandle(Box<dyn Handle>, Poor);

impl Handle for PoorHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }
    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
    fn rewind(&mut self) -> io::Result<()> {
        self.0.rewind()
    }
    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        self.0.set_modified(self.1.coarse(at))
    }
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.0.truncate(len)
    }
    fn clone_from(&mut self, source: &File) -> io::Result<()> {
        self.0.clone_from(source)
    }
    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64> {
        self.0.copy_from(source, most)
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

impl Vfs for Poor {
    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        RealVfs.read(path, limit)
    }
    fn stat(&self, path: &Path) -> io::Result<Stat> {
        RealVfs.stat(path)
    }
    fn lstat(&self, path: &Path) -> io::Result<Stat> {
        RealVfs.lstat(path)
    }
    fn read_link(&self, path: &Path) -> io::Result<PathBuf> {
        RealVfs.read_link(path)
    }
    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        RealVfs.read_dir(path)
    }
    fn open(&self, path: &Path) -> io::Result<File> {
        RealVfs.open(path)
    }
    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(PoorHandle(RealVfs.create(path, mode)?, *self)))
    }
    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        Ok(Box::new(PoorHandle(RealVfs.append(path, mode)?, *self)))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealVfs.rename(from, to)
    }
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealVfs.rename_new(from, to)
    }
    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        if self.exchanges { RealVfs.exchange(a, b) } else { Err(io::ErrorKind::Unsupported.into()) }
    }
    fn remove_file(&self, path: &Path) -> io::Result<()> {
        RealVfs.remove_file(path)
    }
    fn create_dir(&self, path: &Path, mode: u32) -> io::Result<()> {
        RealVfs.create_dir(path, mode)
    }
    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        RealVfs.remove_dir(path)
    }
    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
    fn set_mode(&self, path: &Path, mode: u32) -> io::Result<()> {
        RealVfs.set_mode(path, mode)
    }
    fn set_modified(&self, path: &Path, at: Timestamp) -> io::Result<()> {
        RealVfs.set_modified(path, self.coarse(at))
    }
    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        RealVfs.symlink(target, link)
    }
    fn open_lock(&self, path: &Path) -> io::Result<File> {
        RealVfs.open_lock(path)
    }
    fn try_lock(&self, file: &File) -> Result<(), TryLockError> {
        match self.no_locks {
            Some(code) => Err(TryLockError::Error(io::Error::from_raw_os_error(code))),
            None => file.try_lock(),
        }
    }
}

/// Whoever starts a process, and whoever looks whether a file lock is free, has this: a process that is being started
/// holds all our file locks, too, until it has become another program.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static STARTING: Mutex<()> = Mutex::new(());
    STARTING.lock().unwrap_or_else(PoisonError::into_inner)
}
