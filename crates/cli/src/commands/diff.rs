//! What a dry run shows: the files that would change, line by line, with every value hidden that is not known to be
//! harmless.

use clauth_engine::Planned;
use clauth_host::Fingerprint;
use serde_json::{Value, json};
use similar::{ChangeTag, TextDiff};

use crate::ui::{BAD, FAINT, GOOD, TITLE, paint, plain};

/// The keys whose texts are shown; a text under any other key is shown as a fingerprint.
const SHOWN: &[&str] = &[
    "accountUuid",
    "account",
    "active",
    "at",
    "billingType",
    "by",
    "displayName",
    "done",
    "email",
    "emailAddress",
    "event",
    "format",
    "from",
    "hasExtraUsageEnabled",
    "home",
    "id",
    "organization",
    "organizationName",
    "organizationRole",
    "organizationUuid",
    "profile",
    "proof",
    "rateLimitTier",
    "reason",
    "refresh_token_expires_at",
    "scopes",
    "seatTier",
    "state",
    "subscriptionType",
    "to",
    "vault",
    "why",
    "workspaceRole",
];

/// Lines around a change.
const CONTEXT: usize = 1;

pub(super) fn text(files: &[Planned]) -> String {
    files.iter().map(file).collect()
}

pub(super) fn documents(files: &[Planned]) -> Value {
    let document = |file: &Planned| json!({"path": file.path.display().to_string(), "change": change(file)});
    files.iter().map(document).collect()
}

fn change(file: &Planned) -> &'static str {
    match (&file.before, &file.after) {
        (None, _) => "create",
        (_, None) => "remove",
        _ => "change",
    }
}

fn file(file: &Planned) -> String {
    let heading = format!("{} {}", change(file), plain(&file.path.display().to_string()));
    let mut text = format!("{}\n", paint(TITLE, &heading));
    let (before, after) = (lines(file.before.as_deref()), lines(file.after.as_deref()));
    let diff = TextDiff::from_lines(&before, &after);
    for group in diff.grouped_ops(CONTEXT) {
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let line = plain(change.value());
            let (style, sign) = match change.tag() {
                ChangeTag::Equal => (FAINT, " "),
                ChangeTag::Delete => (BAD, "-"),
                ChangeTag::Insert => (GOOD, "+"),
            };
            text.extend(["  ", &paint(style, &format!("{sign} {line}")), "\n"]);
        }
    }
    text
}

/// A file as comparable lines without secrets: JSON laid out, one document a line for `.jsonl`, other text as it is.
fn lines(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return String::new() };
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(document) = serde_json::from_str::<Value>(text) {
        return format!("{:#}\n", hidden(document, false));
    }
    let line = |line: &str| match serde_json::from_str::<Value>(line) {
        Ok(document) if document.is_object() => hidden(document, false).to_string(),
        _ if line.contains("sk-ant-") => "…".to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(|one| format!("{}\n", line(one))).collect()
}

/// `value` with fingerprints for texts that are not known to be harmless.
fn hidden(value: Value, shown: bool) -> Value {
    match value {
        Value::String(text) if !shown => {
            // What is a fingerprint already is shown as every fingerprint is.
            let print = Fingerprint::parse(&text).unwrap_or_else(|| Fingerprint::of(text.as_bytes()));
            format!("#{}", print.short()).into()
        }
        Value::Array(items) => items.into_iter().map(|item| hidden(item, shown)).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| {
                let shown = SHOWN.contains(&key.as_str());
                (key, hidden(value, shown))
            })
            .collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_unless_they_are_known_to_be_harmless() {
        let before =
            br#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","subscriptionType":"max","expiresAt":1}}"#;
        let after =
            br#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-B1","subscriptionType":"pro","expiresAt":1}}"#;
        let planned = Planned { path: "/h/x.json".into(), before: Some(before.to_vec()), after: Some(after.to_vec()) };
        let shown = anstream::adapter::strip_str(&text(&[planned])).to_string();
        assert!(!shown.contains("FAKE"), "{shown}");
        assert!(shown.contains("- ") && shown.contains("\"subscriptionType\": \"pro\""), "{shown}");
    }

    #[test]
    fn a_line_that_may_hold_a_token_is_not_shown() {
        assert_eq!(lines(Some(b"key = \"sk-ant-x\"\nactive = \"a\"\n")), "\u{2026}\nactive = \"a\"\n");
        assert!(!lines(Some(b"{\"token\":\"sk-ant-x\"}\n{\"event\":\"switch\"}\n")).contains("sk-ant"));
    }
}
