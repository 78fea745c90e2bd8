//! Asking about one account: with leave from the budget, once more after a renewal where the server no longer takes the token
//! (R2, R6), and with what came, or why nothing came, kept beside the last good answer.

use std::time::Duration;

use clauth_anthropic::{Client, LookupError, ProfileAnswer, UsageAnswer};
use clauth_durable::Disk;
use jiff::{SignedDuration, Timestamp};

use super::cache::{Cache, Failed};
use super::line::Line;
use super::target::{Target, Token, Unfit};
use super::{Reading, Source, Trouble, policy};
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
}

impl Engine {
    /// Asks about an account, unless nobody may now.
    pub(crate) fn ask_usage(&self, target: &Target, manner: Manner) -> Tried {
        let done = |asked| Tried { name: target.name.clone(), asked, unsaved: None };
        let token = match target.token() {
            Ok(token) => token,
            Err(Unfit::NoLogin) => return done(Asked::Spared),
            Err(Unfit::Scope) => return done(Asked::Failed(Trouble::Scope)),
        };
        if !manner.network {
            return done(Asked::Off);
        }
        let mut cache = target.shelf(self).cache().unwrap_or_default();
        cache.account = Some(target.account.clone());
        let now = self.host.clock.now();
        if let Some(until) = cache.failed.as_ref().and_then(|failed| failed.retry_at).filter(|at| *at > now) {
            return done(Asked::Held(until));
        }
        match self.answer_for(target, token, (&mut cache, manner)) {
            Err(Stop::Held(until)) => done(Asked::Held(until)),
            Err(Stop::Failed(trouble, wait)) => {
                let at = self.host.clock.now();
                cache.failed = Some(Failed { error: trouble, at, retry_at: policy::hold(trouble, wait, at) });
                let unsaved = self.keep_usage(target, &cache, None);
                Tried { unsaved, ..done(Asked::Failed(trouble)) }
            }
            Ok((answer, profile)) => {
                let line = self.take_usage(&mut cache, answer, profile.as_ref(), target);
                let unsaved = self.keep_usage(target, &cache, Some(&line));
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
    ) -> Result<(UsageAnswer, Option<ProfileAnswer>), Stop> {
        let mut token = token.clone();
        let mut renewed = false;
        if token.is_over(self.host.clock.now()) {
            token =
                self.renewed(&target.name, &Need { unless_left: Some(Duration::from_secs(60)), ..Need::default() })?;
            renewed = true;
        }
        let asked = cache.plan_asked;
        match self.request(target, &token, (cache, manner)) {
            Err(Stop::Failed(Trouble::Expired, _)) if !renewed && !manner.once => {
                // The plan was refused with the same token.
                cache.plan_asked = asked;
                let token = self.renewed(&target.name, &Need { refused: true, ..Need::default() })?;
                self.request(target, &token, (cache, manner))
            }
            answer => answer,
        }
    }

    /// One request for the figures, and where it is due one for the plan beside it.
    fn request(
        &self,
        target: &Target,
        token: &Token,
        (cache, manner): (&mut Cache, Manner),
    ) -> Result<(UsageAnswer, Option<ProfileAnswer>), Stop> {
        self.permitted(target)?;
        let now = self.host.clock.now();
        let due = manner.plan && cache.is_plan_due(now) && self.permitted(target).is_ok();
        if due {
            cache.plan_asked = Some(now);
        }
        let deadline = self.patience.reading;
        let client = || Client::new(&self.host.endpoints, &self.host.env, manner.network);
        let (usage, profile) = std::thread::scope(|scope| {
            let profile = due.then(|| scope.spawn(|| client().profile(&token.access, deadline).ok()));
            let usage = client().usage(&token.access, deadline);
            (usage, profile.and_then(|thread| thread.join().ok().flatten()))
        });
        if let Some(profile) = profile.as_ref().filter(|profile| !agrees(target.key.as_ref(), profile)) {
            // Another account's figures must not become this one's: it is asked each time until it agrees.
            cache.plan_asked = None;
            (self.say)(&format!(
                "the login of '{}' is {} by the server's word; its figures are not kept",
                target.name,
                profile.email.as_deref().unwrap_or("another account")
            ));
            return Err(Stop::Failed(Trouble::Server, None));
        }
        usage.map(|usage| (usage, profile)).map_err(|error| Stop::of(&error, now))
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
    fn take_usage(
        &self,
        cache: &mut Cache,
        answer: UsageAnswer,
        profile: Option<&ProfileAnswer>,
        target: &Target,
    ) -> Line {
        let now = self.host.clock.now();
        let figures =
            |answer: &UsageAnswer| answer.windows.iter().map(|w| (w.id.clone(), w.percent)).collect::<Vec<_>>();
        cache.moving = cache.as_of.is_some() && figures(&cache.answer) != figures(&answer);
        (cache.as_of, cache.failed, cache.answer) = (Some(now), None, answer);
        if let Some(profile) = profile {
            cache.look_up(profile, now);
        }
        let how = policy::Use { moving: cache.moving, ..target.how };
        let reading = super::look::of_cache(cache);
        cache.every = policy::interval(Some(&reading), &how, now);
        let windows = cache.answer.windows.iter().map(|w| (w.id.clone(), w.percent, w.resets_at)).collect();
        Line { at: now, source: Source::Api, account: cache.account.clone(), windows }
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
            LookupError::Server(_) => (Trouble::Server, None),
            LookupError::Unparsable => (Trouble::Unparsable, None),
        };
        Self::Failed(trouble, wait)
    }
}

/// Whether what the server says may be the account that the profile is known to be.
fn agrees(known: Option<&AccountKey>, answer: &ProfileAnswer) -> bool {
    let said = AccountKey { account: answer.account_uuid.clone(), organization: answer.organization_uuid.clone() };
    known.is_none_or(|known| known.agrees(&said))
}
