//! The look-up against scripted servers on loopback.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};

use crate::scripted::{Server, Then, answer};
use crate::{Client, LookupError, ProfileAnswer, RetryAfter, Wire};

const TOKEN: &str = "sk-ant-oat01-FAKE-ACCESS-A1";

/// Longer than any test takes: where it matters a test has its own.
const PATIENT: Duration = Duration::from_secs(30);

/// Facts §8.7.
const PROFILE: &str = r#"{
  "account": { "uuid": "11111111-1111-4111-8111-111111111111", "full_name": "Alice Example", "display_name": "Alice",
    "email": "alice@example.invalid", "created_at": "2025-01-02T03:04:05.000000Z", "has_claude_max": true, "has_claude_pro": false },
  "organization": { "uuid": "22222222-2222-4222-8222-222222222222", "name": "alice@example.invalid's Organization",
    "organization_type": "claude_max", "billing_type": "stripe_subscription", "rate_limit_tier": "default_claude_max_20x",
    "seat_tier": null, "has_extra_usage_enabled": false, "subscription_status": "active",
    "subscription_created_at": "2025-02-03T04:05:06.000000Z", "plan_display_name": "Max 20x" }
}"#;

type Looked = Result<ProfileAnswer, LookupError>;

fn endpoints(api: &str) -> Endpoints {
    Endpoints { api: api.to_owned(), ..Endpoints::from_env(&Env::default()).expect("the real ones") }
}

/// Asks, and sees to it that a refusal tells nothing of the token, nor of what was answered.
fn look(api: &str, env: &Env, token: &str, deadline: Duration) -> Looked {
    let endpoints = endpoints(api);
    let looked = Client::new(&endpoints, env, &Wire::default(), true).profile(&Secret::new(token), deadline);
    if let Err(error) = &looked {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("FAKE") && !told.contains("sk-ant") && !told.contains("http"), "{told}");
    }
    looked
}

fn ask(server: &Server) -> Looked {
    look(&server.url(), &Env::default(), TOKEN, PATIENT)
}

fn throttled(seconds: Option<u64>) -> LookupError {
    LookupError::Throttled { retry_after: seconds.map(|seconds| RetryAfter::In(Duration::from_secs(seconds))) }
}

fn unavailable(status: u16, seconds: u64) -> LookupError {
    LookupError::Unavailable { status, retry_after: RetryAfter::In(Duration::from_secs(seconds)) }
}

#[test]
fn a_profile_is_read_whole() {
    let expected = ProfileAnswer {
        account_uuid: "11111111-1111-4111-8111-111111111111".into(),
        email: Some("alice@example.invalid".into()),
        organization_uuid: Some("22222222-2222-4222-8222-222222222222".into()),
        organization_name: Some("alice@example.invalid's Organization".into()),
        organization_type: Some("claude_max".into()),
        rate_limit_tier: Some("default_claude_max_20x".into()),
        plan_display_name: Some("Max 20x".into()),
        subscription_status: Some("active".into()),
        has_max: Some(true),
        has_pro: Some(false),
    };
    for (name, status, headers) in [
        ("plain", "200", ""),
        ("said to be JSON", "200", "content-type: application/json\r\n"),
        ("said to be a page", "200", "content-type: text/html\r\n"),
        ("another success", "203", ""),
    ] {
        assert_eq!(ask(&Server::answering(status, headers, PROFILE.as_bytes())), Ok(expected.clone()), "{name}");
    }
    let pieces = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{}\r\n{:x}\r\n{}\r\n0\r\n\r\n",
        &PROFILE[..5],
        PROFILE.len() - 5,
        &PROFILE[5..]
    );
    assert_eq!(ask(&Server::start(pieces.into(), Then::Close)), Ok(expected), "in pieces");
}

#[test]
fn the_request_says_who_asks_and_nothing_else() {
    let server = Server::answering("200", "", PROFILE.as_bytes());
    ask(&server).expect("an answer");
    let heads = server.heads();
    assert_eq!(heads.len(), 1, "one request a look-up");
    let (first, rest) = heads[0].split_once("\r\n").expect("lines");
    assert_eq!(first, "GET /api/oauth/profile HTTP/1.1");
    let mut headers: Vec<(String, &str)> = rest
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    headers.sort();
    let (agent, host) = (format!("clauth/{}", env!("CARGO_PKG_VERSION")), server.url().replace("http://", ""));
    let bearer = format!("Bearer {TOKEN}");
    let expected =
        [("accept", "application/json"), ("authorization", &bearer), ("host", &host), ("user-agent", &agent)];
    assert_eq!(headers, expected.map(|(name, value)| (name.to_owned(), value)), "and nobody else's name");
}

