//! The directories on the way to a path.

use std::path::{Component, Path, PathBuf};

use super::super::index::Known;
use super::super::side::{Side, Two};
use super::super::{Trouble, name};
use super::look::Seen;
use super::{Mirror, Outcome, refused, trouble};

impl Mirror {
    /// Whether the path is shared at all: below a shared top-level entry, through directories that are ones on each side
    /// that has them. What lies behind a link is not the sides' own.
    pub(super) fn is_within(&self, relative: &Path) -> Result<bool, Outcome> {
        let plain = relative.components().all(|part| matches!(part, Component::Normal(_)));
        let Some(Component::Normal(top)) = relative.components().next() else { return Ok(false) };
        if !plain || !(self.shared)(top) {
            return Ok(false);
        }
        for directory in above(relative) {
            let passing = |name| name::is_passing(name, clauth_durable::Kind::Dir);
            if directory.file_name().is_none_or(passing) {
                return Ok(false);
            }
            for side in Side::BOTH {
                if !matches!(self.see(side, &directory)?, Seen::Dir(_) | Seen::Nothing) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Makes the directories above a path on side `to`, as they are on the other, deleted ones included: what comes below
    /// is newer than their deletion.
    pub(super) fn make_parents(&mut self, relative: &Path, to: Side) -> Result<(), Outcome> {
        for directory in above(relative) {
            match (self.see(to, &directory)?, self.see(to.other(), &directory)?) {
                (Seen::Dir(_), _) => {}
                (Seen::Nothing, Seen::Dir(stat)) => self.make_dir(&directory, to, stat.mode)?,
                (Seen::Nothing, Seen::Nothing) => return Err(Outcome::Wait(super::SOON)),
                _ => return Err(trouble(self.pair.path(to.other(), relative), Trouble::Kinds)),
            }
        }
        Ok(())
    }

    pub(super) fn make_dir(&mut self, relative: &Path, to: Side, mode: u32) -> Result<(), Outcome> {
        let path = self.pair.path(to, relative);
        // Its owner may write in it, whatever the other side's may: what lies below it there is still to come.
        match self.disk.vfs.create_dir(&path, mode | 0o700) {
            Ok(()) => {
                self.learn(relative, Two { home: Known::Dir, tree: Known::Dir });
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                if self.has_name(to, relative)? {
                    return Err(Outcome::Wait(super::SOON));
                }
                Err(trouble(self.pair.path(to.other(), relative), Trouble::Collides))
            }
            Err(source) => Err(refused(clauth_durable::Error::Io { doing: "create", path, source })),
        }
    }
}

/// The directories above a path, outermost first.
fn above(relative: &Path) -> Vec<PathBuf> {
    let mut above: Vec<PathBuf> =
        relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned).collect();
    above.reverse();
    above
}
