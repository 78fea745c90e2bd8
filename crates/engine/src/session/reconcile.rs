//! Reconciling (S7): what sessions left in the tree and is not only theirs goes into the home before the tree goes.
//! Nothing is overwritten: of two that differ the newer stands, and the other is kept.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use clauth_claude::ClaudeHome;
use clauth_durable::{Disk, Error as DiskError, Kind, Stat};

use super::tree::installed;
use super::{LinkMode, Place, is_shared, moving};
use crate::Error;

/// So many things of one name may be kept in one second.
const SPOTS: usize = 1000;

/// What was done.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// Files, directories and links that are in the home now.
    pub(crate) moved: usize,
    /// Files that the home had already.
    pub(crate) dropped: usize,
    /// What lost against something newer, or stood in the way of it, and where it is kept.
    pub(crate) conflicts: Vec<PathBuf>,
    /// What could not be moved, and why; it is where it was.
    pub(crate) left: Vec<Error>,
}

/// What became of a tree.
#[derive(Debug)]
pub(crate) enum Cleared {
    /// Somebody lives in it, so it is as it was.
    Busy,
    /// Something could not be moved out of it, or somebody came to live in it meanwhile, so it stands.
    Kept(Reconciled),
    /// It is gone.
    Gone(Reconciled),
}

/// Moves every entry of the tree into the home that is neither a link of ours nor the profile's own. The caller holds the lock under
/// which trees are made, and nobody lives in this one.
///
/// # Errors
/// No home, or a tree that cannot be listed. What fails for a single entry is told in [`Reconciled::left`].
pub(crate) fn reconcile(disk: &Disk, home: &ClaudeHome, place: &Place) -> Result<Reconciled, Error> {
    let mut work = Work::new(disk, place);
    if kind(disk, &place.tree)? != Some(Kind::Dir) {
        return Ok(work.done);
    }
    for name in disk.list(&place.tree)? {
        if goes_home(disk, place, &name)? {
            installed(disk, &home.dir)?;
            work.attempt(&place.tree.join(&name), &home.dir.join(&name), Path::new(&name));
        }
    }
    Ok(work.done)
}

