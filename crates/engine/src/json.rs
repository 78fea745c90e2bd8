//! Our own JSON files: pretty, with texts from elsewhere carried verbatim.

use serde_json::Value;

/// `head` with one more member, whose value is the exact JSON text `raw`.
pub(crate) fn with_raw(head: &Value, key: &str, raw: &str) -> Vec<u8> {
    with_raws(head, &[(key, raw)])
}

/// `head` with more members, whose values are exact JSON texts.
pub(crate) fn with_raws(head: &Value, members: &[(&str, &str)]) -> Vec<u8> {
    let mut text = pretty(head);
    text.truncate(text.trim_end().trim_end_matches('}').trim_end().len());
    for (key, raw) in members {
        let comma = if text.ends_with('{') { "" } else { "," };
        text.push_str(comma);
        text.push_str("\n  ");
        text.push_str(&Value::from(*key).to_string());
        text.push_str(": ");
        text.push_str(raw);
    }
    text.push_str("\n}\n");
    text.into_bytes()
}

/// A whole document.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let mut text = pretty(value);
    text.push('\n');
    text.into_bytes()
}

/// One line of a `.jsonl` file.
pub(crate) fn line(value: &Value) -> Vec<u8> {
    let mut text = value.to_string();
    text.push('\n');
    text.into_bytes()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_text_is_carried_to_the_letter() {
        for head in [serde_json::json!({}), serde_json::json!({"a": 1})] {
            let bytes = with_raw(&head, "login", "{\"n\": 1.10}");
            let text = String::from_utf8(bytes).expect("text");
            assert!(text.contains("\"login\": {\"n\": 1.10}\n}"), "{text}");
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        }
    }
}
