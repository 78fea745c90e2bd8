//! The token endpoint against scripted servers on loopback: every outcome as R6 wants it told.

use std::net::{Ipv4Addr, TcpListener};

use clauth_host::{Endpoints, Env};

use super::*;
use crate::Wire;
use crate::scripted::{Server, Then, answer};

const TOKEN: &str = "sk-ant-ort01-FAKE-A1";

/// Longer than any test takes: where it matters a test has its own.
const PATIENT: Duration = Duration::from_secs(30);

/// Facts §8.5.
const ANSWER: &str = r#"{"token_type":"Bearer","access_token":"sk-ant-oat01-FAKE-A2","refresh_token":"sk-ant-ort01-FAKE-A2",
  "expires_in":28800,"refresh_token_expires_in":2592000,"scope":"user:profile user:inference",
  "organization":{"uuid":"o","name":"n"},"account":{"uuid":"a","email_address":"alice@example.invalid"}}"#;

fn send(url: &str, env: &Env, scopes: &[&str], deadline: Duration) -> Result<Pair, TokenError> {
    let endpoints = Endpoints { token: url.to_owned(), ..Endpoints::from_env(&Env::default()).expect("the real ones") };
    let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let request = TokenRequest { refresh: &Secret::new(TOKEN), client_id: None, scopes: &scopes };
    let sent = Client::new(&endpoints, env, &Wire::default(), true).refresh(&request, deadline);
    if let Err(error) = &sent {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("FAKE") && !told.contains("sk-ant") && !told.contains("http"), "{told}");
    }
    sent
}

fn ask(server: &Server) -> Result<Pair, TokenError> {
    send(&format!("{}/v1/oauth/token", server.url()), &Env::default(), &[], PATIENT)
}

fn error_of(sent: Result<Pair, TokenError>) -> TokenError {
    sent.err().expect("no pair")
}

fn unknown(trouble: Trouble) -> TokenError {
    TokenError::Unknown { trouble, retry_after: None, declined: false }
}

#[test]
fn a_pair_is_read_whole() {
    let pair = ask(&Server::answering("200", "", ANSWER.as_bytes())).expect("a pair");
    assert_eq!(pair.access.expose(), "sk-ant-oat01-FAKE-A2");
    assert_eq!(pair.refresh.expect("rotated").expose(), "sk-ant-ort01-FAKE-A2");
    assert_eq!(
        (pair.expires_in, pair.login_expires_in),
        (Some(Duration::from_secs(28_800)), Some(Duration::from_secs(2_592_000)))
    );
    assert_eq!(pair.scopes.expect("scopes"), ["user:profile", "user:inference"]);
}

