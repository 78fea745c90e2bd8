//! One change of a batch: staged, swapped in, swapped back.

use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::change::{Change, CommitError, Manner};
use crate::disk::Target;
use crate::{Disk, Error};

/// How far a step has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// Nothing was done.
    Planned,
    /// The new content may lie beside.
    Staged,
    /// The new content stands, the old lies at `temp`.
    Exchanged,
    /// Nothing stands, the old lies at `aside`, the new at `temp`: on the way to the next.
    Aside,
    /// The new content stands, the old lies at `aside`: the way of systems that cannot exchange.
    Replaced,
    /// The new content stands where nothing was.
    Created,
    /// Nothing stands, the old lies at `temp`.
    Removed,
    /// Something may have been added at the end of what stands.
    Appended,
}

pub(super) struct Step {
    change: Change,
    target: Target,
    temp: PathBuf,
    aside: PathBuf,
    progress: Progress,
}

impl Step {
    pub(super) fn plan(disk: &Disk, own_root: &Path, id: &str, change: Change) -> Result<Self, Error> {
        let target = disk.target(&change.path, Some(own_root))?;
        let name = target.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let beside = |suffix: &str| target.path.with_file_name(format!(".{name}.clauth-{id}{suffix}"));
        Ok(Self { temp: beside(""), aside: beside("o"), target, change, progress: Progress::Planned })
    }

    pub(super) fn temps(&self) -> Vec<PathBuf> {
        vec![self.temp.clone(), self.aside.clone()]
    }

    /// What lies beside the target and goes in the end.
    pub(super) fn present(&self) -> Vec<PathBuf> {
        match self.progress {
            Progress::Planned | Progress::Created | Progress::Appended => Vec::new(),
            Progress::Staged | Progress::Aside | Progress::Exchanged | Progress::Removed => vec![self.temp.clone()],
            Progress::Replaced => vec![self.aside.clone()],
        }
    }

    /// Where old content may lie.
    pub(super) fn former(&self) -> Vec<PathBuf> {
        match self.progress {
            Progress::Planned | Progress::Created | Progress::Staged | Progress::Appended => Vec::new(),
            Progress::Exchanged | Progress::Removed => vec![self.temp.clone()],
            Progress::Aside => vec![self.aside.clone()],
            // What somebody wrote over ours, when it could not be put back.
            Progress::Replaced => vec![self.aside.clone(), self.temp.clone()],
        }
    }

    pub(super) fn stage(&mut self, disk: &Disk) -> Result<(), Error> {
        let Some(after) = self.change.after.as_ref().filter(|_| self.gained().is_none()) else { return Ok(()) };
        let old = self.target.stat.as_ref().filter(|_| !self.target.ours);
        let mode = match self.change.manner {
            Manner::Own | Manner::Log => 0o600,
            Manner::Document | Manner::Credential => old.map_or(0o600, |stat| stat.mode),
        };
        let stamp = (self.change.manner == Manner::Credential).then(|| self.later(disk.clock.file_now()));
        self.progress = Progress::Staged;
        disk.stage(&self.temp, after, mode, stamp)
    }

    /// A time of modification that no earlier one equals (W5): whole milliseconds, later than the file replaced.
    fn later(&self, now: Timestamp) -> Timestamp {
        let millisecond = |at: Timestamp| Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let next = self.target.stat.as_ref().map(|stat| millisecond(stat.modified) + SignedDuration::from_millis(1));
        next.map_or(millisecond(now), |next| next.max(millisecond(now)))
    }

    /// What a log gains at its end; nothing of anything else.
    fn gained(&self) -> Option<&[u8]> {
        let Change { before: Some(before), after: Some(after), manner: Manner::Log, .. } = &self.change else {
            return None;
        };
        after.strip_prefix(before.as_slice())
    }

    pub(super) fn swap_in(&mut self, disk: &Disk) -> Result<(), CommitError> {
        if let Some(gained) = self.gained() {
            let added = disk.append(&self.target.path, gained, true);
            self.progress = Progress::Appended;
            return Ok(added.map(drop)?);
        }
        match (self.change.before.is_some(), self.change.after.is_some()) {
            (false, false) => return Ok(()),
            (true, true) => self.exchange(disk)?,
            (false, true) => self.create(disk)?,
            (true, false) => self.remove(disk)?,
        }
        if self.change.manner == Manner::Credential && self.change.after.is_some() {
            self.restamp(disk)?;
        }
        Ok(disk.sync_parent(&self.target.path)?)
    }

    fn exchange(&mut self, disk: &Disk) -> Result<(), CommitError> {
        if self.change.manner == Manner::Document && !self.is_old(disk, &self.target.path) {
            return Err(self.moved());
        }
        match disk.vfs.exchange(&self.temp, &self.target.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Unsupported => return self.replace(disk),
            // What stood there is gone: somebody removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.moved()),
            Err(error) => return Err(Error::io("replace", &self.target.path)(error).into()),
        }
        self.progress = Progress::Exchanged;
        if self.change.manner != Manner::Own && !self.is_old(disk, &self.temp) {
            self.swap_back(disk)?;
            return Err(self.moved());
        }
        Ok(())
    }

