//! Leaving a machine: everything outside the root is taken back, Claude Code stays signed in with plain files, and with
//! `--purge` the root goes too, once nothing depends on it any more.

use std::path::PathBuf;

use clauth_claude::Found;

use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot};
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{ProfileKind, Record, Roster, State};
use crate::session::{Place, live};
use crate::{Engine, Error, Integration, Taken};

/// What `uninstall` comes to, before anything is done.
#[derive(Debug)]
pub struct Leaving {
    /// What stands outside the root.
    pub outside: Vec<Integration>,
    /// Where Claude Code's login is.
    pub home: PathBuf,
    /// Whose login stays there, where it is a profile's.
    pub signed_in: Option<String>,
    /// Another login is there, which is no profile's.
    pub other_login: bool,
    /// The profiles whose login or token is nowhere but in the root.
    pub only_here: Vec<String>,
    /// The endpoint profiles, whose key is nowhere else either.
    pub keys: Vec<String>,
    /// The endpoint that Claude Code uses, by settings that go.
    pub endpoint: Option<String>,
    /// How many displaced logins are in the vault.
    pub kept: usize,
    /// Where files of the user's are that lost against newer ones: they stay.
    pub conflicts: Vec<PathBuf>,
    /// What lies in the root and is not ours: it stays.
    pub strange: Vec<PathBuf>,
}

/// What `uninstall` did.
#[derive(Debug)]
pub struct Left {
    /// What was taken back.
    pub taken: Vec<Taken>,
    /// What a profile had set in Claude Code's settings was put back.
    pub settings: bool,
    /// What Claude Code is signed in with, and what was lost.
    pub leaving: Leaving,
}

