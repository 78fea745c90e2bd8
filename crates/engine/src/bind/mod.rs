//! Directories that are bound to profiles: what `start` without a name picks. Plain `claude` knows nothing of it.

mod act;
mod file;
mod find;

pub use act::Bound;
pub(crate) use file::Bindings;

use std::path::PathBuf;

/// A directory and the profile that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The directory, as it was named.
    pub dir: PathBuf,
    /// The profile.
    pub profile: String,
}
