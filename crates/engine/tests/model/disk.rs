//! The disk of a program: tmpfs without waits, faults on demand, and a `/proc` that shows the program's own `claude`s.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clauth_durable::vfs::{Handle, RealVfs, Stat, Vfs};
use jiff::Timestamp;

/// What happens to the effects of a command.
#[derive(Default)]
pub(crate) enum Plan {
    /// Nothing.
    #[default]
    Works,
    /// The n-th and all later ones fail, as when the process were gone.
    Kill(usize),
    /// From the n-th on nothing finds room.
    Full(usize),
    /// From the n-th on all are refused.
    ReadOnly(usize),
    /// The n-th fails.
    Once(usize),
    /// Right before the n-th something else happens.
    Call(usize, Option<Box<dyn FnOnce() + Send>>),
}

#[derive(Default)]
struct Inside {
    plan: Plan,
    count: usize,
    fired: bool,
    /// Running `claude`s: process id, home, config directory where it is named.
    running: Vec<(u32, PathBuf, Option<PathBuf>)>,
}

/// A shared disk.
#[derive(Clone, Default)]
pub(crate) struct Board(Arc<Mutex<Inside>>);

/// What an effect needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Room,
    Nothing,
}

impl Board {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a command that is run under `plan`.
    pub(crate) fn begin(&self, plan: Plan) {
        let mut inside = self.inside();
        (inside.plan, inside.count, inside.fired) = (plan, 0, false);
    }

    /// Whether the plan came true so far.
    pub(crate) fn fired(&self) -> bool {
        self.inside().fired
    }

    /// Whether the command's process is gone by now.
    pub(crate) fn is_killed(&self) -> bool {
        let inside = self.inside();
        inside.fired && matches!(inside.plan, Plan::Kill(_))
    }

    /// How many effects the command had, and whether its plan came true.
    pub(crate) fn end(&self) -> (usize, bool) {
        let mut inside = self.inside();
        inside.plan = Plan::Works;
        (inside.count, inside.fired)
    }

    pub(crate) fn run(&self, pid: u32, home: &Path, config: Option<&Path>) {
        self.inside().running.push((pid, home.to_owned(), config.map(Path::to_owned)));
    }

    pub(crate) fn stop(&self, pid: u32) {
        self.inside().running.retain(|one| one.0 != pid);
    }

    fn effect(&self, path: &Path, needs: Needs) -> io::Result<()> {
        let mut inside = self.inside();
        let Inside { plan, count, fired, .. } = &mut *inside;
        *count += 1;
        let spared = path.components().any(|part| part.as_os_str() == "run");
        let (due, error) = match plan {
            Plan::Works => return Ok(()),
            Plan::Kill(at) => (*count >= *at, io::Error::other("the process is gone")),
            Plan::Full(_) if spared || needs == Needs::Nothing => return Ok(()),
            Plan::ReadOnly(_) if spared => return Ok(()),
            Plan::Full(at) => (*count >= *at, io::ErrorKind::StorageFull.into()),
            Plan::ReadOnly(at) => (*count >= *at, io::ErrorKind::ReadOnlyFilesystem.into()),
            Plan::Once(at) => (*count == *at, io::Error::other("a bad sector")),
            Plan::Call(at, callback) => {
                let callback = if *count == *at { callback.take() } else { None };
                *fired |= callback.is_some();
                drop(inside);
                callback.into_iter().for_each(|callback| callback());
                return Ok(());
            }
        };
        *fired |= due;
        if due { Err(error) } else { Ok(()) }
    }

    /// What a made-up process shows in `/proc`.
    fn shown(&self, path: &Path) -> Option<Vec<u8>> {
        let mut parts = path.strip_prefix("/proc").ok()?.components();
        let pid: u32 = parts.next()?.as_os_str().to_str()?.parse().ok()?;
        let inside = self.inside();
        let (pid, home, config) = inside.running.iter().find(|one| one.0 == pid)?;
        Some(match parts.next()?.as_os_str().to_str()? {
            "cmdline" => b"claude\0".to_vec(),
            "stat" => format!("{pid} (claude) S {}", vec![pid.to_string(); 40].join(" ")).into_bytes(),
            "environ" => {
                let config = config.as_ref().map(|dir| format!("CLAUDE_CONFIG_DIR={}\0", dir.display()));
                format!("HOME={}\0{}", home.display(), config.unwrap_or_default()).into_bytes()
            }
            _ => return None,
        })
    }
}

