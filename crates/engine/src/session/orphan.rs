//! What the sessions of a removed profile left, or still do: their tree outlives the profile, and is put away like any other
//! when nobody lives in it any more (S7).

use clauth_durable::Kind;

use super::Place;
use crate::custody::{below, is_dir};
use crate::profile::{Roster, check_name};
use crate::root::TREES;
use crate::{Engine, Error};

impl Engine {
    /// Looks after the trees of profiles that are not listed any more.
    pub(super) fn visit_orphans(&self, roster: &Roster) {
        for name in self.orphans(roster).unwrap_or_default() {
            let place = Place::of(&self.root, &name);
            if let Err(error) = self.visit_orphan(&place) {
                (self.say)(&format!("what the sessions of '{name}' left was not looked after: {error}"));
            }
        }
    }

    /// Directories of no listed profile that hold what sessions left and nothing else, as `remove` leaves them. Any other is
    /// somebody's: a profile that an old list has, or a copy that a person made.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub(crate) fn orphans(&self, roster: &Roster) -> Result<Vec<String>, Error> {
        let names = self.disk.list(&self.root.profiles())?.into_iter();
        let unlisted = names.filter_map(|name| name.into_string().ok()).filter(|name| {
            check_name(name).is_ok() && !roster.names.iter().any(|listed| listed.eq_ignore_ascii_case(name))
        });
        Ok(unlisted.filter(|name| self.is_left(name).unwrap_or(false)).collect())
    }

    /// Whether a directory is one that `remove` left.
    fn is_left(&self, name: &str) -> Result<bool, Error> {
        let directory = self.root.profile(name);
        if !self.is_bare(name)? {
            return Ok(false);
        }
        let mut trees = false;
        for entry in self.disk.list(&directory)? {
            trees |= entry != "conflicts" && TREES.iter().any(|tree| entry == *tree);
            let kind = self.disk.lstat(&directory.join(&entry))?.map(|stat| stat.kind);
            if matches!(kind, Some(Kind::Link | Kind::Other)) {
                return Ok(false);
            }
        }
        Ok(trees)
    }

    /// Whether a profile's directory has no file of the profile's in it.
    fn is_bare(&self, name: &str) -> Result<bool, Error> {
        let directory = self.root.profile(name);
        Ok(is_dir(&self.disk, &directory)? && below(&self.disk, &directory, &TREES)?.is_empty())
    }

    /// Puts away what a removed profile's sessions left, but for what they still use and what is kept of the user's files.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn visit_orphan(&self, place: &Place) -> Result<(), Error> {
        if self.has_traces(place) {
            self.visit(place)?;
        }
        let held = self.lock_state()?;
        let listed = Roster::read(&self.disk, &self.root)?.names.contains(&place.name);
        if listed || !self.is_bare(&place.name)? {
            return Ok(());
        }
        let used = self.has_traces(place) || self.is_inhabited(&self.home()?, place);
        let directory = self.root.profile(&place.name);
        for entry in self.disk.list(&directory)? {
            held.check()?;
            let path = directory.join(&entry);
            let of_sessions = TREES.iter().any(|tree| entry == *tree);
            let kept = entry == "conflicts" && !below(&self.disk, &path, &[])?.is_empty();
            if !(kept || used && of_sessions) {
                self.disk.remove_tree(&path)?;
            }
        }
        // Refused where something is left in it.
        let _ = self.disk.vfs.remove_dir(&directory);
        Ok(())
    }
}
