//! What is asked of a batch, and how it can end.

use std::path::PathBuf;

use crate::Error;

/// One file's change.
#[derive(Clone)]
pub struct Change {
    /// The file, as its owner names it.
    pub path: PathBuf,
    /// The bytes that the change was made from; `None` for nothing there.
    pub before: Option<Vec<u8>>,
    /// The bytes that it comes to; `None` for a removal.
    pub after: Option<Vec<u8>>,
    /// How it is done.
    pub manner: Manner,
}

/// How a file is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A file of our own, under our state lock; 0600.
    Own,
    /// A log of our own, under our state lock: what it gains is added at its end, however long it is. A kill may leave a
    /// part of a line; an error takes it back.
    Log,
    /// Somebody else's document, under their lock, or one of ours that people edit; it must still be what it was. The mode of
    /// what is not ours stays.
    Document,
    /// Their credential: exchange and inspect (W2), and a later time of modification (W5).
    Credential,
}

/// How a batch can fail.
#[derive(Debug)]
pub enum CommitError {
    /// Everything is as before.
    Failed(Error),
    /// Somebody wrote meanwhile: their bytes stand, and everything of ours is as before.
    Moved {
        /// The file.
        path: PathBuf,
    },
    /// Taking it back failed too.
    Stuck {
        /// What the disk said.
        error: Error,
        /// Files that hold former contents.
        left: Vec<PathBuf>,
    },
}

impl From<Error> for CommitError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}
