//! An account that may be asked about, and with what.

use clauth_anthropic::Provider;
use clauth_claude::{Found, Login};
use clauth_host::Secret;
use jiff::{SignedDuration, Timestamp};

use super::look::{Shelf, account_of};
use super::whose::Supposed;
use super::{Reading, Trouble, policy};
use crate::custody::Snapshot;
use crate::owner::Owner;
use crate::profile::{AccountKey, Known, ProfileKind, Record, State};
use crate::{Engine, Error, ProfileConfig};

/// What usage may be asked with (facts §4.1).
const SCOPE: &str = "user:profile";

/// An access token that ends within this is renewed before it is used.
const ENDS: SignedDuration = SignedDuration::from_secs(30);

/// One profile.
pub(crate) struct Target {
    pub(crate) name: String,
    /// See [`account_of`].
    pub(crate) account: String,
    /// Whose it is known to be.
    pub(crate) key: Option<AccountKey>,
    /// The server confirmed that.
    pub(crate) proven: bool,
    /// How it is used.
    pub(crate) how: policy::Use,
    means: Result<Means, Unfit>,
}

/// What an account is asked about with.
#[derive(Clone)]
pub(crate) enum Means {
    /// A login's access token, at Anthropic.
    Token(Token),
    /// A key, at the provider that it belongs to.
    Key(Provider, Secret),
}

#[derive(Clone)]
pub(crate) struct Token {
    pub(crate) access: Secret,
    pub(crate) ends: Option<Timestamp>,
    /// When the login itself ends.
    pub(crate) login_ends: Option<Timestamp>,
}

/// Why an account is not asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It has no login, or no key, that could be used, or nobody is known who could be asked.
    NoLogin,
    /// Its token may not ask.
    Scope,
}

impl Target {
    pub(crate) fn means(&self) -> Result<&Means, Unfit> {
        self.means.as_ref().map_err(|unfit| *unfit)
    }

    /// What its requests are counted for.
    pub(crate) fn supposed(&self) -> Supposed {
        Supposed::by(self.account.clone(), self.key.as_ref())
    }

    pub(crate) fn shelf<'a>(&'a self, engine: &'a Engine) -> Shelf<'a> {
        let (disk, root, login_ends) = (&engine.disk, &engine.root, self.login_ends());
        Shelf { disk, root, name: &self.name, account: self.account.clone(), login_ends }
    }

    /// When the login ends that it is asked about with.
    pub(crate) fn login_ends(&self) -> Option<Timestamp> {
        match self.means() {
            Ok(Means::Token(token)) => token.login_ends,
            _ => None,
        }
    }
}

impl Token {
    fn of(login: &Login) -> Self {
        Self { access: login.access.clone(), ends: login.expires_at, login_ends: login.refresh_expires_at }
    }

    /// Whether it no longer works, by its own end.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.ends.is_some_and(|end| end.duration_since(now) <= ENDS)
    }
}

impl Engine {
    /// Every profile, in the user's order.
    pub(crate) fn targets(&self, snapshot: &Snapshot) -> Result<Vec<Target>, Error> {
        let owner = self.owner(snapshot, None)?;
        let endpoint = self.endpoint_live(snapshot)?;
        let sessions = self.sessions_of(snapshot);
        let now = self.host.clock.now();
        let pace = self.pace();
        let records = snapshot.records.iter().zip(sessions);
        Ok(records
            .map(|(record, sessions)| {
                let live = matches!(&owner, Owner::Own(name) | Owner::Successor(name, _) if *name == record.name);
                let lines = self.lines(&record.name);
                let used = live || endpoint.as_ref() == Some(&record.name);
                let how = policy::Use { active: used || sessions > 0, moving: false, lines, pace };
                Target {
                    account: account_of(record),
                    key: record.identity.as_ref().map(|known| known.key.clone()),
                    proven: record.identity.as_ref().is_some_and(Known::proven),
                    how,
                    means: means(record, live.then_some(&snapshot.live.found), now),
                    name: record.name.clone(),
                }
            })
            .collect())
    }

    /// The intervals of the settings; those that cannot be understood are told by `config`, and the usual ones hold.
    fn pace(&self) -> policy::Pace {
        let usual = policy::Pace::default();
        let Ok(config) = self.config() else { return usual };
        policy::Pace {
            active: config.poll_active().unwrap_or(usual.active),
            parked: config.poll_parked().unwrap_or(usual.parked),
        }
    }

    /// The lines of a profile.
    pub(crate) fn lines(&self, name: &str) -> policy::Lines {
        let usual = policy::Lines::default();
        let Ok(config) = ProfileConfig::read(&self.disk, &self.root, name) else { return usual };
        policy::Lines {
            session: config.line_5h().unwrap_or(usual.session),
            week: config.line_week().unwrap_or(usual.week),
        }
    }

    /// The token that a profile has by now, after a renewal.
    pub(crate) fn token_now(&self, name: &str) -> Option<Token> {
        Record::read(&self.disk, &self.root, name).login().as_ref().map(Token::of)
    }
}

/// What to ask with: the live login where that is the profile's, which Claude Code may have renewed.
fn means(record: &Record, live: Option<&Found>, now: Timestamp) -> Result<Means, Unfit> {
    match record.kind {
        ProfileKind::Endpoint => {
            let provider = record.base_url.as_deref().filter(|_| record.refused_url.is_none()).and_then(Provider::at);
            let key = provider.zip(record.key.clone());
            return key.map(|(provider, key)| Means::Key(provider, key)).ok_or(Unfit::NoLogin);
        }
        ProfileKind::Token => return Err(Unfit::Scope),
        ProfileKind::Claude => {}
    }
    if !matches!(record.state(now).0, State::Ok | State::Expired | State::Unknown) {
        return Err(Unfit::NoLogin);
    }
    let live = match live {
        Some(Found::Login(login)) => Some(login.clone()),
        _ => None,
    };
    let login = live.or_else(|| record.login()).ok_or(Unfit::NoLogin)?;
    if !login.scopes.is_empty() && login.scopes.iter().all(|scope| scope != SCOPE) {
        return Err(Unfit::Scope);
    }
    Ok(Means::Token(Token::of(&login)))
}

impl Reading {
    /// What is known of an account whose token may not ask.
    pub(crate) fn without_scope() -> Self {
        Self {
            as_of: None,
            source: super::Source::Api,
            windows: Vec::new(),
            spend: None,
            balances: Vec::new(),
            error: Some(Trouble::Scope),
            error_at: None,
            retry_at: None,
            subscription: None,
            plan: None,
            every: policy::ACTIVE,
        }
    }
}
