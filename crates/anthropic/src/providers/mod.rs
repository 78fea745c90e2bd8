//! Providers behind endpoint profiles: which host a key belongs to, and how that host is asked what is left (facts §4.7). The
//! bodies are as little documented as Anthropic's own; whatever is not understood is passed over.

mod deepseek;
mod minimax;
mod moonshot;
mod openrouter;
mod zai;

use std::fmt;
use std::time::Duration;

use clauth_host::Secret;
use serde_json::Value;

use crate::http::With;
use crate::usage::number;
use crate::{Client, LookupError, UsageWindow};

/// More than any key has.
const MOST: usize = 24;

/// No amount of money is larger, whatever its currency.
const LARGEST: f64 = 1e15;

/// How a provider is asked.
struct Kind {
    /// Who it is, for people.
    title: &'static str,
    /// Its hosts. Each is a region of its own, whose keys work nowhere else.
    hosts: &'static [&'static str],
    /// What is asked: the first must be answered, the others may be.
    paths: &'static [&'static str],
    /// The key goes without the word `Bearer`.
    bare: bool,
    /// What the bodies say, in the order of the paths.
    parse: fn(&str, &[Option<Value>]) -> Result<ProviderAnswer, LookupError>,
}

const KINDS: [&Kind; 5] = [&deepseek::KIND, &minimax::KIND, &moonshot::KIND, &openrouter::KIND, &zai::KIND];

/// A provider at one of its hosts.
#[derive(Clone, Copy)]
pub struct Provider {
    kind: &'static Kind,
    host: &'static str,
}

/// What a provider holds for a key.
#[derive(Clone, Debug, PartialEq)]
pub struct ProviderBalance {
    /// What it is.
    pub label: String,
    /// How much there is; a debt is less than nothing.
    pub amount: f64,
    /// ISO 4217, where it is known.
    pub currency: Option<String>,
}

/// What a provider says of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProviderAnswer {
    /// The windows of its limits.
    pub windows: Vec<UsageWindow>,
    /// What is left to be spent.
    pub balances: Vec<ProviderBalance>,
    /// The plan, by the provider's own word for it.
    pub plan: Option<String>,
}

impl Provider {
    /// The provider whose keys an endpoint at `base_url` takes; `None` where nobody is known who could be asked. Only https to
    /// exactly one of a provider's hosts counts, since the key goes there.
    #[must_use]
    pub fn at(base_url: &str) -> Option<Self> {
        let (scheme, rest) = base_url.trim().split_once("://")?;
        let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
        let asked = authority.strip_suffix(":443").unwrap_or(authority);
        let of = |kind: &'static Kind| {
            let host = kind.hosts.iter().find(|host| host.eq_ignore_ascii_case(asked))?;
            Some(Self { kind, host })
        };
        KINDS.into_iter().find_map(of).filter(|_| scheme.eq_ignore_ascii_case("https"))
    }

    /// Who it is, for people.
    #[must_use]
    pub fn title(&self) -> &'static str {
        self.kind.title
    }

    /// The host that is asked.
    #[must_use]
    pub fn host(&self) -> &'static str {
        self.host
    }

    /// All hosts that may be asked, with whose they are.
    pub fn hosts() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.into_iter().flat_map(|kind| kind.hosts.iter().map(|host| (kind.title, *host)))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.kind.title, self.host)
    }
}

impl Client<'_> {
    /// What `provider` says of `key`, which goes to that host alone. `may` is asked before each request after the first.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub fn provider(
        &self,
        provider: Provider,
        key: &Secret,
        deadline: Duration,
        may: impl Fn() -> bool,
    ) -> Result<ProviderAnswer, LookupError> {
        let Provider { kind, host } = provider;
        let base = self.endpoints().providers.clone().unwrap_or_else(|| format!("https://{host}"));
        let with = With { secret: Some(key), bare: kind.bare, ..With::default() };
        let ask = |path: &&str| {
            let body = self.get(&format!("{base}{path}"), with, deadline).map_err(of_a_key)?;
            serde_json::from_slice(&body).map_err(|_| LookupError::Unparsable)
        };
        let mut bodies: Vec<Option<Value>> = Vec::new();
        for path in kind.paths {
            if bodies.is_empty() {
                bodies.push(Some(ask(path)?));
            } else {
                bodies.push(Some(()).filter(|()| may()).and_then(|()| ask(path).ok()));
            }
        }
        let mut answer = (kind.parse)(host, &bodies)?;
        answer.windows.truncate(MOST);
        answer.balances.truncate(MOST);
        Ok(answer)
    }
}

/// A key has no scopes that a new sign-in would widen: one that may not ask is refused.
fn of_a_key(error: LookupError) -> LookupError {
    if error == LookupError::Scope { LookupError::Unauthorized } else { error }
}

/// The first body, which must be an object.
fn object(bodies: &[Option<Value>]) -> Result<&Value, LookupError> {
    let first = bodies.first().and_then(Option::as_ref);
    first.filter(|body| body.is_object()).ok_or(LookupError::Unparsable)
}

/// An amount of money, where there is one.
fn balance(label: &str, amount: Option<&Value>, currency: Option<&str>) -> Option<ProviderBalance> {
    let amount = number(amount?).filter(|amount| amount.abs() < LARGEST)?;
    Some(ProviderBalance { label: label.to_owned(), amount, currency: currency.map(str::to_owned) })
}

/// The same for what is only a part of another, and told where it is anything at all.
fn part(label: &str, amount: Option<&Value>, currency: Option<&str>) -> Option<ProviderBalance> {
    balance(label, amount, currency).filter(|part| part.amount != 0.0)
}

/// A provider's own code for what went wrong, within an answer that is said to be one.
fn code(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// An error that came with status 200.
fn refused(code: Option<i64>, key: &[i64], throttle: &[i64]) -> LookupError {
    match code {
        Some(code) if key.contains(&code) => LookupError::Unauthorized,
        Some(code) if throttle.contains(&code) => LookupError::Throttled { retry_after: None },
        _ => LookupError::Server(200),
    }
}

#[cfg(test)]
mod tests;
