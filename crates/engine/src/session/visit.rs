//! Trees between starts: what a session left behind, or still does while nobody watches it, is looked after by every acting
//! command (S1, S7).

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use clauth_claude::{ClaudeHome, Credentials};
use clauth_durable::Kind;

use super::copy::{Mirror, Pair, is_filled};
use super::inherited::unproven;
use super::reconcile::{Reconciled, is_bare};
use super::{
    Cleared, LinkMode, Place, Tended, clear, forget, is_in_step, is_shared, keep_aside, knows_own, live, prune,
    reconcile,
};
use crate::custody::is_dir;
use crate::{Engine, Error};

/// So often what was just merged may call for another merge before a tree is left for the next time (S5).
const PASSES: usize = 5;

impl Engine {
    /// Brings home what sessions wrote, and clears the trees in which nobody lives any more. Whatever is in the way, such as a
    /// lock that a busy `claude` holds, is told and left for the next time.
    pub(crate) fn visit_trees(&self) {
        let Ok(roster) = crate::profile::Roster::read(&self.disk, &self.root) else { return };
        for name in &roster.names {
            let place = Place::of(&self.root, name);
            if self.has_left_anything(&place)
                && let Err(error) = self.visit(&place)
            {
                (self.say)(&format!("the sessions of '{name}' were not looked after: {error}"));
            }
        }
        self.visit_orphans(&roster);
    }

    /// Whether sessions of a profile may live, or have left something of the user's.
    pub(crate) fn has_traces(&self, place: &Place) -> bool {
        [&place.tree, &place.isolated].into_iter().any(|dir| self.stands(dir))
    }

    /// The same with what tells of a tree and may outlast it, when its removal was interrupted.
    fn has_left_anything(&self, place: &Place) -> bool {
        self.has_traces(place) || [&place.holders, &place.base].into_iter().any(|dir| self.stands(dir))
    }

