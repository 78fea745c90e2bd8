//! A step of a batch, of a file or of an item: each is staged, swapped in, and swapped back.

use std::path::{Path, PathBuf};

use super::change::{Change, CommitError};
use super::item::ItemStep;
use super::step::Step;
use crate::{Disk, Error, item_name};

/// One change on its way.
pub(super) enum Part {
    File(Step),
    Item(ItemStep),
}

impl Part {
    pub(super) fn plan(disk: &Disk, own_root: &Path, id: &str, change: Change) -> Result<Self, Error> {
        match item_name(&change.path).map(str::to_owned) {
            Some(name) => Ok(Self::Item(ItemStep::plan(own_root, id, name, change))),
            None => Step::plan(disk, own_root, id, change).map(Self::File),
        }
    }

    pub(super) fn temps(&self) -> Vec<PathBuf> {
        match self {
            Self::File(step) => step.temps(),
            Self::Item(step) => vec![step.copy().to_owned()],
        }
    }

    /// What lies beside the target and goes in the end.
    pub(super) fn present(&self) -> Vec<PathBuf> {
        match self {
            Self::File(step) => step.present(),
            Self::Item(step) => step.kept(),
        }
    }

    /// Where old content may lie.
    pub(super) fn former(&self) -> Vec<PathBuf> {
        match self {
            Self::File(step) => step.former(),
            Self::Item(step) => step.kept(),
        }
    }

    pub(super) fn stage(&mut self, disk: &Disk) -> Result<(), Error> {
        match self {
            Self::File(step) => step.stage(disk),
            Self::Item(step) => step.stage(disk),
        }
    }

    pub(super) fn swap_in(&mut self, disk: &Disk) -> Result<(), CommitError> {
        match self {
            Self::File(step) => step.swap_in(disk),
            Self::Item(step) => step.swap_in(disk),
        }
    }

    pub(super) fn swap_back(&mut self, disk: &Disk) -> Result<(), Error> {
        match self {
            Self::File(step) => step.swap_back(disk),
            Self::Item(step) => step.swap_back(disk),
        }
    }
}
