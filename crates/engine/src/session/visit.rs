//! Trees between starts: what a session left behind, or still does while nobody watches it, is looked after by every acting
//! command (S1, S7).

use std::ffi::OsStr;
use std::sync::Arc;

use clauth_claude::ClaudeHome;
use clauth_durable::Kind;

use super::copy::{Mirror, Pair};
use super::{Cleared, LinkMode, Place, Tended, clear, forget, is_shared, live};
use crate::{Engine, Error};

impl Engine {
    /// Brings home what sessions wrote, and clears the trees in which nobody lives any more. Whatever is in the way, such as a
    /// lock that a busy `claude` holds, is told and left for the next time.
    pub(crate) fn visit_trees(&self) {
        let Ok(roster) = crate::profile::Roster::read(&self.disk, &self.root) else { return };
        for name in &roster.names {
            let place = Place::of(&self.root, name);
            let stands = |dir: &std::path::PathBuf| {
                self.disk.lstat(dir).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir))
            };
            if ![&place.tree, &place.isolated].into_iter().any(stands) {
                continue;
            }
            if let Err(error) = self.visit(&place) {
                (self.say)(&format!("the sessions of '{name}' were not looked after: {error}"));
            }
        }
    }

    /// Looks after one tree; clears it when nobody lives in it.
    pub(crate) fn visit(&self, place: &Place) -> Result<(), Error> {
        match self.tend(place)? {
            Tended::Adopted => (self.say)(&format!("the login of '{}' was renewed in a session", place.name)),
            Tended::Foreign { entry, whose } => (self.say)(&foreign(&place.name, &whose, &entry)),
            Tended::Quiet | Tended::SignedOut | Tended::Later | Tended::Replaced => {}
        }
        self.clear_isolated(place)?;
        if self.clear_if_empty(place)? {
            // What had to wait for the tree.
            self.clear_isolated(place)?;
        }
        Ok(())
    }

    /// Reconciles and removes the tree, unless somebody lives in it. Answers whether it is gone.
    pub(crate) fn clear_if_empty(&self, place: &Place) -> Result<bool, Error> {
        let home = self.home()?;
        if self.is_inhabited(&home, place) {
            return Ok(false);
        }
        let _making = self.lock_making(&place.name)?;
        let held = self.lock_state()?;
        // Nobody can begin a session while these are held, and who began one before is seen now.
        let idle = || held.check().is_ok() && !self.is_inhabited(&home, place);
        if idle() {
            self.take_item(place, &held)?;
        }
        if place.mode(&self.disk) == LinkMode::Copy && idle() {
            let shared = Arc::new(|name: &OsStr| is_shared(name, LinkMode::Copy));
            let report = Mirror::open(self.disk.clone(), Pair::of(place, &home.dir), shared).finish();
            report.problems.iter().for_each(|problem| (self.say)(&problem.to_string()));
            // Lines that both sides have in another order would look like a conflict to reconciling.
            if report.is_in_step() && idle() {
                self.disk.remove_tree(&place.tree)?;
                forget(&self.disk, place)?;
                return Ok(true);
            }
        }
        match clear(&self.disk, &home, place, &idle)? {
            Cleared::Busy => Ok(false),
            Cleared::Kept(reconciled) => {
                reconciled.left.iter().for_each(|error| (self.say)(&format!("left where it is: {error}")));
                Ok(false)
            }
            Cleared::Gone(reconciled) => {
                for path in &reconciled.conflicts {
                    (self.say)(&format!("what lost against something newer is kept: {}", path.display()));
                }
                forget(&self.disk, place)?;
                Ok(true)
            }
        }
    }

    fn is_inhabited(&self, home: &ClaudeHome, place: &Place) -> bool {
        let running = clauth_claude::running(&self.host, &self.disk, home);
        !live(&self.disk, place, &running).is_empty()
    }
}

/// What is said of another account's login that was made in a session.
pub(super) fn foreign(profile: &str, whose: &str, entry: &str) -> String {
    let whose = crate::text::shown(whose);
    format!(
        "a session of '{profile}' is signed in as {whose}; that login is kept in the vault ({entry}), not in '{profile}'"
    )
}