    fn stands(&self, dir: &Path) -> bool {
        self.disk.lstat(dir).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == Kind::Dir))
    }

    /// Looks after one tree; clears it when nobody lives in it.
    pub(crate) fn visit(&self, place: &Place) -> Result<(), Error> {
        let tended = self.tend(place)?;
        self.tell(place, &tended);
        self.clear_isolated(place)?;
        if self.clear_if_empty(place)? {
            // What had to wait for the tree.
            self.clear_isolated(place)?;
        }
        Ok(())
    }

    fn tell(&self, place: &Place, tended: &Tended) {
        match tended {
            Tended::Adopted => (self.say)(&format!("the login of '{}' was renewed in a session", place.name)),
            Tended::Foreign { entry, whose, new: true } => (self.say)(&foreign(&place.name, whose, entry)),
            Tended::Unproven { entry, new: true } => (self.say)(&unproven(&place.name, entry)),
            _ => {}
        }
    }

    /// Reconciles and removes the tree, unless somebody lives in it. Answers whether it is gone.
    pub(crate) fn clear_if_empty(&self, place: &Place) -> Result<bool, Error> {
        let home = self.home()?;
        // What a session of ours tells by its lock is worth no look at every process.
        if self.is_held(place) {
            return Ok(false);
        }
        let idle = || !self.is_inhabited(&home, place);
        // Nobody can begin a session while this is held, and who began one before is seen now. What takes its time happens
        // under it alone: the state lock is for moments (S6).
        let _making = self.lock_making(&place.name)?;
        // What is only links is looked at under the state lock alone, twice (S7); before anything else is done to what is
        // in the tree, it is seen to that nobody lives there.
        let bare = self.is_bare_of_all(&home, place)?;
        if !bare && (!idle() || !self.bring_home(&home, place)?) {
            return Ok(false);
        }
        // Without a tree there is nothing to finish, whatever an interrupted removal left of its index.
        let filled = place.mode(&self.disk) == LinkMode::Copy
            && is_filled(&self.disk, &place.base)
            && is_dir(&self.disk, &place.tree)?;
        let in_step = filled && self.finish_mirror(&home, place);
        if !bare && !in_step {
            self.tell_conflicts(&reconcile(&self.disk, &home, place)?);
        }
        let held = self.lock_state()?;
        let idle = || held.check().is_ok() && idle();
        if place.item.is_some() && idle() {
            self.take_item(place, &held)?;
        }
        if in_step && idle() {
            self.disk.remove_tree(&place.tree)?;
            self.forget_tree(place)?;
            return Ok(true);
        }
        match clear(&self.disk, &home, place, &idle)? {
            Cleared::Busy => Ok(false),
            Cleared::Kept(reconciled) => {
                self.tell_conflicts(&reconciled);
                reconciled.left.iter().for_each(|error| (self.say)(&format!("left where it is: {error}")));
                Ok(false)
            }
            Cleared::Gone(reconciled) => {
                self.tell_conflicts(&reconciled);
                self.forget_tree(place)?;
                Ok(true)
            }
        }
    }

    /// Whether a tree holds nothing that is not in the home and the store as well: links of ours, and settings and a state
    /// file that nobody has written since they were merged.
    fn is_bare_of_all(&self, home: &ClaudeHome, place: &Place) -> Result<bool, Error> {
        let tree = ClaudeHome::at(&place.tree, &self.host, &self.disk);
        Ok(!place.is_mirrored(&self.disk)
            && !self.is_interrupted()?
            && is_dir(&self.disk, &place.tree)?
            && place.own_copies(&self.disk).is_empty()
            && is_bare(&self.disk, place)?
            && is_in_step(&self.disk, home, place, &tree)?)
    }

    /// Removes what is remembered of a tree that is gone: what it was last in step with, and who lived in it. That an item was
    /// made for it stays on record while the item is there (S8). The caller holds the state lock.
    fn forget_tree(&self, place: &Place) -> Result<(), Error> {
        forget(&self.disk, place)?;
        let item = place.item_record();
        for name in self.disk.list(&place.base)? {
            let path = place.base.join(name);
            if path != item {
                self.disk.remove_tree(&path)?;
            }
        }
        prune(&self.disk, place, &[])?;
        for name in self.disk.list(&place.holders)? {
            let is_temporary = name.to_str().is_some_and(|name| name.starts_with('.') && name.contains(".clauth-"));
            if is_temporary {
                self.disk.remove_file(&place.holders.join(name))?;
            }
        }
        // Each stays where something is left in it.
        for directory in [&place.base, &place.holders] {
            let _ = self.disk.vfs.remove_dir(directory);
        }
        Ok(())
    }

    fn tell_conflicts(&self, reconciled: &Reconciled) {
        reconciled.conflicts.iter().for_each(|path| self.tell_kept(path));
    }

    fn tell_kept(&self, path: &Path) {
        (self.say)(&format!("what lost against something newer is kept: {}", path.display()));
    }

    /// Brings home what is only in the tree's own files: the login, and what was changed in settings and state file while
    /// nobody watched (S2, S5). Answers whether the tree may go.
    fn bring_home(&self, home: &ClaudeHome, place: &Place) -> Result<bool, Error> {
        // Where each login belongs is known when the interrupted change is finished (W8).
        if self.is_interrupted()? {
            return Ok(false);
        }
        if !is_dir(&self.disk, &place.tree)? {
            return Ok(true);
        }
        let tended = self.tend_at_rest(place)?;
        self.tell(place, &tended);
        // What an item holds that cannot be understood stays in it (S8).
        let is_file = self.disk.lstat(&place.file())?.is_some_and(|stat| stat.kind == Kind::File);
        if tended == Tended::Later && is_file && !self.is_empty_login(&place.file())? {
            self.tell_kept(&keep_aside(&self.disk, place, &place.file())?);
        }
        self.keep_unknown_settings(place)?;
        if is_in_step(&self.disk, home, place, &ClaudeHome::at(&place.tree, &self.host, &self.disk))? {
            return Ok(true);
        }
        let (own, _) = self.session_settings(&place.name, home)?;
        let mut converger = self.converger(home, place, &own);
        for _ in 0..PASSES {
            let passed = converger.last_pass()?;
            for torn in passed.torn.iter().filter(|path| path.starts_with(&place.tree)) {
                self.tell_kept(&keep_aside(&self.disk, place, torn)?);
            }
            if let Some(path) = passed.torn.iter().chain(&passed.skipped).find(|path| !path.starts_with(&place.tree)) {
                (self.say)(&format!(
                    "the sessions of '{}' wait to be put away: {} cannot be merged now",
                    place.name,
                    path.display()
                ));
                return Ok(false);
            }
            if passed.elsewhere {
                (self.say)(&format!(
                    "the sessions of '{}' wait to be put away by the next command: another clauth is merging now",
                    place.name
                ));
                return Ok(false);
            }
            if passed.wrote.is_empty() {
                break;
            }
        }
        Ok(true)
    }

    /// Of the settings that sessions of a removed profile left it may not be known which were the profile's own: then none of
    /// them goes home, and all are kept (S5).
    fn keep_unknown_settings(&self, place: &Place) -> Result<(), Error> {
        let settings = place.tree.join("settings.json");
        let is_file = self.disk.lstat(&settings)?.is_some_and(|stat| stat.kind == Kind::File);
        let listed = crate::profile::Roster::read(&self.disk, &self.root)?.names.contains(&place.name);
        if is_file && !listed && !knows_own(&self.disk, place)? {
            self.tell_kept(&keep_aside(&self.disk, place, &settings)?);
        }
        Ok(())
    }

    /// Whether a credential that holds no login holds nothing that was not taken in either.
    fn is_empty_login(&self, path: &Path) -> Result<bool, Error> {
        let Some(bytes) = self.disk.read(path)? else { return Ok(true) };
        Ok(Credentials::parse(bytes).is_ok_and(|object| !matches!(object.login(), clauth_claude::Found::Malformed)))
    }

    /// The last walk of a copied tree (S6). Answers whether everything in it is in the home; lines that both sides have in
    /// another order would look like a conflict to reconciling.
    fn finish_mirror(&self, home: &ClaudeHome, place: &Place) -> bool {
        let shared = Arc::new(|name: &OsStr| is_shared(name, LinkMode::Copy));
        let report = Mirror::open(self.disk.clone(), Pair::of(place, &home.dir), shared).finish();
        report.problems.iter().for_each(|problem| (self.say)(&problem.to_string()));
        report.is_in_step()
    }

    /// Whether a session of ours lives in a tree, or may: what its lock and its record tell.
    fn is_held(&self, place: &Place) -> bool {
        !live(&self.disk, place, &[]).is_empty()
    }

    /// Whether somebody lives in a tree, or may (S1).
    pub(crate) fn is_inhabited(&self, home: &ClaudeHome, place: &Place) -> bool {
        if self.is_held(place) {
            return true;
        }
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
