//! What the disk can refuse, and where.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::document::DocumentError;
use crate::items::Trouble;
use crate::vfs::Kind;

/// A refusal of the disk, of a document or of a lock.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system said no.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Links that lead nowhere.
    #[error("the links at {} lead in a circle", path.display())]
    Loop {
        /// Where they begin.
        path: PathBuf,
    },
    /// A directory, FIFO, socket or device where a file should be, or a file where a directory should be.
    #[error("{} is {} and not {}", path.display(), kind.word(), kind.missed())]
    NotRegular {
        /// Where.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// A file that is larger than anything it could be.
    #[error("{} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// Where.
        path: PathBuf,
        /// The bound.
        limit: u64,
    },
    /// Not the JSON object that it should be.
    #[error("{} cannot be understood: {source}", path.display())]
    Document {
        /// Where.
        path: PathBuf,
        /// Why, without its text.
        source: DocumentError,
    },
    /// A lock that somebody else holds.
    #[error("{name} is locked by {} since {} s ({})", holder.as_deref().unwrap_or("another process"), age.as_secs(), path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
        /// Since its holder last gave a sign of life.
        age: Duration,
        /// Who holds it, where that is known.
        holder: Option<String>,
        /// What it guards.
        name: String,
    },
    /// What stands in a lock's place, and will stand there for ever.
    #[error("{name} cannot be locked: {} is {what}", path.display())]
    Blocked {
        /// The lock.
        path: PathBuf,
        /// What stands there.
        what: &'static str,
        /// What it guards.
        name: String,
    },
    /// A lock of ours that somebody else took.
    #[error("the lock {} was taken from us", path.display())]
    Lost {
        /// The lock.
        path: PathBuf,
    },
    /// An item that the system keeps outside of its file system could not be reached, or not be changed.
    #[error("cannot {doing} {}: {why}", path.display())]
    Item {
        /// What was tried.
        doing: &'static str,
        /// The item, by its name in the place of a path.
        path: PathBuf,
        /// What is the matter; nothing of what the item holds.
        why: String,
        /// What helps.
        next: String,
    },
    /// A file that somebody else wrote while we were about to.
    #[error("{} was changed by another program meanwhile", path.display())]
    Moved {
        /// The file.
        path: PathBuf,
    },
}

impl Error {
    /// The path that it is about.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Io { path, .. }
            | Self::Loop { path }
            | Self::NotRegular { path, .. }
            | Self::TooLarge { path, .. }
            | Self::Document { path, .. }
            | Self::Busy { path, .. }
            | Self::Blocked { path, .. }
            | Self::Item { path, .. }
            | Self::Lost { path }
            | Self::Moved { path } => path,
        }
    }

    /// What is the matter with an item, with what was tried.
    pub(crate) fn item(doing: &'static str, path: &Path) -> impl FnOnce(Trouble) -> Self {
        let path = path.to_owned();
        move |trouble| Self::Item { doing, path, why: trouble.why, next: trouble.next }
    }

    /// An error of the system, with what was tried. About what is written beside a file, which is gone again, it names the file
    /// that was meant.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = meant(path);
        move |source| Self::Io { doing, path, source }
    }
}

fn meant(path: &Path) -> PathBuf {
    let name = path.file_name().and_then(|name| name.to_str());
    let name = name.and_then(|name| Some(name.strip_prefix('.')?.rsplit_once(".clauth-")?.0));
    name.map_or_else(|| path.to_owned(), |name| path.with_file_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_file_that_was_meant() {
        for (name, path, expected) in [
            ("beside", "/r/.profiles.toml.clauth-ab-5", "/r/profiles.toml"),
            ("aside", "/r/.profiles.toml.clauth-ab-5o", "/r/profiles.toml"),
            ("hidden itself", "/h/..credentials.json.clauth-ab", "/h/.credentials.json"),
            ("the file", "/r/profiles.toml", "/r/profiles.toml"),
            ("another's", "/h/.credentials.json", "/h/.credentials.json"),
        ] {
            let error = Error::io("create", Path::new(path))(io::ErrorKind::NotFound.into());
            assert_eq!(error.path(), Path::new(expected), "{name}");
        }
    }
}
