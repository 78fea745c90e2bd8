//! How often an account is asked, and how long nobody asks after a refusal: pure functions (design §5).

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Reading, Trouble, Window};

/// The account in use.
pub(crate) const ACTIVE: Duration = Duration::from_secs(5 * 60);

/// The account in use when it is near a line.
pub(crate) const NEAR: Duration = Duration::from_secs(3 * 60);

/// A parked account: a third less while its figures move, since somebody uses it elsewhere, and a third more while it rests.
pub(crate) const PARKED: Duration = Duration::from_secs(15 * 60);

/// So near a line the account in use is asked more often, in points.
const CLOSE: f64 = 10.0;

/// A refusal for want of a scope holds so long.
const A_DAY: SignedDuration = SignedDuration::from_hours(24);

/// A key that a provider refuses is not sent again for so long; another key is another account, and asked about at once.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);

/// How long nobody asks where a throttle names no time, or none at all.
const UNNAMED: Duration = Duration::from_secs(5 * 60);

/// What is added to a time that a throttle names: more than half of the blocks recur just after it (facts §4.1).
const MARGIN: Duration = Duration::from_secs(30);

/// The lines that must not be crossed, in percent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Lines {
    /// Of the five hours.
    pub(crate) session: f64,
    /// Of the week, and of each model's.
    pub(crate) week: f64,
}

impl Default for Lines {
    fn default() -> Self {
        Self { session: 95.0, week: 98.0 }
    }
}

/// The intervals, as the user may have set them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    /// Of the account in use.
    pub(crate) active: Duration,
    /// Of parked ones.
    pub(crate) parked: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { active: ACTIVE, parked: PARKED }
    }
}

/// How an account is used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Use {
    /// A `claude` may be using it: it is live, or has sessions.
    pub(crate) active: bool,
    /// Its figures moved at the last look.
    pub(crate) moving: bool,
    /// Its lines.
    pub(crate) lines: Lines,
    /// The user's intervals.
    pub(crate) pace: Pace,
}

/// How long a reading is good for before the next one is due.
pub(crate) fn interval(reading: Option<&Reading>, how: &Use, now: Timestamp) -> Duration {
    match (how.active, reading) {
        (true, Some(reading)) if is_close(reading, how.lines, now) => how.pace.active.min(NEAR),
        (true, _) => how.pace.active,
        (false, _) if how.moving => how.pace.parked * 2 / 3,
        (false, _) => how.pace.parked * 4 / 3,
    }
}

/// The same while a status line hands some of the windows over: the others move slowly, unless they are near a line themselves.
pub(crate) fn interval_beside(
    reading: &Reading,
    handed: &dyn Fn(&Window) -> bool,
    how: &Use,
    now: Timestamp,
) -> Duration {
    let windows = reading.windows.iter().filter(|window| !handed(window)).cloned().collect();
    let left = Reading { windows, ..reading.clone() };
    let usual = interval(Some(&left), how, now);
    if is_close(&left, how.lines, now) { usual } else { usual.max(how.pace.parked) }
}

fn is_close(reading: &Reading, lines: Lines, now: Timestamp) -> bool {
    reading.windows.iter().any(|window| {
        let line = if window.id == "5h" { lines.session } else { lines.week };
        window.value(now).is_some_and(|percent| percent >= line - CLOSE && percent < 100.0)
    })
}

/// Until when nobody asks after a failed request; `None` where the next that wants to know may ask. What the server names is
/// honoured with a margin (design §5), with whatever status it came.
pub(crate) fn hold(error: Trouble, asked: Option<Duration>, now: Timestamp) -> Option<Timestamp> {
    let later = |time: SignedDuration| now.checked_add(time).ok();
    match error {
        Trouble::Scope => later(A_DAY),
        Trouble::Server if asked.is_none() => None,
        Trouble::Throttled | Trouble::Server => {
            let named = asked.filter(|time| !time.is_zero());
            let wait = named.map_or(UNNAMED, |time| time + time / 10 + MARGIN).max(UNNAMED / 5);
            later(SignedDuration::try_from(wait).unwrap_or(A_DAY).min(A_DAY))
        }
        Trouble::Key => later(AN_HOUR),
        Trouble::Offline
        | Trouble::Expired
        | Trouble::Unparsable
        | Trouble::Proxy
        | Trouble::Untrusted
        | Trouble::Account => None,
    }
}