    /// Moves the old file aside, looks at it, and puts the new one where it was.
    fn replace(&mut self, disk: &Disk) -> Result<(), CommitError> {
        let path = &self.target.path;
        match disk.vfs.rename_new(path, &self.aside) {
            Ok(()) => {}
            // As in `exchange`: somebody removed it meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.moved()),
            Err(error) => return Err(Error::io("move aside", path)(error).into()),
        }
        self.progress = Progress::Aside;
        if self.change.manner != Manner::Own && !self.is_old(disk, &self.aside) {
            self.swap_back(disk)?;
            return Err(self.moved());
        }
        match disk.vfs.rename_new(&self.temp, &self.target.path) {
            Ok(()) => {
                self.progress = Progress::Replaced;
                Ok(())
            }
            // They wrote while nothing stood there: theirs has to stand, and the former content stays beside.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.progress = Progress::Staged;
                let error = Error::Moved { path: self.change.path.clone() };
                Err(CommitError::Stuck { error, left: vec![self.aside.clone()] })
            }
            Err(error) => Err(Error::io("replace", &self.target.path)(error).into()),
        }
    }

    fn create(&mut self, disk: &Disk) -> Result<(), CommitError> {
        match disk.vfs.rename_new(&self.temp, &self.target.path) {
            Ok(()) => {
                self.progress = Progress::Created;
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(self.moved()),
            Err(error) => Err(Error::io("create", &self.target.path)(error).into()),
        }
    }

    fn remove(&mut self, disk: &Disk) -> Result<(), CommitError> {
        match disk.vfs.rename_new(&self.target.path, &self.temp) {
            Ok(()) => self.progress = Progress::Removed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(self.moved()),
            Err(error) => return Err(Error::io("remove", &self.target.path)(error).into()),
        }
        if self.change.manner != Manner::Own && !self.is_old(disk, &self.temp) {
            self.swap_back(disk)?;
            return Err(self.moved());
        }
        Ok(())
    }

    /// Coarse file systems may have stored the former time again; then the stamp goes on until it differs.
    fn restamp(&self, disk: &Disk) -> Result<(), Error> {
        let Some(old) = self.target.stat.as_ref().map(|stat| stat.modified) else { return Ok(()) };
        for seconds in [1, 2, 4] {
            let stored = disk.stat(&self.target.path)?.map(|stat| stat.modified);
            if stored.is_none_or(|stored| stored > old) {
                return Ok(());
            }
            let next = old + SignedDuration::from_secs(seconds);
            disk.vfs.set_modified(&self.target.path, next).map_err(Error::io("stamp", &self.target.path))?;
        }
        Ok(())
    }

    /// Puts back what stood before.
    pub(super) fn swap_back(&mut self, disk: &Disk) -> Result<(), Error> {
        let path = self.target.path.clone();
        match self.progress {
            Progress::Planned | Progress::Staged => return Ok(()),
            Progress::Appended => {
                self.cut(disk)?;
                self.progress = Progress::Planned;
                return Ok(());
            }
            Progress::Exchanged => {
                disk.vfs.exchange(&self.temp, &path).map_err(Error::io("put back", &path))?;
                // Somebody may have written over ours: then theirs has to stand, and the former content stays beside.
                if self.change.manner != Manner::Own && !self.is_new(disk, &self.temp) {
                    disk.vfs.exchange(&self.temp, &path).map_err(Error::io("put back", &path))?;
                    return Err(Error::Moved { path });
                }
            }
            Progress::Replaced if self.change.manner == Manner::Own => {
                disk.vfs.rename(&self.aside, &path).map_err(Error::io("put back", &path))?;
                self.progress = Progress::Planned;
                return disk.sync_parent(&path);
            }
            Progress::Replaced => {
                disk.vfs.rename_new(&path, &self.temp).map_err(Error::io("put back", &path))?;
                // As above: what somebody wrote over ours has to stand.
                if !self.is_new(disk, &self.temp) {
                    disk.vfs.rename_new(&self.temp, &path).map_err(Error::io("put back", &path))?;
                    return Err(Error::Moved { path });
                }
                if let Err(error) = disk.vfs.rename_new(&self.aside, &path) {
                    // Better the new content than none.
                    let _ = disk.vfs.rename_new(&self.temp, &path);
                    return Err(Error::io("put back", &path)(error));
                }
                self.progress = Progress::Staged;
                return disk.sync_parent(&path);
            }
            Progress::Aside => {
                disk.vfs.rename_new(&self.aside, &path).map_err(Error::io("put back", &path))?;
                self.progress = Progress::Staged;
                return disk.sync_parent(&path);
            }
            Progress::Created if self.is_new(disk, &path) => {
                disk.vfs.remove_file(&path).map_err(Error::io("put back", &path))?;
            }
            Progress::Created => {}
            Progress::Removed => {
                disk.vfs.rename_new(&self.temp, &path).map_err(Error::io("put back", &path))?;
                self.progress = Progress::Planned;
                return disk.sync_parent(&path);
            }
        }
        self.progress = if self.progress == Progress::Exchanged { Progress::Staged } else { Progress::Planned };
        disk.sync_parent(&path)
    }

    /// Takes away what was added, where nothing else has happened to the log.
    fn cut(&self, disk: &Disk) -> Result<(), Error> {
        let (Some(before), Some(after)) = (&self.change.before, &self.change.after) else { return Ok(()) };
        let found = disk.read(&self.target.path)?.unwrap_or_default();
        if found.len() > before.len() && found.starts_with(before) && after.starts_with(&found) {
            return disk.cut(&self.target.path, before.len() as u64);
        }
        Ok(())
    }

    fn is_old(&self, disk: &Disk, path: &Path) -> bool {
        disk.read(path).is_ok_and(|bytes| bytes == self.change.before)
    }

    fn is_new(&self, disk: &Disk, path: &Path) -> bool {
        disk.read(path).is_ok_and(|bytes| bytes == self.change.after)
    }

    fn moved(&self) -> CommitError {
        CommitError::Moved { path: self.change.path.clone() }
    }
}
