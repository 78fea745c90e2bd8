//! What can be wrong with Claude Code's side.

use std::path::PathBuf;

/// A refusal about Claude Code's files or environment.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, a document or a lock.
    #[error(transparent)]
    Durable(#[from] clauth_durable::Error),
    /// A directory variable that is no absolute path: what it means would depend on where it is read.
    #[error("{variable} must be an absolute path, not {}", path.display())]
    Relative {
        /// The variable.
        variable: &'static str,
        /// Its value.
        path: PathBuf,
    },
}
