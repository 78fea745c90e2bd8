//! The end of a login itself: nothing but a new sign-in comes after it, and no renewal puts it off (facts §3.4).

use jiff::{SignedDuration, Timestamp};

/// So long before, it is told; Claude Code tells it three to five days before.
const AHEAD: SignedDuration = SignedDuration::from_hours(5 * 24);

/// Whether a login that ends at `end` has so little time left that its owner should know.
pub(crate) fn is_near(end: Option<Timestamp>, now: Timestamp) -> bool {
    end.is_some_and(|end| end > now && end.duration_since(now) <= AHEAD)
}

/// The warning about a login that ends soon.
pub(crate) fn warning(name: &str, end: Option<Timestamp>, now: Timestamp) -> Option<String> {
    let end = end.filter(|end| is_near(Some(*end), now))?;
    let (left, at) = (left(end, now), crate::text::seconds(end));
    Some(format!(
        "the login of '{name}' ends in {left}, at {at}, and no renewal puts that off; sign in anew before: clauth login {name}"
    ))
}

/// Said of a login whose own end has passed.
pub(crate) fn ended(end: Timestamp) -> String {
    format!("its own end, {}, has passed, as every login's does; that is no revocation", crate::text::seconds(end))
}

/// Said of a login that the server no longer accepts: before its own end, something ended it.
pub(crate) fn refused(end: Option<Timestamp>, now: Timestamp) -> String {
    let early = end.filter(|end| *end > now).map_or_else(String::new, |end| {
        format!(", {} before its own end: it was revoked, or used up elsewhere", left(end, now))
    });
    format!("the server no longer accepts it{early}")
}

/// How long it is until `end`, in the largest unit that tells it.
fn left(end: Timestamp, now: Timestamp) -> String {
    let minutes = end.duration_since(now).as_mins();
    let of = |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match (minutes / 1440, minutes / 60) {
        (0, 0) => of(minutes, "minute"),
        (0, hours) => of(hours, "hour"),
        (days, _) => of(days, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    const DAY: i64 = 24 * 3600;

    #[test]
    fn an_end_is_told_from_five_days_before_and_not_after_it() {
        for (name, end, told) in [
            ("no end is known", None, None),
            ("six days", Some(6 * DAY), None),
            ("a second more than five days", Some(5 * DAY + 1), None),
            ("five days", Some(5 * DAY), Some("5 days")),
            ("a day and a half", Some(DAY + DAY / 2), Some("1 day")),
            ("an hour and a half", Some(5400), Some("1 hour")),
            ("two minutes", Some(120), Some("2 minutes")),
            ("now", Some(0), None),
            ("over", Some(-5), None),
        ] {
            let warning = warning("work", end.map(at), at(0));
            assert_eq!(warning.is_some(), told.is_some(), "{name}: {warning:?}");
            assert_eq!(is_near(end.map(at), at(0)), told.is_some(), "{name}");
            let says = |left: &str| warning.as_ref().is_some_and(|text| text.contains(&format!("ends in {left}, at")));
            assert!(told.is_none_or(says), "{name}: {warning:?}");
        }
    }

    #[test]
    fn what_was_refused_before_its_end_is_told_apart_from_what_ended() {
        for (name, end, early) in [("no end", None, false), ("over", Some(-1), false), ("before", Some(3 * DAY), true)]
        {
            let told = refused(end.map(at), at(0));
            assert!(told.starts_with("the server no longer accepts it"), "{name}: {told}");
            assert_eq!(told.contains("3 days before its own end"), early, "{name}: {told}");
        }
        assert!(ended(at(0)).contains("no revocation"));
    }
}
