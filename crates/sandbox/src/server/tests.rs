//! The server against the protocol of facts §3 and §4.

use serde_json::{Value, json};

use super::*;
use crate::claude::client::{Answer, Call};
use crate::{Account, Login, Pair, now_ms};

fn get(server: &Server, path: &str, bearer: &str) -> (u16, Value) {
    let url = format!("{}{path}", server.url());
    let call = Call { method: "GET", url: &url, bearer: Some(bearer), agent: "test", body: None };
    let Answer { status, body } = call.send().expect("an answer");
    (status, body)
}

fn post(server: &Server, body: &Value) -> std::io::Result<(u16, Value)> {
    let url = server.token_url();
    let call = Call { method: "POST", url: &url, bearer: None, agent: "test", body: Some(body) };
    call.send().map(|Answer { status, body }| (status, body))
}

fn refresh(server: &Server, pair: &Pair) -> std::io::Result<(u16, Value)> {
    post(server, &json!({ "grant_type": "refresh_token", "refresh_token": pair.refresh() }))
}

#[test]
fn a_refresh_token_works_once_and_its_reuse_ends_the_family() {
    let server = Server::start();
    let first = Pair::new("A", 4);
    let (status, body) = refresh(&server, &first).expect("an answer");
    assert_eq!((status, body["refresh_token"].as_str()), (200, Some("sk-ant-ort01-FAKE-A5")));
    assert_eq!(body["account"]["uuid"], Account::a().account_uuid);
    server.assert_clean();

    assert_eq!(refresh(&server, &first).expect("an answer").1["error"], "invalid_grant");
    assert_eq!((server.reused(), server.revoked()), (1, vec!["A".to_owned()]));
    assert_eq!(refresh(&server, &first.next()).expect("an answer").0, 400, "the newest is dead too");
    assert_eq!(server.reused(), 1, "the newest was never spent");
    assert_eq!(get(&server, "/api/oauth/profile", &first.next().access()).0, 401);
    assert_eq!(server.generation("A"), 5);
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| server.assert_clean())).is_err());
}

#[test]
fn an_access_token_is_only_its_own_accounts() {
    let server = Server::start();
    let work = server.issue(&Account::a().with_organization('P'));
    assert_eq!(work.pair.family, "AXPZ");
    assert_ne!(server.issue(&Account::a()).pair, server.issue(&Account::a()).pair);
    let (_, profile) = get(&server, "/api/oauth/profile", &work.pair.access());
    assert_eq!(profile["organization"]["uuid"], work.account.organization_uuid);
    assert_eq!(profile["account"]["email"], Account::a().email);
    server.know(&Login::new(&Account::b(), Pair::new("B", 3)).expiring_at(now_ms() - 1));
    for (name, token, path, status) in [
        ("usage", work.pair.access(), "/api/oauth/usage", 200),
        ("a refresh token is no bearer", work.pair.refresh(), "/api/oauth/usage", 401),
        ("expired", Pair::new("B", 3).access(), "/api/oauth/usage", 401),
        ("another generation", Pair::new("B", 2).access(), "/api/oauth/usage", 200),
        ("a setup token", "sk-ant-oat01-FAKE-SETUP".to_owned(), "/api/oauth/usage", 403),
        ("nobody's", "sk-ant-oat01-FAKE-Z1".to_owned(), "/api/oauth/profile", 401),
        ("no such route", work.pair.access(), "/api/oauth/nothing", 404),
        ("status", String::new(), "/api/v2/status.json", 200),
    ] {
        assert_eq!(get(&server, path, &token).0, status, "{name}");
    }
}

