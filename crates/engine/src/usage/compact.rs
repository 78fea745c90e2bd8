//! Fourteen days of readings, compacted: the last day whole, of earlier ones the last reading of each quarter of an hour.

use std::collections::BTreeMap;

use clauth_durable::{Disk, Mode};
use jiff::{SignedDuration, Timestamp};

use super::line::Line;
use crate::Root;

/// How long a reading is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(14 * 24);

/// How long all of them are.
const WHOLE: SignedDuration = SignedDuration::from_hours(24);

/// Of earlier ones, one in so many seconds.
const QUARTER: i64 = 15 * 60;

/// A file that is smaller is left alone.
const LARGE: u64 = 256 << 10;

/// What is kept of `lines`, in order. A window's last figure before it begins anew stays: it is what was used of it.
pub(crate) fn compacted(lines: Vec<Line>, now: Timestamp) -> Vec<Line> {
    let mut kept: BTreeMap<(Timestamp, Option<String>), Line> = BTreeMap::new();
    for line in lines {
        let age = now.duration_since(line.at);
        if age > KEPT {
            continue;
        }
        let quarter = Timestamp::from_second(line.at.as_second().div_euclid(QUARTER) * QUARTER).unwrap_or(line.at);
        let resets: String = line.windows.iter().map(|(id, _, at)| format!("{id}{at:?}")).collect();
        let place = if age <= WHOLE { (line.at, None) } else { (quarter, Some(resets)) };
        let place = (place.0, Some(format!("{:?}{:?}{:?}", line.account, line.source, place.1)));
        match kept.get_mut(&place) {
            Some(known) if known.at > line.at => {}
            Some(known) => *known = line,
            None => drop(kept.insert(place, line)),
        }
    }
    let mut lines: Vec<Line> = kept.into_values().collect();
    lines.sort_by_key(|line| line.at);
    lines
}

/// Compacts the history of a profile where it has grown large. A line that a status line adds meanwhile may be lost: the next
/// one says the same.
pub(crate) fn compact(disk: &Disk, root: &Root, name: &str, now: Timestamp) -> Result<(), clauth_durable::Error> {
    let (path, before) = (root.usage_history(name), root.usage_history_before(name));
    let earlier = disk.read(&before)?;
    // A small one is let go of by the day, so that what is rarely asked about does not stay for years.
    let is_old = || super::line::first(disk, &path).is_some_and(|line| now.duration_since(line.at) > KEPT + WHOLE);
    if earlier.is_none() && disk.stat(&path)?.is_none_or(|stat| stat.len < LARGE) && !is_old() {
        return Ok(());
    }
    let bytes = [earlier.unwrap_or_default(), disk.read(&path)?.unwrap_or_default()].concat();
    let lines = bytes.split(|byte| *byte == b'\n').filter_map(Line::parse).collect();
    let text: Vec<u8> = compacted(lines, now).iter().flat_map(Line::bytes).collect();
    disk.replace(&path, &text, Mode::Private)?;
    disk.remove_file(&before).map(drop)
}

#[cfg(test)]
mod tests {
    use super::super::Source;
    use super::*;

    fn line(minutes: i64, percent: f64, reset: i64) -> Line {
        let at = |minutes: i64| Timestamp::from_second(1_795_190_400 + minutes * 60).expect("a time");
        let windows = vec![("5h".into(), percent, Some(at(reset)))];
        Line { at: at(minutes), source: Source::Api, account: None, windows }
    }

    #[test]
    fn what_is_kept_row_by_row() {
        let now = line(0, 0.0, 0).at;
        let day = 24 * 60;
        for (name, lines, kept) in [
            ("of the last day all", vec![line(-3, 1.0, 9), line(-2, 2.0, 9), line(-1, 3.0, 9)], vec![1.0, 2.0, 3.0]),
            ("of a quarter the last", vec![line(-day - 29, 1.0, 9), line(-day - 25, 2.0, 9)], vec![2.0]),
            ("in any order", vec![line(-day - 25, 2.0, 9), line(-day - 29, 1.0, 9)], vec![2.0]),
            ("of two quarters both", vec![line(-day - 40, 1.0, 9), line(-day - 25, 2.0, 9)], vec![1.0, 2.0]),
            ("of two windows both", vec![line(-day - 29, 90.0, 9), line(-day - 25, 2.0, 400)], vec![90.0, 2.0]),
            ("nothing beyond fourteen days", vec![line(-14 * day - 1, 1.0, 9), line(-14 * day, 2.0, 9)], vec![2.0]),
            ("what a clock ahead wrote", vec![line(90, 1.0, 9)], vec![1.0]),
        ] {
            let found: Vec<f64> = compacted(lines, now).iter().map(|line| line.windows[0].1).collect();
            assert_eq!(found, kept, "{name}");
        }
    }

    #[test]
    fn a_large_history_becomes_small_and_what_was_put_aside_comes_back() {
        let disk = Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        let world = clauth_sandbox::World::new("compact");
        let root = Root::new(world.root());
        disk.ensure_dir(&root.profile("a")).expect("a profile");
        let now = line(0, 0.0, 0).at;
        let minutes =
            |from: i64, to: i64| (from..to).flat_map(|minute| line(-minute, 1.0, 9).bytes()).collect::<Vec<u8>>();
        let (path, before) = (root.usage_history("a"), root.usage_history_before("a"));
        disk.replace(&path, &minutes(0, 20), Mode::Private).expect("written");
        compact(&disk, &root, "a", now).expect("small");
        assert_eq!(disk.read(&path).expect("read"), Some(minutes(0, 20)), "left alone");
        let days = |days: i64| line(-days * 24 * 60, 1.0, 9).bytes();
        for (name, oldest, kept) in [("within a day more", 14, 2), ("older", 16, 1)] {
            disk.replace(&path, &[days(oldest), days(0)].concat(), Mode::Private).expect("written");
            compact(&disk, &root, "a", now).expect("small");
            assert_eq!(super::super::line::all(&disk, &path).len(), kept, "{name}");
        }
        disk.replace(&path, &minutes(0, 20), Mode::Private).expect("written");
        disk.replace(&before, &minutes(20, 20_000), Mode::Private).expect("written");
        compact(&disk, &root, "a", now).expect("compacted");
        let lines = super::super::line::all(&disk, &path);
        assert!(lines.len() < 1440 + 14 * 96 + 10 && lines.len() > 1440 + 12 * 96, "{}", lines.len());
        assert_eq!(disk.read(&before).expect("read"), None);
    }
}
