//! Asking about one account: with leave from the budget, once more after a renewal where the server no longer takes the token
//! (R2, R6), and with what came, or why nothing came, kept beside the last good answer.

use std::time::Duration;

use clauth_anthropic::{LookupError, ProfileAnswer, Provider, ProviderAnswer, UsageAnswer};
use clauth_durable::Disk;
use clauth_host::{Fingerprint, Secret};
use jiff::{SignedDuration, Timestamp};

use super::cache::{Cache, Failed, LookedUp};
use super::line::Line;
use super::target::{Means, Target, Token, Unfit};
use super::{Balance, Reading, Source, Trouble, Window, policy};
use crate::error::Kind;
use crate::profile::AccountKey;
use crate::{Engine, Need};

/// What became of asking about an account.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// There is a new reading.
    Answered,
    /// There is none.
    Failed(Trouble),
    /// It was not asked, and will not be before this moment: the budget is used up, or the server said so.
    Held(Timestamp),
    /// It was not asked: what is known is not stale, or there is nothing to ask with.
    Spared,
    /// The network is turned off.
    Off,
}

/// What became of one profile.
pub struct Tried {
    /// The profile.
    pub name: String,
    /// What became of it.
    pub asked: Asked,
    /// The reading, where it could not be stored.
    pub unsaved: Option<Reading>,
}

/// How an account is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// Whether anything may be asked at all.
    pub(crate) network: bool,
    /// The plan may be looked up too.
    pub(crate) plan: bool,
    /// One request at most, whatever it says.
    pub(crate) once: bool,
    /// Nobody waits: of several requests to one host each is made so long after the one before.
    pub(crate) apart: Option<Duration>,
}

impl Engine {
    /// Asks about an account, unless nobody may now.
    pub(crate) fn ask_usage(&self, target: &Target, manner: Manner) -> Tried {
        let done = |asked| Tried { name: target.name.clone(), asked, unsaved: None };
        let means = match target.means() {
            Ok(means) => means,
            Err(Unfit::NoLogin) => return done(Asked::Spared),
            Err(Unfit::Scope) => return done(Asked::Failed(Trouble::Scope)),
        };
        if !manner.network {
            return done(Asked::Off);
        }
        let mut cache = target.shelf(self).cache().unwrap_or_default();
        cache.account = Some(target.account.clone());
        let now = self.host.clock.now();
        if let Some(until) = policy::standing(cache.failed.as_ref().and_then(|failed| failed.retry_at), now) {
            return done(Asked::Held(until));
        }
        let answer = match means {
            Means::Token(token) => self.answer_for(target, token, (&mut cache, manner)),
            Means::Key(provider, key) => self.answer_of(target, *provider, key, manner),
        };
        match answer {
            Err(Stop::Held(until)) => done(Asked::Held(until)),
            Err(Stop::Failed(trouble, wait)) => {
                let at = self.host.clock.now();
                let (retry_at, login_ends) = (policy::hold(trouble, wait, at), target.login_ends());
                cache.failed = Some(Failed { error: trouble, at, retry_at, login_ends });
                let unsaved = self.keep_usage(target, &cache, None);
                Tried { unsaved, ..done(Asked::Failed(trouble)) }
            }
            Ok(answer) => {
                let said = answer.said().cloned().filter(|_| !target.proven);
                let line = self.take_usage(&mut cache, answer, target);
                let unsaved = self.keep_usage(target, &cache, Some(&line));
                let proven = said.and_then(|(access, said)| self.prove(&target.name, &access, &said).ok().flatten());
                if let Some(account) = proven.filter(|account| *account != target.account) {
                    cache.account = Some(account);
                    // Else it is asked about anew, as an account that nothing is known of.
                    let _ = cache.write(&self.disk, &self.root.usage(&target.name));
                }
                Tried { unsaved, ..done(Asked::Answered) }
            }
        }
    }

    /// The server's answer: with another token after a renewal, at most once.
    fn answer_for(
        &self,
        target: &Target,
        token: &Token,
        (cache, manner): (&mut Cache, Manner),
    ) -> Result<Answer, Stop> {
        let mut token = token.clone();
        let mut renewed = false;
        let now = self.host.clock.now();
        if token.is_over(now) {
            if manner.once {
                self.permitted(target)?;
            }
            token =
                self.renewed(&target.name, &Need { unless_left: Some(Duration::from_secs(60)), ..Need::default() })?;
            renewed = true;
            if manner.once {
                // That was the one request; the figures come with the next.
                return Err(Stop::Held(now));
            }
        }
        let asked = cache.plan_asked;
        match self.request(target, &token, (cache, manner)) {
            Err(Stop::Failed(Trouble::Expired, _)) if !renewed && !manner.once => {
                // The plan was refused with the same token.
                cache.plan_asked = asked;
                let token = self.renewed(&target.name, &Need { refused: true, ..Need::default() })?;
                if let Some(apart) = manner.apart {
                    self.host.clock.sleep(apart);
                }
                self.request(target, &token, (cache, manner))
            }
            answer => answer,
        }
    }

