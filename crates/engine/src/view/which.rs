//! `which`: what a `claude` started here would use.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, CredentialStore as _, Credentials, Found};

use crate::custody::not_readable;
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{Known, ProfileKind, Record, Roster};
use crate::session::Place;
use crate::{Engine, Error};

/// Where the login comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// The live home.
    Live,
    /// A session directory of ours.
    Session,
    /// A config directory that is not clauth's.
    None,
}

impl Via {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Session => "session",
            Self::None => "none",
        }
    }
}

/// What a `claude` started here would use.
pub struct Which {
    /// The profile, if it is one's.
    pub profile: Option<String>,
    /// The account's e-mail.
    pub email: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// The rate limit tier that the login was signed in with.
    pub tier: Option<String>,
    /// There is a Claude login.
    pub oauth: bool,
    /// The profile's login is the live one.
    pub active: bool,
    /// Where the login comes from.
    pub via: Via,
    /// The config directory.
    pub config_dir: PathBuf,
    /// What outranks the login.
    pub over: Option<String>,
    /// The profile's kind.
    pub kind: ProfileKind,
    /// Where an endpoint profile's requests go.
    pub base_url: Option<String>,
    /// Why nobody can tell whose the login is.
    pub notice: Option<String>,
}

impl Engine {
    /// Tells which account a `claude` started here would use. Opens no socket and writes nothing.
    ///
    /// # Errors
    /// Our own files cannot be read.
    pub fn which(&self) -> Result<Which, Error> {
        self.looking().which_now()
    }

    fn which_now(&self) -> Result<Which, Error> {
        let home = ClaudeHome::of(&self.host, &self.disk)?;
        let roster = Roster::read(&self.disk, &self.root)?;
        let over = self.overrides(&home);
        // Something in the home's settings outranks the login: it may be an endpoint of ours.
        let over_here = self.disk.vfs.lstat(&self.root.applied()).is_ok() || !over.is_empty();
        let over = over.first().map(clauth_claude::Override::name);
        let session = session_of(&home.dir, &self.root.profiles()).filter(|name| roster.names.contains(name));
        let place = session.as_ref().map(|name| Place::of(&self.root, name));
        // What somebody signed in as inside the session is what it uses (S2).
        let other = place.map(|place| self.named_other(&place)).transpose()?.flatten();
        let (record, via) = match session {
            Some(_) if other.is_some() => (self.profile_of(&roster, other.as_ref()), Via::Session),
            Some(name) => (Some(Record::read(&self.disk, &self.root, &name)), Via::Session),
            None => self.live_record(&home, &roster, over_here)?,
        };
        let (found, notice) = self.found_to_show(&home)?;
        let login = match found {
            Some(Found::Login(login)) => Some(login),
            _ => None,
        };
        let known = record.as_ref().and_then(|record| record.identity.as_ref()).or(other.as_ref());
        let of_login = || {
            login
                .as_ref()
                .and_then(|login| clauth_anthropic::plan_of_login(login.subscription.as_deref(), login.tier.as_deref()))
        };
        Ok(Which {
            email: known.and_then(|known| known.email.clone()),
            plan: known.and_then(|known| known.plan.clone()).or_else(of_login),
            tier: login.as_ref().and_then(|login| login.tier.clone()),
            oauth: login.is_some() && record.as_ref().is_none_or(|record| record.kind != ProfileKind::Endpoint),
            active: via == Via::Live && record.is_some(),
            base_url: record.as_ref().and_then(|record| record.base_url.clone()),
            kind: record.as_ref().map_or(ProfileKind::Claude, |record| record.kind),
            profile: record.map(|record| record.name),
            config_dir: home.dir,
            via,
            over,
            notice,
        })
    }

    /// The profile of an account (O3).
    fn profile_of(&self, roster: &Roster, known: Option<&Known>) -> Option<Record> {
        let records = roster.names.iter().map(|name| Record::read(&self.disk, &self.root, name));
        let key = |known: &Known| known.key.clone();
        let is_its = |record: &Record| record.identity.as_ref().map(key) == known.map(key);
        records.into_iter().find(|record| known.is_some() && is_its(record))
    }

    /// The login in `home`; where it cannot be read at all it is nobody's, and a notice says why.
    fn found_to_show(&self, home: &ClaudeHome) -> Result<(Option<Found>, Option<String>), Error> {
        match home.store().read(&self.disk).map_err(not_readable) {
            Ok(reading) => {
                let object = reading.and_then(|reading| Credentials::parse(reading.bytes).ok());
                Ok((object.map(|object| object.login()), None))
            }
            Err(error) if error.kind() == Kind::Unreadable => Ok((None, Some(error.to_string()))),
            Err(error) => Err(error),
        }
    }

    /// The profile whose login is live in `home`. The marker's profile is looked at first: it is nearly always right, and
    /// then no other profile need be read.
    pub(crate) fn live_record(
        &self,
        home: &ClaudeHome,
        roster: &Roster,
        over_here: bool,
    ) -> Result<(Option<Record>, Via), Error> {
        if let ((Some(Found::Login(live)), _), Some(name)) = (self.found_to_show(home)?, &roster.active) {
            let record = Record::read(&self.disk, &self.root, name);
            let held = record.login();
            let same = held.is_some_and(|held| {
                held.access_print() == live.access_print() && held.refresh_print() == live.refresh_print()
            });
            if same && !over_here && record.loan.get().is_some_and(|loan| loan.names(&home.real(&self.disk))) {
                return Ok((Some(record), Via::Live));
            }
        }
        let Ok(snapshot) = self.snapshot_to_show() else { return Ok((None, Via::None)) };
        if snapshot.home.real(&self.disk) != home.real(&self.disk) {
            return Ok((None, Via::None));
        }
        let owner = self.owner(&snapshot, None)?;
        let name = match (self.endpoint_live(&snapshot)?, &owner) {
            (Some(endpoint), _) => Some(endpoint),
            (None, Owner::Own(name) | Owner::Successor(name, _)) => Some(name.clone()),
            _ => None,
        };
        Ok((name.map(|name| Record::read(&self.disk, &self.root, &name)), Via::Live))
    }
}

/// The profile in `<profiles>/<name>/runtime`, or in a directory below its `isolated`.
fn session_of(dir: &Path, profiles: &Path) -> Option<String> {
    let mut parts = dir.strip_prefix(profiles).ok()?.components();
    let name = parts.next()?.as_os_str().to_str()?.to_owned();
    let of_sessions =
        ["runtime", "isolated"].iter().any(|dir| parts.clone().next().is_some_and(|part| part.as_os_str() == *dir));
    of_sessions.then_some(name)
}