#[test]
fn what_is_missing_loses_no_pair() {
    for (name, body, refresh, expires) in [
        ("an access token alone", r#"{"access_token":"x"}"#, None, None),
        ("a blank refresh token", r#"{"access_token":"x","refresh_token":" "}"#, None, None),
        ("digits in a text", r#"{"access_token":"x","refresh_token":"y","expires_in":"60"}"#, Some("y"), Some(60)),
        ("a fraction", r#"{"access_token":"x","refresh_token":"y","expires_in":3600.5}"#, Some("y"), Some(3600)),
        (
            "a fraction in a text",
            r#"{"access_token":"x","refresh_token":"y","expires_in":"60.9"}"#,
            Some("y"),
            Some(60),
        ),
        ("beyond time", r#"{"access_token":"x","refresh_token":"y","expires_in":1e300}"#, Some("y"), None),
        ("an odd end", r#"{"access_token":"x","refresh_token":"y","expires_in":-1}"#, Some("y"), None),
    ] {
        let pair = ask(&Server::answering("200", "", body.as_bytes())).expect(name);
        assert_eq!(pair.refresh.map(|token| token.expose().to_owned()).as_deref(), refresh, "{name}");
        assert_eq!(pair.expires_in.map(|time| time.as_secs()), expires, "{name}");
    }
}

#[test]
fn the_request_names_client_and_granted_scopes_and_carries_the_token_in_its_body_alone() {
    let server = Server::answering("200", "", ANSWER.as_bytes());
    let url = format!("{}/v1/oauth/token", server.url());
    send(&url, &Env::default(), &["user:future", "user:inference", "user:profile"], PATIENT).map(drop).expect("a pair");
    ask(&server).map(drop).expect("a pair");
    let heads = server.heads();
    assert!(heads[0].starts_with("POST /v1/oauth/token HTTP/1.1\r\n"), "{}", heads[0]);
    assert!(heads[0].to_lowercase().contains(&format!("user-agent: clauth/{}\r\n", env!("CARGO_PKG_VERSION"))));
    assert!(heads[0].to_lowercase().contains("content-type: application/json\r\n"), "{}", heads[0]);
    assert!(!heads.concat().contains("FAKE"), "{heads:?}");
    let bodies: Vec<Value> = server.bodies().iter().map(|body| serde_json::from_str(body).expect("JSON")).collect();
    let bare = json!({"grant_type": "refresh_token", "refresh_token": TOKEN, "client_id": CLIENT_ID});
    let mut scoped = bare.clone();
    scoped["scope"] = "user:profile user:inference user:future".into();
    assert_eq!(bodies, [scoped, bare]);
}

#[test]
fn only_a_top_level_invalid_grant_is_death() {
    let envelope = |kind: &str| format!(r#"{{"type":"error","error":{{"type":"{kind}","message":"{TOKEN}"}}}}"#);
    let grant = r#"{"error":"invalid_grant","error_description":"Refresh token not found or invalid"}"#;
    let page = "<!DOCTYPE html><title>invalid_grant</title>";
    let status =
        |status, declined| TokenError::Unknown { trouble: Trouble::Status(status), retry_after: None, declined };
    for (name, code, body, expected) in [
        ("dead", "400", grant, TokenError::Dead),
        ("dead with 401", "401", grant, TokenError::Dead),
        ("deeper", "400", &*envelope("invalid_grant"), status(400, true)),
        ("a word in a text", "400", r#""invalid_grant""#, status(400, false)),
        ("another error", "400", r#"{"error":"invalid_client"}"#, status(400, true)),
        ("not understood", "400", &*envelope("invalid_request_error"), status(400, true)),
        ("bare 400", "400", "", status(400, false)),
        ("bare 401", "401", "", status(401, false)),
        ("a page", "403", page, status(403, false)),
        ("throttled", "429", &*envelope("rate_limit_error"), status(429, true)),
        ("bare throttle", "429", "", status(429, true)),
        ("overloaded", "529", &*envelope("overloaded_error"), status(529, true)),
        ("unavailable", "503", page, status(503, false)),
        ("server error", "500", &*envelope("api_error"), status(500, false)),
        ("a dead gateway", "500", grant, status(500, false)),
        ("gateway", "502", page, status(502, false)),
        ("redirect", "302", "", status(302, false)),
    ] {
        assert_eq!(error_of(ask(&Server::answering(code, "", body.as_bytes()))), expected, "{name}");
    }
    let dates = "retry-after: Wed, 25 Nov 2026 07:28:00 GMT\r\ndate: Wed, 25 Nov 2026 07:16:00 GMT\r\n";
    let dated = ask(&Server::answering("429", dates, b""));
    let later = ask(&Server::answering("429", "retry-after: 720\r\n", b""));
    let expected = TokenError::Unknown {
        trouble: Trouble::Status(429),
        retry_after: Some(Duration::from_secs(720)),
        declined: true,
    };
    assert_eq!(error_of(later), expected, "and when to come back");
    assert_eq!(error_of(dated), expected, "by the server's own clock");
}

#[test]
fn a_success_that_cannot_be_understood_is_unknown() {
    for (name, body) in [
        ("a page", "<html></html>"),
        ("nothing", ""),
        ("a list", "[]"),
        ("no token", r#"{"token_type":"Bearer"}"#),
        ("a blank token", r#"{"access_token":""}"#),
        ("torn", &ANSWER[..60]),
    ] {
        assert_eq!(
            error_of(ask(&Server::answering("200", "", body.as_bytes()))),
            unknown(Trouble::Unparsable),
            "{name}"
        );
    }
}

#[test]
fn an_answer_that_is_lost_is_unknown_and_never_unsent() {
    let whole = answer("200", "", ANSWER.as_bytes());
    for (name, bytes) in [
        ("nothing", Vec::new()),
        ("half a head", whole[..20].to_vec()),
        ("half a body", whole[..whole.len() - 40].to_vec()),
    ] {
        assert_eq!(error_of(ask(&Server::start(bytes.clone(), Then::Close))), unknown(Trouble::Offline), "{name}");
        let server = Server::start(bytes, Then::Hold);
        let late = send(&server.url(), &Env::default(), &[], Duration::from_millis(250));
        assert_eq!(error_of(late), unknown(Trouble::Timeout), "{name}, and then silence");
    }
}

#[test]
fn what_fails_before_the_first_byte_was_not_sent() {
    let nobody = send("http://127.0.0.1:9", &Env::default(), &[], PATIENT);
    assert_eq!(error_of(nobody), TokenError::NotSent(Trouble::Offline), "nobody listens");
    let unresolved = send("https://token.invalid/v1", &Env::default(), &[], PATIENT);
    assert_eq!(error_of(unresolved), TokenError::NotSent(Trouble::Offline), "no such host");

    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    let url = format!("https://{}", listener.local_addr().expect("an address"));
    std::thread::scope(|scope| {
        scope.spawn(|| drop(listener.accept()));
        assert_eq!(
            error_of(send(&url, &Env::default(), &[], PATIENT)),
            TokenError::NotSent(Trouble::Offline),
            "no TLS"
        );
    });
    let silent = Server::start(Vec::new(), Then::Hold);
    let handshake = send(&silent.url().replace("http:", "https:"), &Env::default(), &[], Duration::from_millis(250));
    assert_eq!(error_of(handshake), TokenError::NotSent(Trouble::Timeout), "a handshake without end");

    let proxy = Server::answering("503", "", b"");
    let env: Env = [("HTTPS_PROXY", proxy.url())].into_iter().collect();
    let tunnel = send("https://token.invalid/v1", &env, &[], PATIENT);
    assert_eq!(error_of(tunnel), TokenError::NotSent(Trouble::Proxy), "a proxy that opens no tunnel");
    assert!(!proxy.heads().is_empty() && !proxy.heads().concat().contains("FAKE"), "{:?}", proxy.heads());
}

#[test]
fn a_redirect_is_never_followed() {
    let other = Server::answering("200", "", ANSWER.as_bytes());
    for status in [301, 302, 303, 307, 308] {
        let server = Server::answering(&status.to_string(), &format!("location: {}/x\r\n", other.url()), b"");
        assert_eq!(error_of(ask(&server)), unknown(Trouble::Status(status)), "{status}");
    }
    assert_eq!(other.heads(), Vec::<String>::new(), "the token went to one host only");
}

#[test]
fn with_the_network_off_no_socket_is_opened() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    listener.set_nonblocking(true).expect("a listener that does not wait");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let endpoints = Endpoints { token: url, ..Endpoints::from_env(&Env::default()).expect("the real ones") };
    let request = TokenRequest { refresh: &Secret::new(TOKEN), client_id: None, scopes: &[] };
    let env = Env::default();
    assert_eq!(
        error_of(Client::new(&endpoints, &env, &Wire::default(), false).refresh(&request, PATIENT)),
        TokenError::Refused
    );
    let come = listener.accept().map(|(_, from)| from).map_err(|error| error.kind());
    assert_eq!(come, Err(std::io::ErrorKind::WouldBlock), "nobody knocked");
}