    /// One request for the figures, and where it is due one for the plan: beside it, or a while before it.
    fn request(&self, target: &Target, token: &Token, (cache, manner): (&mut Cache, Manner)) -> Result<Answer, Stop> {
        if manner.apart.is_none() {
            self.permitted(target)?;
        }
        let now = self.host.clock.now();
        let due = manner.plan && cache.is_plan_due(now) && self.permitted(target).is_ok();
        if due {
            cache.plan_asked = Some(now);
        }
        let deadline = self.patience.reading;
        let client = || self.client(manner.network);
        let plan = || client().profile(&token.access, deadline).ok();
        let (usage, profile) = if let Some(apart) = manner.apart {
            let profile = if due { plan() } else { None };
            if due {
                self.host.clock.sleep(apart);
            }
            self.permitted(target)?;
            (client().usage(&token.access, deadline), profile)
        } else {
            std::thread::scope(|scope| {
                let profile = due.then(|| scope.spawn(plan));
                let usage = client().usage(&token.access, deadline);
                (usage, profile.and_then(|thread| thread.join().ok().flatten()))
            })
        };
        if let Some(profile) = &profile {
            self.count_for(&target.supposed(), profile, now);
        }
        if let Some(profile) = profile.as_ref().filter(|profile| !agrees(target.key.as_ref(), profile)) {
            // Another account's figures must not become this one's: it is asked each time until it agrees.
            cache.plan_asked = None;
            (self.say)(&format!(
                "the login of '{}' is {} by the server's word; its figures are not kept",
                target.name,
                profile.email.as_deref().unwrap_or("another account")
            ));
            return Err(Stop::Failed(Trouble::Account, None));
        }
        let profile = profile.map(|profile| Box::new((token.access.fingerprint(), profile)));
        usage.map(|usage| Answer::Account(usage, profile)).map_err(|error| Stop::of(&error, now))
    }

    /// What a provider says of a key, each of whose requests needs leave.
    fn answer_of(&self, target: &Target, provider: Provider, key: &Secret, manner: Manner) -> Result<Answer, Stop> {
        self.permitted(target)?;
        let may = || {
            if let Some(apart) = manner.apart.filter(|_| !manner.once) {
                self.host.clock.sleep(apart);
            }
            !manner.once && self.permitted(target).is_ok()
        };
        let answer = self.client(manner.network).provider(provider, key, self.patience.reading, may);
        answer.map(Answer::Provider).map_err(|error| match error {
            LookupError::Unauthorized => Stop::Failed(Trouble::Key, None),
            error => Stop::of(&error, self.host.clock.now()),
        })
    }