/// Whether nothing of a tree goes into the home.
///
/// # Errors
/// A tree that cannot be listed.
pub(super) fn is_bare(disk: &Disk, place: &Place) -> Result<bool, Error> {
    for name in disk.list(&place.tree)? {
        if goes_home(disk, place, &name)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether an entry of a tree is neither a link of ours nor the profile's own. What copy mode does not share are the traces of
/// dead processes, in whichever mode the tree was made.
fn goes_home(disk: &Disk, place: &Place, name: &OsStr) -> Result<bool, Error> {
    if !is_shared(name, LinkMode::Copy) {
        return Ok(false);
    }
    let path = place.tree.join(name);
    match kind(disk, &path)? {
        Some(Kind::File | Kind::Dir) => Ok(true),
        Some(Kind::Link) => is_users_link(disk, place, &path),
        _ => Ok(false),
    }
}

/// Whether a link at the top of a tree was made by a session. Ours lead to what has their name in the home, or had in a former
/// one, and whatever leads into our own root is ours too (L8).
fn is_users_link(disk: &Disk, place: &Place, path: &Path) -> Result<bool, Error> {
    let target = disk.vfs.read_link(path).map_err(Error::io("read the link", path))?;
    Ok(target.file_name() != path.file_name() && !target.starts_with(&place.root))
}

/// Reconciles and removes the tree in one section that checks with `idle` that nobody lives in it: right before the removal,
/// and before anything is moved. The caller has looked for sessions of ours, holds the state lock all the while, and has
/// taken over the login, the settings and the state file that are in it.
///
/// # Errors
/// As [`reconcile`], and as the system says while the tree is removed.
pub(crate) fn clear(disk: &Disk, home: &ClaudeHome, place: &Place, idle: &dyn Fn() -> bool) -> Result<Cleared, Error> {
    let is_bare = kind(disk, &place.tree)? != Some(Kind::Dir) || is_bare(disk, place)?;
    if !is_bare && !idle() {
        return Ok(Cleared::Busy);
    }
    let mut done = if is_bare { Reconciled::default() } else { reconcile(disk, home, place)? };
    if !idle() {
        return Ok(if is_bare { Cleared::Busy } else { Cleared::Kept(done) });
    }
    if done.left.is_empty() && kind(disk, &place.tree)? == Some(Kind::Dir) {
        remove(disk, place, &mut done)?;
    }
    if !done.left.is_empty() {
        return Ok(Cleared::Kept(done));
    }
    // A tree that is itself a link is somebody's arrangement: only the link goes.
    disk.remove_file(&place.tree)?;
    // Holders of dead sessions are pruned, not removed blindly.
    let _ = disk.vfs.remove_dir(&place.holders);
    Ok(Cleared::Gone(done))
}

/// Removes links and what is the profile's own, and then the empty tree. What reconciling would have moved is not removed
/// even if it has appeared this moment.
fn remove(disk: &Disk, place: &Place, done: &mut Reconciled) -> Result<(), Error> {
    for name in disk.list(&place.tree)? {
        let path = place.tree.join(&name);
        match kind(disk, &path)? {
            Some(Kind::File | Kind::Dir) if is_shared(&name, LinkMode::Copy) => {
                done.left.push(DiskError::Moved { path }.into());
            }
            Some(Kind::Link) if is_shared(&name, LinkMode::Copy) && is_users_link(disk, place, &path)? => {
                done.left.push(DiskError::Moved { path }.into());
            }
            _ => disk.remove_tree(&path)?,
        }
    }
    if done.left.is_empty() {
        disk.vfs.remove_dir(&place.tree).map_err(Error::io("remove", &place.tree))?;
    }
    Ok(())
}

fn kind(disk: &Disk, path: &Path) -> Result<Option<Kind>, Error> {
    Ok(disk.lstat(path)?.map(|stat| stat.kind))
}

/// Moves one file of the tree, which is not to go with it, to where what lost is kept.
///
/// # Errors
/// As the system says.
pub(crate) fn keep_aside(disk: &Disk, place: &Place, from: &Path) -> Result<PathBuf, Error> {
    let mut work = Work::new(disk, place);
    work.keep(from, Path::new(from.file_name().unwrap_or_default()))?;
    Ok(work.done.conflicts.pop().unwrap_or_else(|| place.conflicts.clone()))
}

/// What stands in the home.
enum Standing {
    /// A directory, or a link of the user's to one.
    Dir,
    /// A file, where the links end.
    File(PathBuf, Stat),
    /// Anything else: a link that leads nowhere, in a circle or into our own root, a pipe.
    Other,
}

/// Bringing things home, one after another.
pub(super) struct Work<'a> {
    disk: &'a Disk,
    place: &'a Place,
    stamp: String,
    /// Whatever the home has stands, however old it is.
    home_stands: bool,
    done: Reconciled,
}

impl<'a> Work<'a> {
    fn new(disk: &'a Disk, place: &'a Place) -> Self {
        let stamp = disk.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        Self { disk, place, stamp, home_stands: false, done: Reconciled::default() }
    }

    /// The same where nothing of the home's is replaced.
    pub(super) fn beside_home(disk: &'a Disk, place: &'a Place) -> Self {
        Self { home_stands: true, ..Self::new(disk, place) }
    }

    /// What was done.
    pub(super) fn done(self) -> Reconciled {
        self.done
    }

    /// Moves something to where what lost is kept.
    pub(super) fn put_aside(&mut self, from: &Path, name: &Path) {
        if let Err(error) = self.keep(from, name) {
            self.done.left.push(error);
        }
    }

    /// One entry's failure keeps no other from being saved.
    pub(super) fn attempt(&mut self, from: &Path, to: &Path, name: &Path) {
        if let Err(error) = self.merge(from, to, name) {
            self.done.left.push(error);
        }
    }

    fn merge(&mut self, from: &Path, to: &Path, name: &Path) -> Result<(), Error> {
        let Some(stat) = self.disk.lstat(from)? else { return Ok(()) };
        if stat.kind == Kind::Other {
            // The pipe or socket of a process that is gone.
            self.disk.remove_file(from)?;
            return Ok(());
        }
        if moving::into_vacant(self.disk, from, to)? {
            self.done.moved += 1;
            return Ok(());
        }
        match (stat.kind, self.standing(to)?) {
            (Kind::Dir, Standing::Dir) => self.directory(from, to, name),
            (Kind::File, Standing::File(to, there)) => self.file((from, &stat), (&to, &there), name),
            (Kind::Link, _) if self.is_same_link(from, to) => {
                self.disk.remove_file(from)?;
                self.done.dropped += 1;
                Ok(())
            }
            _ => self.keep(from, name),
        }
    }

    fn directory(&mut self, from: &Path, to: &Path, name: &Path) -> Result<(), Error> {
        for entry in self.disk.list(from)? {
            self.attempt(&from.join(&entry), &to.join(&entry), &name.join(&entry));
        }
        match self.disk.vfs.remove_dir(from) {
            Ok(()) => Ok(()),
            // What is in there was told already.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty && !self.done.left.is_empty() => Ok(()),
            Err(error) => Err(Error::io("remove", from)(error)),
        }
    }

    fn file(&mut self, (from, stat): (&Path, &Stat), (to, there): (&Path, &Stat), name: &Path) -> Result<(), Error> {
        if moving::equal(self.disk, from, to)? {
            self.disk.remove_file(from)?;
            self.done.dropped += 1;
            return Ok(());
        }
        if self.home_stands || stat.modified <= there.modified {
            return self.keep(from, name);
        }
        if stat.mode != there.mode {
            // Who may read it is the user's decision, and was made at home.
            self.disk.vfs.set_mode(from, there.mode).map_err(Error::io("set the mode of", from))?;
        }
        match self.disk.vfs.exchange(from, to) {
            // The older one is in the tree now, and whatever somebody wrote into it until this moment with it.
            Ok(()) => self.keep(from, name)?,
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                self.keep(to, name)?;
                if !moving::into_vacant(self.disk, from, to)? {
                    // Written anew this moment, so it is the newest.
                    return self.keep(from, name);
                }
            }
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => self.across((from, to), there, name)?,
            Err(error) => return Err(Error::io("replace", to)(error)),
        }
        self.done.moved += 1;
        Ok(())
    }

    /// Replaces a file on another file system. What stood there is kept before it is displaced, and again if it has become
    /// something else until then.
    fn across(&mut self, (from, to): (&Path, &Path), there: &Stat, name: &Path) -> Result<(), Error> {
        let before = self.disk.lstat(from)?;
        let kept = self.spot(name, |disk, spot| moving::copy(disk, to, spot))?;
        if let Some(displaced) = moving::put(self.disk, from, (to, there))? {
            if moving::equal(self.disk, &displaced, &kept)? {
                self.disk.remove_file(&displaced)?;
            } else {
                self.keep(&displaced, name)?;
            }
        }
        if self.disk.lstat(from)? != before {
            return Err(DiskError::Moved { path: from.to_owned() }.into());
        }
        self.disk.remove_file(from)?;
        Ok(())
    }

    /// Moves something to where what lost is kept.
    fn keep(&mut self, from: &Path, name: &Path) -> Result<(), Error> {
        self.spot(name, |disk, spot| moving::into_vacant(disk, from, spot)).map(drop)
    }

    /// Finds a spot under `conflicts/` that `put` can use: by time, and then by the relative path.
    fn spot(&mut self, name: &Path, put: impl Fn(&Disk, &Path) -> Result<bool, Error>) -> Result<PathBuf, Error> {
        for number in 1..=SPOTS {
            let stamp = if number == 1 { self.stamp.clone() } else { format!("{}-{number}", self.stamp) };
            let spot = self.place.conflicts.join(stamp).join(name);
            match self.disk.ensure_dir(spot.parent().unwrap_or(&spot)) {
                Ok(()) => {}
                // A file has the name that a directory needs.
                Err(DiskError::NotRegular { .. }) => continue,
                Err(error) => return Err(error.into()),
            }
            if put(self.disk, &spot)? {
                self.done.conflicts.push(spot.clone());
                return Ok(spot);
            }
        }
        Err(Error::Contended { path: self.place.conflicts.clone() })
    }

    fn is_same_link(&self, a: &Path, b: &Path) -> bool {
        let target = |path: &Path| self.disk.vfs.read_link(path).ok();
        target(a).is_some_and(|a| Some(a) == target(b))
    }

    fn standing(&self, to: &Path) -> Result<Standing, Error> {
        Ok(match self.disk.target(to, Some(&self.place.root)) {
            Ok(target) => match target.stat {
                // A link of ours is told as the link that it is (L8).
                Some(stat) if stat.kind == Kind::File => Standing::File(target.path, stat),
                _ => Standing::Other,
            },
            Err(DiskError::NotRegular { kind: Kind::Dir, .. }) => Standing::Dir,
            Err(DiskError::NotRegular { .. } | DiskError::Loop { .. }) => Standing::Other,
            Err(error) => return Err(error.into()),
        })
    }
}
