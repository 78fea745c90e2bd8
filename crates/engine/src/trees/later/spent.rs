//! `auth.spent.json`: the fingerprints of refresh tokens that a later version saw used up. Its shape is not known, so every
//! SHA-256 in it is taken for one.

use clauth_host::Fingerprint;
use serde_json::Value;

/// What such a file says.
pub(super) enum SpentFile {
    /// These tokens are used up.
    Prints(Vec<Fingerprint>),
    /// It cannot be understood: whether a token is used up is unknown, which is not the same as fresh.
    Unreadable,
}

/// Reads one.
pub(super) fn read(bytes: &[u8]) -> SpentFile {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else { return SpentFile::Unreadable };
    let mut prints = Vec::new();
    collect(&document, &mut prints);
    SpentFile::Prints(prints)
}

fn collect(value: &Value, prints: &mut Vec<Fingerprint>) {
    match value {
        Value::String(text) => prints.extend(print(text)),
        Value::Array(values) => values.iter().for_each(|value| collect(value, prints)),
        Value::Object(members) => members.iter().for_each(|(key, value)| {
            prints.extend(print(key));
            collect(value, prints);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A fingerprint, with or without the name of the hash before it.
pub(super) fn print(text: &str) -> Option<Fingerprint> {
    let text = text.trim();
    Fingerprint::parse(&text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_digest_counts_whatever_is_around_it() {
        let one = Fingerprint::of(b"one");
        let full = one.full();
        for (name, text, expected) in [
            ("a list", format!("[\"{full}\"]"), 1),
            ("with the hash's name", format!("[\"sha256:{full}\"]"), 1),
            ("in capitals", format!("[\"{}\"]", full.to_uppercase()), 1),
            ("as keys, by profile", format!("{{\"a\": {{\"{full}\": 1795000000}}}}"), 1),
            ("in records", format!("{{\"spent\": [{{\"token\": \"{full}\", \"at\": 1}}]}}"), 1),
            ("nothing", "{}".to_owned(), 0),
            ("shorter texts", "[\"abcd\"]".to_owned(), 0),
        ] {
            match read(text.as_bytes()) {
                SpentFile::Prints(prints) => {
                    assert_eq!(prints.len(), expected, "{name}");
                    assert!(prints.iter().all(|print| *print == one), "{name}");
                }
                SpentFile::Unreadable => panic!("{name}"),
            }
        }
        assert!(matches!(read(b"{\"a"), SpentFile::Unreadable));
    }
}
