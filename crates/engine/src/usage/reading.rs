//! A reading: figures with their source and their age. What is too old, or past its reset, is told as such and never shown
//! as if it held.

use std::time::Duration;

use clauth_anthropic::Spend;
use jiff::{SignedDuration, Timestamp};

/// No reading is stale before this age (design §5).
const LEAST: SignedDuration = SignedDuration::from_mins(10);

/// A reading from further ahead than this is not to be believed.
const AHEAD: SignedDuration = SignedDuration::from_mins(2);

/// Where a figure comes from (`contract.md`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// What a running Claude Code handed to its status line.
    Statusline,
    /// The usage endpoint.
    #[default]
    Api,
    /// A provider behind an endpoint profile.
    Provider,
}

impl Source {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Statusline => "statusline",
            Self::Api => "api",
            Self::Provider => "provider",
        }
    }
}

/// Why there is no newer reading (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The server asks for fewer requests.
    Throttled,
    /// Nobody was reached, or the network is off.
    Offline,
    /// The token may not ask.
    Scope,
    /// The server no longer takes the access token.
    Expired,
    /// The server answered with an error.
    Server,
    /// The answer cannot be understood.
    Unparsable,
    /// A provider does not accept the profile's key.
    Key,
    /// The proxy that the environment names cannot be used, or lets nothing through.
    Proxy,
    /// Whoever answered has a certificate that is not trusted.
    Untrusted,
    /// The server names another account for the token: the figures would be that one's.
    Account,
}

impl Trouble {
    const ALL: [(Self, &'static str); 10] = [
        (Self::Throttled, "throttled"),
        (Self::Offline, "offline"),
        (Self::Scope, "scope"),
        (Self::Expired, "expired"),
        (Self::Server, "server"),
        (Self::Unparsable, "unparsable"),
        (Self::Key, "key"),
        (Self::Proxy, "proxy"),
        (Self::Untrusted, "untrusted"),
        (Self::Account, "account"),
    ];

    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(trouble, _)| *trouble == self).map_or("server", |(_, word)| word)
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(trouble, _)| *trouble)
    }

    /// The same for people.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Throttled => "the server asks for fewer requests",
            Self::Offline => "nobody was reached",
            Self::Scope => "its token may not ask for usage; a new sign-in gives one that may",
            Self::Expired => "the server does not accept its access token",
            Self::Server => "the server answered with an error",
            Self::Unparsable => "the answer could not be understood",
            Self::Key => "the provider does not accept its key",
            Self::Proxy => "the proxy does not let it through; see HTTPS_PROXY",
            Self::Untrusted => "its certificate is not trusted; a network's own goes into NODE_EXTRA_CA_CERTS",
            Self::Account => "the server says that its login is another account's",
        }
    }
}

/// One window of a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    /// `5h`, `7d`, `7d:<model in lower case>`.
    pub id: String,
    /// The same for people.
    pub label: String,
    /// How much was used: 0 to 100. Means nothing once it is reset: see [`Window::value`].
    pub percent: f64,
    /// When it begins anew.
    pub resets_at: Option<Timestamp>,
    /// It is what limits the account now.
    pub binding: bool,
    /// When that was so; `None` where nobody wrote it down.
    pub as_of: Option<Timestamp>,
    /// The interval that was in force when it was taken.
    pub every: Duration,
    /// Where it comes from.
    pub source: Source,
}

impl Window {
    /// How much is used, as far as that is known at `now`: a window past its reset has no value.
    #[must_use]
    pub fn value(&self, now: Timestamp) -> Option<f64> {
        self.resets_at.is_none_or(|at| at > now).then_some(self.percent)
    }

    /// Whether nothing at all may be used when it is used up.
    fn stops_all(&self) -> bool {
        matches!(self.id.as_str(), "5h" | "7d") || (self.source == Source::Provider && !self.id.contains(':'))
    }

    /// Whether it is too old to be believed, or past its reset.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        is_old(self.as_of, self.every, now) || self.value(now).is_none()
    }
}

/// A provider's balance.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// What it is.
    pub label: String,
    /// How much there is.
    pub amount: f64,
    /// ISO 4217, where it is known.
    pub currency: Option<String>,
}

impl Balance {
    pub(crate) fn of(told: clauth_anthropic::ProviderBalance) -> Self {
        Self { label: told.label, amount: told.amount, currency: told.currency }
    }
}

/// How many requests were made, and how many may be (design §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// In the last 60 minutes.
    pub used: usize,
    /// At most.
    pub limit: usize,
    /// When the next may be made, if none may be made now.
    pub next_at: Option<Timestamp>,
}

/// What is known of an account's use.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// When the newest of its figures was so.
    pub as_of: Option<Timestamp>,
    /// Where the newest of its figures comes from.
    pub source: Source,
    /// The windows; none where none was reported, which does not mean that nothing is used.
    pub windows: Vec<Window>,
    /// What is paid beyond the plan.
    pub spend: Option<Spend>,
    /// What a provider holds.
    pub balances: Vec<Balance>,
    /// Why there is no newer one.
    pub error: Option<Trouble>,
    /// When that was.
    pub error_at: Option<Timestamp>,
    /// When it is asked again, where it is not asked now.
    pub retry_at: Option<Timestamp>,
    /// `active`, `trialing`, `canceled`, …: open-ended.
    pub subscription: Option<String>,
    /// The plan, as the server last named it.
    pub plan: Option<String>,
    /// The interval that was in force when it was taken.
    pub every: Duration,
}