impl Engine {
    /// What `uninstall` would do. Writes nothing.
    ///
    /// # Errors
    /// A session of ours is running, or our own files cannot be read.
    pub fn leaving(&self) -> Result<Leaving, Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        self.refuse_sessions(&snapshot)?;
        let endpoint = self.endpoint_live(&snapshot)?;
        self.refuse_signing_out(&snapshot, &owner, endpoint.as_deref())?;
        let signed_in = match &owner {
            Owner::Own(name) | Owner::Successor(name, _) => Some(name.clone()),
            _ => None,
        };
        let parked = |record: &&Record| {
            let holds = match record.kind {
                ProfileKind::Claude => record.login().is_some() || record.broken().is_some(),
                ProfileKind::Endpoint | ProfileKind::Token => true,
            };
            holds && signed_in.as_ref() != Some(&record.name)
        };
        // A newer sign-in that waits beside a loan is nowhere else either.
        let waits = |record: &&Record| record.renewed().is_some() && signed_in.as_ref() == Some(&record.name);
        let only_here = snapshot.records.iter().filter(|record| parked(record) || waits(record));
        let keyed = |record: &&Record| record.kind == ProfileKind::Endpoint;
        let (keys, logins): (Vec<&Record>, Vec<&Record>) = only_here.partition(keyed);
        let names = |records: Vec<&Record>| records.into_iter().map(|record| record.name.clone()).collect();
        let spoils = self.spoils(&snapshot.roster)?;
        Ok(Leaving {
            outside: self.integrations()?,
            home: snapshot.home.dir.clone(),
            only_here: names(logins),
            keys: names(keys),
            endpoint,
            other_login: signed_in.is_none() && !matches!(owner, Owner::Missing | Owner::SignedOut),
            kept: self.vault()?.len(),
            conflicts: spoils.conflicts,
            strange: spoils.strange,
            signed_in,
        })
    }

    /// The refusal while an endpoint is used in the place of a login that there is: its settings go, and nobody would be
    /// signed in.
    fn refuse_signing_out(&self, snapshot: &Snapshot, owner: &Owner, endpoint: Option<&str>) -> Result<(), Error> {
        let Some(endpoint) = endpoint.filter(|_| matches!(owner, Owner::Missing | Owner::SignedOut)) else {
            return Ok(());
        };
        let now = self.host.clock.now();
        let works = |record: &&Record| {
            record.kind == ProfileKind::Claude && matches!(record.state(now).0, State::Ok | State::Expired)
        };
        let Some(record) = snapshot.records.iter().find(works) else { return Ok(()) };
        let what = format!("Claude Code uses the endpoint '{endpoint}', whose settings go: nobody would be signed in");
        let first = format!("clauth switch {}, then try again", record.name);
        Err(Error::refused(Kind::Protected, what, endpoint, &[&first]))
    }

    /// Takes back what stands outside the root; with `purge`, removes the root as well.
    ///
    /// # Errors
    /// A session of ours is running, something in Claude Code's home still leads into the root, or as the system says.
    pub fn uninstall(&self, purge: bool) -> Result<Left, Error> {
        // Finishes what was interrupted, brings home what sessions wrote, and puts a plain file in the place of a link.
        self.recover()?;
        let leaving = self.leaving()?;
        if purge {
            self.refuse_dependent()?;
        }
        let settings = self.put_settings_back()?;
        let taken = self.take_out(&|_| true)?;
        if purge {
            self.remove_all()?;
        }
        Ok(Left { taken, settings, leaving })
    }

    /// Puts back what stood in Claude Code's settings before a profile set something there: an endpoint's helper would be a
    /// program that is gone. Answers whether there was anything.
    fn put_settings_back(&self) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            self.prepare()?;
            let held = self.lock_all(&before.home, &[])?;
            let snapshot = self.snapshot()?;
            let mut desk = Desk::new(self, &snapshot)?;
            self.draft_settings(&mut desk, None)?;
            let changes = desk.finish()?.changes;
            let changed = !changes.is_empty();
            let operation = Operation { done: "uninstall", ..Operation::default() };
            if let Applied::Done = self.apply(&operation, changes, &held)? {
                return Ok(changed);
            }
        }
        Err(Error::Contended { path: self.home()?.settings() })
    }

    /// S1: nothing is taken from under a session, one of a removed profile included, nor from under a sign-in.
    pub(crate) fn refuse_sessions(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let running = clauth_claude::running(&self.host, &self.disk, &snapshot.home);
        let refusal = |what: String, place: &str, pid: Option<u32>| {
            let pid = pid.map_or_else(String::new, |pid| format!(" (process {pid})"));
            let next = ["end it first; to see them: clauth sessions"];
            Err(Error::refused(Kind::Protected, format!("{what}{pid}"), place, &next))
        };
        for place in self.places(&snapshot.roster)? {
            if self.disk.lstat(&place.holders)?.is_none() && !self.has_traces(&place) {
                continue;
            }
            if let Some(one) = live(&self.disk, &place, &running).first() {
                let what = format!("a session of '{}' is running", place.name);
                return refusal(what, &place.name, one.claude.or(one.holder));
            }
        }
        let root = clauth_claude::real_path(&self.disk, self.root.path());
        let inside = |dir: &PathBuf| clauth_claude::real_path(&self.disk, dir).starts_with(&root);
        match running.iter().find(|claude| inside(&claude.config_dir)) {
            Some(one) => {
                let place = one.config_dir.display().to_string();
                refusal("a claude works in clauth's own directory".to_owned(), &place, Some(one.pid))
            }
            None => Ok(()),
        }
    }

    /// Where sessions of a listed profile are, and of a removed one whose sessions left something.
    fn places(&self, roster: &Roster) -> Result<Vec<Place>, Error> {
        let names = roster.names.iter().cloned().chain(self.orphans(roster)?);
        Ok(names.map(|name| Place::of(&self.root, &name)).collect())
    }

    /// Refuses to remove what something still needs.
    fn refuse_dependent(&self) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        self.refuse_unsettled(&snapshot)?;
        if let Some(link) = self.links_into_root(&snapshot.home)?.first() {
            let what = format!("{} is a link into clauth's own files", link.display());
            let next = ["put what it leads to in its place, then try again"];
            return Err(Error::refused(Kind::Protected, what, link.display().to_string(), &next));
        }
        self.refuse_incomplete(&snapshot, &owner)
    }

    /// Refuses while a session's files are not in the home.
    pub(crate) fn refuse_unsettled(&self, snapshot: &Snapshot) -> Result<(), Error> {
        for place in self.places(&snapshot.roster)? {
            if self.has_traces(&place) {
                let what = format!("what a session of '{}' wrote could not be brought home yet", place.name);
                let next = ["clauth doctor --fix", "look into it, and move away what you need"];
                let path = self.root.profile(&place.name).display().to_string();
                return Err(Error::refused(Kind::Protected, what, path, &next));
            }
        }
        Ok(())
    }

    /// The lent login has to be whole where it stays: a bearer copy of it could never be renewed.
    fn refuse_incomplete(&self, snapshot: &Snapshot, owner: &Owner) -> Result<(), Error> {
        let (Owner::Own(name) | Owner::Successor(name, _)) = owner else { return Ok(()) };
        let whole = matches!(&snapshot.live.found, Found::Login(login) if login.refresh.is_some());
        let stored = snapshot.record(name).and_then(Record::login).is_some_and(|login| login.refresh.is_some());
        if whole || !stored {
            return Ok(());
        }
        let what = format!("the live login of '{name}' has no refresh token, and the one on record would be removed");
        let place = snapshot.home.credentials().display().to_string();
        Err(Error::refused(Kind::Protected, what, place, &["switch away and back again, then try again"]))
    }
}
