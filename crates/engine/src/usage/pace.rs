//! How fast a window fills: burn rate, pace against an even spread, the projected moment at which it is full, and how far a
//! figure that a throttle froze may be off. Pure functions of lines and now.

use jiff::{SignedDuration, Timestamp};

use super::Window;
use super::line::Line;

/// Two resets this near are one window's.
const SAME: SignedDuration = SignedDuration::from_secs(90);

/// How a window fills (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pace {
    /// What an even spread would have used by now: 0 to 100.
    pub expected_percent: f64,
    /// More is used than that.
    pub ahead: bool,
    /// When it is full at the present rate; `None` where it begins anew before.
    pub full_at: Option<Timestamp>,
    /// Percent an hour, where that is known.
    pub burn: Option<f64>,
}

/// How long the window of this id lasts.
fn length(id: &str) -> Option<SignedDuration> {
    match id {
        "5h" => Some(SignedDuration::from_hours(5)),
        "7d" => Some(SignedDuration::from_hours(7 * 24)),
        id if id.starts_with("7d:") => Some(SignedDuration::from_hours(7 * 24)),
        _ => None,
    }
}

/// A fifth of a window is what counts as lately; from when on that is, up to the window's figure.
pub(crate) fn lately(window: &Window) -> Option<Timestamp> {
    let (length, reset, as_of) = (length(&window.id)?, window.resets_at?, window.as_of?);
    as_of.checked_sub(length / 5).ok()?.max(reset.checked_sub(length).ok()?).into()
}

/// Whether a line has a figure of this very window, from before the window's own.
pub(crate) fn tells_of(line: &Line, window: &Window) -> bool {
    line.at < window.as_of.unwrap_or(Timestamp::MIN) && figure(line, window).is_some()
}

/// What a line says of a window. One of another reset is another window's.
fn figure(line: &Line, window: &Window) -> Option<(Timestamp, f64)> {
    let (_, percent, at) = line.windows.iter().find(|(id, ..)| *id == window.id)?;
    (at.as_ref()?.duration_since(window.resets_at?).abs() <= SAME).then_some((line.at, *percent))
}

/// The pace of a window that has a value; `None` where nothing can be said.
pub(crate) fn pace(window: &Window, lines: &[Line], now: Timestamp) -> Option<Pace> {
    let (length, reset) = (length(&window.id)?, window.resets_at?);
    let percent = window.value(now).filter(|_| !window.is_stale(now))?;
    let left = reset.duration_since(now);
    let elapsed = (length - left).max(SignedDuration::ZERO);
    let expected = (elapsed.as_secs_f64() / length.as_secs_f64() * 100.0).clamp(0.0, 100.0);
    let burn = burn(window, lines, now);
    let full_at = burn.filter(|rate| *rate > 0.0 && percent < 100.0).and_then(|rate| {
        let seconds = (100.0 - percent) / rate * 3600.0;
        let at = window.as_of?.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()?;
        (at < reset).then_some(at.max(now))
    });
    Some(Pace { expected_percent: expected, ahead: percent > expected, full_at, burn })
}

/// Percent an hour: over the last part of the window where there are readings of it, else since it began. Readings of other
/// windows, from the future, or out of order say nothing.
pub(crate) fn burn(window: &Window, lines: &[Line], now: Timestamp) -> Option<f64> {
    let (length, reset, as_of) = (length(&window.id)?, window.resets_at?, window.as_of?);
    let begin = reset.checked_sub(length).ok()?;
    // A thirtieth of the window is too short to tell.
    let (lately, least) = (lately(window)?, length / 30);
    let known = lines.iter().filter(|line| line.at >= lately && line.at <= now && tells_of(line, window));
    let first = known.filter_map(|line| figure(line, window)).min_by_key(|(at, _)| *at);
    let since = |(at, percent): (Timestamp, f64)| {
        let time = as_of.duration_since(at);
        (time >= least).then(|| ((window.percent - percent) / (time.as_secs_f64() / 3600.0)).max(0.0))
    };
    first.and_then(since).or_else(|| since((begin, 0.0)))
}

