//! Whether a status line still carries the figures of the account before a switch: a pure function.
//!
//! Claude Code hands over what its last answer said, and after a switch that answer was another account's until the next one
//! comes. It does not say whose they are; what gives them away are the resets.

use jiff::{SignedDuration, Timestamp};

use super::line::Line;

/// Two resets this near are one: some are told to the second, others to the microsecond.
const SAME: SignedDuration = SignedDuration::from_secs(5);

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
