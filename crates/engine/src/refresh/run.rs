//! `refresh`: finding out whether a login is ours to renew, and renewing it (R1, R2).

use std::path::Path;

use clauth_claude::{AccountPart, ClaudeHome, Login};
use clauth_durable::Held;
use jiff::{SignedDuration, Timestamp};

use super::Mark;
use super::policy::{self, Hold, Need};
use super::send::{Ended, Sending};
use super::staged::tokens;
use crate::custody::{ATTEMPTS, Snapshot, elsewhere, print};
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{ProfileKind, Record, State, end};
use crate::{Custodian, Engine, Error, history};

/// What somebody renewed so short a time ago need not be renewed again: several asked at once.
const MOMENT: SignedDuration = SignedDuration::from_mins(1);

/// What was renewed so short a time ago and is refused all the same is not helped by another renewal.
const LASTING: SignedDuration = SignedDuration::from_mins(10);

/// What a renewal came to.
#[derive(Clone, Debug)]
pub struct Refreshed {
    /// The profile.
    pub name: String,
    /// Whether this call renewed it; otherwise there was no need.
    pub renewed: bool,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What became of one profile among several.
pub struct Tried {
    /// The profile.
    pub name: String,
    /// What its renewal came to.
    pub result: Result<Refreshed, Error>,
}

/// Where a login sits, and who may use its refresh token there (L1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    pub(super) name: String,
    pub(super) custodian: Custodian,
    /// The home whose refresh locks are held meanwhile (R3).
    pub(super) home: Option<ClaudeHome>,
}