/// How much may be used by now, where figures stand still because nobody may ask: at least the last one, and at most what the
/// rate would have added since. Without a rate nobody knows how much that is.
pub(crate) fn bounds(window: &Window, burn: Option<f64>, now: Timestamp) -> Option<(f64, f64)> {
    let last = window.value(now)?;
    let age = now.duration_since(window.as_of?).max(SignedDuration::ZERO);
    let more = burn?.max(0.0) * age.as_secs_f64() / 3600.0;
    Some((last, (last + more).min(100.0)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Source;
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + minutes * 60).expect("a time")
    }

    /// Five hours that began `begun` minutes ago, read `age` minutes ago.
    fn window(percent: f64, begun: i64, age: i64) -> Window {
        Window {
            id: "5h".into(),
            label: "5h".into(),
            percent,
            resets_at: Some(at(300 - begun)),
            binding: false,
            as_of: Some(at(-age)),
            every: Duration::from_secs(300),
            source: Source::Api,
        }
    }

    /// Percent at minutes, of the window that ends then.
    fn lines(rows: &[(i64, f64, i64)]) -> Vec<Line> {
        let line = |(minutes, percent, reset): &(i64, f64, i64)| Line {
            at: at(*minutes),
            source: Source::Api,
            account: None,
            windows: vec![("5h".into(), *percent, Some(at(*reset)))],
        };
        rows.iter().map(line).collect()
    }

    #[test]
    fn how_fast_it_burns_row_by_row() {
        type Row<'a> = (&'a str, Window, &'a [(i64, f64, i64)], Option<f64>);
        let rows: [Row<'_>; 11] = [
            ("since it began", window(50.0, 150, 0), &[], Some(20.0)),
            ("lately", window(50.0, 150, 0), &[(-60, 40.0, 150)], Some(10.0)),
            (
                "the first of the last hour counts",
                window(50.0, 150, 0),
                &[(-60, 40.0, 150), (-30, 49.0, 150)],
                Some(10.0),
            ),
            ("longer ago is not lately", window(50.0, 150, 0), &[(-90, 0.0, 150)], Some(20.0)),
            ("too short to tell", window(50.0, 150, 0), &[(-5, 10.0, 150)], Some(20.0)),
            ("another window's readings", window(50.0, 150, 0), &[(-60, 99.0, -10)], Some(20.0)),
            ("a reset told less exactly", window(50.0, 150, 0), &[(-60, 40.0, 151)], Some(10.0)),
            ("a clock that jumped", window(50.0, 150, 0), &[(500, 99.0, 150), (-60, 40.0, 150)], Some(10.0)),
            ("a figure that fell", window(50.0, 150, 0), &[(-60, 60.0, 150)], Some(0.0)),
            ("a gap", window(50.0, 150, 0), &[(-140, 1.0, 150), (-45, 35.0, 150)], Some(20.0)),
            ("just begun", window(1.0, 5, 0), &[], None),
        ];
        for (name, window, known, expected) in rows {
            let found = burn(&window, &lines(known), at(0));
            let near = |a: f64, b: f64| (a - b).abs() < 0.01;
            assert!(found.is_some() == expected.is_some(), "{name}: {found:?}");
            assert!(found.zip(expected).is_none_or(|(a, b)| near(a, b)), "{name}: {found:?}");
        }
    }

    #[test]
    fn pace_and_projection_row_by_row() {
        for (name, window, expected, ahead, full) in [
            ("ahead and full before the reset", window(60.0, 150, 0), 50.0, true, Some(100)),
            ("behind", window(40.0, 150, 0), 50.0, false, None),
            ("just even", window(50.0, 150, 0), 50.0, false, None),
            ("full already", window(100.0, 150, 0), 50.0, true, None),
            ("nothing used", window(0.0, 150, 0), 50.0, false, None),
        ] {
            let pace = pace(&window, &[], at(0)).expect("a pace");
            assert!((pace.expected_percent - expected).abs() < 0.01, "{name}: {pace:?}");
            assert_eq!((pace.ahead, pace.full_at), (ahead, full.map(at)), "{name}");
        }
        for (name, window) in [
            ("reset since", window(60.0, 301, 0)),
            ("stale", window(60.0, 150, 11)),
            ("without a reset", Window { resets_at: None, ..window(60.0, 150, 0) }),
            ("of no known length", Window { id: "monthly".into(), ..window(60.0, 150, 0) }),
        ] {
            assert_eq!(pace(&window, &[], at(0)), None, "{name}");
        }
        // A clock put back: the window has not begun yet, and nothing is expected of it.
        let early = pace(&window(5.0, -60, 0), &[], at(0)).expect("a pace");
        assert_eq!((early.expected_percent, early.full_at), (0.0, None));
    }

    #[test]
    fn a_frozen_figure_is_an_interval() {
        for (name, window, burn, expected) in [
            ("no rate known", window(40.0, 150, 30), None, None),
            ("half an hour", window(40.0, 150, 30), Some(20.0), Some((40.0, 50.0))),
            ("no further than all", window(95.0, 150, 60), Some(20.0), Some((95.0, 100.0))),
            ("from the future", window(40.0, 150, -30), Some(20.0), Some((40.0, 40.0))),
            ("reset since", window(40.0, 301, 30), Some(20.0), None),
        ] {
            assert_eq!(bounds(&window, burn, at(0)), expected, "{name}");
        }
    }
}