impl Reading {
    /// The window of this id.
    #[must_use]
    pub fn window(&self, id: &str) -> Option<&Window> {
        self.windows.iter().find(|window| window.id == id)
    }

    /// Whether any of it is too old to be believed, or past its reset. Computed by whoever reads, never stored.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        is_old(self.as_of, self.every, now) || self.windows.iter().any(|window| window.is_stale(now))
    }

    /// Whether a throttle keeps the figures from moving: then they are lower bounds.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        let newer = |at| self.windows.iter().all(|window| window.as_of.is_some_and(|as_of| as_of > at));
        self.error == Some(Trouble::Throttled) && self.error_at.is_none_or(|at| self.windows.is_empty() || !newer(at))
    }

    /// Neither stale nor frozen: what decisions may rest on.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        !self.is_stale(now) && !self.is_frozen()
    }

    /// The fullest window with a value: what will stop the work first.
    #[must_use]
    pub fn worst(&self, now: Timestamp) -> Option<&Window> {
        let valued = self.windows.iter().filter(|window| window.value(now).is_some());
        valued.max_by(|a, b| a.percent.total_cmp(&b.percent))
    }

    /// When the windows that are used up begin anew, the last of them; `None` when there is room. A model's own week, or a
    /// limit that is not known here, stops not everything: the account is used on.
    #[must_use]
    pub fn spent_until(&self, now: Timestamp) -> Option<Timestamp> {
        let spent = self.windows.iter().filter(|window| window.value(now).is_some_and(|percent| percent >= 100.0));
        spent.filter(|window| window.stops_all()).filter_map(|window| window.resets_at).max()
    }
}

/// Older than twice the interval, at least ten minutes; without a stamp, or from the future.
fn is_old(as_of: Option<Timestamp>, every: Duration, now: Timestamp) -> bool {
    let Some(as_of) = as_of else { return true };
    let twice = SignedDuration::try_from(every.saturating_mul(2)).unwrap_or(SignedDuration::MAX);
    let age = now.duration_since(as_of);
    age > twice.max(LEAST) || age < -AHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_190_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(NOW + seconds).expect("a time")
    }

    fn window(id: &str, percent: f64, reset: Option<i64>, age: Option<i64>) -> Window {
        Window {
            id: id.into(),
            label: id.into(),
            percent,
            resets_at: reset.map(at),
            binding: false,
            as_of: age.map(|age| at(-age)),
            every: Duration::from_secs(300),
            source: Source::Api,
        }
    }

    fn reading(windows: Vec<Window>) -> Reading {
        Reading {
            as_of: windows.iter().filter_map(|window| window.as_of).max(),
            source: Source::Api,
            windows,
            spend: None,
            balances: Vec::new(),
            error: None,
            error_at: None,
            retry_at: None,
            subscription: None,
            plan: None,
            every: Duration::from_secs(300),
        }
    }

    #[test]
    fn what_is_stale_row_by_row() {
        for (name, every, reset, age, stale) in [
            ("just taken", 300, Some(9_000), Some(0), false),
            ("at the least age", 60, Some(9_000), Some(600), false),
            ("past the least age", 60, Some(9_000), Some(601), true),
            ("within twice a long interval", 1_200, Some(9_000), Some(2_400), false),
            ("past twice a long interval", 1_200, Some(9_000), Some(2_401), true),
            ("past its reset", 300, Some(-1), Some(30), true),
            ("at its reset", 300, Some(0), Some(30), true),
            ("without a reset", 300, None, Some(30), false),
            ("without a stamp", 300, Some(9_000), None, true),
            ("from a clock a little ahead", 300, Some(9_000), Some(-100), false),
            ("from the future", 300, Some(9_000), Some(-121), true),
            ("from another age", 300, None, Some(400_000_000), true),
        ] {
            let window = Window { every: Duration::from_secs(every), ..window("5h", 5.0, reset, age) };
            assert_eq!(window.is_stale(at(0)), stale, "{name}");
            let reading = Reading { every: Duration::from_secs(every), ..reading(vec![window]) };
            assert_eq!(reading.is_stale(at(0)), stale, "{name}: the whole");
        }
    }

    #[test]
    fn a_window_past_its_reset_has_no_value_and_ranks_nowhere() {
        let reading = reading(vec![window("5h", 100.0, Some(-1), Some(5)), window("7d", 40.0, Some(99), Some(5))]);
        assert_eq!(reading.windows[0].value(at(0)), None);
        assert_eq!(reading.worst(at(0)).map(|window| window.id.as_str()), Some("7d"));
        assert_eq!(reading.spent_until(at(0)), None);
        assert_eq!(reading.spent_until(at(-10)), Some(at(-1)));
    }

    #[test]
    fn a_throttle_freezes_what_is_older_than_it() {
        let base = reading(vec![window("5h", 40.0, Some(99), Some(60))]);
        for (name, error, since, frozen) in [
            ("no error", None, 0, false),
            ("throttled since", Some(Trouble::Throttled), 30, true),
            ("throttled before a newer figure", Some(Trouble::Throttled), 90, false),
            ("another error", Some(Trouble::Offline), 30, false),
        ] {
            let reading = Reading { error, error_at: Some(at(-since)), ..base.clone() };
            assert_eq!(reading.is_frozen(), frozen, "{name}");
            assert_eq!(reading.is_fresh(at(0)), !frozen, "{name}");
        }
    }
}
