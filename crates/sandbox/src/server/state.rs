//! What the server knows: families and their generations, scripts, the log.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::script::{Reply, Route};
use crate::time::{DAY, true_ms};
use crate::{Account, Login, Pair};

/// How the server behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long an access token works, in seconds.
    pub access_seconds: u64,
    /// How long a login works, in seconds, from its sign-in or from the server's first sight of it.
    pub login_seconds: u64,
    /// A refresh ends the access tokens before it.
    pub refresh_kills_access: bool,
    /// Token replies without `refresh_token`: the one sent stays good.
    pub omit_refresh_token: bool,
    /// Token replies without `account` and `organization`.
    pub omit_account: bool,
    /// Token replies without `refresh_token_expires_in`.
    pub omit_login_end: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            access_seconds: 8 * 60 * 60,
            login_seconds: 30 * DAY / 1000,
            refresh_kills_access: false,
            omit_refresh_token: false,
            omit_account: false,
            omit_login_end: false,
        }
    }
}

/// One request, as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The `Host` header.
    pub host: String,
    /// The access token sent: `A2`, or the whole text if it is none of the sandbox's.
    pub bearer: Option<String>,
    /// The refresh token presented (or revoked), in the same form.
    pub refresh: Option<String>,
    /// The `User-Agent`.
    pub user_agent: String,
    /// When it came, milliseconds since the epoch.
    pub at: u64,
    /// What was asked of the model, as it was sent; empty on other routes.
    pub prompt: String,
}

/// One sign-in.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub(super) account: Account,
    pub(super) generation: u32,
    /// End of the login itself, milliseconds.
    pub(super) ends_at: u64,
    /// Ends of the access tokens handed out here, by generation.
    pub(super) access_until: BTreeMap<u32, u64>,
}

/// Everything behind the handle's lock.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) options: Options,
    pub(super) families: BTreeMap<String, Family>,
    pub(super) revoked: BTreeSet<String>,
    pub(super) reused: usize,
    pub(super) scripts: BTreeMap<Route, VecDeque<Reply>>,
    pub(super) requests: Vec<Request>,
    /// Usage bodies by account code.
    pub(super) usage: BTreeMap<String, Value>,
    /// Profile bodies by account code.
    pub(super) profiles: BTreeMap<String, Value>,
    pub(super) indicator: Option<String>,
    pub(super) incidents: Vec<Value>,
    issued: usize,
}

impl State {
    /// A new family of an account, with a serial that no home uses: `AZ`, `AZB`, ….
    pub(super) fn issue(&mut self, account: &Account) -> Login {
        let serial = account.family(self.issued).split_off(account.code.len());
        self.issued += 1;
        self.sign_in(account, &format!("{}Z{serial}", account.code))
    }

    /// Starts a family at generation 1.
    pub(super) fn sign_in(&mut self, account: &Account, family: &str) -> Login {
        let now = true_ms();
        let (ends_at, until) = (now + self.options.login_seconds * 1000, now + self.options.access_seconds * 1000);
        let record =
            Family { account: account.clone(), generation: 1, ends_at, access_until: BTreeMap::from([(1, until)]) };
        self.families.insert(family.to_owned(), record);
        Login::new(account, Pair::new(family, 1)).expiring_at(until).ending_at(Some(ends_at))
    }

    /// Makes a login known as it is.
    pub(super) fn know(&mut self, login: &Login) {
        let ends_at = login.refresh_expires_at.unwrap_or(true_ms() + self.options.login_seconds * 1000);
        let access_until = BTreeMap::from([(login.pair.generation, login.expires_at)]);
        let record =
            Family { account: login.account.clone(), generation: login.pair.generation, ends_at, access_until };
        self.families.insert(login.pair.family.clone(), record);
    }

    /// The family of a pair. Unknown ones are believed at first sight, and so is a generation newer than the last one
    /// known: it was made offline by a sandbox that skipped the server.
    pub(super) fn family(&mut self, pair: &Pair) -> Option<&mut Family> {
        if !self.families.contains_key(&pair.family) {
            let account = Account::of_family(&pair.family)?;
            let ends_at = true_ms() + self.options.login_seconds * 1000;
            let record = Family { account, generation: pair.generation, ends_at, access_until: BTreeMap::new() };
            self.families.insert(pair.family.clone(), record);
        }
        let family = self.families.get_mut(&pair.family)?;
        family.generation = family.generation.max(pair.generation);
        Some(family)
    }

    /// The next scripted reply of a route.
    pub(super) fn next_reply(&mut self, route: Route) -> Reply {
        self.scripts.get_mut(&route).and_then(VecDeque::pop_front).unwrap_or(Reply::Normal)
    }
}
