//! One line of `usage_history.jsonl`: what was read, when and from where. The last line of a status line is its reading, so
//! that storing one is a single append, which a kill can only do or leave.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use clauth_durable::Disk;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Source;

/// So much of the file's end holds the last lines, some thirty of them.
const TAIL: u64 = 4096;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// When.
    pub(crate) at: Timestamp,
    /// From where.
    pub(crate) source: Source,
    /// Whose.
    pub(crate) account: Option<String>,
    /// Id, percent, and the reset.
    pub(crate) windows: Vec<(String, f64, Option<Timestamp>)>,
}

impl Line {
    /// Whether it has a window of this id.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.windows.iter().any(|(known, ..)| known == id)
    }

    pub(crate) fn parse(line: &[u8]) -> Option<Self> {
        let line: Value = serde_json::from_slice(line).ok()?;
        let source = match line.get("by")?.as_str()? {
            "statusline" => Source::Statusline,
            "api" => Source::Api,
            "provider" => Source::Provider,
            _ => return None,
        };
        let window = |(id, value): (&String, &Value)| {
            let percent = value.get(0)?.as_f64().filter(|percent| percent.is_finite())?;
            let reset = value.get(1).and_then(Value::as_i64).and_then(|at| Timestamp::from_second(at).ok());
            Some((crate::text::shown(id), percent, reset))
        };
        Some(Self {
            at: Timestamp::from_second(line.get("at")?.as_i64()?).ok()?,
            source,
            account: line.get("of").and_then(Value::as_str).map(str::to_owned),
            windows: line.get("w")?.as_object()?.iter().filter_map(window).collect(),
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let windows: Map<String, Value> = self
            .windows
            .iter()
            .map(|(id, percent, reset)| (id.clone(), json!([percent, reset.map(Timestamp::as_second)])))
            .collect();
        crate::json::line(&json!({
            "at": self.at.as_second(), "by": self.source.word(), "of": self.account, "w": windows,
        }))
    }
}

/// The last lines of a file, oldest first. What was cut off at their beginning is passed over.
pub(crate) fn tail(disk: &Disk, path: &Path) -> Vec<Line> {
    let Some(bytes) = end_of(disk, path, TAIL) else { return Vec::new() };
    bytes.split(|byte| *byte == b'\n').filter_map(Line::parse).collect()
}

/// The last of the last lines that is wanted. The others are not even read: this is done for every profile.
pub(crate) fn last(disk: &Disk, path: &Path, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    last_within(disk, path, TAIL, wanted)
}

/// The same for a line that is not among the last ones.
pub(crate) fn last_lately(disk: &Disk, path: &Path, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    last_within(disk, path, BEYOND, wanted)
}

fn last_within(disk: &Disk, path: &Path, len: u64, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    let bytes = end_of(disk, path, len)?;
    bytes.rsplit(|byte| *byte == b'\n').filter_map(Line::parse).find(wanted)
}

/// The first line of a file.
pub(crate) fn first(disk: &Disk, path: &Path) -> Option<Line> {
    let bytes = piece(&mut disk.vfs.open(path).ok()?, 0, TAIL)?;
    bytes.split(|byte| *byte == b'\n').find_map(Line::parse)
}

/// Behind the place that was looked for, or from the end, so much is read at most.
const BEYOND: u64 = 32 << 10;

/// The first line not before `from` that is wanted and has a window of this id. Lines stand in the order of their time, so
/// that the place is found by halves: a history may be long, and this is done for every profile.
pub(crate) fn first_since(
    disk: &Disk,
    path: &Path,
    (from, id): (Timestamp, &str),
    wanted: impl Fn(&Line) -> bool,
) -> Option<Line> {
    let mut file = disk.vfs.open(path).ok()?;
    let (mut low, mut high) = (0, file.seek(SeekFrom::End(0)).ok()?);
    while high - low > TAIL {
        let middle = low.midpoint(high);
        let bytes = piece(&mut file, middle, TAIL)?;
        let first = bytes.split(|byte| *byte == b'\n').skip(1).find_map(Line::parse);
        match first {
            Some(line) if line.at < from => low = middle,
            _ => high = middle,
        }
    }
    let bytes = piece(&mut file, low, BEYOND)?;
    let named = serde_json::to_string(id).ok()? + ":";
    let has = |line: &&[u8]| line.windows(named.len()).any(|part| part == named.as_bytes());
    let mut lines = bytes.split(|byte| *byte == b'\n').filter(has).filter_map(Line::parse);
    lines.find(|line| line.at >= from && wanted(line))
}

/// A part of a file.
fn piece(file: &mut (impl std::io::Read + std::io::Seek), from: u64, len: u64) -> Option<Vec<u8>> {
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(len).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// All lines of a file.
#[cfg(test)]
pub(crate) fn all(disk: &Disk, path: &Path) -> Vec<Line> {
    let bytes = disk.read(path).ok().flatten().unwrap_or_default();
    bytes.split(|byte| *byte == b'\n').filter_map(Line::parse).collect()
}

fn end_of(disk: &Disk, path: &Path, len: u64) -> Option<Vec<u8>> {
    let mut file = disk.vfs.open(path).ok()?;
    let end = file.seek(SeekFrom::End(0)).ok()?;
    piece(&mut file, end.saturating_sub(len), len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back_and_torn_ones_are_passed_over() {
        let at = Timestamp::from_second(1_795_190_400).expect("a time");
        let line = Line {
            at,
            source: Source::Statusline,
            account: Some("ab".into()),
            windows: vec![("5h".into(), 23.5, Some(at)), ("7d".into(), 41.0, None)],
        };
        let bytes = line.bytes();
        assert_eq!(bytes.last(), Some(&b'\n'));
        assert_eq!(Line::parse(&bytes), Some(line));
        for torn in [&bytes[..bytes.len() / 2], b"", b"{}", b"{\"at\":1,\"by\":\"later\",\"w\":{}}"] {
            assert_eq!(Line::parse(torn), None);
        }
    }

    #[test]
    fn a_moment_is_found_in_a_history_of_any_length() {
        let disk = Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        let world = clauth_sandbox::World::new("line");
        let path = world.root().join("history.jsonl");
        let at = |minute: i64| Timestamp::from_second(1_795_190_400 + minute * 60).expect("a time");
        let line = |minute: i64| {
            // A model's week is in every twentieth.
            let id = if minute % 20 == 0 { "7d:fable" } else { "7d" };
            let windows = vec![(id.into(), 1.0, None)];
            Line { at: at(minute), source: Source::Api, account: None, windows }
        };
        for count in [0, 1, 30, 5_000] {
            let bytes: Vec<u8> = (0..count).flat_map(|minute| line(minute).bytes()).collect();
            disk.replace(&path, &bytes, clauth_durable::Mode::Private).expect("written");
            for (from, id, found) in [
                (-5, "7d", 1),
                (1, "7d", 1),
                (4_000, "7d", 4_001),
                (3_999, "7d:fable", 4_000),
                (4_001, "7d:fable", 4_020),
                (4_999, "7d", 4_999),
                (5_000, "7d", 5_001),
                (0, "5h", 5_001),
            ] {
                let expected = (found < count).then(|| at(found));
                let first = first_since(&disk, &path, (at(from), id), |_| true);
                assert_eq!(first.map(|line| line.at), expected, "{id} from {from} of {count}");
            }
        }
        let refused = first_since(&disk, &path, (at(7), "7d"), |line| line.at > at(8));
        assert_eq!(refused.map(|line| line.at), Some(at(9)), "the first that is wanted");
        assert_eq!(first_since(&disk, &world.root().join("none"), (at(0), "7d"), |_| true), None);
    }
}
