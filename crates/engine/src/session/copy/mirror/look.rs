//! What stands at a path on one side.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_durable::{Kind, Stat};

use super::super::index::{Hash, Known, Mark, hash_of};
use super::super::name;
use super::super::side::{Side, Two};
use super::{Mirror, Outcome, Trouble, refused, trouble};

/// What stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Nothing,
    Dir(Stat),
    File(Stat),
    /// The place that it means, inside the home where it lies inside either side.
    Link(PathBuf),
    /// Nothing that can be shared.
    Other,
}

impl Seen {
    pub(super) fn file(&self) -> Option<&Stat> {
        match self {
            Self::File(stat) => Some(stat),
            _ => None,
        }
    }

    pub(super) fn link(&self) -> Option<Hash> {
        match self {
            Self::Link(target) => Some(hash_of(&name::to_bytes(target))),
            _ => None,
        }
    }

    fn kind(&self) -> Option<Kind> {
        match self {
            Self::Nothing => None,
            Self::Dir(_) => Some(Kind::Dir),
            Self::File(_) => Some(Kind::File),
            Self::Link(_) => Some(Kind::Link),
            Self::Other => Some(Kind::Other),
        }
    }

    /// Whether it is as it was known, as far as can be told without reading it.
    pub(super) fn is(&self, known: &Known) -> bool {
        match (self, known) {
            (Self::Nothing, Known::Gone) | (Self::Dir(_), Known::Dir) => true,
            (Self::Link(_), Known::Link(hash)) => self.link() == Some(*hash),
            (Self::File(stat), Known::File(mark)) => same(stat, mark) && mark.sure,
            _ => false,
        }
    }
}

/// Whether a file shows the stamp that it had.
pub(super) fn same(stat: &Stat, mark: &Mark) -> bool {
    super::Stamp::of(stat) == mark.stamp
}

impl Mirror {
    /// What stands on both sides. `listed` tells, where somebody has looked, whether each side's directory has exactly
    /// this name: a side that does not tell upper from lower case answers to others too.
    pub(super) fn look(&self, relative: &Path, listed: Option<Two<bool>>) -> Result<Two<Seen>, Outcome> {
        let seen = Two::each(|side| self.see(side, relative))?;
        let both = seen.home != Seen::Nothing && seen.tree != Seen::Nothing;
        let passing = |side| {
            let name = relative.file_name().unwrap_or_default();
            seen.at(side).kind().is_some_and(|kind| name::is_passing(name, kind))
        };
        if Side::BOTH.into_iter().any(passing) {
            return Err(Outcome::Same);
        }
        if both && self.index.get(relative).is_none() {
            for side in Side::BOTH {
                if listed.is_none_or(|listed| !listed.at(side)) && !self.has_name(side, relative)? {
                    return Err(trouble(self.pair.path(side.other(), relative), Trouble::Collides));
                }
            }
        }
        Ok(seen)
    }

    pub(super) fn see(&self, side: Side, relative: &Path) -> Result<Seen, Outcome> {
        let path = self.pair.path(side, relative);
        let Some(stat) = self.disk.lstat(&path).map_err(refused)? else { return Ok(Seen::Nothing) };
        Ok(match stat.kind {
            Kind::File => Seen::File(stat),
            Kind::Dir if self.fence.holds(&path, &stat) => Seen::Other,
            Kind::Dir => Seen::Dir(stat),
            Kind::Other => Seen::Other,
            Kind::Link => match self.disk.vfs.read_link(&path) {
                Ok(target) => Seen::Link(self.ground.at(side).meant(&target, &path, &self.ground.home)),
                Err(_) => Seen::Nothing,
            },
        })
    }

    /// Whether a side's directory lists exactly this name.
    pub(super) fn has_name(&self, side: Side, relative: &Path) -> Result<bool, Outcome> {
        let parent = self.pair.path(side, relative.parent().unwrap_or(Path::new("")));
        let name: &OsStr = relative.file_name().unwrap_or_default();
        Ok(self.disk.list(&parent).map_err(refused)?.iter().any(|listed| listed == name))
    }
}
