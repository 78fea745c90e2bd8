//! Making a draft real: as one, or not at all.

use std::path::{Path, PathBuf};

use clauth_durable::{Batch, Change, CommitError, Disk, Held};

use super::Unfinished;
use crate::error::Kind;
use crate::history::{self, Event};
use crate::{Engine, Error};

/// What a batch of changes is for, as the journal names it, and what goes with it.
#[derive(Default)]
pub(crate) struct Operation {
    pub(crate) done: &'static str,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    /// Full fingerprints of the tokens that move.
    pub(crate) tokens: Vec<String>,
    /// `to` did not exist before.
    pub(crate) creates: bool,
    /// A directory of ours that is renamed before the first change.
    pub(crate) renames: Option<(PathBuf, PathBuf)>,
    /// It finishes an interrupted change, whose journal it takes over.
    pub(crate) recovers: bool,
    /// An earlier recovery of that change was begun.
    pub(crate) resumes: bool,
    /// What a recovery's journal tells of the history; any other change's does so by itself.
    pub(crate) events: Vec<Event>,
    /// Leftovers of an interrupted change, removed once this one stands.
    pub(crate) sweeps: Vec<PathBuf>,
}

/// How an attempt ended.
#[must_use]
pub(crate) enum Applied {
    /// All of it stands.
    Done,
    /// Somebody wrote the file meanwhile: their bytes stand, everything of ours is as before. Look again.
    Moved(PathBuf),
}

impl Applied {
    /// For whoever does not look again.
    pub(crate) fn once(self) -> Result<(), Error> {
        match self {
            Self::Done => Ok(()),
            Self::Moved(path) => Err(Error::Contended { path }),
        }
    }
}

/// Finds out whether the locks are still ours (K4).
pub(crate) type Check<'c> = dyn Fn() -> Result<(), clauth_durable::Error> + 'c;

impl Engine {
    /// Applies `changes` under `held`: journal, stage, commit, close (W6).
    pub(crate) fn apply(&self, operation: &Operation, changes: Vec<Change>, held: &Held) -> Result<Applied, Error> {
        self.apply_under(operation, changes, &|| held.check())
    }

    /// As [`Self::apply`], under locks that were not all taken at once; `check` finds out whether they are still ours.
    pub(crate) fn apply_under(
        &self,
        operation: &Operation,
        changes: Vec<Change>,
        check: &Check<'_>,
    ) -> Result<Applied, Error> {
        if changes.is_empty() && operation.renames.is_none() && operation.sweeps.is_empty() {
            return Ok(Applied::Done);
        }
        let mut made = Vec::new();
        if let Err(error) = self.make_directories(&changes, &mut made) {
            self.remove_empty(&made);
            return Err(error);
        }
        // The directory of a login that has left the vault goes with the last of its account-bound files.
        let removed = changes.iter().filter(|change| change.after.is_none()).filter_map(|change| change.path.parent());
        let emptied: Vec<PathBuf> =
            removed.filter(|parent| parent.parent() == Some(&self.root.vault())).map(Path::to_owned).collect();
        let ended = self.commit(operation, changes, check);
        match ended {
            Ok(Applied::Done) => self.remove_empty(&emptied),
            _ => self.remove_empty(&made),
        }
        ended
    }

    fn commit(&self, operation: &Operation, changes: Vec<Change>, check: &Check<'_>) -> Result<Applied, Error> {
        if !operation.recovers && self.is_interrupted()? {
            return Err(interrupted(&self.root.journal()));
        }
        let added = history::added(&self.root, &changes);
        let mut batch = Batch::plan(&self.disk, self.root.path(), &self.host.random.name(), changes)?;
        let mut entry = self.entry(operation, batch.temps());
        if !operation.recovers {
            entry.events = added;
        }
        self.journal().open(&entry)?;
        let ended = self.carry_out(operation, &mut batch, check);
        match ended {
            Ok(()) => {
                // As long as anything is left over, the journal names it for the next acting command.
                if !batch.finish() || self.journal().close().is_err() {
                    (self.say)("done, but leftovers could not be removed; the next command tries again");
                }
                Ok(Applied::Done)
            }
            // The journal stays open: the next acting command finishes what is left.
            Err(CommitError::Stuck { error, left }) => Err(Error::Stuck { source: error, left }),
            Err(CommitError::Moved { path, .. }) => {
                self.reopen(operation)?;
                Ok(Applied::Moved(path))
            }
            Err(CommitError::Failed(error)) => {
                // Everything is as it was. Should the journal not even close, recovery finds that out.
                let _ = self.reopen(operation);
                Err(error.into())
            }
        }
    }

