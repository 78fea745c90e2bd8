//! A session from its beginning to its end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use clauth_claude::ClaudeHome;
use clauth_durable::{Disk, Kind as FileKind};
use clauth_host::Secret;

use super::copy::{Plan, Progress, discard, is_filled, populate};
use super::watch::Watch;
use super::{
    Converger, Holder, LinkMode, Own, Place, build, is_shared, isolated, not_as_asked, probe, prune, seed_with,
};
use crate::error::Kind;
use crate::overlay::Hidden;
use crate::profile::{ProfileKind, Record, State};
use crate::{Engine, Error};

/// A config directory that is ready for a `claude`, and watched. The session lasts until [`SessionHandle::end`].
pub struct SessionHandle {
    engine: Engine,
    place: Place,
    holder: Holder,
    watch: Watch,
    token: Option<Secret>,
    /// Its own config directory, where it is isolated.
    isolated: Option<PathBuf>,
}

impl Engine {
    /// Makes a config directory ready in which a `claude` is signed in as the profile `asked`, and watches it.
    ///
    /// # Errors
    /// No such profile, one without a usable login, no Claude Code home, or a disk that refuses.
    pub fn begin(&self, asked: &str) -> Result<SessionHandle, Error> {
        self.begin_in(asked, false)
    }

    /// The same with a config directory that has none of the user's memory, plugins, hooks, skills or MCP servers. Its
    /// transcripts come home when it ends.
    ///
    /// # Errors
    /// As [`Engine::begin`], and in a directory whose own settings are the user's.
    pub fn begin_isolated(&self, asked: &str) -> Result<SessionHandle, Error> {
        self.begin_in(asked, true)
    }

    fn begin_in(&self, asked: &str, isolated: bool) -> Result<SessionHandle, Error> {
        self.recover()?;
        let name = self.find(asked)?;
        self.prepare()?;
        let kind = self.usable(&name)?;
        self.refuse_project(&name)?;
        let token = (kind == ProfileKind::Token).then(|| self.setup_token(&name)).transpose()?;
        let home = self.home()?;
        let place = Place::of(&self.root, &name);
        own_directory(&self.disk, &place.tree)?;
        let isolated = isolated.then(|| isolated::path(self, &place));
        if isolated.is_some() {
            isolated::refuse_home_itself(self, &home)?;
        }
        // Whose a login is that was made there a moment ago is known when it is whole (O1); what is in the way was told already.
        let _ = self.tend_all(std::slice::from_ref(&name));
        let making = self.lock_making(&name)?;
        let (holder, fresh) = self.move_in(&home, &place, isolated.as_deref())?;
        let made = self.refuse_copy(&home, &name).and_then(|()| self.refuse_another(&home, &place, fresh));
        let made = made.and_then(|()| self.make(&home, &place, isolated.as_deref(), fresh));
        let furnished = made.and_then(|mode| self.furnish(&home, &place, kind, (mode, fresh, isolated.is_some())));
        drop(making);
        if furnished.is_ok() {
            self.begin_renewed(&place);
        }
        let watch =
            furnished.and_then(|converger| Watch::begin(self, place.clone(), &home, (converger, isolated.is_none())));
        match watch {
            Ok(watch) => Ok(SessionHandle { engine: self.clone(), place, holder, watch, token, isolated }),
            Err(error) => {
                let _ = self.lock_state().and_then(|_held| holder.release(&self.disk));
                let _ = self.visit(&place);
                Err(error)
            }
        }
    }

    /// The refusal of a profile that a session could do nothing with.
    fn usable(&self, name: &str) -> Result<ProfileKind, Error> {
        let record = Record::read(&self.disk, &self.root, name);
        record.refuse_url()?;
        if record.kind == ProfileKind::Endpoint {
            return if record.key.is_some() { Ok(record.kind) } else { Err(crate::endpoint::no_key(name)) };
        }
        if let Some(path) = record.broken() {
            return Err(Error::broken_profile(&record, path));
        }
        let (state, reason) = record.state(self.host.clock.now());
        if matches!(state, State::Ok | State::Expired) {
            return Ok(record.kind);
        }
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let what = format!("the login of '{name}' is {}{why}", state.word());
        let again = format!("clauth login {name}");
        Err(Error::refused(Kind::DeadLogin, what, name, &[&again]))
    }

    /// Takes a place in the tree, and answers whether nobody else has one. Only the holder needs the state lock: processes are
    /// looked at before it, and the tree is made after it, under the lock of its making alone (S6, K3).
    fn move_in(&self, home: &ClaudeHome, place: &Place, isolated: Option<&Path>) -> Result<(Holder, bool), Error> {
        // Nobody lives in a tree that is not there.
        let alone = self.disk.lstat(&place.tree)?.is_none() || !self.is_inhabited(home, place);
        let held = self.lock_state()?;
        let fresh = prune(&self.disk, place, &[])?.is_empty() && alone;
        held.check()?;
        Ok((Holder::take_in(&self.disk, place, isolated.unwrap_or(&place.tree))?, fresh))
    }

