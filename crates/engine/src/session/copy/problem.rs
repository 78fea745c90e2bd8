//! What could not be copied or kept in step, and why.

use std::fmt;
use std::path::PathBuf;

/// One path that the two sides do not share.
#[derive(Debug)]
pub(crate) struct Problem {
    /// Where: the path in the home or in the tree.
    pub(crate) path: PathBuf,
    /// Why.
    pub(crate) what: Trouble,
}

/// Why a path is not shared.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The system refused.
    Refused(clauth_durable::Error),
    /// The other side takes its name for another one's: it does not tell upper from lower case.
    Collides,
    /// A file on one side, and a directory or link on the other; or links that lead to different places.
    Kinds,
    /// The system denies links.
    NoLink(std::io::Error),
}

impl Problem {
    pub(super) fn refused(error: clauth_durable::Error) -> Self {
        Self { path: error.path().to_owned(), what: Trouble::Refused(error) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.what {
            Trouble::Refused(error) => write!(f, "{error}"),
            Trouble::Collides => {
                write!(f, "{path} is not shared: its name equals another but for upper and lower case")
            }
            Trouble::Kinds => write!(f, "{path} is not shared: the session has something of another kind there"),
            Trouble::NoLink(error) => write!(f, "the link {path} is not shared: {error}"),
        }
    }
}
