//! Whether a status line still carries the figures of the account before a switch, or older ones of its own: pure functions.
//!
//! Claude Code hands over what its last answer said, and after a switch that answer was another account's until the next one
//! comes. It does not say whose they are; what gives them away are the resets.

use jiff::{SignedDuration, Timestamp};

use super::Window;
use super::line::Line;

/// Two resets this near are one: some are told to the second, others to the microsecond.
const SAME: SignedDuration = SignedDuration::from_secs(5);

/// Some figures are whole percents, others are not: what differs by less is the same.
const ROUNDED: f64 = 1.0;

/// What was handed over: id, percent, and the reset.
pub(crate) type Windows = [(String, f64, Option<Timestamp>)];

/// Whether `windows` are somebody else's: all resets are those of another account, and not our own as well; or, where two
/// accounts have the same resets, all figures are the other's too.
pub(crate) fn is_anothers(windows: &Windows, own: Option<&Line>, others: &[Line]) -> bool {
    let of = |line: &&Line| resets(windows, line);
    let mut others = others.iter().filter(of).peekable();
    if others.peek().is_none() {
        return false;
    }
    !own.is_some_and(|own| resets(windows, own)) || others.any(|line| figures(windows, line))
}

/// Whether a figure is older than what is `known` of its window: that of a session which has asked nothing for a while. Within
/// one window usage never falls, so a lower one is; so is one whose transcript was not `written` since. Where what is known is
/// stale itself, a lower one counts: a plan may have grown.
pub(crate) fn is_older(
    (percent, reset): (f64, Option<Timestamp>),
    known: &Window,
    written: Option<Timestamp>,
    now: Timestamp,
) -> bool {
    let one_window = reset.zip(known.resets_at).is_some_and(|(one, other)| is_same(one, other));
    let is_lower = percent <= known.percent - ROUNDED && !known.is_stale(now);
    let as_of = known.as_of.filter(|at| *at <= now);
    let is_unasked = percent <= known.percent && written.zip(as_of).is_some_and(|(at, as_of)| at < as_of);
    one_window && (is_lower || is_unasked)
}

/// Whether two resets are one.
pub(crate) fn is_same(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= SAME
}

/// Whether all windows have the resets of `line`.
fn resets(windows: &Windows, line: &Line) -> bool {
    let known: Vec<_> = windows.iter().filter_map(|(id, _, at)| Some((id, (*at)?))).collect();
    let in_line = |id: &String| line.windows.iter().find(|(other, ..)| other == id)?.2;
    !known.is_empty() && known.iter().all(|(id, at)| in_line(id).is_some_and(|other| is_same(other, *at)))
}

fn figures(windows: &Windows, line: &Line) -> bool {
    let in_line = |id: &String| line.windows.iter().find(|(other, ..)| other == id).map(|window| window.1);
    windows.iter().all(|(id, percent, _)| in_line(id).is_some_and(|other| (other - percent).abs() < 0.01))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::Source;
    use super::*;

    fn windows(rows: &[(&str, f64, i64)]) -> Vec<(String, f64, Option<Timestamp>)> {
        let at = |second| Timestamp::from_second(1_795_190_400 + second).ok();
        rows.iter().map(|(id, percent, reset)| ((*id).to_owned(), *percent, at(*reset))).collect()
    }

    fn line(rows: &[(&str, f64, i64)]) -> Line {
        Line { at: Timestamp::UNIX_EPOCH, source: Source::Api, account: None, windows: windows(rows) }
    }

    #[test]
    fn which_figures_are_older_row_by_row() {
        let at = |second: i64| Timestamp::from_second(1_795_190_400 + second).expect("a time");
        let known = Window {
            id: "5h".into(),
            label: "5h".into(),
            percent: 40.0,
            resets_at: Some(at(9_000)),
            binding: false,
            as_of: Some(at(-60)),
            every: Duration::from_secs(300),
            source: Source::Api,
        };
        for (name, percent, reset, written, now, older) in [
            ("lower", 10.0, 9_000, Some(0), 0, true),
            ("lower, nobody knows when it was asked", 10.0, 9_000, None, 0, true),
            ("lower by what is rounded away", 39.2, 9_000, Some(0), 0, false),
            ("lower, against what is stale", 10.0, 9_000, Some(0), 1_000, false),
            ("lower and not asked, against what is stale", 10.0, 9_000, Some(-90), 1_000, true),
            ("the same", 40.0, 9_000, Some(0), 0, false),
            ("the same, and not asked since", 40.0, 9_000, Some(-90), 0, true),
            ("higher, wherever it was asked", 41.0, 9_000, Some(-90), 0, false),
            ("another window", 3.0, 27_000, Some(-90), 0, false),
        ] {
            assert_eq!(is_older((percent, Some(at(reset))), &known, written.map(at), at(now)), older, "{name}");
        }
    }

    #[test]
    fn whose_figures_these_are_row_by_row() {
        let handed: &[(&str, f64, i64)] = &[("5h", 20.0, 100), ("7d", 40.0, 900)];
        type Row<'a> = (&'a str, Option<&'a [(&'a str, f64, i64)]>, &'a [(&'a str, f64, i64)], bool);
        let rows: [Row<'_>; 9] = [
            ("nothing known of the other", None, &[], false),
            ("the other's resets", None, &[("5h", 19.0, 100), ("7d", 40.0, 900)], true),
            ("the other's, told more exactly", None, &[("5h", 20.0, 103), ("7d", 40.0, 897)], true),
            (
                "the other's, with more windows",
                None,
                &[("5h", 20.0, 100), ("7d", 40.0, 900), ("7d:fable", 1.0, 5)],
                true,
            ),
            ("one reset in common", None, &[("5h", 20.0, 100), ("7d", 40.0, 9_000)], false),
            ("the other has only one window", None, &[("5h", 20.0, 100)], false),
            (
                "our own as well",
                Some(&[("5h", 10.0, 100), ("7d", 30.0, 900)]),
                &[("5h", 90.0, 100), ("7d", 95.0, 900)],
                false,
            ),
            (
                "our own as well, but the other's figures",
                Some(&[("5h", 10.0, 100), ("7d", 30.0, 900)]),
                &[("5h", 20.0, 100), ("7d", 40.0, 900)],
                true,
            ),
            (
                "our own are others by now",
                Some(&[("5h", 10.0, -999), ("7d", 30.0, 900)]),
                &[("5h", 20.0, 100), ("7d", 40.0, 900)],
                true,
            ),
        ];
        for (name, own, other, anothers) in rows {
            let own = own.map(line);
            assert_eq!(is_anothers(&windows(handed), own.as_ref(), &[line(other)]), anothers, "{name}");
        }
    }
}