#[test]
fn options_change_the_replies() {
    let server = Server::start();
    let login = server.issue(&Account::a());
    let kept = |body: &Value, key: &str| body.get(key).is_some();
    let (_, body) = refresh(&server, &login.pair).expect("an answer");
    let ends_at = now_ms() + body["refresh_token_expires_in"].as_u64().unwrap_or(0) * 1000;
    assert!(ends_at.abs_diff(login.refresh_expires_at.expect("set")) < 10_000, "a refresh does not extend a login");

    server.set(|options| {
        options.omit_account = true;
        options.omit_login_end = true;
        options.refresh_kills_access = true;
        options.access_seconds = 60;
    });
    let second = login.pair.next();
    assert_eq!(get(&server, "/api/oauth/usage", &second.access()).0, 200);
    let (_, body) = refresh(&server, &second).expect("an answer");
    assert!(!kept(&body, "account") && !kept(&body, "organization") && !kept(&body, "refresh_token_expires_in"));
    assert_eq!(body["expires_in"], 60);
    assert_eq!(get(&server, "/api/oauth/usage", &second.access()).0, 401, "ended by the refresh");

    server.set(|options| options.omit_refresh_token = true);
    let (status, body) = refresh(&server, &second.next()).expect("an answer");
    assert_eq!((status, kept(&body, "refresh_token")), (200, false));
    assert_eq!(refresh(&server, &second.next()).expect("an answer").0, 200, "the token sent stays good");
    server.assert_clean();
}

#[test]
fn a_script_decides_about_effect_and_answer() {
    let busy = Reply::throttled(Some("720"));
    for (name, reply, answered, effect) in [
        ("normal", Reply::Normal, Some(200), true),
        ("throttled", busy, Some(429), false),
        ("server error", Reply::status(503), Some(503), false),
        ("block page", Reply::Html, Some(403), false),
        ("lost answer", Reply::Drop, None, true),
        ("lost request", Reply::DropBefore, None, false),
        ("half an answer", Reply::Truncate, None, true),
        ("late answer", Reply::Delay(std::time::Duration::from_millis(30)), Some(200), true),
    ] {
        let server = Server::start();
        server.script(Route::Token, vec![reply]);
        let answer = refresh(&server, &Pair::new("A", 1));
        assert_eq!(answer.ok().map(|(status, _)| status), answered, "{name}");
        assert_eq!(server.generation("A"), if effect { 2 } else { 0 }, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}: logged whatever happens");
    }
}

#[test]
fn a_gate_holds_an_answer_back() {
    let server = Server::start();
    let gate = Gate::new();
    server.script(Route::Token, vec![Reply::Wait(gate.clone())]);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| refresh(&server, &Pair::new("A", 1)));
        assert!(gate.is_reached());
        assert_eq!(server.generation("A"), 2, "the effect came first");
        assert!(!waiting.is_finished());
        gate.open();
        assert_eq!(waiting.join().expect("no panic").expect("an answer").0, 200);
    });
}

#[test]
fn codes_sign_in_once_and_bodies_can_be_set() {
    let server = Server::start();
    let code = json!({ "grant_type": "authorization_code", "code": "FAKE-CODE-AB" });
    assert_eq!(post(&server, &code).expect("an answer").1["access_token"], "sk-ant-oat01-FAKE-AB1");
    assert_eq!(post(&server, &code).expect("an answer").0, 400);
    let other = json!({ "grant_type": "password" });
    assert_eq!(post(&server, &other).expect("an answer").1["error"]["message"], "Unsupported grant_type: password");

    server.set_usage(&Account::a(), json!({ "five_hour": null }));
    server.set_status("minor", vec![json!({ "id": "FAKEINC1" })]);
    let token = Pair::new("AB", 1).access();
    assert_eq!(get(&server, "/api/oauth/usage", &token).1, json!({ "five_hour": null }));
    assert_eq!(get(&server, "/api/v2/summary.json", "").1["status"]["indicator"], "minor");
    assert_eq!(get(&server, "/api/v2/incidents.json", "").1["incidents"][0]["id"], "FAKEINC1");
    let log = server.requests_to(Route::Usage);
    assert_eq!((log.len(), log[0].bearer.as_deref(), log[0].user_agent.as_str()), (1, Some("AB1"), "test"));
}