    fn permitted(&self, target: &Target) -> Result<(), Stop> {
        match self.permit(&target.account) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Stop::Held(until)),
            // What cannot be counted is not asked.
            Err(error) => {
                (self.say)(&format!("'{}' is not asked about: {error}", target.name));
                let later = self.host.clock.now().checked_add(SignedDuration::from_mins(1));
                Err(Stop::Held(later.unwrap_or(Timestamp::MAX)))
            }
        }
    }

    /// Renews a login where that is ours to do, and answers the new token.
    fn renewed(&self, name: &str, need: &Need) -> Result<Token, Stop> {
        match self.refresh(name, need) {
            Ok(_) => self.token_now(name).ok_or(Stop::Failed(Trouble::Expired, None)),
            Err(error) => Err(Stop::Failed(
                match error.kind() {
                    Kind::Offline => Trouble::Offline,
                    Kind::Server => Trouble::Server,
                    _ => Trouble::Expired,
                },
                None,
            )),
        }
    }

    /// Puts an answer into the cache; answers the line for the history.
    fn take_usage(&self, cache: &mut Cache, answer: Answer, target: &Target) -> Line {
        let now = self.host.clock.now();
        let (answer, balances, source) = match answer {
            Answer::Account(answer, profile) => {
                if let Some((_, profile)) = profile.as_deref() {
                    cache.look_up(profile, now);
                }
                (answer, Vec::new(), Source::Api)
            }
            Answer::Provider(ProviderAnswer { windows, balances, plan }) => {
                cache.looked_up = Some(LookedUp { at: now, plan, subscription: None });
                let balances = balances.into_iter().map(Balance::of).collect();
                (UsageAnswer { windows, spend: None }, balances, Source::Provider)
            }
        };
        let figures =
            |answer: &UsageAnswer| answer.windows.iter().map(|w| (w.id.clone(), w.percent)).collect::<Vec<_>>();
        cache.moving = cache.as_of.is_some() && figures(&cache.answer) != figures(&answer);
        (cache.as_of, cache.failed, cache.answer) = (Some(now), None, answer);
        (cache.balances, cache.source) = (balances, source);
        let how = policy::Use { moving: cache.moving, ..target.how };
        let reading = super::look::of_cache(cache);
        cache.every = policy::interval(Some(&reading), &how, now);
        // While a status line hands over what moves, what it does not is asked about less often, and stays good for as long.
        let handed = target.shelf(self).statusline().filter(|line| {
            now.duration_since(line.at).abs() < SignedDuration::try_from(cache.every).unwrap_or(SignedDuration::MAX)
        });
        if let Some(handed) = handed.filter(|_| source == Source::Api) {
            let held = |window: &Window| handed.windows.iter().any(|(id, ..)| *id == window.id);
            cache.every = policy::interval_beside(&reading, &held, &how, now);
        }
        let windows = cache.answer.windows.iter().map(|w| (w.id.clone(), w.percent, w.resets_at)).collect();
        Line { at: now, source, account: cache.account.clone(), windows }
    }

    /// Stores what came; what could not be stored is answered, so that it can be shown.
    fn keep_usage(&self, target: &Target, cache: &Cache, line: Option<&Line>) -> Option<Reading> {
        let path = self.root.usage(&target.name);
        let stored = cache.write(&self.disk, &path);
        if let Some(line) = line.filter(|_| stored.is_ok()) {
            // A history that misses a line is still one.
            let _ = append(&self.disk, &self.root.usage_history(&target.name), line);
            let _ = super::compact::compact(&self.disk, &self.root, &target.name, line.at);
        }
        stored.is_err().then(|| super::look::merged(Some(cache), target.shelf(self).statusline().as_ref())).flatten()
    }
}

/// Adds a line to a history.
pub(crate) fn append(disk: &Disk, path: &std::path::Path, line: &Line) -> Result<(), clauth_durable::Error> {
    disk.append(path, &line.bytes(), false).map(drop)
}

/// What came.
enum Answer {
    /// From Anthropic, with whose it is where that was asked too.
    Account(UsageAnswer, Option<Box<(Fingerprint, ProfileAnswer)>>),
    /// From a provider.
    Provider(ProviderAnswer),
}

impl Answer {
    /// Whose which token is.
    fn said(&self) -> Option<&(Fingerprint, ProfileAnswer)> {
        match self {
            Self::Account(_, said) => said.as_deref(),
            Self::Provider(_) => None,
        }
    }
}

/// Why there is no answer.
enum Stop {
    Held(Timestamp),
    Failed(Trouble, Option<Duration>),
}

impl Stop {
    fn of(error: &LookupError, now: Timestamp) -> Self {
        let (trouble, wait) = match error {
            LookupError::Refused | LookupError::Offline | LookupError::Timeout => (Trouble::Offline, None),
            LookupError::Unauthorized => (Trouble::Expired, None),
            LookupError::Scope => (Trouble::Scope, None),
            LookupError::Throttled { retry_after } => (Trouble::Throttled, retry_after.map(|wait| wait.from_now(now))),
            LookupError::Unavailable { retry_after, .. } => (Trouble::Server, Some(retry_after.from_now(now))),
            LookupError::Server(_) => (Trouble::Server, None),
            LookupError::Unparsable => (Trouble::Unparsable, None),
            LookupError::Proxy => (Trouble::Proxy, None),
            LookupError::Untrusted => (Trouble::Untrusted, None),
        };
        Self::Failed(trouble, wait)
    }
}

/// Whether what the server says may be the account that the profile is known to be.
fn agrees(known: Option<&AccountKey>, answer: &ProfileAnswer) -> bool {
    let said = AccountKey { account: answer.account_uuid.clone(), organization: answer.organization_uuid.clone() };
    known.is_none_or(|known| known.agrees(&said))
}
