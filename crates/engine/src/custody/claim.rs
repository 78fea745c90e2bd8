//! What keeps a login from becoming a profile's: one policy for `capture`, `login` and `vault restore`, and what they share
//! with a switch.

use clauth_claude::{AccountPart, Found};
use jiff::SignedDuration;

use super::{Snapshot, below, is_dir};
use crate::error::Kind;
use crate::profile::{Known, ProfileKind, Record};
use crate::root::TREES;
use crate::session::Place;
use crate::{Engine, Error};

/// Two ends this far apart are not one login's: a refresh does not extend it (O1).
const APART: SignedDuration = SignedDuration::from_mins(2);

/// A login that is to become a profile's.
pub(crate) struct Claim<'a> {
    /// Whose it is, where that is known.
    pub(crate) known: Option<&'a Known>,
    /// The profile whose login it is by other proof than the account's key.
    pub(crate) of: Option<&'a str>,
}

/// How a login and the profile that it is to become the login of go together.
pub(crate) enum Fit<'s> {
    /// There is no such profile yet.
    New,
    /// They are one account, or the profile has no login.
    Same,
    /// Another account's, or nobody can tell.
    Other(&'s Record),
}

impl Claim<'_> {
    /// The profile that holds this login or its account (O3).
    pub(crate) fn holder<'s>(&'s self, snapshot: &'s Snapshot) -> Option<&'s str> {
        let key = self.known.map(|known| &known.key);
        let holds = |record: &&Record| key.is_some() && record.identity.as_ref().map(|known| &known.key) == key;
        self.of.or_else(|| snapshot.records.iter().find(holds).map(|record| record.name.as_str()))
    }

    /// How the login goes with the profile `name`.
    ///
    /// # Errors
    /// The profile's files cannot be understood, it is no signed-in login, or there is a directory of that name which is not
    /// listed: what is in it is overwritten by nobody.
    pub(crate) fn fit<'s>(&self, engine: &Engine, snapshot: &'s Snapshot, name: &str) -> Result<Fit<'s>, Error> {
        let Some(record) = snapshot.record(name) else {
            return engine.refuse_unlisted(name).map(|()| Fit::New);
        };
        if let Some(path) = record.broken().filter(|_| record.torn_loan().is_none()) {
            return Err(Error::broken_profile(record, path));
        }
        let other = match record.kind {
            ProfileKind::Claude => None,
            ProfileKind::Token => Some("a setup token"),
            ProfileKind::Endpoint => Some("an endpoint"),
        };
        if let Some(other) = other {
            let what = format!("'{name}' is {other}, not a signed-in login");
            return Err(Error::refused(Kind::Protected, what, name, &["choose another name"]));
        }
        let proven = self.of == Some(name);
        let same = match (&record.identity, self.known) {
            (Some(stored), Some(known)) => stored.key == known.key || proven,
            (Some(_), None) => proven,
            (None, _) => proven || record.part().is_none(),
        };
        Ok(if same { Fit::Same } else { Fit::Other(record) })
    }

    /// Says that a profile is one account and `login` another.
    pub(crate) fn mixed(&self, record: &Record, login: &str) -> String {
        let stored = record.identity.as_ref();
        format!("'{}' is {}, but {login} is {}", record.name, account(stored, self.known), account(self.known, stored))
    }
}

/// An account's e-mail, with its organization where `other` has the same e-mail.
pub(crate) fn account(known: Option<&Known>, other: Option<&Known>) -> String {
    let email = |known: Option<&Known>| known.and_then(|known| known.email.clone());
    let Some(shown) = email(known) else { return "an account of unknown name".into() };
    let organization = known.and_then(|known| {
        known.organization_name.as_deref().or(known.key.organization.as_deref()).filter(|name| !name.is_empty())
    });
    let text = match organization.filter(|_| email(other).as_ref() == Some(&shown)) {
        Some(organization) => format!("{shown} in {organization}"),
        None => shown,
    };
    crate::text::shown(&text)
}

/// Whether a login's refresh token is on the spent list (L6).
pub(crate) fn used_up(snapshot: &Snapshot, part: &AccountPart) -> bool {
    match part.login() {
        Found::Login(login) => login.refresh_print().is_some_and(|token| snapshot.spent.has(&token)),
        Found::Blank | Found::Absent | Found::Malformed => false,
    }
}

/// Whether two logins may be generations of one: `None` when an end is unknown, so that nothing speaks (O1).
pub(crate) fn same_end(one: &AccountPart, other: &AccountPart) -> Option<bool> {
    let end = |part: &AccountPart| match part.login() {
        Found::Login(login) => login.refresh_expires_at,
        Found::Blank | Found::Absent | Found::Malformed => None,
    };
    Some(end(one)?.duration_since(end(other)?).abs() <= APART)
}

impl Engine {
    /// The refusal to make a profile another account's while its sessions are signed in as the one that it is.
    pub(crate) fn refuse_in_use(&self, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
        if !self.is_inhabited(&snapshot.home, &Place::of(&self.root, name)) {
            return Ok(());
        }
        let what = format!("sessions of '{name}' are running, so it cannot become another account now");
        Err(Error::refused(Kind::Protected, what, name, &["clauth sessions", "end them, then try again"]))
    }

    /// The refusal to make a profile of a name whose directory stands already and is in no list, as when `profiles.toml`
    /// was lost: a login may be in it.
    pub(crate) fn refuse_unlisted(&self, name: &str) -> Result<(), Error> {
        let path = self.root.profile(name);
        if self.disk.lstat(&path)?.is_none() {
            return Ok(());
        }
        if is_dir(&self.disk, &path)? && below(&self.disk, &path, &TREES)?.is_empty() {
            return self.refuse_inhabited(name);
        }
        let what = format!("there is a directory of '{name}' already, which profiles.toml does not list");
        let list =
            format!("if it is a profile of yours, add \"{name}\" to `profiles` in {}", self.root.roster().display());
        let next = [list.as_str(), "else move that directory away, or choose another name"];
        Err(Error::refused(Kind::Protected, what, path.display().to_string(), &next))
    }

    /// The refusal of a name under which the session of a removed profile still lives: it would be signed in as whoever
    /// gets the name.
    fn refuse_inhabited(&self, name: &str) -> Result<(), Error> {
        let place = Place::of(&self.root, name);
        if !self.has_traces(&place) {
            return Ok(());
        }
        let what = format!("a session of the removed profile '{name}' has not been put away yet");
        let next = ["end it, then try again", "or choose another name"];
        Err(Error::refused(Kind::Protected, what, place.tree.display().to_string(), &next))
    }
}
