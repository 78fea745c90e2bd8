//! What clauth put outside its root, and how it goes again: lines at the end of text files, keys in settings.
//!
//! Everything is on record in `integrations.json` before it stands, so that `uninstall` finds all of it. Only what we put
//! there goes: what the user wrote around it, or instead of it, stays.

mod act;
mod key;
mod lines;
mod look;
mod old;
mod record;

pub use act::{Installed, Taken};
use record::Record;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something to put outside the root.
#[derive(Clone, Debug)]
pub enum Piece {
    /// Two lines at the end of a text file, which is made when it is missing.
    Lines {
        /// The file.
        file: PathBuf,
        /// Says whose they are; the first line.
        comment: String,
        /// What counts; the second line.
        line: String,
    },
    /// A value in a file of settings, which is made when it is missing.
    Key {
        /// The file.
        file: PathBuf,
        /// Where in it.
        key: Vec<String>,
        /// The value.
        value: serde_json::Value,
    },
}

/// Something that stands outside the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// The command that put it there, such as `completions bash`.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The file, as it was named.
    pub file: PathBuf,
    /// What was put there.
    #[serde(flatten)]
    pub what: What,
    /// There was no such file before.
    #[serde(default)]
    pub made: bool,
    /// Directories that there were not before either, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dirs: Vec<PathBuf>,
}

/// What was put into a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// A piece of text.
    Lines {
        /// To the letter.
        added: String,
    },
    /// A value of a key.
    Key {
        /// Where.
        key: Vec<String>,
        /// The value, as it was written.
        added: String,
        /// The value that stood there, as it was written.
        before: Option<String>,
        /// How many objects of the way to it stood there.
        stood: usize,
        /// The whole text that stood there, where taking the key out again would not bring it back to the letter.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<String>,
    },
}

impl Piece {
    /// The file that it goes into.
    #[must_use]
    pub fn file(&self) -> &Path {
        match self {
            Self::Lines { file, .. } | Self::Key { file, .. } => file,
        }
    }
}
