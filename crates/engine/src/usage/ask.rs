//! Asking about one account: with leave from the budget, once more after a renewal where the server no longer takes the token
//! (R2, R6), and with what came, or why nothing came, kept beside the last good answer.

use std::sync::mpsc::{self, RecvError, RecvTimeoutError};
use std::time::Duration;

use clauth_anthropic::{LookupError, ProfileAnswer, Provider, ProviderAnswer, UsageAnswer};
use clauth_durable::Disk;
use clauth_host::{Fingerprint, Secret};
use jiff::{SignedDuration, Timestamp};

use super::cache::{Cache, Came, Failed, LookedUp};
use super::line::Line;
use super::target::{Means, Target, Token, Unfit};
use super::{Balance, Reading, Source, Trouble, Window, policy};
use crate::error::Kind;
use crate::profile::AccountKey;
use crate::{Engine, Need};

/// So long figures that came wait for the plan that was asked for beside them.
const BESIDE: Duration = Duration::from_millis(500);

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
        let mut talk = Talk::of(target.shelf(self).cache().unwrap_or_default(), target, means);
        let now = self.host.clock.now();
        if let Some(until) = policy::standing(talk.cache.failed.as_ref().and_then(|failed| failed.retry_at), now) {
            return done(Asked::Held(until));
        }
        let answer = match means {
            Means::Token(token) => self.answer_for(target, token, (&mut talk, manner)),
            Means::Key(provider, key) => self.answer_of(target, *provider, key, manner),
        };
        let (asked, unsaved) = match answer {
            // The plan came before what was not asked.
            Err(Stop::Held(until)) if talk.said.is_some() => {
                (Asked::Held(until), self.keep_usage(target, &mut talk, Came::Nothing))
            }
            Err(Stop::Held(until)) => (Asked::Held(until), None),
            Err(Stop::Failed(trouble, wait)) => {
                let at = self.host.clock.now();
                let (retry_at, login_ends) = (policy::hold(trouble, wait, at), target.login_ends());
                talk.cache.failed = Some(Failed { error: trouble, at, retry_at, login_ends });
                (Asked::Failed(trouble), self.keep_usage(target, &mut talk, Came::Nothing))
            }
            Ok(answer) => {
                self.take_usage(&mut talk.cache, answer, target);
                (Asked::Answered, self.keep_usage(target, &mut talk, Came::Answer))
            }
        };
        self.take_proof(target, &talk);
        Tried { unsaved, ..done(asked) }
    }

    /// The server's answer: with another token after a renewal, at most once.
    fn answer_for(&self, target: &Target, token: &Token, (talk, manner): (&mut Talk, Manner)) -> Result<Answer, Stop> {
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
        let asked = talk.cache.plan_asked;
        match self.request(target, &token, (talk, manner)) {
            Err(Stop::Failed(Trouble::Expired, _)) if !renewed && !manner.once => {
                // The plan was refused with the same token.
                talk.cache.plan_asked = asked;
                let refused = Some(token.access.fingerprint());
                let token = self.renewed(&target.name, &Need { refused, ..Need::default() })?;
                if let Some(apart) = manner.apart {
                    self.host.clock.sleep(apart);
                }
                self.request(target, &token, (talk, manner))
            }
            answer => answer,
        }
    }

    /// One request for the figures, and where it is due one for the plan: beside it, or a while before it.
    fn request(&self, target: &Target, token: &Token, (talk, manner): (&mut Talk, Manner)) -> Result<Answer, Stop> {
        if manner.apart.is_none() {
            self.permitted(target)?;
        }
        let now = self.host.clock.now();
        let may = || matches!(self.permit_look_up(&target.account), Ok(Ok(())));
        let due = manner.plan && talk.cache.is_plan_due(now) && may();
        if due {
            talk.cache.plan_asked = Some(now);
        }
        let deadline = self.patience.reading;
        let client = || self.client(manner.network);
        let plan = || client().profile(&token.access, deadline).ok();
        let usage = || client().usage(&token.access, deadline).map(|answer| (answer, self.host.clock.now()));
        let usage = if let Some(apart) = manner.apart {
            let profile = if due { plan() } else { None };
            let heard = self.hear(target, talk, (token, profile), now);
            if due {
                self.host.clock.sleep(apart);
            }
            // By this request it is known when the next is due.
            self.permitted(target)?;
            heard.and(Ok(usage()))?
        } else {
            let (usage, profile) = std::thread::scope(|scope| {
                let (tell, told) = mpsc::channel();
                // Whoever is told waits for it.
                due.then(|| scope.spawn(move || drop(tell.send(plan()))));
                let usage = usage();
                let profile = match told.recv_timeout(BESIDE) {
                    Err(RecvTimeoutError::Timeout) => {
                        // Of a login that nobody has confirmed they may be another account's.
                        if let (true, Ok((answer, at))) = (target.proven, &usage) {
                            self.keep_early(target, talk, Answer::Account(answer.clone(), *at));
                        }
                        told.recv()
                    }
                    told => told.map_err(|_| RecvError),
                };
                (usage, profile.ok().flatten())
            });
            self.hear(target, talk, (token, profile), now)?;
            usage
        };
        usage.map(|(answer, at)| Answer::Account(answer, at)).map_err(|error| Stop::of(&error, now))
    }

    /// Takes what was said of the plan, and of whose the token is. It is kept whatever becomes of the figures.
    fn hear(
        &self,
        target: &Target,
        talk: &mut Talk,
        (token, profile): (&Token, Option<ProfileAnswer>),
        asked: Timestamp,
    ) -> Result<(), Stop> {
        let Some(profile) = profile else { return Ok(()) };
        self.count_for(&target.supposed(), &profile, asked);
        if !agrees(target.key.as_ref(), &profile) {
            // Another account's figures must not become this one's: it is asked each time until it agrees.
            talk.cache.plan_asked = None;
            (self.say)(&format!(
                "the login of '{}' is {} by the server's word; its figures are not kept",
                target.name,
                profile.email.as_deref().unwrap_or("another account")
            ));
            return Err(Stop::Failed(Trouble::Account, None));
        }
        talk.cache.look_up(&profile, self.host.clock.now());
        talk.said = Some((token.access.fingerprint(), profile));
        Ok(())
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

    /// Puts an answer into the cache.
    fn take_usage(&self, cache: &mut Cache, answer: Answer, target: &Target) {
        let mut now = self.host.clock.now();
        let (answer, balances, source) = match answer {
            Answer::Account(answer, at) => {
                now = at;
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
        let mut handed = target.shelf(self).statusline();
        handed.retain(|line| {
            now.duration_since(line.at).abs() < SignedDuration::try_from(cache.every).unwrap_or(SignedDuration::MAX)
        });
        if !handed.is_empty() && source == Source::Api {
            let held = |window: &Window| handed.iter().any(|line| line.has(&window.id));
            cache.every = policy::interval_beside(&reading, &held, &how, now);
        }
    }

    /// Stores what came, and lets stand what others have stored since; what could not be stored is answered, so that it can be
    /// shown.
    fn keep_usage(&self, target: &Target, talk: &mut Talk, came: Came) -> Option<Reading> {
        let stored = self.store(target, talk, came);
        if let (Came::Answer, Some(at), true) = (came, talk.cache.as_of, stored.is_ok()) {
            let windows = talk.cache.answer.windows.iter().map(|w| (w.id.clone(), w.percent, w.resets_at)).collect();
            let line = Line { at, source: talk.cache.source, account: talk.cache.account.clone(), windows };
            // A history that misses a line is still one.
            let _ = append(&self.disk, &self.root.usage_history(&target.name), &line);
            let _ = super::compact::compact(&self.disk, &self.root, &target.name, line.at);
        }
        let shelf = target.shelf(self);
        stored.is_err().then(|| super::look::merged(Some(&talk.cache), &shelf.statusline())).flatten()
    }

    /// Stores figures whose plan has not come yet: a look-up that hangs delays no reading.
    fn keep_early(&self, target: &Target, talk: &Talk, answer: Answer) {
        let mut early = Talk { cache: talk.cache.clone(), before: talk.before.clone(), said: None };
        // Whose the token is was asked and not yet answered: were this the last that is done, it has to be asked again.
        early.cache.plan_asked = talk.before.plan_asked;
        self.take_usage(&mut early.cache, answer, target);
        // It is stored once more when all is there.
        let _ = self.store(target, &mut early, Came::Answer);
    }

    /// Writes the cache under the lock of the account's requests: others ask too, and were quicker or slower.
    fn store(&self, target: &Target, talk: &mut Talk, came: Came) -> Result<(), clauth_durable::Error> {
        let path = self.root.usage(&target.name);
        let mut store = || {
            if let Some(standing) = target.shelf(self).cache() {
                talk.cache.meet(standing, &talk.before, came);
            }
            talk.cache.write(&self.disk, &path)
        };
        // What came is kept also where nothing can be locked.
        self.with_ledger(&target.account, |_, _| (store(), false)).unwrap_or_else(|_| store())
    }

    /// Takes what was said of the token as the proof of whose it is, where there was none.
    fn take_proof(&self, target: &Target, talk: &Talk) {
        let Some((access, said)) = talk.said.as_ref().filter(|_| !target.proven) else { return };
        let proven = self.prove(&target.name, access, said).ok().flatten();
        let Some(account) = proven.filter(|account| *account != target.account) else { return };
        // Else it is asked about anew, as an account that nothing is known of.
        let _ = self.with_ledger(&target.account, |_, _| {
            let mut cache = target.shelf(self).cache().unwrap_or_else(|| talk.cache.clone());
            cache.account = Some(account);
            (cache.write(&self.disk, &self.root.usage(&target.name)), false)
        });
    }
}

/// What is known while an account is asked about.
struct Talk {
    /// What was known when it was read.
    before: Cache,
    /// The same with what came since.
    cache: Cache,
    /// Whose which token is, by the server's word.
    said: Option<(Fingerprint, ProfileAnswer)>,
}

impl Talk {
    fn of(before: Cache, target: &Target, means: &Means) -> Self {
        let mut cache = before.clone();
        cache.account = Some(target.account.clone());
        if matches!(means, Means::Key(..)) {
            cache.source = Source::Provider;
        }
        Self { before, cache, said: None }
    }
}

/// Adds a line to a history.
pub(crate) fn append(disk: &Disk, path: &std::path::Path, line: &Line) -> Result<(), clauth_durable::Error> {
    disk.append(path, &line.bytes(), false).map(drop)
}

/// What came.
enum Answer {
    /// From Anthropic, and when.
    Account(UsageAnswer, Timestamp),
    /// From a provider.
    Provider(ProviderAnswer),
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
