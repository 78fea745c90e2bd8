//! The two sides, and where they are.

use std::path::{Path, PathBuf};

use crate::session::Place;

/// One of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// `~/.claude`: what lasts.
    Home,
    /// The session's copy.
    Tree,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::Home, Self::Tree];

    pub(super) fn other(self) -> Self {
        match self {
            Self::Home => Self::Tree,
            Self::Tree => Self::Home,
        }
    }
}

/// Something of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Two<T> {
    pub(super) home: T,
    pub(super) tree: T,
}

impl<T> Two<T> {
    pub(super) fn at(&self, side: Side) -> &T {
        match side {
            Side::Home => &self.home,
            Side::Tree => &self.tree,
        }
    }

    pub(super) fn at_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Home => &mut self.home,
            Side::Tree => &mut self.tree,
        }
    }

    pub(super) fn each<E>(mut make: impl FnMut(Side) -> Result<T, E>) -> Result<Self, E> {
        Ok(Self { home: make(Side::Home)?, tree: make(Side::Tree)? })
    }
}

/// Where the sides are, and what is kept about them.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    /// The home.
    pub(crate) home: PathBuf,
    /// The session's tree.
    pub(crate) tree: PathBuf,
    /// Where the index is.
    pub(crate) base: PathBuf,
    /// What lost, kept.
    pub(crate) conflicts: PathBuf,
}

impl Pair {
    /// The sides of a profile's sessions.
    pub(crate) fn of(place: &Place, home: &Path) -> Self {
        Self {
            home: home.to_owned(),
            tree: place.tree.clone(),
            base: place.base.clone(),
            conflicts: place.conflicts.clone(),
        }
    }

    pub(super) fn root(&self, side: Side) -> &Path {
        match side {
            Side::Home => &self.home,
            Side::Tree => &self.tree,
        }
    }

    pub(super) fn path(&self, side: Side, relative: &Path) -> PathBuf {
        self.root(side).join(relative)
    }
}