struct BoardHandle {
    inner: Box<dyn Handle>,
    board: Board,
    path: PathBuf,
    at: u64,
}

impl Handle for BoardHandle {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let has_room = self.at + bytes.len() as u64 <= self.inner.len().unwrap_or(0);
        self.board.effect(&self.path, if has_room { Needs::Nothing } else { Needs::Room })?;
        let count = self.inner.write(bytes)?;
        self.at += count as u64;
        Ok(count)
    }
    fn sync(&mut self) -> io::Result<()> {
        self.board.effect(&self.path, Needs::Nothing)
    }
    fn rewind(&mut self) -> io::Result<()> {
        self.at = 0;
        self.inner.rewind()
    }
    fn set_modified(&mut self, at: Timestamp) -> io::Result<()> {
        self.board.effect(&self.path, Needs::Nothing)?;
        self.inner.set_modified(at)
    }
    fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.board.effect(&self.path, Needs::Nothing)?;
        self.inner.truncate(len)
    }
    fn clone_from(&mut self, source: &File) -> io::Result<()> {
        self.board.effect(&self.path, Needs::Room)?;
        self.inner.clone_from(source)
    }
    fn copy_from(&mut self, source: &File, most: u64) -> io::Result<u64> {
        self.board.effect(&self.path, Needs::Room)?;
        self.inner.copy_from(source, most)
    }
    fn set_mode(&mut self, mode: u32) -> io::Result<()> {
        self.board.effect(&self.path, Needs::Nothing)?;
        self.inner.set_mode(mode)
    }
    fn stat(&self) -> io::Result<Stat> {
        self.inner.stat()
    }
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
}

macro_rules! look {
    ($($name:ident($($arg:ident: $type:ty),*) -> $result:ty;)*) => {
        $(fn $name(&self, $($arg: $type),*) -> io::Result<$result> { RealVfs.$name($($arg),*) })*
    };
}

macro_rules! change {
    ($($name:ident($path:ident: &Path $(, $arg:ident: $type:ty)*) $needs:ident;)*) => {
        $(fn $name(&self, $path: &Path $(, $arg: $type)*) -> io::Result<()> {
            self.effect($path, Needs::$needs)?;
            RealVfs.$name($path $(, $arg)*)
        })*
    };
}

impl Vfs for Board {
    look! {
        stat(path: &Path) -> Stat;
        lstat(path: &Path) -> Stat;
        read_link(path: &Path) -> PathBuf;
        open(path: &Path) -> File;
    }
    change! {
        rename(path: &Path, to: &Path) Nothing;
        rename_new(path: &Path, to: &Path) Nothing;
        exchange(path: &Path, b: &Path) Nothing;
        remove_file(path: &Path) Nothing;
        create_dir(path: &Path, mode: u32) Room;
        remove_dir(path: &Path) Nothing;
        set_mode(path: &Path, mode: u32) Nothing;
        set_modified(path: &Path, at: Timestamp) Nothing;
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        self.effect(link, Needs::Room)?;
        RealVfs.symlink(target, link)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        self.effect(path, Needs::Nothing)
    }

    fn open_lock(&self, path: &Path) -> io::Result<File> {
        self.effect(path, Needs::Nothing)?;
        RealVfs.open_lock(path)
    }

    fn read(&self, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
        self.shown(path).map_or_else(|| RealVfs.read(path, limit), Ok)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<OsString>> {
        if path == Path::new("/proc") {
            return Ok(self.inside().running.iter().map(|one| one.0.to_string().into()).collect());
        }
        RealVfs.read_dir(path)
    }

    fn create(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        self.effect(path, Needs::Nothing)?;
        let inner = RealVfs.create(path, mode)?;
        Ok(Box::new(BoardHandle { inner, board: self.clone(), path: path.to_owned(), at: 0 }))
    }

    fn append(&self, path: &Path, mode: u32) -> io::Result<Box<dyn Handle>> {
        self.effect(path, Needs::Nothing)?;
        let inner = RealVfs.append(path, mode)?;
        let at = inner.len().unwrap_or(0);
        Ok(Box::new(BoardHandle { inner, board: self.clone(), path: path.to_owned(), at }))
    }
}