    /// All effects but the journal's own beginning. Any error leaves every byte as it was.
    fn carry_out(&self, operation: &Operation, batch: &mut Batch, check: &Check<'_>) -> Result<(), CommitError> {
        batch.stage().map_err(CommitError::Failed)?;
        let rename = |from: &Path, to: &Path| {
            check()?;
            let io = |source| clauth_durable::Error::Io { doing: "rename", path: from.to_owned(), source };
            match self.disk.vfs.rename_new(from, to) {
                // Where upper and lower case are one name, what stands there is what is renamed.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && is_itself(&self.disk, from, to) => {
                    self.disk.vfs.rename(from, to)
                }
                renamed => renamed,
            }
            .map_err(io)
        };
        if let Some((from, to)) = &operation.renames {
            rename(from, to).map_err(CommitError::Failed)?;
        }
        let ended = batch
            .commit(&mut || check())
            .and_then(|()| self.sweep(&operation.sweeps).map_err(|error| batch.take_back(error)));
        if let (Err(CommitError::Failed(_) | CommitError::Moved { .. }), Some((from, to))) =
            (&ended, &operation.renames)
        {
            rename(to, from).map_err(|error| CommitError::Stuck { error, left: vec![to.clone()] })?;
        }
        ended
    }

    fn entry(&self, operation: &Operation, mut temps: Vec<PathBuf>) -> Unfinished {
        temps.extend(operation.sweeps.iter().cloned());
        Unfinished {
            schema: 1,
            done: operation.done.to_owned(),
            from: operation.from.clone(),
            to: operation.to.clone(),
            at: self.host.clock.now(),
            tokens: operation.tokens.clone(),
            temps,
            creates: operation.creates,
            recovering: operation.recovers,
            events: operation.events.clone(),
        }
    }

    /// After a change was taken back: the journal says again what it said before, which is nothing unless this was the
    /// recovery of an earlier change.
    fn reopen(&self, operation: &Operation) -> Result<(), Error> {
        if !operation.recovers {
            return Ok(self.journal().close()?);
        }
        let before = Unfinished { recovering: operation.resumes, ..self.entry(operation, Vec::new()) };
        Ok(self.journal().open(&before)?)
    }

    /// Whether a change was begun and not finished: its journal is all that tells how, so nothing else may be begun (W8).
    pub(crate) fn is_interrupted(&self) -> Result<bool, Error> {
        Ok(self.disk.lstat(&self.root.journal())?.is_some())
    }

    /// Removes leftovers of an interrupted change.
    fn sweep(&self, leftovers: &[PathBuf]) -> Result<(), clauth_durable::Error> {
        leftovers.iter().try_for_each(|path| self.disk.remove_file(path).map(drop))
    }

    /// Makes the directories of our own that the changes need; tells those that were missing, outermost first.
    fn make_directories(&self, changes: &[Change], made: &mut Vec<PathBuf>) -> Result<(), Error> {
        for change in
            changes.iter().filter(|change| change.after.is_some() && change.path.starts_with(self.root.path()))
        {
            let Some(parent) = change.path.parent() else { continue };
            let mut missing = Vec::new();
            for directory in parent.ancestors().take_while(|directory| directory.starts_with(self.root.path())) {
                if made.iter().any(|known| known == directory) || self.disk.lstat(directory)?.is_some() {
                    break;
                }
                missing.push(directory.to_owned());
            }
            made.extend(missing.into_iter().rev());
            self.disk.ensure_dir(parent)?;
        }
        Ok(())
    }

    /// Best effort: an empty directory of ours holds nothing that could be lost.
    fn remove_empty(&self, directories: &[PathBuf]) {
        directories.iter().rev().for_each(|directory| drop(self.disk.vfs.remove_dir(directory)));
    }
}

/// The refusal to begin while another change is unfinished: whoever made it was killed since this command began.
fn interrupted(journal: &Path) -> Error {
    let what = "another change was interrupted just now, and is to be finished first";
    Error::refused(
        Kind::Busy,
        what,
        journal.display().to_string(),
        &["try again: every command that changes anything finishes it"],
    )
}

/// Whether what stands at `to` is `from` under another case: no entry of the directory has that name letter by letter.
fn is_itself(disk: &Disk, from: &Path, to: &Path) -> bool {
    let (Some(dir), Some(name)) = (to.parent(), to.file_name()) else { return false };
    let folded = |path: &Path| path.file_name().map(|name| name.to_string_lossy().to_lowercase());
    from.parent() == Some(dir)
        && folded(from) == folded(to)
        && disk.list(dir).is_ok_and(|names| !names.iter().any(|there| there == name))
}