    /// Makes the tree, or what is new in it, and the directory of an isolated session. The caller holds the lock under which
    /// trees are made, and a holder.
    fn make(&self, home: &ClaudeHome, place: &Place, isolated: Option<&Path>, fresh: bool) -> Result<LinkMode, Error> {
        self.disk.ensure_dir(&place.tree)?;
        let mode = if fresh { probe(&self.disk, &self.host.env, &place.tree)? } else { place.mode(&self.disk) };
        if let Some(line) = not_as_asked(&self.host.env, &place.name, mode)? {
            (self.say)(&line);
        }
        place.record_mode(&self.disk, mode)?;
        build(&self.disk, home, place, mode, fresh)?;
        if let Some(dir) = isolated {
            isolated::make(self, home, place, dir).inspect_err(|_| drop(self.disk.remove_tree(dir)))?;
        }
        Ok(mode)
    }

    /// What a tree needs beside its links: settings, state file, credential.
    fn furnish(
        &self,
        home: &ClaudeHome,
        place: &Place,
        kind: ProfileKind,
        (mode, fresh, isolated): (LinkMode, bool, bool),
    ) -> Result<Converger, Error> {
        if mode == LinkMode::Copy {
            self.fill(home, place, (fresh, isolated))?;
        }
        let (own, warnings) = self.session_settings(&place.name, home)?;
        warnings.iter().for_each(|warning| (self.say)(warning));
        let (_, converger) = seed_with(self, home, place, &own)?;
        // A setup token comes by its variable, and an endpoint's key by its helper; a file beside it would only be a
        // second login.
        if kind == ProfileKind::Claude {
            match place.item {
                Some(_) => self.give_item(home, place, fresh)?,
                None => self.give_credential(place, mode)?,
            }
        }
        Ok(converger)
    }

    /// What keeps the settings and the state file of one tree like the home's.
    pub(super) fn converger(&self, home: &ClaudeHome, place: &Place, own: &Hidden) -> Converger {
        let mut converger = Converger::new(self, home.clone());
        converger.set_members(vec![(place.clone(), Own::of(own))]);
        converger
    }

    /// A session can begin on what is left of a bearer copy; the watchdog tries again. It asks the server, so no lock is held
    /// (K3).
    fn begin_renewed(&self, place: &Place) {
        if let Err(error) = self.keep_bearer(place, true) {
            (self.say)(&format!("the login of '{}' could not be renewed now: {error}", place.name));
        }
    }

    /// Fills a copied tree, for the first session that uses more of it than its login: an isolated one does not, and what is
    /// not filled is not mirrored either.
    fn fill(&self, home: &ClaudeHome, place: &Place, (fresh, isolated): (bool, bool)) -> Result<(), Error> {
        match isolated {
            // What is left of an index speaks of a former tree.
            true if fresh => discard(&self.disk, &place.base),
            false if fresh || !is_filled(&self.disk, &place.base) => self.populate(home, place),
            _ => Ok(()),
        }
    }

    /// Copies what the home shares.
    fn populate(&self, home: &ClaudeHome, place: &Place) -> Result<(), Error> {
        let progress = |copied: Progress| {
            (self.progress)("copying Claude Code's home", copied.bytes, copied.of_bytes);
        };
        let filled = populate(&Plan {
            disk: &self.disk,
            home: &home.dir,
            tree: &place.tree,
            base: &place.base,
            shared: &|name| is_shared(name, LinkMode::Copy),
            progress: &progress,
            cancel: &AtomicBool::new(false),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
        })?;
        for problem in filled.into_iter().flat_map(|filled| filled.problems) {
            (self.say)(&problem.to_string());
        }
        Ok(())
    }

    /// Puts the link to the slot, or a copy of it, where the session reads its login, unless one is there. A copy is made
    /// under the locks of the tree's credential: a switch between the reading of the slot and the writing of the copy would
    /// leave one refresh token in two places (L5).
    pub(super) fn give_credential(&self, place: &Place, mode: LinkMode) -> Result<(), Error> {
        let path = place.credential();
        if self.has_credential(place, mode)? {
            if mode == LinkMode::Real && place.own_copies(&self.disk).is_empty() {
                place.note_given(&self.disk);
            }
            return Ok(());
        }
        if mode == LinkMode::Real {
            self.disk.remove_file(&path)?;
            self.disk.vfs.symlink(&place.slot, &path).map_err(Error::io("link", &path))?;
            place.note_given(&self.disk);
            return Ok(());
        }
        let held = self.lock_tree(&ClaudeHome::at(&place.tree, &self.host, &self.disk), &place.name)?;
        if self.has_credential(place, mode)? {
            return Ok(());
        }
        let slot = self.disk.read(&place.slot)?.unwrap_or_else(|| b"{}".to_vec());
        held.check()?;
        self.disk.remove_file(&path)?;
        self.disk.replace(&path, &slot, clauth_durable::Mode::Private)?;
        place.note_given(&self.disk);
        Ok(())
    }

