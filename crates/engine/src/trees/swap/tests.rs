//! What the other tool may hold, and what it may not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clauth_host::Secret;
use serde_json::json;

use super::names::name_for;
use super::row::{Said, decoded};
use super::{Held, Row};

fn row(entry: &serde_json::Value, credential: Option<&str>) -> Result<Row, String> {
    let slot = "1".to_owned();
    Row::of(Said { slot, entry, config: None, credential: credential.map(Secret::new) })
}

fn held(credential: &str) -> &'static str {
    match row(&json!({"email": "bob@example.com"}), Some(credential)).map(|row| row.held) {
        Ok(Held::Login(_)) => "login",
        Ok(Held::Token(_)) => "token",
        Ok(Held::Key(_)) => "key",
        Ok(Held::Nothing) => "nothing",
        Err(_) => "refused",
    }
}

#[test]
fn a_credential_is_an_object_a_token_a_key_or_refused() {
    let object = json!({"claudeAiOauth": {"accessToken": "sk-ant-oat01-FAKE", "refreshToken": "sk-ant-ort01-FAKE"}});
    let object = object.to_string();
    let twice = STANDARD.encode(&object);
    for (name, credential, expected) in [
        ("Claude Code's object", object.as_str(), "login"),
        ("the same, encoded twice", twice.as_str(), "login"),
        ("blank tokens", r#"{"claudeAiOauth": {"accessToken": "", "refreshToken": ""}}"#, "nothing"),
        ("no login in it", "{}", "nothing"),
        ("a login that cannot be renewed", r#"{"claudeAiOauth": {"accessToken": "sk-ant-oat01-FAKE"}}"#, "refused"),
        ("tokens of another type", r#"{"claudeAiOauth": {"accessToken": 7}}"#, "refused"),
        ("half an object", "{\"claudeAiOauth\": {", "refused"),
        ("a setup token", "sk-ant-oat01-FAKE\n", "token"),
        ("a key", "sk-ant-api03-FAKE", "key"),
        ("a refresh token", "sk-ant-ort01-FAKE", "refused"),
        ("nothing", " ", "nothing"),
        ("words", "see the other file", "refused"),
        ("a key with what steers a terminal", "sk-ant-api03-\u{1b}[31m", "refused"),
    ] {
        assert_eq!(held(credential), expected, "{name}");
    }
    assert!(decoded(b"not base64!").is_err() && decoded(&[0xff, 0xfe]).is_err());
    assert!(decoded(STANDARD.encode([0xff_u8, 0xfe]).as_bytes()).is_err(), "bytes that are no text");
}

/// No value of a credential is ever in what is said about it.
#[test]
fn a_refusal_repeats_no_secret() {
    for credential in ["sk-ant-ort01-FAKE-SECRET", "{\"claudeAiOauth\": \"FAKE-SECRET", "FAKE-SECRET words"] {
        let said = row(&json!({"email": "bob@example.com"}), Some(credential)).map(drop).expect_err("refused");
        assert!(!said.contains("FAKE") && said.contains("bob@example.com"), "{said}");
    }
}

#[test]
fn names_are_made_valid_and_unlike_every_other() {
    let long = "x".repeat(200);
    for (name, entry, taken, expected) in [
        ("alias", json!({"alias": "Work", "email": "bob@example.com"}), &[][..], "Work"),
        ("e-mail", json!({"email": "bob.b+1@example.com"}), &[], "bob.b+1"),
        ("taken, in another case", json!({"email": "bob@example.com"}), &["Bob", "bob-2"], "bob-3"),
        ("a command", json!({"alias": "list"}), &[], "claude-list"),
        ("a device", json!({"alias": "con.x"}), &[], "claude-con.x"),
        ("blanks and slashes", json!({"alias": " my work/../home "}), &[], "my-work-..-home"),
        ("only what is not allowed", json!({"alias": "…", "email": "ä@example.com"}), &[], "account-1"),
        ("what steers a terminal", json!({"alias": "\u{1b}[31mred\u{202e}"}), &[], "31mred"),
        ("too long", json!({"alias": long.as_str()}), &[], &"x".repeat(58)),
        ("nothing", json!({}), &["account-1"], "account-1-2"),
    ] {
        let row = row(&entry, None).expect("a row");
        let taken: Vec<String> = taken.iter().map(|name| (*name).to_owned()).collect();
        let made = name_for(&row, &taken);
        assert_eq!(made, expected, "{name}");
        assert!(crate::profile::check_name(&made).is_ok(), "{name}");
    }
}
