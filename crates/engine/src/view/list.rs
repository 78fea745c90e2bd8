//! `list`: every profile, and whose login is live.

use std::collections::BTreeMap;

use clauth_anthropic::{Incident, Provider};
use clauth_claude::{Found, Login};
use jiff::Timestamp;

use crate::custody::{Snapshot, Unfinished};
use crate::owner::Owner;
use crate::profile::{AccountKey, ProfileKind, Record, State, end};
use crate::session::{self, Place};
use crate::usage::{Budget, Filling, Reading, Shelf};
use crate::{Engine, Error};

/// Who may use a login's refresh token (L1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Custodian {
    /// Parked in our store.
    Store,
    /// Lent to the live home.
    Live,
    /// In use by sessions of the profile.
    Session,
}

impl Custodian {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Live => "live",
            Self::Session => "session",
        }
    }
}

/// What is live (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiveState {
    /// A profile's login.
    Own,
    /// A login that no profile holds.
    Unknown,
    /// Blank tokens.
    SignedOut,
    /// None.
    Missing,
    /// A file that cannot be understood.
    Unreadable,
}

impl LiveState {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Unknown => "unknown",
            Self::SignedOut => "signed_out",
            Self::Missing => "missing",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One profile, as `list` shows it.
pub struct Account {
    /// Its name.
    pub name: String,
    /// What kind of credential it has.
    pub kind: ProfileKind,
    /// The account's e-mail.
    pub email: Option<String>,
    /// The account and organization UUIDs.
    pub key: Option<AccountKey>,
    /// The organization's name.
    pub organization_name: Option<String>,
    /// The plan; never a guess.
    pub plan: Option<String>,
    /// Its login is live.
    pub active: bool,
    /// Automatic choices may consider it.
    pub enabled: bool,
    /// Its place in the list, from 1.
    pub position: usize,
    /// The state of its login.
    pub state: State,
    /// Why, in words for a person.
    pub reason: Option<String>,
    /// The server confirmed whose it is.
    pub proven: bool,
    /// Who may use its refresh token; `None` for endpoints.
    pub custodian: Option<Custodian>,
    /// When the access token ends.
    pub token_expires_at: Option<Timestamp>,
    /// When the login itself ends.
    pub login_expires_at: Option<Timestamp>,
    /// Running sessions of its own directory.
    pub sessions: usize,
    /// What is known of its use; `None` until there is a reading.
    pub usage: Option<Reading>,
    /// How each of its windows fills, by id.
    pub filling: BTreeMap<String, Filling>,
    /// The requests made for it.
    pub budget: Option<Budget>,
    /// Where an endpoint profile's requests go.
    pub base_url: Option<String>,
    /// The provider that can be asked what is left of an endpoint profile's key.
    pub provider: Option<&'static str>,
    /// Version 0.4.0's wish to open a window of use early.
    pub auto_start: bool,
}

/// Everything that `list` shows.
pub struct Listing {
    /// The profile whose login is live, by the credential; or whose endpoint is used, by the settings.
    pub active: Option<String>,
    /// The profile that our marker names.
    pub marker: Option<String>,
    /// What is live.
    pub live: LiveState,
    /// The profile of which an earlier, used-up login is live.
    pub rewound: Option<String>,
    /// What is live may not be read at present, as while a Keychain is locked; nothing speaks against the login.
    pub barred: bool,
    /// An interrupted change.
    pub unfinished: Option<Unfinished>,
    /// Names of the variables and settings that outrank the saved login.
    pub overrides: Vec<String>,
    /// The profiles, in the user's order.
    pub accounts: Vec<Account>,
    /// What the user should know.
    pub notices: Vec<String>,
    /// What is wrong at Anthropic at present, by its status page; `None` where nobody has asked of late.
    pub incidents: Option<Vec<Incident>>,
}

impl Engine {
    /// Lists the profiles. Opens no socket and writes nothing.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn list(&self) -> Result<Listing, Error> {
        self.looking().list_now()
    }

    fn list_now(&self) -> Result<Listing, Error> {
        let snapshot = self.snapshot_to_show()?;
        let owner = self.owner(&snapshot, None)?;
        let endpoint = self.endpoint_live(&snapshot)?;
        let active = match (&endpoint, &owner) {
            (Some(name), _) | (None, Owner::Own(name) | Owner::Successor(name, _)) => Some(name.clone()),
            _ => None,
        };
        let now = self.host.clock.now();
        let accounts = snapshot.records.iter().enumerate();
        let sessions = self.sessions_of(&snapshot);
        let accounts = accounts
            .map(|(at, record)| {
                let mut account = account(&snapshot, record, &owner, (at + 1, now));
                account.live_in(sessions[at]);
                account.active = active.as_ref() == Some(&account.name);
                self.measure(record, &mut account);
                account
            })
            .collect();
        let overrides = self.overrides(&snapshot.home);
        Ok(Listing {
            active,
            marker: snapshot.roster.active.clone(),
            live: if endpoint.is_some() { LiveState::Own } else { live_state(&owner) },
            rewound: match &owner {
                Owner::Rewound(name) => Some(name.clone()),
                _ => None,
            },
            barred: snapshot.live.is_barred(),
            unfinished: self.interrupted()?,
            overrides: overrides.iter().map(clauth_claude::Override::name).collect(),
            accounts,
            notices: snapshot.notice.iter().cloned().collect(),
            incidents: self.incidents(),
        })
    }
}

