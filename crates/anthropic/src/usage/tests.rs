//! Every body shape of facts §4.1 and §8.6, and hostile ones.

use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};

use super::*;
use crate::RetryAfter;
use crate::scripted::Server;

const TOKEN: &str = "sk-ant-oat01-FAKE-ACCESS-A1";

const CURRENT: &str = r#"{
  "five_hour": { "utilization": 47.0, "resets_at": "2026-11-20T15:00:00.282668+00:00", "limit_dollars": null },
  "seven_day": { "utilization": 12.0, "resets_at": "2026-11-25T11:00:00.282694+00:00" },
  "seven_day_oauth_apps": null, "seven_day_opus": null, "seven_day_sonnet": null, "seven_day_cowork": null,
  "iguana_necktie": null, "cinder_cove": null,
  "extra_usage": { "is_enabled": true, "monthly_limit": 2000, "used_credits": 245, "utilization": 12.25,
    "currency": "USD", "decimal_places": 2, "credits_ever_enabled": true, "daily": null, "weekly": null },
  "limits": [
    { "kind": "session", "group": "session", "percent": 47, "severity": "normal",
      "resets_at": "2026-11-20T15:00:00.282668+00:00", "scope": null, "is_active": false },
    { "kind": "weekly_all", "group": "weekly", "percent": 12, "severity": "normal",
      "resets_at": "2026-11-25T11:00:00.282694+00:00", "scope": null, "is_active": false },
    { "kind": "weekly_scoped", "group": "weekly", "percent": 88, "severity": "warning",
      "resets_at": "2026-11-25T11:00:00.283070+00:00",
      "scope": { "model": { "id": null, "display_name": "Fable" }, "surface": null }, "is_active": true }
  ],
  "spend": { "enabled": true, "percent": 32, "used": { "amount_minor": 320, "currency": "USD", "exponent": 2 },
    "limit": { "amount_minor": 1000, "currency": "USD", "exponent": 2 } }
}"#;

const OLD: &str = r#"{ "five_hour": { "utilization": 12.5, "resets_at": "2025-12-25T12:00:00.000Z" },
  "seven_day": { "utilization": 30, "resets_at": "2025-12-31T00:00:00.000Z" },
  "seven_day_opus": { "utilization": 0.0, "resets_at": null },
  "seven_day_sonnet": { "utilization": 5, "resets_at": null },
  "seven_day_oauth_apps": null,
  "extra_usage": { "is_enabled": false, "monthly_limit": null, "used_credits": null, "utilization": null } }"#;

const NO_SESSION: &str = r#"{ "five_hour": null,
  "seven_day": { "utilization": 1.0, "resets_at": "2026-11-27T16:00:00.207828+00:00" },
  "limits": [ { "kind": "weekly_all", "group": "weekly", "percent": 1,
    "resets_at": "2026-11-27T16:00:00.207828+00:00", "scope": null, "is_active": true } ] }"#;

const SEAT: &str = r#"{ "five_hour": null, "seven_day": null, "seven_day_opus": null,
  "cinder_cove": { "utilization": 23.1, "limit_dollars": 1000, "used_dollars": 231, "resets_at": "2026-12-01T00:00:00+00:00" },
  "extra_usage": { "is_enabled": false, "monthly_limit": null, "used_credits": null, "credits_ever_enabled": false },
  "limits": [], "spend": null }"#;

