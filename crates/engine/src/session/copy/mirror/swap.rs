//! Bringing one side's file or link to the other: staged beside, swapped in as one step, what came out inspected.

use std::io;
use std::path::Path;

use clauth_durable::{Manners, Stat};

use super::super::index::{Hash, Mark, Stamp};
use super::super::name;
use super::super::side::{Side, Two};
use super::content::digest;
use super::look::Seen;
use super::{Mirror, Outcome, Trouble, keep, lines, refused, trouble};

type Error = clauth_durable::Error;

impl Mirror {
    /// Copies the file of the other side to side `to`, where `old` stands; keeps that where `keeps`. Answers the marks of
    /// both.
    pub(super) fn bring_file(
        &mut self,
        relative: &Path,
        to: Side,
        seen: &Two<Seen>,
        keeps: bool,
    ) -> Result<Two<Mark>, Outcome> {
        let (source, target) = (self.pair.path(to.other(), relative), self.pair.path(to, relative));
        let (Some(new), old) = (seen.at(to.other()).file(), seen.at(to).file()) else { return Err(Outcome::Same) };
        if let (Some(old), true) = (old, keeps) {
            keep::keep(&self.disk, &self.pair.conflicts, (relative, &target), old).map_err(refused)?;
        }
        let temp = target.with_file_name(name::staged(&self.tag, &self.disk.random.name()));
        // The home lasts: its files are durable before anybody sees them. The tree is made anew after a crash.
        let manners = Manners { share: true, sync: to == Side::Home };
        let copied = match self.disk.copy_new(&source, &temp, manners) {
            Ok(copied) if !copied.torn && Stamp::of(&copied.from) == Stamp::of(new) => copied,
            result => {
                let _ = self.disk.vfs.remove_file(&temp);
                return Err(result.map_or_else(refused, |_| Outcome::Wait(super::SOON)));
            }
        };
        // Read while it is warm, so that later a touch of it is known for no change.
        let hash = self.recognizable(relative, &temp).map_err(|error| {
            self.clear(&temp, &copied.to);
            refused(error)
        })?;
        let swapped = match old {
            None => self.put_new(&temp, (to, relative)),
            Some(old) => self.put_over(&temp, &target, old).map_err(refused),
        };
        if let Err(outcome) = swapped {
            self.clear(&temp, &copied.to);
            return Err(outcome);
        }
        let now = self.disk.clock.file_now();
        let mark = |stat| Mark::new(stat, now).hashed(hash);
        let marks = Two { home: mark(&copied.from), tree: mark(&copied.to) };
        Ok(if to == Side::Tree { marks } else { Two { home: marks.tree, tree: marks.home } })
    }

    /// By what a file that was brought is known again: plain ones by their bytes, those of lines by their end.
    fn recognizable(&self, relative: &Path, path: &Path) -> Result<Hash, Error> {
        if name::is_lines(relative) { lines::end_of(&self.disk, path) } else { Ok(digest(&self.disk, path)?.hash) }
    }

    /// Renames to where nothing is.
    fn put_new(&self, temp: &Path, (to, relative): (Side, &Path)) -> Result<(), Outcome> {
        let target = self.pair.path(to, relative);
        match self.disk.vfs.rename_new(temp, &target) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(if self.has_name(to, relative)? {
                Outcome::Wait(super::SOON)
            } else {
                trouble(self.pair.path(to.other(), relative), Trouble::Collides)
            }),
            Err(source) => Err(refused(Error::Io { doing: "create", path: target, source })),
        }
    }

    /// Puts what is staged in the place of `old`. Whatever else stands there by then is put back (W2).
    fn put_over(&self, temp: &Path, target: &Path, old: &Stat) -> Result<(), Error> {
        let moved = || Err(Error::Moved { path: target.to_owned() });
        let io = |source| Error::Io { doing: "replace", path: target.to_owned(), source };
        let is_old = |path: &Path| -> Result<bool, Error> {
            Ok(self.disk.lstat(path)?.is_some_and(|stat| Stamp::of(&stat) == Stamp::of(old)))
        };
        if !is_old(target)? {
            return moved();
        }
        match self.disk.vfs.exchange(temp, target) {
            Ok(()) => {}
            // Such systems replace in one step, but do not show what was replaced: the look just before must do.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                return self.disk.vfs.rename(temp, target).map_err(io);
            }
            Err(error) => return Err(io(error)),
        }
        if !is_old(temp)? {
            self.disk.vfs.exchange(temp, target).map_err(io)?;
            return moved();
        }
        // Left over, it would be found and kept; it holds what is known or kept already.
        let _ = self.disk.vfs.remove_file(temp);
        Ok(())
    }

    /// Removes what was staged, if it is still that: after a failed exchange somebody else's bytes may lie there, which
    /// the next walk keeps.
    fn clear(&self, temp: &Path, staged: &Stat) {
        if self.disk.lstat(temp).ok().flatten().is_some_and(|stat| Stamp::of(&stat) == Stamp::of(staged)) {
            let _ = self.disk.vfs.remove_file(temp);
        }
    }

    /// Makes the link of the other side on side `to`, where nothing is.
    pub(super) fn bring_link(&self, relative: &Path, to: Side) -> Result<(), Outcome> {
        let (source, link) = (self.pair.path(to.other(), relative), self.pair.path(to, relative));
        let io = |error| refused(Error::Io { doing: "read the link", path: source.clone(), source: error });
        let target = self.disk.vfs.read_link(&source).map_err(io)?;
        let target = self.ground.at(to.other()).translated(&target, &source, self.ground.at(to));
        self.disk.vfs.symlink(&target, &link).map_err(|error| {
            let collides = error.kind() == io::ErrorKind::AlreadyExists;
            trouble(source.clone(), if collides { Trouble::Collides } else { Trouble::NoLink(error) })
        })
    }
}
