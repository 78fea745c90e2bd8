//! What an adoption brings in: shown before it is done, and told afterwards.

use std::path::PathBuf;

/// What becomes of one profile or account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its login is taken over as it is.
    Taken,
    /// Its login is the live one: it is lent from then on.
    Lent,
    /// A newer pair that was on its way is put into its place.
    Landed,
    /// Nothing is taken: there is a profile with this login, or of this account.
    Known,
    /// There is no login to take.
    NoLogin,
    /// What is there cannot be understood; it stays as it is.
    Unreadable,
}

impl Fate {
    /// The word of `--json`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Lent => "lent",
            Self::Landed => "landed",
            Self::Known => "known",
            Self::NoLogin => "no_login",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One profile or account.
#[derive(Clone, Debug)]
pub struct Adoptee {
    /// The profile that it is, or becomes.
    pub name: String,
    /// Its e-mail, where that is known.
    pub email: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// More about it, in words for a person.
    pub note: Option<String>,
}

/// An adoption, planned or done.
#[derive(Clone, Debug)]
pub struct Adoption {
    /// Whose it is: `clauth` for a tree of another version, else the tool's name.
    pub from: &'static str,
    /// The tree, store or file.
    pub place: PathBuf,
    /// Where a copy of the tree is kept, or will be.
    pub copy: Option<PathBuf>,
    /// Every profile or account, in order.
    pub adoptees: Vec<Adoptee>,
    /// Files that nobody here knows; they stay where they are.
    pub left: Vec<PathBuf>,
    /// Whether anything was written.
    pub changed: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}