/// A pause that stands at `now`: one that ends later than any lasts was dated by a clock that was ahead.
pub(crate) fn standing(until: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    until.filter(|at| *at > now && at.duration_since(now) <= A_DAY)
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_190_400).expect("a time")
    }

    fn reading(id: &str, percent: f64, reset: i64) -> Reading {
        let window = Window {
            id: id.into(),
            label: id.into(),
            percent,
            resets_at: Some(now() + SignedDuration::from_secs(reset)),
            binding: false,
            as_of: Some(now()),
            every: ACTIVE,
            source: Source::Api,
        };
        Reading {
            as_of: Some(now()),
            source: Source::Api,
            windows: vec![window],
            spend: None,
            balances: Vec::new(),
            error: None,
            error_at: None,
            retry_at: None,
            subscription: None,
            plan: None,
            every: ACTIVE,
        }
    }

    #[test]
    fn intervals_row_by_row() {
        let active = Use { active: true, ..Use::default() };
        let parked = Use::default();
        let moving = Use { moving: true, ..parked };
        for (name, reading, how, minutes) in [
            ("in use, nothing known", None, active, 5),
            ("in use, far from a line", Some(reading("5h", 84.9, 99)), active, 5),
            ("in use, within ten points", Some(reading("5h", 85.0, 99)), active, 3),
            ("in use, past the line", Some(reading("5h", 97.0, 99)), active, 3),
            ("in use, used up", Some(reading("5h", 100.0, 99)), active, 5),
            ("in use, reset since", Some(reading("5h", 90.0, -1)), active, 5),
            ("in use, the week within ten points", Some(reading("7d", 88.0, 99)), active, 3),
            ("in use, the week far", Some(reading("7d", 87.9, 99)), active, 5),
            ("in use, a model's week", Some(reading("7d:fable", 90.0, 99)), active, 3),
            ("parked and resting", Some(reading("5h", 90.0, 99)), parked, 20),
            ("parked and moving", Some(reading("5h", 90.0, 99)), moving, 10),
            ("parked, nothing known", None, parked, 20),
        ] {
            assert_eq!(interval(reading.as_ref(), &how, now()), Duration::from_secs(minutes * 60), "{name}");
        }
    }

    #[test]
    fn a_pause_of_a_clock_that_was_ahead_is_none() {
        for (name, seconds, stands) in [("over", -1, false), ("a day", 86_400, true), ("more", 86_401, false)] {
            let until = now() + SignedDuration::from_secs(seconds);
            assert_eq!(standing(Some(until), now()), stands.then_some(until), "{name}");
        }
        assert_eq!(standing(None, now()), None);
    }

    #[test]
    fn how_long_nobody_asks_row_by_row() {
        let day = 24 * 3600;
        for (name, error, asked, seconds) in [
            ("a throttle without a time", Trouble::Throttled, None, Some(300)),
            ("a throttle for nothing", Trouble::Throttled, Some(0), Some(300)),
            ("a throttle for a moment", Trouble::Throttled, Some(1), Some(60)),
            ("a throttle for minutes", Trouble::Throttled, Some(720), Some(720 + 72 + 30)),
            ("a throttle for an hour", Trouble::Throttled, Some(3600), Some(3600 + 360 + 30)),
            ("a throttle for ever", Trouble::Throttled, Some(u64::MAX / 2), Some(day)),
            ("a scope", Trouble::Scope, None, Some(day)),
            ("a refused key", Trouble::Key, None, Some(3600)),
            ("nobody there", Trouble::Offline, None, None),
            ("a proxy", Trouble::Proxy, Some(9), None),
            ("a certificate", Trouble::Untrusted, None, None),
            ("another account's token", Trouble::Account, None, None),
            ("an error of the server", Trouble::Server, None, None),
            ("an error of the server for a moment", Trouble::Server, Some(9), Some(60)),
            ("an error of the server for minutes", Trouble::Server, Some(720), Some(720 + 72 + 30)),
            ("an error of the server for nothing", Trouble::Server, Some(0), Some(300)),
            ("an expired token", Trouble::Expired, None, None),
            ("nonsense", Trouble::Unparsable, None, None),
        ] {
            let until = hold(error, asked.map(Duration::from_secs), now());
            assert_eq!(until.map(|at| at.duration_since(now()).as_secs()), seconds.map(|s: i64| s), "{name}");
        }
    }
}
