//! When two JSON texts are the same value: as Claude Code reads them, whatever the spacing, the order of keys or the
//! way numbers and strings are written.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// What a value is known by: half of the SHA-256 of its canonical form, in hex. Enough to tell values apart, and nothing
/// of a value can be read from it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Digest(String);

impl Digest {
    /// Of a JSON value, whose text is known to be valid.
    pub(super) fn of_value(json: &str) -> Self {
        let mut canonical = Vec::with_capacity(json.len());
        value(json.as_bytes(), 0, &mut canonical);
        Self::of_bytes(&canonical)
    }

    /// Of a file's bytes.
    pub(super) fn of_bytes(bytes: &[u8]) -> Self {
        let hash = Sha256::digest(bytes);
        Self(hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Appends the canonical form of the value at `at`; answers where it ends. Never reads beyond the text, valid or not.
fn value(json: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let at = skip_space(json, at);
    match json.get(at) {
        None => at,
        Some(b'{') => object(json, at, out),
        Some(b'[') => array(json, at, out),
        Some(b'"') => string(json, at, out),
        Some(_) => scalar(json, at, out),
    }
}

fn object(json: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let mut members: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut at = skip_space(json, at + 1);
    while json.get(at) == Some(&b'"') {
        let (mut key, mut inner) = (Vec::new(), Vec::new());
        at = skip_space(json, string(json, at, &mut key));
        at = skip_space(json, value(json, at + 1, &mut inner));
        members.push((key, inner));
        if json.get(at) == Some(&b',') {
            at = skip_space(json, at + 1);
        }
    }
    // A stable sort keeps the last of equal keys last, which is the one that counts.
    members.sort_by(|a, b| a.0.cmp(&b.0));
    out.push(b'{');
    for (place, (key, inner)) in members.iter().enumerate() {
        if members.get(place + 1).is_none_or(|next| next.0 != *key) {
            out.extend_from_slice(key);
            out.extend_from_slice(inner);
        }
    }
    out.push(b'}');
    at + 1
}

fn array(json: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    out.push(b'[');
    let mut at = skip_space(json, at + 1);
    while json.get(at).is_some_and(|byte| *byte != b']') {
        at = skip_space(json, value(json, at, out));
        if json.get(at) == Some(&b',') {
            at = skip_space(json, at + 1);
        }
    }
    out.push(b']');
    at + 1
}

/// The length goes first, so that no text can look like what follows it.
fn string(json: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let mut plain = Vec::new();
    let mut at = at + 1;
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => {
                at += 1;
                break;
            }
            b'\\' => at = escape(json, at, &mut plain),
            _ => {
                plain.push(*byte);
                at += 1;
            }
        }
    }
    out.push(b'"');
    out.extend_from_slice(&(plain.len() as u64).to_le_bytes());
    out.extend_from_slice(&plain);
    at
}

fn escape(json: &[u8], at: usize, plain: &mut Vec<u8>) -> usize {
    let short = match json.get(at + 1) {
        Some(b'u') => return unicode(json, at, plain),
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 8,
        Some(b'f') => 12,
        Some(other) => *other,
        None => return at + 1,
    };
    plain.push(short);
    at + 2
}

fn unicode(json: &[u8], at: usize, plain: &mut Vec<u8>) -> usize {
    let Some(first) = unit(json, at) else { return at + 2 };
    let pair = (0xd800..0xdc00)
        .contains(&first)
        .then(|| unit(json, at + 6))
        .flatten()
        .filter(|low| (0xdc00..0xe000).contains(low))
        .map(|low| 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00));
    if let Some(char) = char::from_u32(pair.unwrap_or(first)) {
        plain.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        // Half a pair, as JavaScript makes by cutting a text: a byte that UTF-8 has not, and its number.
        plain.push(0xff);
        plain.extend_from_slice(&first.to_le_bytes());
    }
    if pair.is_some() { at + 12 } else { at + 6 }
}

/// The code unit of the escape `\uXXXX` at `at`.
fn unit(json: &[u8], at: usize) -> Option<u32> {
    let digits = json.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A number is what JavaScript takes it for: Claude Code prints `1.10` as `1.1`.
fn scalar(json: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    let length = json[at..].iter().position(|byte| b",]} \t\r\n".contains(byte)).unwrap_or(json.len() - at);
    let text = &json[at..at + length];
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    match number.filter(|number| number.is_finite()) {
        Some(number) => {
            let number = if number == 0.0 { 0.0 } else { number };
            out.push(b'#');
            out.extend_from_slice(&number.to_bits().to_le_bytes());
        }
        None => {
            out.extend_from_slice(text);
            out.push(b';');
        }
    }
    at + length.max(1)
}

fn skip_space(json: &[u8], mut at: usize) -> usize {
    while matches!(json.get(at), Some(b' ' | b'\t' | b'\r' | b'\n')) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_one_value_are_equal_and_others_are_not() {
        let cases = [
            ("the print of a number", "1.10", "1.1", true),
            ("an exponent", "1e3", "1000", true),
            ("a whole number with a fraction", "1.0", "1", true),
            ("minus zero", "-0", "0", true),
            ("other numbers", "1.1", "1.2", false),
            ("what JavaScript cannot tell apart", "9007199254740993", "9007199254740992", true),
            ("beyond all numbers", "1e999", "2e999", false),
            ("spaces", "{\"a\": [1, 2]}", "{ \"a\":[1,2] }", true),
            ("the order of keys", r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, true),
            ("the order of an array", "[1,2]", "[2,1]", false),
            ("a key that stands twice", r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
            ("the first of them", r#"{"a":1,"a":2}"#, r#"{"a":1}"#, false),
            ("escapes", r#""\u00e9\/\n""#, "\"é/\\u000a\"", true),
            ("a pair", r#""\ud83d\ude00""#, "\"😀\"", true),
            ("half a pair", r#""\ud83d""#, r#""\ud83e""#, false),
            ("half a pair and a text", r#""\ud83dx""#, r#""\uD83Dx""#, true),
            ("a text and a number", "\"1\"", "1", false),
            ("nothing and false", "null", "false", false),
            ("an empty object and array", "{}", "[]", false),
            ("nesting", "[[1],2]", "[[1,2]]", false),
            ("texts side by side", r#"["a","b"]"#, r#"["ab",""]"#, false),
        ];
        for (name, one, other, equal) in cases {
            assert_eq!(Digest::of_value(one) == Digest::of_value(other), equal, "{name}");
        }
    }
}
