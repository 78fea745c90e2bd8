//! What Claude Code hands to its status line (facts §5.1), as far as anybody here reads it. Whatever is odd in it is passed
//! over: versions differ in what they send, and the first time everything is empty.

use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::Value;

/// The windows that are handed over, with our ids for them.
pub(crate) const WINDOWS: [(&str, &str); 2] = [("five_hour", "5h"), ("seven_day", "7d")];

/// What was handed over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handed {
    /// The session's transcript, which lies in the config home that it uses.
    pub transcript: Option<PathBuf>,
    /// The model, as it is shown.
    pub model: Option<String>,
    /// The directory that the session works in.
    pub dir: Option<PathBuf>,
    /// Id, percent, and the reset.
    pub(crate) windows: Vec<(String, f64, Option<Timestamp>)>,
}

impl Handed {
    /// What stands in `bytes`; nothing at all where they are no JSON object.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Self::default() };
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let limits = value.get("rate_limits");
        let window = |(key, id): (&str, &str)| {
            let window = limits?.get(key)?;
            let percent = window.get("used_percentage")?.as_f64().filter(|percent| percent.is_finite())?;
            let reset = window.get("resets_at").and_then(moment);
            // The first time both are empty: that is no reading.
            (reset.is_some() || percent > 0.0).then(|| (id.to_owned(), percent.clamp(0.0, 100.0), reset))
        };
        Self {
            transcript: text("/transcript_path").map(PathBuf::from).filter(|path| path.is_absolute()),
            model: text("/model/display_name").or_else(|| text("/model/id")).map(crate::text::shown),
            dir: text("/workspace/current_dir").or_else(|| text("/cwd")).map(PathBuf::from),
            windows: WINDOWS.into_iter().filter_map(window).collect(),
        }
    }
}

/// Seconds since 1970; zero is not known.
fn moment(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| {
        let seconds = value.as_f64().filter(|seconds| seconds.is_finite())?;
        Timestamp::UNIX_EPOCH
            .checked_add(jiff::SignedDuration::try_from_secs_f64(seconds).ok()?)
            .ok()
            .map(Timestamp::as_second)
    })?;
    let seconds = if seconds > 100_000_000_000 { seconds / 1000 } else { seconds };
    (seconds > 0).then(|| Timestamp::from_second(seconds).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> Vec<String> {
        let reset = |at: Option<Timestamp>| at.map_or("-".into(), |at| at.as_second().to_string());
        Handed::parse(json.as_bytes()).windows.iter().map(|(id, p, at)| format!("{id} {p} {}", reset(*at))).collect()
    }

    #[test]
    fn what_was_handed_over_is_read_row_by_row() {
        let rows: [(&str, &str, &[&str]); 12] = [
            (
                "both",
                r#"{"rate_limits":{"five_hour":{"used_percentage":23.5,"resets_at":1795190400},"seven_day":{"used_percentage":41.2,"resets_at":1795618800}}}"#,
                &["5h 23.5 1795190400", "7d 41.2 1795618800"],
            ),
            (
                "one",
                r#"{"rate_limits":{"seven_day":{"used_percentage":41,"resets_at":1795618800}}}"#,
                &["7d 41 1795618800"],
            ),
            ("a window that is not known", r#"{"rate_limits":{"month":{"used_percentage":41,"resets_at":1}}}"#, &[]),
            ("none", r#"{"model":{"display_name":"Opus"}}"#, &[]),
            (
                "nulls",
                r#"{"rate_limits":{"five_hour":null,"seven_day":{"used_percentage":null,"resets_at":null}}}"#,
                &[],
            ),
            ("zeros", r#"{"rate_limits":{"five_hour":{"used_percentage":0,"resets_at":0}}}"#, &[]),
            (
                "nothing used yet",
                r#"{"rate_limits":{"five_hour":{"used_percentage":0,"resets_at":1795190400}}}"#,
                &["5h 0 1795190400"],
            ),
            ("no reset", r#"{"rate_limits":{"five_hour":{"used_percentage":5}}}"#, &["5h 5 -"]),
            (
                "more than all",
                r#"{"rate_limits":{"five_hour":{"used_percentage":150,"resets_at":1795190400}}}"#,
                &["5h 100 1795190400"],
            ),
            (
                "a fraction of a second",
                r#"{"rate_limits":{"five_hour":{"used_percentage":5,"resets_at":1795190400.5}}}"#,
                &["5h 5 1795190400"],
            ),
            ("no JSON", "garbage", &[]),
            ("a list", "[1]", &[]),
        ];
        for (name, json, expected) in rows {
            assert_eq!(shown(json), expected, "{name}");
        }
        let root = if cfg!(windows) { "C:" } else { "" };
        let text = format!(
            r#"{{"transcript_path":"{root}/h/projects/p/s.jsonl","model":{{"id":"m","display_name":"Op\u001bus"}},"cwd":"{root}/w"}}"#
        );
        let handed = Handed::parse(text.as_bytes());
        assert_eq!(handed.transcript, Some(PathBuf::from(format!("{root}/h/projects/p/s.jsonl"))));
        assert_eq!((handed.model.as_deref(), handed.dir), (Some("Opus"), Some(PathBuf::from(format!("{root}/w")))));
        assert_eq!(Handed::parse(br#"{"transcript_path":"relative"}"#).transcript, None);
    }
}
