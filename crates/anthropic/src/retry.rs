//! `Retry-After`: seconds or a date (facts §4.1).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// Nobody waits longer than this because a server said so.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// When a server wants to be asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// So long after its answer. Zero is what a saturated server says.
    In(Duration),
    /// At a moment of the server's own clock, where its answer does not tell what that clock says now.
    At(Timestamp),
}

impl RetryAfter {
    /// What the header says; `date` is the answer's own `Date`, which makes a date good on a machine whose clock is off.
    pub(crate) fn parse(text: &str, date: Option<&str>) -> Option<Self> {
        let text = text.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Self::In(Duration::from_secs(seconds).min(LONGEST)));
        }
        let at = moment(text)?;
        match date.and_then(moment) {
            None => Some(Self::At(at)),
            Some(now) => Some(Self::In(Duration::try_from(at.duration_since(now)).unwrap_or_default().min(LONGEST))),
        }
    }

    /// How long that is from `now`; a moment that has passed is none at all.
    #[must_use]
    pub fn from_now(self, now: Timestamp) -> Duration {
        match self {
            Self::In(time) => time,
            Self::At(at) => Duration::try_from(at.duration_since(now)).unwrap_or_default().min(LONGEST),
        }
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    DateTimeParser::new().parse_timestamp(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_both_understood() {
        let now: Timestamp = "2026-11-25T07:00:00Z".parse().expect("a time");
        let date = "Wed, 25 Nov 2026 07:28:00 GMT";
        for (name, text, server, expected) in [
            ("seconds", "720", None, Some(720)),
            ("seconds with room", " 720 ", None, Some(720)),
            ("none", "0", None, Some(0)),
            ("a date", date, None, Some(28 * 60)),
            ("a date on another clock", date, Some("Wed, 25 Nov 2026 07:27:00 GMT"), Some(60)),
            ("a date that has passed", "Wed, 25 Nov 2026 06:28:00 GMT", None, Some(0)),
            ("a date that has passed there", date, Some("Wed, 25 Nov 2026 08:00:00 GMT"), Some(0)),
            ("a date beside one that is none", date, Some("yesterday"), Some(28 * 60)),
            ("a week", "604800", None, Some(24 * 3600)),
            ("a date next year", "Thu, 25 Nov 2027 07:28:00 GMT", None, Some(24 * 3600)),
            ("less than nothing", "-1", None, None),
            ("words", "soon", None, None),
            ("nothing", "", None, None),
        ] {
            let wait = RetryAfter::parse(text, server).map(|wait| wait.from_now(now).as_secs());
            assert_eq!(wait, expected, "{name}");
        }
    }
}
