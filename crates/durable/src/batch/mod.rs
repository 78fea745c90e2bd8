//! Several files changed as one.
//!
//! First every new content is written and synced beside its target, so that a full disk is met before anything changed.
//! Then they are swapped in, in order; each old file stays beside until the end, so that an error swaps it back. A kill
//! leaves a prefix of the order, and nothing but [`Batch::temps`] behind.

mod change;
mod item;
mod part;
mod step;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use change::{Change, CommitError, Manner};
use part::Part;

use crate::{Disk, Error};

/// Changes that happen as one, or not at all.
pub struct Batch {
    disk: Disk,
    steps: Vec<Part>,
}

impl Batch {
    /// Finds out what each change has to replace; no effect yet. `id` names the temporary files.
    ///
    /// # Errors
    /// A path that leads to no regular file, or in a circle.
    pub fn plan(disk: &Disk, own_root: &Path, id: &str, changes: Vec<Change>) -> Result<Self, Error> {
        let changes = changes.into_iter().enumerate();
        let steps = changes.map(|(at, change)| Part::plan(disk, own_root, &format!("{id}-{at}"), change));
        Ok(Self { disk: disk.clone(), steps: steps.collect::<Result<_, _>>()? })
    }

    /// Every file that may be left behind if this process is killed.
    #[must_use]
    pub fn temps(&self) -> Vec<PathBuf> {
        self.steps.iter().flat_map(Part::temps).collect()
    }

    /// Writes and syncs all new contents beside their targets.
    ///
    /// # Errors
    /// As the system says; then nothing is left of it.
    pub fn stage(&mut self) -> Result<(), Error> {
        for at in 0..self.steps.len() {
            if let Err(error) = self.steps[at].stage(&self.disk) {
                self.discard();
                return Err(error);
            }
        }
        Ok(())
    }

    /// Swaps everything in, in order. `guard` runs before each step: it may find that a lock was lost.
    ///
    /// # Errors
    /// See [`CommitError`].
    pub fn commit(&mut self, guard: &mut dyn FnMut() -> Result<(), Error>) -> Result<(), CommitError> {
        for at in 0..self.steps.len() {
            let done = match guard() {
                Ok(()) => self.steps[at].swap_in(&self.disk),
                Err(error) => Err(CommitError::Failed(error)),
            };
            if let Err(error) = done {
                return Err(match self.take_back_steps() {
                    Ok(()) => error,
                    Err(stuck) => stuck,
                });
            }
        }
        Ok(())
    }

    /// Takes a committed batch back because of `error`, and answers how that went.
    pub fn take_back(&mut self, error: Error) -> CommitError {
        match self.take_back_steps() {
            Ok(()) => CommitError::Failed(error),
            Err(stuck) => stuck,
        }
    }

    /// Removes the old files that were kept for taking the batch back. Answers whether all of them are gone.
    #[must_use]
    pub fn finish(mut self) -> bool {
        self.discard()
    }

    fn take_back_steps(&mut self) -> Result<(), CommitError> {
        for step in self.steps.iter_mut().rev() {
            if let Err(error) = step.swap_back(&self.disk) {
                let exists = |path: &PathBuf| self.disk.vfs.lstat(path).is_ok();
                let left: Vec<PathBuf> = self.steps.iter().flat_map(Part::former).filter(exists).collect();
                // What is left holds former contents and is not removed; all else that lies beside is new and goes.
                for temp in self.steps.drain(..).flat_map(|step| step.present()).filter(|temp| !left.contains(temp)) {
                    let _ = self.disk.vfs.remove_file(&temp);
                }
                return Err(CommitError::Stuck { error, left });
            }
        }
        self.discard();
        Ok(())
    }

    /// Removes what lies beside the targets; best effort, since the journal names what stays.
    fn discard(&mut self) -> bool {
        let mut all_gone = true;
        for temp in self.steps.drain(..).flat_map(|step| step.present()) {
            let removed = self.disk.vfs.remove_file(&temp);
            all_gone &= removed.is_ok() || self.disk.vfs.lstat(&temp).is_err();
        }
        all_gone
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.steps.is_empty() {
            let _ = self.take_back_steps();
        }
    }
}

/// Removes leftover temporary files in some directories; answers how many. The caller holds the lock under which they
/// are made.
///
/// # Errors
/// As the system says.
pub fn sweep(disk: &Disk, dirs: &[PathBuf]) -> Result<usize, Error> {
    let mut count = 0;
    for dir in dirs {
        for name in disk.list(dir)? {
            let leftover = name.to_str().is_some_and(|name| name.starts_with('.') && name.contains(".clauth-"));
            if leftover && disk.remove_file(&dir.join(name))? {
                count += 1;
            }
        }
    }
    Ok(count)
}
