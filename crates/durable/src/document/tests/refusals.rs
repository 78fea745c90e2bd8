//! What is no document, and edits that cannot be.

use super::super::{Document, DocumentError};

fn nested(open: &str, close: &str, times: usize) -> Vec<u8> {
    format!("{}1{}", open.repeat(times), close.repeat(times)).into_bytes()
}

fn at(line: usize, column: usize) -> DocumentError {
    DocumentError::Syntax { line, column }
}

/// As deep as a document may be.
const TOO_DEEP: DocumentError = DocumentError::TooDeep { limit: 127 };

#[test]
fn what_is_not_exactly_one_object_is_refused() {
    let rows: Vec<(&str, Vec<u8>, DocumentError)> = vec![
        ("nothing", vec![], DocumentError::Empty),
        ("only space", b" \r\n\t".to_vec(), DocumentError::Empty),
        ("only a byte order mark", b"\xef\xbb\xbf".to_vec(), DocumentError::Empty),
        ("two documents", b"{}{}".to_vec(), at(1, 3)),
        ("lines of documents", b"{}\n{}\n".to_vec(), at(2, 1)),
        ("text behind it", b"{} x".to_vec(), at(1, 4)),
        ("NUL behind it", b"{}\0".to_vec(), at(1, 3)),
        ("NUL alone", b"\0".to_vec(), at(1, 1)),
        ("NULs, as after a power loss", vec![0; 4096], at(1, 1)),
        ("a comma too many", br#"{"a":1,}"#.to_vec(), at(1, 8)),
        ("a comma too few", br#"{"a":1 "b":2}"#.to_vec(), at(1, 8)),
        ("a comment", b"{} // c".to_vec(), at(1, 4)),
        ("cut off in a value", br#"{"a":{"b":"#.to_vec(), at(1, 10)),
        ("cut off in a string", br#"{"a":"b"#.to_vec(), at(1, 7)),
        ("cut off before the end", b"{\"a\":1\n".to_vec(), at(2, 1)),
        ("a line break in a string", b"{\"a\":\"\n\"}".to_vec(), at(1, 6)),
        ("single quotes", b"{'a':1}".to_vec(), at(1, 2)),
        ("a bare key", b"{a:1}".to_vec(), at(1, 2)),
        ("not a number", br#"{"a":NaN}"#.to_vec(), at(1, 6)),
        ("a number with a zero before it", br#"{"a":01}"#.to_vec(), at(1, 7)),
        ("a bad escape", br#"{"a":"\x"}"#.to_vec(), at(1, 8)),
        ("half an escape", br#"{"a":"\u12"}"#.to_vec(), at(1, 12)),
        ("two byte order marks", "\u{feff}\u{feff}{}".as_bytes().to_vec(), at(1, 1)),
        ("an array", b"[{}]".to_vec(), DocumentError::NotAnObject),
        ("a string", b"\"{}\"".to_vec(), DocumentError::NotAnObject),
        ("null", b"null".to_vec(), DocumentError::NotAnObject),
        ("no text", b"{\"a\":\"\xff\"}".to_vec(), DocumentError::NotUtf8),
        ("UTF-16", b"\xff\xfe{\0}\0".to_vec(), DocumentError::NotUtf8),
        ("a surrogate as bytes", b"{\"a\":\"\xed\xa0\x80\"}".to_vec(), DocumentError::NotUtf8),
        ("objects nested too deeply", nested(r#"{"a":"#, "}", 128), TOO_DEEP),
        ("objects without end", nested(r#"{"a":"#, "}", 100_000), TOO_DEEP),
        ("arrays without end", nested(r#"{"a":["#, "]}", 100_000), TOO_DEEP),
    ];
    for (name, bytes, expected) in rows {
        assert_eq!(Document::parse(bytes).map(Document::into_bytes), Err(expected), "{name}");
    }
}

#[test]
fn what_is_odd_and_yet_valid_is_taken() {
    let rows: Vec<(&str, Vec<u8>)> = vec![
        ("the least", b"{}".to_vec()),
        ("as deep as it may be", nested(r#"{"a":"#, "}", 127)),
        ("brackets in strings do not nest", format!(r#"{{"a":"{}"}}"#, "{[".repeat(1000)).into_bytes()),
        ("a lone surrogate", br#"{"a":"\ud800"}"#.to_vec()),
        ("a key that stands twice", br#"{"a":1,"a":2}"#.to_vec()),
        ("a number that no machine holds", br#"{"a":1e999}"#.to_vec()),
        ("a byte order mark", "\u{feff}{}".as_bytes().to_vec()),
    ];
    for (name, bytes) in rows {
        assert_eq!(Document::parse(bytes.clone()).map(Document::into_bytes), Ok(bytes), "{name}");
    }
}

#[test]
fn an_error_never_carries_the_text() {
    let secret = "sk-ant-ort01-FAKE-secret";
    for text in [format!(r#"{{"a":"{secret}"#), format!(r#"{{"a":{secret}}}"#), format!(r#""{secret}""#)] {
        let error = Document::parse(text.into_bytes()).map(drop).expect_err("no document");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}

#[test]
fn an_edit_that_cannot_be_changes_nothing() {
    let deep = String::from_utf8(nested("[", "]", 127)).expect("a text");
    let text = r#"{"a":{"b":1},"list":[{}]}"#;
    let rows: &[(&str, &[&str], &str, DocumentError)] = &[
        ("through a number", &["a", "b", "c"], "1", DocumentError::NotAnObject),
        ("through a list", &["list", "0"], "1", DocumentError::NotAnObject),
        ("no JSON", &["a"], "{", at(1, 1)),
        ("two values", &["a"], "1,2", at(1, 2)),
        ("a member smuggled in", &["a"], r#"1,"oauthAccount":{}"#, at(1, 2)),
        ("nothing", &["a"], "", at(1, 1)),
        ("deeper than a document may be", &["a"], &deep, TOO_DEEP),
        ("deeper by the way to it", &["x", "y"], &deep[1..deep.len() - 1], TOO_DEEP),
    ];
    for (name, path, json, expected) in rows {
        let mut document = Document::parse(text.as_bytes().to_vec()).expect("a document");
        assert_eq!(document.set_raw(path, json), Err(expected.clone()), "{name}");
        assert_eq!(document.bytes(), text.as_bytes(), "{name}");
    }
    let mut document = Document::parse(text.as_bytes().to_vec()).expect("a document");
    for (name, path) in [
        ("no such key", &["b"][..]),
        ("through a number", &["a", "b", "c"]),
        ("through a list", &["list", "0"]),
        ("no path", &[]),
    ] {
        assert!(!document.remove(path), "{name}");
        assert_eq!(document.raw(path), None, "{name}");
        assert_eq!(document.bytes(), text.as_bytes(), "{name}");
    }
}
