//! A fresh copy of the home, made before anybody uses it.
//!
//! It grows in a staging directory inside the tree, and each finished top-level entry is renamed to its place: what a kill
//! interrupts is in no place where reconciliation (S7) would take half a file for a newer one.
//!
//! Nothing is synced. A tree means something only while its session lives, and after a crash it is made anew. Should a
//! power cut leave shortened files in it, they carry the time of the home's own file, and a tie keeps the home's.

mod pool;
mod scan;

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use clauth_durable::{Disk, Kind};

use super::fence::Fence;
use super::index::{Entry, Hash, Index, Known, Mark, hash_of};
use super::name::Ground;
use super::{Problem, Trouble, name, store};
use crate::Error;
use pool::Results;
use scan::Scan;

/// How far a copy has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// Files copied.
    pub(crate) files: u64,
    /// Bytes copied.
    pub(crate) bytes: u64,
    /// Files in all.
    pub(crate) of_files: u64,
    /// Bytes in all.
    pub(crate) of_bytes: u64,
}

/// What to copy, and how.
pub(crate) struct Plan<'p> {
    /// The file system.
    pub(crate) disk: &'p Disk,
    /// From here.
    pub(crate) home: &'p Path,
    /// To here: a directory that exists.
    pub(crate) tree: &'p Path,
    /// Where the index is kept.
    pub(crate) base: &'p Path,
    /// Whether a top-level entry is shared (S4).
    pub(crate) shared: &'p dyn Fn(&OsStr) -> bool,
    /// Told now and then, on the caller's own thread.
    pub(crate) progress: &'p dyn Fn(Progress),
    /// Set from anywhere to give up.
    pub(crate) cancel: &'p AtomicBool,
    /// How many files are copied at once at most.
    pub(crate) workers: usize,
}

/// A copy that was made.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// What both sides have now; also in the directory `base`.
    pub(crate) index: Index,
    /// What was left out.
    pub(crate) problems: Vec<Problem>,
    /// All of it.
    #[cfg_attr(not(test), expect(dead_code, reason = "what was copied is told while it is copied"))]
    pub(crate) progress: Progress,
}

/// Copies every shared entry of the home that the tree does not have; entries that the tree has are left alone, and left
/// out of the index. `None` when it was cancelled: the tree is then as it was.
///
/// # Errors
/// The tree's side refused: the tree is then as it was, up to top-level entries that are whole.
pub(crate) fn populate(plan: &Plan<'_>) -> Result<Option<Filled>, Error> {
    store::discard(plan.disk, plan.base)?;
    let stage = plan.tree.join(format!(".populate.clauth-{}", plan.disk.random.name()));
    plan.disk.vfs.create_dir(&stage, 0o700).map_err(io_error("create", &stage))?;
    let filled = fill(plan, &stage);
    // What a failure leaves here is cleared with the tree; no name below it is ever mirrored.
    let cleared = remove_stage(plan.disk, &stage);
    let filled = filled?;
    cleared?;
    if let Some(filled) = &filled {
        let mut store = store::Store::fresh(plan.base);
        store.flush(plan.disk, &filled.index)?;
    }
    Ok(filled)
}

fn fill(plan: &Plan<'_>, stage: &Path) -> Result<Option<Filled>, Error> {
    let started = plan.disk.clock.file_now();
    let fence = Fence::around(plan.disk, &[plan.tree, plan.base]);
    let mut scan = Scan::of(plan, stage, &fence)?;
    let Some(results) = pool::copy(plan, stage, &scan.files)? else { return Ok(None) };
    let Results { copied, problems, progress } = results;
    scan.problems.extend(problems);
    let mut filled = Filled { problems: std::mem::take(&mut scan.problems), progress, index: Index::default() };
    for (file, copied) in copied {
        let mark = |stat| Known::File(Mark::new(stat, started));
        let entry = Entry { home: mark(&copied.from), tree: mark(&copied.to) };
        filled.index.set(&scan.files[file].relative, entry);
    }
    for link in &scan.links {
        if let Some(hash) = make_link(plan, stage, link, &mut filled.problems) {
            filled.index.set(link, Entry { home: Known::Link(hash), tree: Known::Link(hash) });
        }
    }
    // Innermost first: a directory may take away the permission to change what is in it.
    for (directory, mode) in scan.directories.iter().rev() {
        filled.index.set(directory, Entry { home: Known::Dir, tree: Known::Dir });
        set_mode(plan, &stage.join(directory), *mode)?;
    }
    if plan.cancel.load(Ordering::Relaxed) {
        return Ok(None);
    }
    move_in(plan, stage, &mut filled)?;
    Ok(Some(filled))
}

/// The hash by which the index knows the link, if it could be made.
fn make_link(plan: &Plan<'_>, stage: &Path, relative: &Path, problems: &mut Vec<Problem>) -> Option<Hash> {
    let path = plan.home.join(relative);
    let target = plan.disk.vfs.read_link(&path).ok()?;
    let [home, tree] = [plan.home, plan.tree].map(|side| Ground::of(plan.disk, side));
    let translated = home.translated(&target, &path, &tree);
    match plan.disk.vfs.symlink(&translated, &stage.join(relative)) {
        Ok(()) => Some(hash_of(&name::to_bytes(&home.meant(&target, &path, &home)))),
        Err(error) => {
            let what =
                if error.kind() == io::ErrorKind::AlreadyExists { Trouble::Collides } else { Trouble::NoLink(error) };
            problems.push(Problem { path, what });
            None
        }
    }
}

fn set_mode(plan: &Plan<'_>, directory: &Path, mode: u32) -> Result<(), Error> {
    let stat = plan.disk.vfs.lstat(directory).map_err(io_error("look at", directory))?;
    if stat.mode != mode {
        plan.disk.vfs.set_mode(directory, mode).map_err(io_error("set the mode of", directory))?;
    }
    Ok(())
}

/// Puts each top-level entry in its place. What somebody put there meanwhile stays, and what was copied for it goes.
fn move_in(plan: &Plan<'_>, stage: &Path, filled: &mut Filled) -> Result<(), Error> {
    for entry in plan.disk.list(stage)? {
        let (from, to) = (stage.join(&entry), plan.tree.join(&entry));
        match plan.disk.vfs.rename_new(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                filled.index.forget_below(Path::new(&entry));
                if !plan.disk.list(plan.tree)?.contains(&entry) {
                    filled.problems.push(Problem { path: plan.home.join(&entry), what: Trouble::Collides });
                }
            }
            Err(error) => return Err(io_error("move into the tree", &to)(error)),
        }
    }
    Ok(())
}

/// Removes what was staged, directories that deny it included.
fn remove_stage(disk: &Disk, path: &Path) -> Result<(), Error> {
    let Some(stat) = disk.lstat(path)? else { return Ok(()) };
    if stat.kind != Kind::Dir {
        disk.remove_file(path)?;
        return Ok(());
    }
    if stat.mode & 0o700 != 0o700 {
        disk.vfs.set_mode(path, 0o700).or_else(windows_has_none).map_err(io_error("set the mode of", path))?;
    }
    for name in disk.list(path)? {
        remove_stage(disk, &path.join(name))?;
    }
    disk.vfs.remove_dir(path).map_err(io_error("remove", path))
}

fn windows_has_none(error: io::Error) -> io::Result<()> {
    if cfg!(windows) { Ok(()) } else { Err(error) }
}

fn io_error(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| clauth_durable::Error::Io { doing, path, source }.into()
}