impl Engine {
    /// Renews a profile's login, if it is ours to renew.
    ///
    /// # Errors
    /// No such profile, a login that cannot be renewed or is Claude Code's to renew, a held lock, no network, or a server
    /// that does not answer with a pair. A pair that came back is never lost.
    pub fn refresh(&self, asked: &str, need: &Need) -> Result<Refreshed, Error> {
        self.recover()?;
        let name = self.find(asked)?;
        self.prepare()?;
        allowed(&self.snapshot()?, &name)?;
        // Whoever looks after a copy has seen to that before. What such a copy lived on is renewed for it once more (R2).
        let came_back = !need.bearer_dependents && self.bring_back(&name, true)?;
        let began = self.snapshot()?;
        let access = |snapshot: &Snapshot| snapshot.record(&name)?.login().map(|login| login.access_print());
        let need = &Need {
            sessions_running: need.sessions_running || self.has_sessions(&began, &name),
            bearer_dependents: need.bearer_dependents || came_back,
            ..need.clone()
        };
        for _ in 0..ATTEMPTS {
            let seat = self.seat(&self.snapshot()?, &name, need)?;
            let held = self.lock_refresh(&name, seat.home.as_ref())?;
            if self.has_left(&name)? {
                // Whoever held the lock before was killed: R1 lands what is there before anything is read.
                drop(held);
                self.recover()?;
                continue;
            }
            let snapshot = self.snapshot()?;
            if self.seat(&snapshot, &name, need)? != seat {
                continue;
            }
            let (part, login) = self.renewable(&snapshot, &name)?;
            let spared = |login: &Login, name| {
                let warnings = self.ends_soon(name, login);
                Ok(Refreshed { name: name.to_owned(), renewed: false, expires_at: login.expires_at, warnings })
            };
            let is_other = access(&snapshot) != access(&began);
            if need.refused.is_none() && (is_other || self.is_good(&name, need, (part, &login))?) {
                return spared(&login, &name);
            }
            if self.is_renewed_there(&snapshot, &seat)? {
                // Claude Code was first: what it renewed is taken home.
                drop(held);
                self.take_renewed(&name)?;
                continue;
            }
            if need.refused.as_ref().is_some_and(|refused| login.access_print() != *refused) {
                return spared(&login, &name);
            }
            if let Ended::Renewed(mut warnings) = self.renew((&snapshot, &seat), need, (part, &login), held)? {
                let renewed = Record::read(&self.disk, &self.root, &name).login();
                warnings.extend(self.ends_soon(&name, renewed.as_ref().unwrap_or(&login)));
                let expires_at = renewed.and_then(|login| login.expires_at);
                return Ok(Refreshed { name, renewed: true, expires_at, warnings });
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// Sends the refresh token, if that is ours to do and may be done now (R2, R6).
    fn renew(
        &self,
        (snapshot, seat): (&Snapshot, &Seat),
        need: &Need,
        (part, login): (&AccountPart, &Login),
        held: Held,
    ) -> Result<Ended, Error> {
        let (name, left) = (&seat.name, self.left(login, need));
        if !policy::is_ours(seat.custodian, self.is_running(snapshot, seat, need), need.bearer_dependents, left) {
            return Err(claudes_own(name));
        }
        let Some(refresh) = &login.refresh else { return Err(no_refresh_token(name)) };
        if need.refused.is_some() && self.renewed_ago(name, part)?.is_some_and(|ago| ago < LASTING) {
            let what = format!("the server refuses the access token of '{name}', which was renewed a moment ago");
            return Err(Error::refused(Kind::Protected, what, name, &[&format!("later: clauth refresh {name}")]));
        }
        let mark = Mark::read(&self.disk, &self.root, name, &refresh.fingerprint())?;
        let end = login.expires_at.filter(|_| left > SignedDuration::ZERO);
        if let (Some(mark), Err(hold)) = (&mark, policy::may_send(mark.as_ref(), end, self.host.clock.now())) {
            return Err(held_back(name, mark, hold));
        }
        // What putting the pair into its place has to read must be readable before anything is sent.
        self.state(snapshot)?;
        self.send(&Sending { seat, part, login, refresh, network: snapshot.settings.network }, mark, held)
    }

    /// Renews the login of every profile that has one.
    ///
    /// # Errors
    /// The list of profiles cannot be read; what else goes wrong concerns one profile and is told beside its name.
    pub fn refresh_all(&self, need: &Need) -> Result<Vec<Tried>, Error> {
        self.recover()?;
        let mut names = self.names()?;
        names.retain(|name| Record::read(&self.disk, &self.root, name).kind == ProfileKind::Claude);
        Ok(names.into_iter().map(|name| Tried { result: self.refresh(&name, need), name }).collect())
    }

    /// Where the login of a profile sits.
    fn seat(&self, snapshot: &Snapshot, name: &str, need: &Need) -> Result<Seat, Error> {
        let record = snapshot.record(name).ok_or_else(|| snapshot.roster.missing(name))?;
        let seat = |custodian, home| Ok(Seat { name: name.to_owned(), custodian, home });
        if let Some(loan) = record.loan.get() {
            if loan.names(&snapshot.home_id) {
                return seat(Custodian::Live, Some(snapshot.home.clone()));
            }
            let what = format!("the login of '{name}' is lent to {}", loan.home.display());
            return Err(Error::refused(Kind::Protected, what, name, &["switch there first, so that it comes back"]));
        }
        if need.sessions_running {
            let tree = self.root.profile(name).join("runtime");
            self.refuse_stray(snapshot, record)?;
            return seat(Custodian::Session, Some(ClaudeHome::at(&tree, &self.host, &self.disk)));
        }
        self.refuse_stray(snapshot, record)?;
        if holds_refresh(record.part(), snapshot.live.object.as_ref().map(clauth_claude::Credentials::account).as_ref())
        {
            let what =
                format!("the login of '{name}' is live in {} without a record of it", snapshot.home.dir.display());
            let capture = format!("clauth capture {name}");
            return Err(Error::refused(Kind::Protected, what, name, &[&capture]));
        }
        seat(Custodian::Store, None)
    }

    /// A session may have renewed in its tree and not come home: then the slot's token is used up, known or not. An older
    /// generation there, or another organization's login, says nothing.
    fn refuse_stray(&self, snapshot: &Snapshot, record: &Record) -> Result<(), Error> {
        for path in crate::session::Place::of(&self.root, &record.name).own_copies(&self.disk) {
            let theirs = self.disk.read(&path)?.and_then(|bytes| AccountPart::parse(bytes).ok());
            if let Some((part, login)) = theirs.and_then(|part| tokens(&part).map(|login| (part, login))) {
                refuse_other(snapshot, record, &path, (&part, &login))?;
            }
        }
        Ok(())
    }

    /// The login of a profile, unless it cannot be renewed whatever one does.
    fn renewable<'s>(&self, snapshot: &'s Snapshot, name: &str) -> Result<(&'s AccountPart, Login), Error> {
        let record = snapshot.record(name).ok_or_else(|| snapshot.roster.missing(name))?;
        if record.kind == ProfileKind::Endpoint {
            return Err(Error::refused(Kind::Usage, format!("'{name}' has a key and no login to renew"), name, &[]));
        }
        if let Some(path) = record.broken() {
            return Err(Error::broken_profile(record, path));
        }
        let (state, reason) = record.state(self.host.clock.now());
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let dead = |what: String| Err(Error::refused(Kind::DeadLogin, what, name, &[&sign_in(name)]));
        if matches!(state, State::Dead | State::Lapsed | State::SignedOut) || record.is_doubted() {
            return dead(format!("the login of '{name}' is {}{why}", state.word()));
        }
        let (Some(part), Some(login)) = (record.part(), record.login()) else {
            return dead(format!("'{name}' has no login{why}"));
        };
        match login.refresh_print() {
            None => return Err(no_refresh_token(name)),
            Some(token) if snapshot.spent.has(&token) => {
                return dead(format!("the login of '{name}' is used up: a newer one replaced it"));
            }
            Some(_) => {}
        }
        if elsewhere(snapshot, record, self.host.machine.as_ref()) {
            let what = "this root was copied from another machine, which may still use its logins";
            return Err(Error::refused(Kind::Protected, what, name, &[&sign_in(name)]));
        }
        Ok((part, login))
    }

    /// Whether the access token is as good as was asked for, or was renewed a moment ago.
    fn is_good(&self, name: &str, need: &Need, (part, login): (&AccountPart, &Login)) -> Result<bool, Error> {
        if let Some(enough) = need.unless_left {
            return Ok(SignedDuration::try_from(enough).is_ok_and(|enough| self.left(login, need) > enough));
        }
        Ok(self.renewed_ago(name, part)?.is_some_and(|ago| ago < MOMENT))
    }

    /// How long ago we renewed this login; `None` where that was not us.
    fn renewed_ago(&self, name: &str, part: &AccountPart) -> Result<Option<SignedDuration>, Error> {
        let events = history::renamed(history::read(&self.disk, &self.root)?);
        let ours = |event: &&history::Event| event.event == "refresh" && event.profile.as_deref() == Some(name);
        let last = events.iter().rev().find(ours).filter(|event| event.tokens.to == print(part));
        Ok(last.map(|event| self.host.clock.now().duration_since(event.at).abs()))
    }

    /// The warning about a login that ends soon, for which a renewal does nothing.
    fn ends_soon(&self, name: &str, login: &Login) -> Vec<String> {
        end::warning(name, login.refresh_expires_at, self.host.clock.now()).into_iter().collect()
    }

    /// How long the access token still works.
    fn left(&self, login: &Login, need: &Need) -> SignedDuration {
        let end = login.expires_at.filter(|_| need.refused.is_none());
        end.map_or(SignedDuration::ZERO, |end| end.duration_since(self.host.clock.now()))
    }

    /// Whether the home holds a later generation than we know of; refused when it holds somebody else's login.
    fn is_renewed_there(&self, snapshot: &Snapshot, seat: &Seat) -> Result<bool, Error> {
        if seat.custodian != Custodian::Live {
            return Ok(false);
        }
        match self.owner(snapshot, None)? {
            Owner::Own(name) if name == seat.name => {
                let full = snapshot.live.object.as_ref().is_some_and(|object| !object.account().is_bearer());
                if full { Ok(false) } else { Err(no_refresh_token(&name)) }
            }
            Owner::Successor(name, _) if name == seat.name => Ok(true),
            owner => {
                let name = &seat.name;
                let there = match owner {
                    Owner::Missing => "there is none there",
                    Owner::SignedOut => "that is signed out",
                    Owner::Unreadable => "what is there cannot be read",
                    _ => "another one is live there",
                };
                let what = format!("the login of '{name}' is lent to Claude Code, but {there}");
                Err(Error::refused(Kind::Protected, what, name.as_str(), &["clauth list", "clauth switch NAME"]))
            }
        }
    }

    /// Whether somebody lives in the profile's own tree: a holder, 0.4.0's included, or a `claude` (S1).
    pub(crate) fn has_sessions(&self, snapshot: &Snapshot, name: &str) -> bool {
        let place = crate::session::Place::of(&self.root, name);
        let running = clauth_claude::running(&self.host, &self.disk, &snapshot.home);
        !crate::session::live(&self.disk, &place, &running).is_empty()
    }

    /// Whether a `claude` runs that could renew this login itself.
    fn is_running(&self, snapshot: &Snapshot, seat: &Seat, need: &Need) -> bool {
        match (seat.custodian, &seat.home) {
            (Custodian::Session, _) => need.sessions_running,
            (Custodian::Live, Some(home)) => self.runs_in(snapshot, home),
            _ => false,
        }
    }

    /// Whether a `claude` runs whose login is in this home.
    pub(crate) fn runs_in(&self, snapshot: &Snapshot, home: &ClaudeHome) -> bool {
        let id = |path: &Path| self.disk.vfs.stat(path).map(|stat| (stat.dev, stat.ino)).ok();
        let here = id(&home.secure).filter(|id| *id != (0, 0));
        let running = clauth_claude::running(&self.host, &self.disk, &snapshot.home);
        running
            .iter()
            .any(|claude| claude.config_dir == home.secure || (here.is_some() && id(&claude.config_dir) == here))
    }
}

/// The refusal of a login that a session has of its own.
fn refuse_other(
    snapshot: &Snapshot,
    record: &Record,
    path: &Path,
    (part, login): (&AccountPart, &Login),
) -> Result<(), Error> {
    let other = |ours: Option<String>, theirs: Option<String>| ours.is_some() && theirs.is_some() && ours != theirs;
    let elsewhere = other(record.part().and_then(AccountPart::organization_uuid), part.organization_uuid());
    let ours = record.login().and_then(|login| login.refresh_print());
    match login.refresh_print() {
        Some(token) if Some(&token) != ours.as_ref() && !snapshot.spent.has(&token) && !elsewhere => {}
        _ => return Ok(()),
    }
    let what = format!("a session of '{}' has another login in its own directory", record.name);
    let next = ["end its sessions, so that it comes home"];
    Err(Error::refused(Kind::Protected, what, path.display().to_string(), &next))
}

/// How a login that cannot be renewed comes back.
pub(super) fn sign_in(name: &str) -> String {
    format!("sign in as it with `claude auth login`, then: clauth capture {name}")
}

/// The settings, as they concern renewals.
fn allowed(snapshot: &Snapshot, name: &str) -> Result<(), Error> {
    if !snapshot.settings.refresh {
        let what = "refresh = \"off\" in settings.toml leaves all renewal to Claude Code";
        return Err(Error::refused(Kind::Protected, what, name, &["clauth switch NAME, and let claude renew it"]));
    }
    if !snapshot.settings.network {
        let what = "network = \"off\" in settings.toml: nobody is asked";
        return Err(Error::refused(Kind::Offline, what, name, &["take that line out of settings.toml"]));
    }
    Ok(())
}

fn holds_refresh(a: Option<&AccountPart>, b: Option<&AccountPart>) -> bool {
    let token = |part: Option<&AccountPart>| tokens(part?)?.refresh_print();
    token(a).is_some() && token(a) == token(b)
}

fn claudes_own(name: &str) -> Error {
    let what = format!("Claude Code is running with the login of '{name}' and renews it by itself");
    Error::refused(Kind::Protected, what, name, &["nothing needs to be done; or end those sessions first"])
}

fn no_refresh_token(name: &str) -> Error {
    let what = format!("the login of '{name}' has no refresh token");
    Error::refused(Kind::DeadLogin, what, name, &[&sign_in(name)])
}

fn held_back(name: &str, mark: &Mark, hold: Hold) -> Error {
    let again = format!("clauth refresh {name}");
    let of = |doubt: String| doubt.replacen("a renewal", &format!("a renewal of '{name}'"), 1);
    match hold {
        Hold::Until(at) => {
            let why = match mark.sends {
                0 => format!("the server refused to renew '{name}'"),
                _ => of(mark.doubt()),
            };
            let kind = if mark.sends > 0 && mark.came.is_none() { Kind::Offline } else { Kind::Server };
            Error::refused(kind, format!("{why}; it is not asked again before {}", seconds(at)), name, &[&again])
        }
        Hold::UntilEnd(at) => {
            let what = format!("{}; its access token still works", of(mark.doubt()));
            let when = at.map_or_else(|| again.clone(), |at| format!("once more after {}: {again}", seconds(at)));
            Error::refused(Kind::Protected, what, name, &[&when])
        }
        Hold::ForGood => {
            let what =
                format!("two renewals of '{name}' were sent and no answer came; whether it still works is unknown");
            let force = format!("to let Claude Code try it: clauth switch {name} --force");
            Error::refused(Kind::DeadLogin, what, name, &[&sign_in(name), &force])
        }
    }
}

fn seconds(at: Timestamp) -> String {
    crate::text::seconds(at)
}