#[test]
fn each_status_is_told_apart() {
    let told = format!(r#"{{"type":"error","error":{{"message":"bad token {TOKEN}"}}}}"#);
    let scope = r#"{"type":"error","error":{"type":"permission_error","message":"OAuth token does not meet scope requirement: user:profile"}}"#;
    let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>";
    for (name, status, headers, body, expected) in [
        ("401", "401", "", told.as_str(), LookupError::Unauthorized),
        ("401 with a challenge", "401", "www-authenticate: Bearer\r\n", "", LookupError::Unauthorized),
        ("403 for a scope", "403", "", scope, LookupError::Scope),
        ("403 for the organization", "403", "", &told, LookupError::Server(403)),
        ("403 as a page", "403", "content-type: text/HTML; charset=utf-8\r\n", page, LookupError::Server(403)),
        ("429", "429", "", &told, throttled(None)),
        ("429 for minutes", "429", "Retry-After: 720\r\n", &told, throttled(Some(720))),
        ("429 for nothing", "429", "retry-after: 0\r\n", "", throttled(Some(0))),
        (
            "429 until a date",
            "429",
            "retry-after: Fri, 20 Nov 2026 10:00:00 GMT\r\ndate: Fri, 20 Nov 2026 09:59:00 GMT\r\n",
            "",
            throttled(Some(60)),
        ),
        ("429 for less than nothing", "429", "retry-after: -1\r\n", "", throttled(None)),
        ("400", "400", "", &told, LookupError::Server(400)),
        ("404", "404", "", "", LookupError::Server(404)),
        ("407", "407", "", "", LookupError::Server(407)),
        ("500", "500", "", &told, LookupError::Server(500)),
        ("500 with a profile", "500", "", PROFILE, LookupError::Server(500)),
        ("503", "503", "", "", LookupError::Server(503)),
        ("503 for seconds", "503", "retry-after: 5\r\n", "", unavailable(503, 5)),
        ("529 for nothing", "529", "retry-after: 0\r\n", &told, unavailable(529, 0)),
        ("404 for seconds", "404", "retry-after: 5\r\n", "", LookupError::Server(404)),
        ("529", "529", "", &told, LookupError::Server(529)),
    ] {
        assert_eq!(ask(&Server::answering(status, headers, body.as_bytes())), Err(expected), "{name}");
    }
}

#[test]
fn a_redirect_is_an_answer_and_never_followed() {
    let other = Server::answering("200", "", PROFILE.as_bytes());
    for status in [301, 302, 303, 307, 308] {
        for location in [format!("{}/api/oauth/profile", other.url()), "/elsewhere".to_owned()] {
            let server = Server::answering(&status.to_string(), &format!("location: {location}\r\n"), b"");
            assert_eq!(ask(&server), Err(LookupError::Server(status)), "{status} to {location}");
            assert_eq!(server.heads().len(), 1, "{status} to {location}: asked once");
        }
    }
    assert_eq!(other.heads(), Vec::<String>::new(), "the bearer went to one host only");
}

#[test]
fn an_answer_that_cannot_be_understood_names_nobody() {
    for (name, status, body) in [
        ("no body", "200", ""),
        ("no content", "204", ""),
        ("a page", "200", "<html></html>"),
        ("torn", "200", &PROFILE[..PROFILE.len() - 1]),
        ("two", "200", "{}{}"),
        ("a list", "200", "[]"),
        ("no account", "200", r#"{"organization":{"uuid":"o"}}"#),
        ("a token", "200", "\"sk-ant-oat01-FAKE-ACCESS-A1\""),
    ] {
        assert_eq!(ask(&Server::answering(status, "", body.as_bytes())), Err(LookupError::Unparsable), "{name}");
    }
    let odd = [PROFILE.as_bytes(), b"\xff"].concat();
    assert_eq!(ask(&Server::answering("200", "", &odd)), Err(LookupError::Unparsable), "no UTF-8");
}

#[test]
fn a_body_may_be_a_megabyte_and_no_more() {
    const LIMIT: usize = 1 << 20;
    let padded = |length: usize| format!("{PROFILE}{}", " ".repeat(length - PROFILE.len())).into_bytes();
    assert!(ask(&Server::answering("200", "", &padded(LIMIT))).is_ok(), "at the limit");
    let too_large = padded(LIMIT + 1);
    assert_eq!(ask(&Server::answering("200", "", &too_large)), Err(LookupError::Unparsable), "said before");
    let unsaid = [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", too_large.as_slice()].concat();
    assert_eq!(ask(&Server::start(unsaid, Then::Close)), Err(LookupError::Unparsable), "not said before");
}

#[test]
fn an_answer_that_breaks_off_is_none() {
    let whole = answer("200", "", PROFILE.as_bytes());
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("half a head", whole[..20].to_vec()),
        ("a head alone", whole[..whole.len() - PROFILE.len()].to_vec()),
        ("half a body", whole[..whole.len() - 40].to_vec()),
        ("half a piece", format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfff\r\n{PROFILE}").into_bytes()),
        ("another protocol", b"SSH-2.0-Fake\r\n\r\n".to_vec()),
    ] {
        assert_eq!(ask(&Server::start(bytes, Then::Close)), Err(LookupError::Offline), "{name}");
    }
}

#[test]
fn the_whole_call_ends_within_the_deadline() {
    let short = Duration::from_millis(250);
    let whole = answer("200", "", PROFILE.as_bytes());
    for (name, bytes, then) in [
        ("no answer", Vec::new(), Then::Hold),
        ("half a head", whole[..20].to_vec(), Then::Hold),
        ("half a body", whole[..whole.len() - 40].to_vec(), Then::Hold),
        // Each single read is quick: only a deadline for the whole of it ends this.
        ("a body without end", b"HTTP/1.1 200 OK\r\n\r\n{".to_vec(), Then::Drip),
    ] {
        let server = Server::start(bytes, then);
        let looked = look(&server.url(), &Env::default(), TOKEN, short);
        assert_eq!(looked, Err(LookupError::Timeout), "{name}");
    }
}

#[test]
fn where_nobody_listens_nobody_is_reached() {
    // The discard port: a port of one's own, given back, might by now be another test's.
    assert_eq!(look("http://127.0.0.1:9", &Env::default(), TOKEN, PATIENT), Err(LookupError::Offline));
}

#[test]
fn with_the_network_off_no_socket_is_opened() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let endpoints = endpoints(&format!("http://{}", listener.local_addr().expect("an address")));
    let env = Env::default();
    let looked = Client::new(&endpoints, &env, &Wire::default(), false).profile(&Secret::new(TOKEN), PATIENT);
    assert_eq!(looked, Err(LookupError::Refused));
    let come = listener.accept().map(|(_, from)| from).map_err(|error| error.kind());
    assert_eq!(come, Err(std::io::ErrorKind::WouldBlock), "nobody knocked");
}

#[test]
fn a_token_that_no_header_can_carry_is_not_sent() {
    let server = Server::answering("200", "", PROFILE.as_bytes());
    for (name, token) in [
        ("a line of its own", "sk-ant-oat01-FAKE\r\nx-injected: 1"),
        ("a line end", "sk-ant-oat01-FAKE\n"),
        ("a zero", "sk-ant-oat01-FAKE\0"),
    ] {
        assert!(look(&server.url(), &Env::default(), token, PATIENT).is_err(), "{name}");
    }
    assert_eq!(server.heads().join("").matches("injected").count(), 0, "{:?}", server.heads());
}

#[test]
fn a_proxy_sees_the_host_and_never_the_token() {
    let proxy = Server::answering("503", "", b"");
    let env: Env = [("HTTPS_PROXY", proxy.url())].into_iter().collect();
    // Nothing but loopback is reached: the name is for the proxy to resolve, and it refuses.
    assert_eq!(look("https://api.example.invalid", &env, TOKEN, PATIENT), Err(LookupError::Proxy));
    let heads = proxy.heads();
    assert!(heads.iter().all(|head| head.starts_with("CONNECT api.example.invalid:443 ")), "{heads:?}");
    assert!(!heads.is_empty() && !heads.concat().contains("FAKE"), "{heads:?}");

    let server = Server::answering("200", "", PROFILE.as_bytes());
    let env: Env = ["http_proxy", "ALL_PROXY"].map(|name| (name, proxy.url())).into_iter().collect();
    assert!(look(&server.url(), &env, TOKEN, PATIENT).is_ok(), "this machine is asked directly");
    assert_eq!(proxy.heads().len(), heads.len());
}
