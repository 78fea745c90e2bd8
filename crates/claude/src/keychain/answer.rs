//! What the tool says, and what is said to it. An item that is not there and an item that cannot be reached are different
//! things: the first is an answer, the second is none.

use std::fmt::Write as _;

use clauth_durable::Trouble;
use jiff::Timestamp;

use super::tool::Outcome;

/// The tool's exit code for an item that is not there.
const NOT_FOUND: i32 = 44;

const UNLOCK: &str = "security unlock-keychain ~/Library/Keychains/login.keychain-db";

/// Why there is no answer.
pub(super) enum Missing {
    /// There is no such item.
    Item,
    /// It is not known whether there is one.
    Answer(Trouble),
}

/// Whether the call went well.
pub(super) fn check(outcome: &Outcome) -> Result<(), Missing> {
    match outcome.code {
        Some(0) => Ok(()),
        Some(NOT_FOUND) => Err(Missing::Item),
        Some(code) => Err(Missing::Answer(failed(code))),
        None => Err(Missing::Answer(Trouble { why: "its tool was killed".into(), next: "try again".into() })),
    }
}

/// What an exit code of the tool means.
pub(super) fn failed(code: i32) -> Trouble {
    let (why, next) = match code {
        36 => ("the keychain is locked, or may not ask for its password here", UNLOCK),
        45 => ("another item of that name is in the way", "look at it in Keychain Access"),
        50 => ("there is no such keychain on the search list", "security list-keychains"),
        51 => ("the keychain did not accept the password", UNLOCK),
        128 => ("somebody answered its question with no", "try again, and allow it"),
        _ => ("its tool failed", UNLOCK),
    };
    Trouble { why: format!("{why} (security: exit {code})"), next: next.into() }
}

/// What is said when nobody answers in time.
pub(super) fn timeout() -> Trouble {
    Trouble {
        why: "it did not answer in time; it may be locked, or ask something on the screen".into(),
        next: UNLOCK.into(),
    }
}

/// The secret in the tool's output: a line of text, or of hex digits where it has other than printable characters.
pub(super) fn secret(mut output: Vec<u8>) -> Vec<u8> {
    if output.last() == Some(&b'\n') {
        output.pop();
    }
    let is_hex = !output.is_empty() && output.len().is_multiple_of(2) && output.iter().all(u8::is_ascii_hexdigit);
    if !is_hex {
        return output;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    output.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// Bytes as hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// When the item was last written, in what the tool shows of it: `"mdat"<timedate>=0x…  "20261123181107Z\000"`.
pub(super) fn modified(output: &[u8]) -> Option<Timestamp> {
    let text = String::from_utf8_lossy(output);
    let line = text.lines().find(|line| line.trim_start().starts_with("\"mdat\""))?;
    let quoted = line.split('"').nth(3)?;
    let (date, time) = quoted.split('Z').next()?.split_at_checked("YYYYMMDD".len())?;
    format!("{date}T{time}Z").parse().ok()
}

/// The same JSON in one line of printable ASCII, as Claude Code writes it: what has other characters the tool shows in hex.
/// Only white space between values, and how characters are spelled, differ.
#[must_use]
pub fn printable(json: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(json) else { return json.to_vec() };
    let text = text.trim_start_matches('\u{feff}').trim();
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            // Inside a string no control character stands as it is.
            '\n' | '\r' | '\t' => {}
            ' '..='~' => line.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                let _ = write!(line, "\\u{unit:04x}");
            }),
        }
    }
    line.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_a_line_of_text_or_of_hex_digits() {
        for (name, output, expected) in [
            ("a line", &b"{\"a\": 1}\n"[..], &b"{\"a\": 1}"[..]),
            ("without an end", b"{}", b"{}"),
            ("only one end is the tool's", b"{}\n\n", b"{}\n"),
            ("hex", b"7b0a7d\n", b"{\n}"),
            ("hex beyond ASCII", b"7BC3A97d\n", "{\u{e9}}".as_bytes()),
            ("half a digit is no hex", b"7b0\n", b"7b0"),
            ("nothing", b"\n", b""),
        ] {
            assert_eq!(secret(output.to_vec()), expected, "{name}");
        }
    }

    #[test]
    fn exit_44_alone_means_that_there_is_no_item() {
        for code in [None, Some(1), Some(36), Some(45), Some(50), Some(51), Some(128), Some(255)] {
            let outcome = Outcome { code, output: b"sk-ant-ort01-FAKE-A1".to_vec() };
            let Err(Missing::Answer(trouble)) = check(&outcome) else { panic!("{code:?} is no answer") };
            assert!(!trouble.why.contains("FAKE"), "{code:?}: {}", trouble.why);
        }
        assert!(matches!(check(&Outcome { code: Some(44), output: Vec::new() }), Err(Missing::Item)));
        assert!(check(&Outcome { code: Some(0), output: Vec::new() }).is_ok());
    }

    #[test]
    fn the_time_of_a_write_is_found_among_the_attributes() {
        let shown = "keychain: \"/Users/me/Library/Keychains/login.keychain-db\"\nclass: \"genp\"\nattributes:\n    \
            \"cdat\"<timedate>=0x32303235  \"20250101000000Z\\000\"\n    \
            \"mdat\"<timedate>=0x32303236  \"20261123181107Z\\000\"\n    \"svce\"<blob>=\"Claude Code-credentials\"\n";
        assert_eq!(modified(shown.as_bytes()), "2026-11-23T18:11:07Z".parse().ok());
        assert_eq!(modified(b"\"mdat\"<timedate>=<NULL>\n"), None);
        assert_eq!(modified(b""), None);
    }

    #[test]
    fn what_is_written_is_one_printable_line_of_the_same_json() {
        let wide = "\u{feff}{\n\t\"caf\u{e9}\": \"\u{1f600} a b\",\r\n  \"n\": 1.10\n}\n";
        let line = printable(wide.as_bytes());
        assert_eq!(String::from_utf8_lossy(&line), r#"{"caf\u00e9": "\ud83d\ude00 a b",  "n": 1.10}"#);
        let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).expect("JSON");
        assert_eq!(value(&line), value(wide.trim_start_matches('\u{feff}').as_bytes()));
        assert_eq!(printable(&line), line, "what is printable stays");
    }
}
