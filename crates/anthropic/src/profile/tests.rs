//! Bodies as servers of any age may send them (facts §4.2, §8.7).

use super::*;

fn parsed(body: &str) -> Option<ProfileAnswer> {
    parse(body.as_bytes())
}

fn bare(account: &str) -> ProfileAnswer {
    ProfileAnswer {
        account_uuid: account.into(),
        email: None,
        organization_uuid: None,
        organization_name: None,
        organization_type: None,
        rate_limit_tier: None,
        plan_display_name: None,
        subscription_status: None,
        has_max: None,
        has_pro: None,
    }
}

#[test]
fn what_is_missing_or_odd_fails_no_answer_that_names_an_account() {
    let organization = |kind: &str| ProfileAnswer {
        organization_uuid: Some("o".into()),
        organization_type: Some(kind.into()),
        ..bare("a")
    };
    for (name, body, expected) in [
        ("the account alone", r#"{"account":{"uuid":"a"}}"#, bare("a")),
        ("no organization", r#"{"account":{"uuid":"a"},"organization":null}"#, bare("a")),
        ("a list as organization", r#"{"account":{"uuid":"a"},"organization":[]}"#, bare("a")),
        (
            "a team",
            r#"{"account":{"uuid":"a"},"organization":{"uuid":"o","organization_type":"claude_team"}}"#,
            organization("claude_team"),
        ),
        (
            "a canceled one",
            r#"{"account":{"uuid":"a"},"organization":{"uuid":"o","organization_type":"claude_free","subscription_status":"canceled"}}"#,
            ProfileAnswer { subscription_status: Some("canceled".into()), ..organization("claude_free") },
        ),
        (
            "a kind of tomorrow",
            r#"{"account":{"uuid":"a","x":1e9},"organization":{"uuid":"o","organization_type":"claude_x","y":{}},"z":[]}"#,
            organization("claude_x"),
        ),
        (
            "other types",
            r#"{"account":{"uuid":"a","email":1,"has_claude_max":"yes"},"organization":{"uuid":[],"name":{},"rate_limit_tier":true}}"#,
            bare("a"),
        ),
        (
            "blanks",
            r#"{"account":{"uuid":" a ","email":" "},"organization":{"uuid":"","organization_type":"\t"}}"#,
            bare("a"),
        ),
        (
            "flags",
            r#"{"account":{"uuid":"a","has_claude_max":false,"has_claude_pro":true}}"#,
            ProfileAnswer { has_max: Some(false), has_pro: Some(true), ..bare("a") },
        ),
    ] {
        assert_eq!(parsed(body), Some(expected), "{name}");
    }
}

#[test]
fn without_an_account_nobody_is_named() {
    for (name, body) in [
        ("no account", r#"{"organization":{"uuid":"o"}}"#),
        ("null", r#"{"account":null}"#),
        ("no uuid", r#"{"account":{"email":"alice@example.invalid"}}"#),
        ("a null uuid", r#"{"account":{"uuid":null}}"#),
        ("a blank uuid", r#"{"account":{"uuid":" "}}"#),
        ("a uuid of control characters", r#"{"account":{"uuid":"\u0007\u001b"}}"#),
        ("a number as uuid", r#"{"account":{"uuid":1}}"#),
        ("a text as account", r#"{"account":"a"}"#),
        ("an error", r#"{"type":"error","error":{"type":"authentication_error"}}"#),
        ("a list", r#"[{"account":{"uuid":"a"}}]"#),
        ("empty", ""),
        ("torn", r#"{"account":{"uuid":"a"}"#),
    ] {
        assert_eq!(parsed(body), None, "{name}");
    }
}

#[test]
fn a_server_cannot_write_to_the_terminal() {
    for (name, sent, shown) in [
        ("colours", r"\u001b[31mAlice\u001b[0m", "[31mAlice[0m"),
        ("lines", r"Alice\r\nBob", "AliceBob"),
        ("a bell at the end", r"Alice\u0007", "Alice"),
        ("another script", "Łukasz 木", "Łukasz 木"),
        ("space around", "  Alice \\n", "Alice"),
    ] {
        let answer = parsed(&format!(r#"{{"account":{{"uuid":"a"}},"organization":{{"name":"{sent}"}}}}"#));
        assert_eq!(answer.and_then(|answer| answer.organization_name).as_deref(), Some(shown), "{name}");
    }
    let long = parsed(&format!(r#"{{"account":{{"uuid":"a","email":"{}"}}}}"#, "é".repeat(5000)));
    assert_eq!(long.and_then(|answer| answer.email).map(|email| email.chars().count()), Some(256));
}
