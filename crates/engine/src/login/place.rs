//! The private directory of a sign-in: made, read, removed; and those that a killed sign-in left.

use std::path::{Path, PathBuf};

use clauth_claude::{AccountPart, ClaudeHome, CredentialStore as _, Credentials, Found, StateFile};
use clauth_durable::lock::process_is_gone;

use super::take::{LoggedIn, SignedIn};
use crate::custody::{Desk, Operation};
use crate::error::Kind;
use crate::profile::{Known, ProfileKind, Record};
use crate::session::{Process, write_quickly};
use crate::{Engine, Error};

/// In a sign-in's directory, beside what `claude` writes there: its process.
const CHILD: &str = ".clauth-sign-in.json";

impl Engine {
    /// Signs in and takes the login over into the profile `asked`, new or known. `sign_in` is given an empty directory, to
    /// be used as the config home, and returns when the sign-in has ended. The directory is removed in the end, unless
    /// what is in it could not be stored anywhere else.
    ///
    /// # Errors
    /// What `sign_in` answers, if it left no login. A name that may not be given; no login left; another account's than the
    /// profile's without `replace`, which is then in the vault; a held lock, or a disk that refuses.
    pub fn login<E: From<Error>>(
        &self,
        asked: &str,
        replace: bool,
        sign_in: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<LoggedIn, E> {
        let name = self.name_for_login(asked, ProfileKind::Claude)?;
        self.recover()?;
        self.prepare()?;
        self.keep_left()?;
        let dir = self.root.login().join(format!("{}-{}", std::process::id(), self.host.random.name()));
        self.disk.ensure_dir(&self.root.login()).map_err(Error::from)?;
        self.disk.ensure_dir(&dir).map_err(Error::from)?;
        let ended = sign_in(&dir);
        let Some(signed_in) = self.left_in(&dir)? else {
            self.clear_login(&dir);
            ended?;
            return Err(nothing_left(&name).into());
        };
        match self.take_over_login(&name, &signed_in, replace) {
            Ok(outcome) => {
                self.clear_login(&dir);
                Ok(outcome?)
            }
            Err(error) => {
                (self.say)(&format!("the new login could not be stored; it is kept in {}", dir.display()));
                Err(error.into())
            }
        }
    }

    /// Records the process that signs in, right after it was started: should this one be killed, its directory is let be for
    /// as long as that process lives. Where it cannot be recorded, the system's own list of processes has to tell.
    pub fn signs_in(&self, dir: &Path, child: u32) {
        let bytes = serde_json::to_vec(&Process::of(&self.disk, child)).unwrap_or_default();
        let _ = write_quickly(&self.disk, &dir.join(CHILD), &bytes);
    }

    /// Whether the process that signs in there lives, although the `clauth` that started it is gone.
    fn still_signs_in(&self, dir: &Path) -> bool {
        let bytes = self.disk.read(&dir.join(CHILD)).ok().flatten();
        let child = bytes.and_then(|bytes| serde_json::from_slice::<Process>(&bytes).ok());
        child.is_some_and(|child| child.lives(&self.disk))
    }

    /// The profile that a sign-in is for: a known one of that kind, or a new one.
    pub(super) fn name_for_login(&self, asked: &str, kind: ProfileKind) -> Result<String, Error> {
        let name = self.find_or_new(asked)?;
        if !self.names()?.contains(&name) {
            return self.refuse_unlisted(&name).map(|()| name);
        }
        let record = Record::read(&self.disk, &self.root, &name);
        if record.kind == kind {
            return Ok(name);
        }
        let what = match record.kind {
            ProfileKind::Claude => format!("'{name}' is a signed-in login, not a setup token"),
            ProfileKind::Endpoint => format!("'{name}' is an endpoint, which has no sign-in"),
            ProfileKind::Token => format!("'{name}' is a setup token, not a signed-in login"),
        };
        Err(Error::refused(Kind::Protected, what, name, &["clauth login ANOTHER-NAME"]))
    }

    /// The login that a sign-in left in its directory, and whose the state file beside it says that it is.
    fn left_in(&self, dir: &Path) -> Result<Option<SignedIn>, Error> {
        let home = ClaudeHome::at(dir, &self.host, &self.disk);
        let Some(reading) = home.store().read(&self.disk)? else { return Ok(None) };
        let Ok(object) = Credentials::parse(reading.bytes) else { return Ok(None) };
        let part: AccountPart = object.account();
        let Found::Login(login) = part.login() else { return Ok(None) };
        let state = self.disk.read(&home.state)?.and_then(|bytes| StateFile::parse(bytes).ok());
        Ok(Some(SignedIn { known: state.as_ref().and_then(Known::of_state), part, login }))
    }

    /// Removes a sign-in's directory, and the Keychain item that belongs to it and to nothing else: its name is of this once.
    fn clear_login(&self, dir: &Path) {
        let item = ClaudeHome::named_at(dir, &self.host, &self.disk).item;
        if let Some(Err(error)) = item.map(|item| self.disk.remove_file(&item)) {
            (self.say)(&format!("the Keychain item of the sign-in is still there: {error}"));
            return;
        }
        if let Err(error) = self.disk.remove_tree(dir) {
            (self.say)(&format!("the directory of the sign-in is still there: {error}"));
        }
    }

    /// The directories of sign-ins that were killed before their logins were taken over, and in which nobody signs in any more.
    pub(crate) fn left_sign_ins(&self) -> Result<Vec<PathBuf>, Error> {
        let mut left: Vec<PathBuf> =
            self.disk.list(&self.root.login())?.iter().map(|name| self.root.login().join(name)).collect();
        left.retain(|dir| pid_of(dir).is_none_or(|pid| pid == std::process::id() || process_is_gone(pid)));
        left.retain(|dir| !self.still_signs_in(dir));
        if !left.is_empty() {
            let home = ClaudeHome::default_of(&self.host, &self.disk);
            let running = clauth_claude::running(&self.host, &self.disk, &home);
            left.retain(|dir| running.iter().all(|claude| claude.config_dir != *dir));
        }
        Ok(left)
    }

    /// Puts the logins of sign-ins that were killed before they were taken over into the vault, and removes their
    /// directories.
    pub(crate) fn keep_left(&self) -> Result<(), Error> {
        let left = self.left_sign_ins()?;
        for dir in left {
            if let Some(signed_in) = self.left_in(&dir)? {
                let held = self.lock_prepared()?;
                let snapshot = self.snapshot()?;
                let mut desk = Desk::new(self, &snapshot)?;
                if !snapshot.holds_token(&signed_in.part) {
                    desk.put_away(
                        &signed_in.part,
                        "of a sign-in that was interrupted",
                        None,
                        signed_in.known.as_ref(),
                    )?;
                }
                let drafted = desk.finish()?;
                self.apply(&Operation { done: "login", ..Operation::default() }, drafted.changes, &held)?.once()?;
                drafted.warnings.iter().for_each(|warning| (self.say)(warning));
            }
            self.clear_login(&dir);
        }
        Ok(())
    }
}

/// The process that made a directory.
fn pid_of(dir: &Path) -> Option<u32> {
    dir.file_name()?.to_str()?.split('-').next()?.parse().ok()
}

fn nothing_left(name: &str) -> Error {
    let again = format!("clauth login {name}");
    Error::refused(Kind::Nothing, "the sign-in left no login", name, &[&again])
}