impl Engine {
    /// Puts in what is known of an account's use. The plan that the server named last is newer than the one at sign-in.
    fn measure(&self, record: &Record, account: &mut Account) {
        let shelf = Shelf::of(&self.disk, &self.root, record);
        account.usage = shelf.reading().or_else(|| (record.kind == ProfileKind::Token).then(Reading::without_scope));
        if let Some(reading) = &account.usage {
            account.plan = reading.plan.clone().or(account.plan.take());
            account.filling = shelf.paces(reading, self.host.clock.now());
            account.budget = Some(self.budget_of(&shelf.account));
        }
    }

    /// How many sessions each profile has, in the order of the records. Processes are looked at only where there is a tree.
    pub(crate) fn sessions_of(&self, snapshot: &Snapshot) -> Vec<usize> {
        let mut running = None;
        let count = |record: &Record| {
            let place = Place::of(&self.root, &record.name);
            if self.disk.vfs.lstat(&place.tree).is_err() {
                return 0;
            }
            let running = running.get_or_insert_with(|| clauth_claude::running(&self.host, &self.disk, &snapshot.home));
            session::live(&self.disk, &place, running).len()
        };
        snapshot.records.iter().map(count).collect()
    }
}

impl Account {
    /// The warning about a login that ends within five days, by itself.
    #[must_use]
    pub fn ends_soon(&self, now: Timestamp) -> Option<String> {
        let told = matches!(self.state, State::Ok | State::Expired | State::Unknown);
        end::warning(&self.name, self.login_expires_at.filter(|_| told), now)
    }

    /// A parked login that sessions use is in their custody (L1).
    fn live_in(&mut self, sessions: usize) {
        self.sessions = sessions;
        if sessions > 0 && self.custodian == Some(Custodian::Store) {
            self.custodian = Some(Custodian::Session);
        }
    }
}

fn live_state(owner: &Owner) -> LiveState {
    match owner {
        Owner::Own(_) | Owner::Successor(..) => LiveState::Own,
        Owner::Rewound(_) | Owner::Unknown(_) => LiveState::Unknown,
        Owner::SignedOut => LiveState::SignedOut,
        Owner::Missing => LiveState::Missing,
        Owner::Unreadable => LiveState::Unreadable,
    }
}

fn account(snapshot: &Snapshot, record: &Record, owner: &Owner, (position, now): (usize, Timestamp)) -> Account {
    let active = matches!(owner, Owner::Own(name) | Owner::Successor(name, _) if *name == record.name);
    let lent = record.lent_to(&snapshot.home_id);
    let login = if active { live_login(snapshot) } else { None }.or_else(|| record.login());
    let (state, reason) = match owner {
        Owner::SignedOut if lent => (State::SignedOut, Some("Claude Code was signed out of it".into())),
        Owner::Successor(..) if active => (of_live(login.as_ref(), now), None),
        _ if snapshot.live_bare().is_some_and(|bare| bare.name == record.name) => {
            (State::Lapsed, Some("Claude Code's home has it without its refresh token: clauth doctor --fix".into()))
        }
        _ => record.state(now),
    };
    let is_spent = |login: &Login| login.refresh_print().is_some_and(|token| snapshot.spent.has(&token));
    let spent = !active && login.as_ref().is_some_and(is_spent);
    let reason = reason.or_else(|| spent.then(|| "its login is used up; sign in as it again".to_owned()));
    let known = record.identity.as_ref();
    let snapshot_plan = || {
        login
            .as_ref()
            .and_then(|login| clauth_anthropic::plan_of_login(login.subscription.as_deref(), login.tier.as_deref()))
    };
    Account {
        name: record.name.clone(),
        kind: record.kind,
        email: known.and_then(|known| known.email.clone()),
        key: known.map(|known| known.key.clone()),
        organization_name: known.and_then(|known| known.organization_name.clone()),
        plan: known.and_then(|known| known.plan.clone()).or_else(snapshot_plan),
        active,
        enabled: record.enabled,
        position,
        state,
        reason,
        proven: known.is_some_and(crate::profile::Known::proven),
        custodian: (record.kind == ProfileKind::Claude).then_some(if lent {
            Custodian::Live
        } else {
            Custodian::Store
        }),
        token_expires_at: login.as_ref().and_then(|login| login.expires_at),
        login_expires_at: login.as_ref().and_then(|login| login.refresh_expires_at),
        sessions: 0,
        usage: None,
        filling: BTreeMap::new(),
        budget: None,
        base_url: record.base_url.clone(),
        provider: record.base_url.as_deref().and_then(Provider::at).map(|provider| provider.title()),
        auto_start: record.auto_start,
    }
}

fn live_login(snapshot: &Snapshot) -> Option<Login> {
    match &snapshot.live.found {
        Found::Login(login) => Some(login.clone()),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}

fn of_live(login: Option<&Login>, now: Timestamp) -> State {
    let expired = login.and_then(|login| login.expires_at).is_some_and(|at| at <= now);
    if expired { State::Expired } else { State::Ok }
}
