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
    let Some(bytes) = end_of(disk, path) else { return Vec::new() };
    bytes.split(|byte| *byte == b'\n').filter_map(Line::parse).collect()
}

/// The last of the last lines that is wanted. The others are not even read: this is done for every profile.
pub(crate) fn last(disk: &Disk, path: &Path, wanted: impl Fn(&Line) -> bool) -> Option<Line> {
    let bytes = end_of(disk, path)?;
    bytes.rsplit(|byte| *byte == b'\n').filter_map(Line::parse).find(wanted)
}

/// All lines of a file.
#[cfg(test)]
pub(crate) fn all(disk: &Disk, path: &Path) -> Vec<Line> {
    let bytes = disk.read(path).ok().flatten().unwrap_or_default();
    bytes.split(|byte| *byte == b'\n').filter_map(Line::parse).collect()
}

fn end_of(disk: &Disk, path: &Path) -> Option<Vec<u8>> {
    let mut file = disk.vfs.open(path).ok()?;
    let len = file.seek(SeekFrom::End(0)).ok()?;
    file.seek(SeekFrom::Start(len.saturating_sub(TAIL))).ok()?;
    let mut bytes = Vec::with_capacity(usize::try_from(len.min(TAIL)).unwrap_or(0));
    file.take(TAIL).read_to_end(&mut bytes).ok()?;
    Some(bytes)
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
}