/// `5h 47 2026-11-20T15:00:00Z *`: id, percent, reset to the second, and a star for the one that binds.
fn shown(answer: &UsageAnswer) -> Vec<String> {
    let reset = |at: Option<Timestamp>| at.map_or("-".into(), |at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let star = |binding| if binding { " *" } else { "" };
    let windows = answer.windows.iter();
    windows.map(|w| format!("{} {} {}{}", w.id, w.percent, reset(w.resets_at), star(w.binding))).collect()
}

fn windows(body: &str) -> Option<Vec<String>> {
    parse(body.as_bytes()).map(|answer| shown(&answer))
}

#[test]
fn every_known_shape_is_read() {
    let rows: [(&str, &str, &[&str]); 4] = [
        (
            "current",
            CURRENT,
            &["5h 47 2026-11-20T15:00:00Z", "7d 12 2026-11-25T11:00:00Z", "7d:fable 88 2026-11-25T11:00:00Z *"],
        ),
        ("old", OLD, &["5h 12.5 2025-12-25T12:00:00Z", "7d 30 2025-12-31T00:00:00Z", "7d:opus 0 -", "7d:sonnet 5 -"]),
        ("a plan without five hours", NO_SESSION, &["7d 1 2026-11-27T16:00:00Z *"]),
        ("a seat without windows", SEAT, &[]),
    ];
    for (name, body, expected) in rows {
        assert_eq!(
            windows(body).as_deref(),
            Some(expected.iter().map(|row| (*row).to_owned()).collect::<Vec<_>>().as_slice()),
            "{name}"
        );
    }
    let labels: Vec<String> =
        parse(CURRENT.as_bytes()).expect("an answer").windows.into_iter().map(|window| window.label).collect();
    assert_eq!(labels, ["5h", "7d", "7d Fable"]);
}

#[test]
fn odd_entries_hide_no_other() {
    let limit = |entry: &str| {
        format!(r#"{{"limits":[{entry},{{"kind":"weekly_all","percent":12,"resets_at":null,"is_active":false}}]}}"#)
    };
    for (name, entry, expected) in [
        ("an unknown kind", r#"{"kind":"monthly_pooled","percent":5}"#, Some("monthly_pooled 5 -")),
        (
            "an unknown kind of a model",
            r#"{"kind":"daily","percent":5,"scope":{"model":{"display_name":"Fable"}}}"#,
            Some("daily:fable 5 -"),
        ),
        ("a text for a number", r#"{"kind":"session","percent":"42.5"}"#, Some("5h 42.5 -")),
        ("a text with a sign", r#"{"kind":"session","percent":"42 %"}"#, Some("5h 42 -")),
        ("more than all", r#"{"kind":"session","percent":150}"#, Some("5h 100 -")),
        ("less than nothing", r#"{"kind":"session","percent":-3}"#, Some("5h 0 -")),
        ("no number", r#"{"kind":"session","percent":"much"}"#, None),
        ("not a number", r#"{"kind":"session","percent":"NaN"}"#, None),
        ("beyond numbers", r#"{"kind":"session","percent":"inf"}"#, None),
        ("null", r#"{"kind":"session","percent":null}"#, None),
        ("no percent", r#"{"kind":"session"}"#, None),
        ("no kind", r#"{"percent":5}"#, None),
        ("a number for a kind", r#"{"kind":7,"percent":5}"#, None),
        ("no object", "7", None),
        (
            "a reset in seconds",
            r#"{"kind":"session","percent":1,"resets_at":1795190400}"#,
            Some("5h 1 2026-11-20T16:00:00Z"),
        ),
        (
            "a reset in milliseconds",
            r#"{"kind":"session","percent":1,"resets_at":1795190400000}"#,
            Some("5h 1 2026-11-20T16:00:00Z"),
        ),
        (
            "a reset without an offset",
            r#"{"kind":"session","percent":1,"resets_at":"2026-11-20T16:00:00"}"#,
            Some("5h 1 2026-11-20T16:00:00Z"),
        ),
        (
            "a reset in a fraction of seconds",
            r#"{"kind":"session","percent":1,"resets_at":1795190400.5}"#,
            Some("5h 1 2026-11-20T16:00:00Z"),
        ),
        (
            "a reset in seconds, as a text",
            r#"{"kind":"session","percent":1,"resets_at":"1795190400"}"#,
            Some("5h 1 2026-11-20T16:00:00Z"),
        ),
        ("a reset that is none", r#"{"kind":"session","percent":1,"resets_at":"soon"}"#, Some("5h 1 -")),
        ("a reset beyond time", r#"{"kind":"session","percent":1,"resets_at":9223372036854775807}"#, Some("5h 1 -")),
        (
            "a surface by name",
            r#"{"kind":"weekly_scoped","percent":1,"scope":{"model":null,"surface":"Cowork"}}"#,
            Some("7d:cowork 1 -"),
        ),
        (
            "a surface as an object",
            r#"{"kind":"weekly_scoped","percent":1,"scope":{"surface":{"display_name":"Cowork"}}}"#,
            Some("7d:cowork 1 -"),
        ),
        (
            "a model without a name",
            r#"{"kind":"weekly_scoped","percent":1,"scope":{"model":{"id":null,"display_name":null}}}"#,
            Some("weekly_scoped 1 -"),
        ),
        (
            "control characters",
            "{\"kind\":\"weekly_scoped\",\"percent\":1,\"scope\":{\"model\":{\"display_name\":\"F\\u001b[2J\\u202eable\"}}}",
            Some("7d:f[2jable 1 -"),
        ),
        ("active as a text", r#"{"kind":"session","percent":1,"is_active":"yes"}"#, Some("5h 1 -")),
    ] {
        let found = windows(&limit(entry)).unwrap_or_else(|| panic!("{name}: no answer"));
        let mut expected: Vec<String> = expected.map(str::to_owned).into_iter().chain(["7d 12 -".to_owned()]).collect();
        let mut found = found;
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{name}");
    }
}

/// A model's week and the same model's on one surface have one name, and so one window.
#[test]
fn of_limits_with_one_name_the_one_that_binds_is_shown() {
    let limit = |(percent, active, surface): (u32, bool, &str)| {
        format!(
            r#"{{"kind":"weekly_scoped","percent":{percent},"is_active":{active},
                "scope":{{"model":{{"display_name":"Fable"}},"surface":{surface}}}}}"#
        )
    };
    let (none, cowork) = ("null", "\"cowork\"");
    for (name, limits, expected) in [
        ("the second binds", [(10, false, none), (100, true, cowork)], "7d:fable 100 - *"),
        ("the first binds", [(100, true, cowork), (10, false, none)], "7d:fable 100 - *"),
        ("the emptier one binds", [(70, false, none), (60, true, cowork)], "7d:fable 60 - *"),
        ("none binds", [(10, false, none), (90, false, cowork)], "7d:fable 90 -"),
        ("both bind", [(90, true, none), (10, true, cowork)], "7d:fable 90 - *"),
    ] {
        let body = format!(r#"{{"limits":[{},{}]}}"#, limit(limits[0]), limit(limits[1]));
        assert_eq!(windows(&body).as_deref(), Some(&[expected.to_owned()][..]), "{name}");
    }
}

#[test]
fn flat_windows_fill_in_what_the_list_lacks() {
    let flat = r#""five_hour":{"utilization":1,"resets_at":null},"seven_day_opus":{"utilization":2},"iguana_necktie":{"utilization":3}"#;
    for (name, limits, expected) in [
        ("no list", "", vec!["5h 1 -", "7d:opus 2 -"]),
        ("a null list", r#","limits":null"#, vec!["5h 1 -", "7d:opus 2 -"]),
        ("an empty list", r#","limits":[]"#, vec!["5h 1 -", "7d:opus 2 -"]),
        ("no list but a text", r#","limits":"none""#, vec!["5h 1 -", "7d:opus 2 -"]),
        ("the same window", r#","limits":[{"kind":"session","percent":9}]"#, vec!["5h 9 -", "7d:opus 2 -"]),
        (
            "twice",
            r#","limits":[{"kind":"session","percent":9},{"kind":"session","percent":8}]"#,
            vec!["5h 9 -", "7d:opus 2 -"],
        ),
        (
            "models by the list alone",
            r#","limits":[{"kind":"weekly_scoped","percent":4,"scope":{"model":{"display_name":"Fable"}}}]"#,
            vec!["5h 1 -", "7d:fable 4 -"],
        ),
    ] {
        assert_eq!(windows(&format!("{{{flat}{limits}}}")).expect("an answer"), expected, "{name}");
    }
    let labels: Vec<String> = parse(br#"{"seven_day_oauth_apps":{"utilization":2}}"#)
        .expect("an answer")
        .windows
        .into_iter()
        .map(|w| format!("{} {}", w.id, w.label))
        .collect();
    assert_eq!(labels, ["7d:oauth apps 7d Oauth Apps"]);
}

#[test]
fn what_is_no_answer_is_none() {
    let many: Vec<String> = (0..500).map(|n| format!(r#"{{"kind":"k{n}","percent":1}}"#)).collect();
    let many = format!(r#"{{"limits":[{}]}}"#, many.join(","));
    assert_eq!(windows(&many).expect("an answer").len(), MOST, "no more than anybody has");
    for (name, body) in [
        ("nothing", ""),
        ("a page", "<!DOCTYPE html><html></html>"),
        ("a list", "[]"),
        ("an object of something else", r#"{"ok":true}"#),
        ("an error", r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#),
        ("torn", &CURRENT[..CURRENT.len() - 3]),
    ] {
        assert_eq!(windows(body), None, "{name}");
    }
    let deep = format!("{}{}", r#"{"limits":"#, "[".repeat(10_000));
    assert_eq!(windows(&deep), None, "nested without end");
}

#[test]
fn money_is_in_its_unit_and_currency() {
    let spend = |used: f64, limit: Option<f64>, currency: &str, percent: f64, enabled| Spend {
        used: Some(used),
        limit,
        currency: (!currency.is_empty()).then(|| currency.to_owned()),
        percent: Some(percent),
        enabled,
    };
    let extra = |fields: &str| {
        format!(r#"{{"extra_usage":{{"is_enabled":true,"used_credits":245,"utilization":12.25,{fields}}}}}"#)
    };
    let body = |used: &str| format!(r#"{{"spend":{{"enabled":true,"percent":32,"used":{used},"limit":null}}}}"#);
    for (name, body, expected) in [
        ("the newer before the older", CURRENT.to_owned(), Some(spend(3.20, Some(10.0), "USD", 32.0, true))),
        (
            "cents",
            extra(r#""monthly_limit":2000,"currency":"EUR","decimal_places":2"#),
            Some(spend(2.45, Some(20.0), "EUR", 12.25, true)),
        ),
        (
            "cents unsaid",
            extra(r#""monthly_limit":2000,"currency":"EUR""#),
            Some(spend(2.45, Some(20.0), "EUR", 12.25, true)),
        ),
        (
            "yen unsaid",
            extra(r#""monthly_limit":2000,"currency":"JPY""#),
            Some(spend(245.0, Some(2000.0), "JPY", 12.25, true)),
        ),
        (
            "yen as said",
            extra(r#""monthly_limit":2000,"currency":"JPY","decimal_places":0"#),
            Some(spend(245.0, Some(2000.0), "JPY", 12.25, true)),
        ),
        (
            "dinars unsaid",
            extra(r#""monthly_limit":2000,"currency":"KWD""#),
            Some(spend(0.245, Some(2.0), "KWD", 12.25, true)),
        ),
        ("no cap", extra(r#""monthly_limit":null,"currency":"USD""#), Some(spend(2.45, None, "USD", 12.25, true))),
        (
            "a digit count out of range",
            extra(r#""currency":"USD","decimal_places":99"#),
            Some(spend(2.45, None, "USD", 12.25, true)),
        ),
        (
            "no currency",
            extra(r#""monthly_limit":2000,"currency":null"#),
            Some(spend(2.45, Some(20.0), "", 12.25, true)),
        ),
        ("a currency that is none", extra("\"currency\":\"U\\u001b[3\""), Some(spend(2.45, None, "", 12.25, true))),
        (
            "an exponent of its own",
            body(r#"{"amount_minor":3200,"currency":"USD","exponent":3}"#),
            Some(spend(3.2, None, "USD", 32.0, true)),
        ),
        (
            "a yen amount without exponent",
            body(r#"{"amount_minor":320,"currency":"jpy"}"#),
            Some(spend(320.0, None, "JPY", 32.0, true)),
        ),
        (
            "more than the limit",
            r#"{"extra_usage":{"is_enabled":true,"utilization":150}}"#.to_owned(),
            Some(Spend { percent: Some(100.0), enabled: true, ..Spend::default() }),
        ),
        ("off", SEAT.to_owned(), Some(Spend::default())),
        ("nothing said", NO_SESSION.to_owned(), None),
        ("a null", r#"{"limits":[],"spend":null,"extra_usage":null}"#.to_owned(), None),
    ] {
        assert_eq!(parse(body.as_bytes()).expect("an answer").spend, expected, "{name}");
    }
}

#[test]
fn nothing_has_no_sign() {
    assert_eq!(percent(&serde_json::json!(-0.0)).map(|percent| percent.to_string()).as_deref(), Some("0"));
}

/// The newer of two words is believed where it is one.
#[test]
fn money_that_is_told_twice_is_told_by_the_one_that_says_anything() {
    let extra = r#""extra_usage":{"is_enabled":true,"used_credits":245,"currency":"EUR"}"#;
    for (name, body, used, currency) in [
        (
            "nulls before figures",
            format!(r#"{{"spend":{{"enabled":false,"used":null,"limit":null}},{extra}}}"#),
            Some(2.45),
            Some("EUR"),
        ),
        ("an empty one before figures", format!(r#"{{"spend":{{}},{extra}}}"#), Some(2.45), Some("EUR")),
        ("on, and nothing used", format!(r#"{{"spend":{{"enabled":true}},{extra}}}"#), None, None),
        ("both say nothing", r#"{"spend":{},"extra_usage":{}}"#.to_owned(), None, None),
    ] {
        let spend = parse(body.as_bytes()).expect("an answer").spend.expect("a word on it");
        assert_eq!((spend.used, spend.currency.as_deref()), (used, currency), "{name}");
    }
}

fn ask(server: &Server) -> Result<UsageAnswer, LookupError> {
    let env = Env::default();
    let endpoints = Endpoints { api: server.url(), ..Endpoints::from_env(&env).expect("the real ones") };
    let asked = Client::new(&endpoints, &env, &crate::Wire::default(), true)
        .usage(&Secret::new(TOKEN), Duration::from_secs(30));
    if let Err(error) = &asked {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("FAKE") && !told.contains("SECRET"), "no text of a body or token: {told}");
    }
    asked
}

#[test]
fn the_request_is_under_our_own_name() {
    let server = Server::answering("200", "", CURRENT.as_bytes());
    ask(&server).expect("an answer");
    let head = server.heads().concat().to_lowercase();
    assert!(head.starts_with("get /api/oauth/usage http/1.1"), "{head}");
    for header in ["user-agent: clauth/", "anthropic-beta: oauth-2025-04-20", "accept: application/json"] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(!head.contains("claude-c"), "nobody else's name: {head}");
}

#[test]
fn refusals_are_told_apart_without_their_words() {
    let scope = r#"{"error":{"message":"OAuth token does not meet scope requirement: user:profile SECRET"}}"#;
    let held = r#"{"error":{"type":"permission_error","message":"organization_on_hold SECRET"}}"#;
    let wait = |seconds| Some(RetryAfter::In(Duration::from_secs(seconds)));
    for (name, status, headers, body, expected) in [
        ("expired", "401", "", "SECRET", LookupError::Unauthorized),
        ("a scope", "403", "", scope, LookupError::Scope),
        ("on hold", "403", "", held, LookupError::Server(403)),
        ("a page", "403", "content-type: text/html\r\n", "<html>scope SECRET</html>", LookupError::Server(403)),
        ("throttled", "429", "", "SECRET", LookupError::Throttled { retry_after: None }),
        ("throttled for nothing", "429", "retry-after: 0\r\n", "", LookupError::Throttled { retry_after: wait(0) }),
        ("throttled for minutes", "429", "retry-after: 720\r\n", "", LookupError::Throttled { retry_after: wait(720) }),
        ("down", "503", "", "SECRET", LookupError::Server(503)),
        ("a page for an answer", "200", "content-type: text/html\r\n", "<html>SECRET</html>", LookupError::Unparsable),
    ] {
        assert_eq!(ask(&Server::answering(status, headers, body.as_bytes())), Err(expected), "{name}");
    }
    let large = format!("{{\"limits\":[],\"pad\":\"{}\"}}", "x".repeat(5 << 20));
    assert_eq!(ask(&Server::answering("200", "", large.as_bytes())), Err(LookupError::Unparsable), "5 MB");
}
