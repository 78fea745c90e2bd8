//! Writing one file of a merge: under its own lock, only if it still is what was read, or not at all.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clauth_claude::ClaudeHome;
use clauth_durable::{Batch, Change, CommitError, Held, Manner};

use super::lock;
use super::subject::Subject;
use crate::{Engine, Error};

/// In the names of our temporary files, so that ours can be told from those of a change that is under way.
const MARK: &str = "merge-";

/// A file that is to be written.
pub(super) struct Target<'a> {
    pub(super) subject: Subject,
    pub(super) home: &'a ClaudeHome,
    /// What was read; `None` for a missing file.
    pub(super) before: Option<&'a [u8]>,
    pub(super) after: &'a [u8],
}

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Done,
    /// Somebody else wrote it meanwhile, or holds its lock: nothing was done.
    Skipped,
}

impl Target<'_> {
    /// Writes it. `first` runs once it is known that the file has not moved, before it is written.
    ///
    /// # Errors
    /// As the system says; then the file is as it was.
    pub(super) fn write(
        &self,
        engine: &Engine,
        first: &mut dyn FnMut() -> Result<(), Error>,
    ) -> Result<Written, Error> {
        let path = self.subject.file(self.home);
        let change = Change {
            path: path.clone(),
            before: self.before.map(<[u8]>::to_vec),
            after: Some(self.after.to_vec()),
            manner: Manner::Document,
        };
        // The new content is on the disk before anybody waits for the lock: a state file may be large (K3).
        let id = format!("{MARK}{}", engine.host.random.name());
        let mut batch = Batch::plan(&engine.disk, engine.root.path(), &id, vec![change])?;
        batch.stage()?;
        // Claude Code guards its state file; nobody guards the settings, so there the exchange alone has to find out.
        let held = match self.subject {
            Subject::State => match lock::state_file(engine, self.home)? {
                Some(held) => Some(held),
                None => return Ok(Written::Skipped),
            },
            Subject::Settings => None,
        };
        if engine.disk.read(&path)?.as_deref() != self.before {
            return Ok(Written::Skipped);
        }
        first()?;
        commit(batch, held.as_ref())
    }
}

/// Swaps a staged change in. A link of the user's stays a link, the mode stays what it is.
fn commit(mut batch: Batch, held: Option<&Held>) -> Result<Written, Error> {
    match batch.commit(&mut || held.map_or(Ok(()), Held::check)) {
        Ok(()) => {
            // What could not be removed is swept by the next merge.
            let _ = batch.finish();
            Ok(Written::Done)
        }
        // Whoever took the lock from us is at work on the file.
        Err(CommitError::Moved { .. } | CommitError::Failed(clauth_durable::Error::Lost { .. })) => {
            Ok(Written::Skipped)
        }
        Err(CommitError::Failed(error)) => Err(error.into()),
        Err(CommitError::Stuck { error, left }) => Err(Error::Stuck { source: error, left }),
    }
}

/// Removes what a merge that was killed left beside its files. Called under the merge lock.
pub(super) fn sweep(engine: &Engine, files: &[PathBuf]) -> Result<(), Error> {
    for file in files {
        // The temporary file lies beside what a link leads to.
        let Ok(target) = engine.disk.target(file, Some(engine.root.path())) else { continue };
        let (Some(directory), Some(name)) = (target.path.parent(), target.path.file_name()) else { continue };
        let mut prefix = OsString::from(".");
        prefix.push(name);
        prefix.push(format!(".clauth-{MARK}"));
        sweep_directory(engine, directory, prefix.as_encoded_bytes())?;
    }
    Ok(())
}

fn sweep_directory(engine: &Engine, directory: &Path, prefix: &[u8]) -> Result<(), Error> {
    for name in engine.disk.list(directory)? {
        if name.as_encoded_bytes().starts_with(prefix) {
            engine.disk.remove_file(&directory.join(name))?;
        }
    }
    Ok(())
}