    /// Whether the session reads its login already: from the right link, or from a file, which is looked after elsewhere.
    fn has_credential(&self, place: &Place, mode: LinkMode) -> Result<bool, Error> {
        let path = place.credential();
        Ok(match self.disk.lstat(&path)?.map(|stat| stat.kind) {
            Some(FileKind::File) => true,
            Some(FileKind::Link) => {
                mode == LinkMode::Real && self.disk.vfs.read_link(&path).is_ok_and(|target| target == place.slot)
            }
            _ => false,
        })
    }

    /// The home that this root's commands act on.
    pub(crate) fn home(&self) -> Result<ClaudeHome, Error> {
        let settings = crate::root::Settings::read(&self.disk, &self.root)?;
        Ok(crate::custody::live_home(self, &settings)?.home)
    }
}

/// The refusal of a tree that is no directory of our own. Behind a link it would be made, and never looked after or put away:
/// no link is followed there (L8).
fn own_directory(disk: &Disk, tree: &Path) -> Result<(), Error> {
    if disk.lstat(tree)?.is_none_or(|stat| stat.kind == FileKind::Dir) {
        return Ok(());
    }
    let what = "the directory of this profile's sessions has to be clauth's own, and a link or a file stands there";
    let place = tree.display().to_string();
    Err(Error::refused(Kind::Protected, what, place, &["move that away; clauth makes the directory itself"]))
}

impl SessionHandle {
    /// What the session's `claude` is given as `CLAUDE_CONFIG_DIR`.
    #[must_use]
    pub fn config_dir(&self) -> &Path {
        self.isolated.as_deref().unwrap_or(&self.place.tree)
    }

    /// Where the session's login is, if that is not its config directory: what it is given as
    /// `CLAUDE_SECURESTORAGE_CONFIG_DIR`. Claude Code's locks for the login are there too, so that all sessions of a profile
    /// share them (facts §2.3).
    #[must_use]
    pub fn store_dir(&self) -> Option<&Path> {
        self.isolated.as_ref().map(|_| self.place.tree.as_path())
    }

    /// The profile.
    #[must_use]
    pub fn profile(&self) -> &str {
        &self.place.name
    }

    /// What in its settings outranks its login, by name and never by value.
    #[must_use]
    pub fn overrides(&self) -> Vec<String> {
        self.engine.session_overrides(&self.place.name, self.config_dir())
    }

    /// The setup token that is the login of a `token` profile: for the child's environment and nothing else.
    #[must_use]
    pub fn setup_token(&self) -> Option<&Secret> {
        self.token.as_ref()
    }

    /// A descriptor of the session's lock that a child gets which is started while it lives: the child then keeps the
    /// session alive, even when this process is killed (S1).
    ///
    /// # Errors
    /// As the system says.
    pub fn inherit(&self) -> Result<File, Error> {
        self.holder.inherit()
    }

    /// One look at what the session wrote, of an engine whose sessions are looked after by hand.
    pub fn look(&mut self) {
        self.watch.look();
    }

    /// Records the child.
    ///
    /// # Errors
    /// As the system says.
    pub fn started(&mut self, child: u32) -> Result<(), Error> {
        self.holder.started(&self.engine.disk, child)
    }

    /// This process is about to be stopped together with the child, for nobody knows how long: what other sessions of the
    /// profile wait for is let go of.
    pub fn pause(&self) {
        self.watch.pause();
    }

    /// This process goes on.
    pub fn resume(&self) {
        self.watch.resume();
    }

    /// Ends the session, whose child was waited for: what it wrote comes home, and the last session of its profile takes the
    /// tree down. Answers what the user should know; what could not be done now is done by the next acting command.
    #[must_use]
    pub fn end(mut self) -> Vec<String> {
        let mut notices = self.watch.end();
        self.holder.ended();
        let (engine, place) = (&self.engine, &self.place);
        // A change that was interrupted meanwhile may be about this very tree (W8).
        let recovered = engine.recover_logins();
        let over = engine.lock_state().and_then(|_held| self.holder.release(&engine.disk));
        let over = over.and_then(|over| recovered.map(|()| over));
        if let Err(error) = over.and_then(|over| if over { engine.visit(place) } else { Ok(()) }) {
            let error = error.to_string();
            let told = notices.iter().any(|notice| notice.contains(&error));
            let why = if told { String::new() } else { format!(": {error}") };
            notices.push(format!("what the session left is looked after by the next command{why}"));
        }
        notices
    }
}
