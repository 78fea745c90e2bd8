//! The clock of the sandbox: milliseconds since the epoch, as Claude Code counts.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One day in milliseconds.
pub(crate) const DAY: u64 = 24 * 60 * 60 * 1000;

/// How far the sandbox's time is ahead of the machine's, for everybody in this process.
static PASSED: AtomicI64 = AtomicI64::new(0);

/// How far this computer's clock is wrong: the server's stays right.
static WRONG: AtomicI64 = AtomicI64::new(0);

/// Milliseconds since the epoch, by this computer's clock.
#[must_use]
pub fn now_ms() -> u64 {
    true_ms().saturating_add_signed(WRONG.load(Ordering::SeqCst))
}

/// Milliseconds since the epoch, by a clock that nobody sets wrong.
#[must_use]
pub fn true_ms() -> u64 {
    of(SystemTime::now()).saturating_add_signed(PASSED.load(Ordering::SeqCst))
}

/// Lets time pass, without waiting, for the servers and every `claude` of this process.
pub fn let_pass(time: Duration) {
    PASSED.fetch_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
}

/// Sets this computer's clock wrong by so many milliseconds more.
pub fn set_wrong(ms: i64) {
    WRONG.fetch_add(ms, Ordering::SeqCst);
}

/// How far [`now_ms`] is ahead of what the machine stamps files with, in milliseconds.
#[must_use]
pub fn ahead_ms() -> i64 {
    PASSED.load(Ordering::SeqCst) + WRONG.load(Ordering::SeqCst)
}

/// Ends every [`let_pass`] and [`set_wrong`].
pub fn set_right() {
    PASSED.store(0, Ordering::SeqCst);
    WRONG.store(0, Ordering::SeqCst);
}

/// A moment in milliseconds; moments before the epoch are 0.
pub(crate) fn of(moment: SystemTime) -> u64 {
    moment.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// The moment of so many milliseconds.
pub(crate) fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

/// `2026-11-20T15:00:00.282Z`.
pub(crate) fn iso(ms: u64) -> String {
    let (days, rest) = (ms / DAY, ms % DAY);
    let (year, month, day) = civil(days);
    let (hour, minute, second, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day number, by Howard Hinnant's `civil_from_days`.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let index = (5 * of_year + 2) / 153;
    let day = of_year - (153 * index + 2) / 5 + 1;
    let month = if index < 10 { index + 3 } else { index - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::iso;

    #[test]
    fn moments_are_printed_as_javascript_does() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_795_190_400_000, "2026-11-20T16:00:00.000Z"),
        ] {
            assert_eq!(iso(ms), text);
        }
    }
}
