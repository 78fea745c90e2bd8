//! Whom requests trust, and which way they go: against a TLS server of a throw-away authority, behind scripted proxies.

#[path = "scripted.rs"]
mod scripted;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};

use self::scripted::{CA, Listening, OTHER, secured, socks, tunnel};
use super::*;
use crate::scripted::answer;
use crate::{Client, LookupError, Provider, TokenError, TokenRequest, Trouble};

const TOKEN: &str = "sk-ant-oat01-FAKE-ACCESS-A1";

const PROFILE: &str = r#"{"account":{"uuid":"11111111-1111-4111-8111-111111111111"}}"#;

/// Longer than any test takes.
const PATIENT: Duration = Duration::from_secs(30);

fn trusting(pem: &'static [u8]) -> Wire {
    Wire::new(move || Trust { instead: Some(vec![pem.to_vec()]), beside: Vec::new() })
}

fn server() -> Listening {
    secured(answer("200", "", PROFILE.as_bytes()))
}

fn behind(scheme: &str, user: &str, proxy: &Listening) -> Env {
    [("HTTPS_PROXY", format!("{scheme}://{user}{}", proxy.address))].into_iter().collect()
}

/// Looks an account up at `api`; an error tells nothing of what is secret.
fn look(api: &str, env: &Env, wire: &Wire) -> Result<String, LookupError> {
    let endpoints = Endpoints { api: api.to_owned(), ..Endpoints::from_env(&Env::default()).expect("the real ones") };
    let looked = Client::new(&endpoints, env, wire, true).profile(&Secret::new(TOKEN), PATIENT);
    if let Err(error) = &looked {
        let told = format!("{error} {error:?}");
        assert!(!told.contains("FAKE") && !told.contains("PASSWORD") && !told.contains("api."), "{told}");
    }
    looked.map(|answer| answer.account_uuid)
}

#[test]
fn a_tunnel_carries_the_request_and_sees_only_where_it_goes() {
    let server = server();
    // FAKE:PASSWORD@/ in Base64.
    let proxy = tunnel(server.address, Some("RkFLRTpQQVNTV09SREAv"));
    let env = behind("http", "FAKE:PASSWORD%40%2F@", &proxy);
    let looked = look("https://api.anthropic.com", &env, &trusting(CA));
    assert_eq!(looked.as_deref(), Ok("11111111-1111-4111-8111-111111111111"));
    let heads = proxy.log.all();
    assert_eq!(heads.len(), 1);
    assert!(heads[0].starts_with("CONNECT api.anthropic.com:443 HTTP/1.1\r\n"), "{heads:?}");
    assert!(!heads[0].contains("sk-ant") && !heads[0].to_lowercase().contains("\r\nauthorization"), "{heads:?}");
    let requests = server.log.all();
    assert!(requests[0].contains(&format!("authorization: Bearer {TOKEN}")), "{requests:?}");
    assert!(!requests[0].contains("RkFLR") && !requests[0].contains("PASSWORD"), "the proxy's password is the proxy's");
}

#[test]
fn a_proxy_that_refuses_is_told_without_its_password() {
    let server = server();
    let proxy = tunnel(server.address, Some("RkFLRTpSSUdIVA=="));
    for (name, user) in [("no password", ""), ("a wrong one", "FAKE:PASSWORD@")] {
        let env = behind("http", user, &proxy);
        assert_eq!(look("https://api.anthropic.com", &env, &trusting(CA)), Err(LookupError::Proxy), "{name}");
    }
    assert_eq!(server.log.all(), Vec::<String>::new(), "nobody went around it");
    // Of a renewal it is known that nothing was sent (R4).
    let real = Endpoints::from_env(&Env::default()).expect("the real ones");
    let (env, wire) = (behind("http", "FAKE:PASSWORD@", &proxy), trusting(CA));
    let request = TokenRequest { refresh: &Secret::new("sk-ant-ort01-FAKE"), client_id: None, scopes: &[] };
    let sent = Client::new(&real, &env, &wire, true).refresh(&request, PATIENT);
    assert_eq!(sent.err(), Some(TokenError::NotSent(Trouble::Proxy)));
}

#[test]
fn a_proxy_that_cannot_be_used_is_not_gone_around() {
    for (name, address) in
        [("no address", "http://"), ("another protocol", "ftp://127.0.0.1:1"), ("spaces", "not a proxy")]
    {
        for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
            let env: Env = [(variable, address)].into_iter().collect();
            let looked = look("https://api.example.invalid", &env, &trusting(CA));
            assert_eq!(looked, Err(LookupError::Proxy), "{name} in {variable}");
        }
    }
}

#[test]
fn a_renewal_goes_the_same_way_as_everything_else() {
    let pair = r#"{"access_token":"sk-ant-oat01-FAKE-A2","refresh_token":"sk-ant-ort01-FAKE-A2"}"#;
    let server = secured(answer("200", "", pair.as_bytes()));
    let proxy = tunnel(server.address, None);
    let real = Endpoints::from_env(&Env::default()).expect("the real ones");
    let (env, wire) = (behind("http", "", &proxy), trusting(CA));
    let client = Client::new(&real, &env, &wire, true);
    let request = TokenRequest { refresh: &Secret::new("sk-ant-ort01-FAKE-A1"), client_id: None, scopes: &[] };
    assert!(client.refresh(&request, PATIENT).is_ok());
    assert!(server.log.all()[0].contains("sk-ant-ort01-FAKE-A1"));
    assert!(proxy.log.all()[0].starts_with("CONNECT platform.claude.com:443 "), "{:?}", proxy.log.all());
    // A server that is not trusted has been sent nothing, and that is known.
    let (other, refused) = (trusting(OTHER), server.log.all().len());
    let sent = Client::new(&real, &env, &other, true).refresh(&request, PATIENT);
    assert_eq!(sent.err(), Some(TokenError::NotSent(Trouble::Untrusted)));
    assert_eq!(server.log.all().len(), refused);
}

#[test]
fn whom_to_trust_row_by_row() {
    let server = server();
    let proxy = tunnel(server.address, None);
    let env = behind("http", "", &proxy);
    let both = [
        b"# a comment\n".as_slice(),
        OTHER,
        b"-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----\n",
        CA,
    ]
    .concat();
    let rows: [(&str, Trust, bool); 8] = [
        ("its authority", Trust { instead: Some(vec![CA.to_vec()]), beside: vec![] }, true),
        ("another", Trust { instead: Some(vec![OTHER.to_vec()]), beside: vec![] }, false),
        ("nobody", Trust { instead: Some(vec![]), beside: vec![] }, false),
        ("no certificate", Trust { instead: Some(vec![b"\xff\0nonsense".to_vec()]), beside: vec![] }, false),
        ("a bundle with odd entries", Trust { instead: Some(vec![both]), beside: vec![] }, true),
        ("another, and its own beside", Trust { instead: Some(vec![OTHER.to_vec()]), beside: vec![CA.to_vec()] }, true),
        ("what the system trusts", Trust::default(), false),
        // Apple's verifier has rules of its own for how long a certificate may be good.
        (
            "what the system trusts, and its own",
            Trust { instead: None, beside: vec![CA.to_vec()] },
            !cfg!(target_vendor = "apple"),
        ),
    ];
    for (name, trust, trusted) in rows {
        let looked = look("https://api.anthropic.com", &env, &Wire::new(move || trust.clone()));
        assert_eq!(looked.is_ok(), trusted, "{name}");
        assert!(trusted || looked == Err(LookupError::Untrusted), "{name}: {looked:?}");
    }
    let elsewhere = look("https://elsewhere.example.invalid", &env, &trusting(CA));
    assert_eq!(elsewhere, Err(LookupError::Untrusted), "a certificate for another name");
    assert!(
        server.log.all().iter().all(|request| request.contains("host: api.anthropic.com")),
        "nobody else got a request"
    );
}

#[test]
fn a_redirect_to_another_host_takes_no_token_along() {
    for location in ["https://platform.claude.com/x", "https://localhost/x", "/elsewhere"] {
        let server = secured(answer("307", &format!("location: {location}\r\n"), b""));
        let proxy = tunnel(server.address, None);
        let looked = look("https://api.anthropic.com", &behind("http", "", &proxy), &trusting(CA));
        assert_eq!(looked, Err(LookupError::Server(307)), "{location}");
        assert_eq!((proxy.log.all().len(), server.log.all().len()), (1, 1), "asked once: {location}");
    }
}

#[test]
fn a_host_without_proxy_is_not_told_to_the_proxy() {
    let server = server();
    let proxy = tunnel(server.address, None);
    let port = server.address.port();
    let named = |list: &str| {
        let address = format!("http://{}", proxy.address);
        [("HTTPS_PROXY", address), ("NO_PROXY", list.to_owned())].into_iter().collect::<Env>()
    };
    // The name leads nowhere, and that is found out without the proxy.
    for list in ["example.invalid", ".invalid", "other.example, api.example.invalid:443", "*"] {
        let looked = look("https://api.example.invalid", &named(list), &trusting(CA));
        assert_eq!(looked, Err(LookupError::Offline), "{list}");
    }
    assert!(
        look(&format!("https://localhost:{port}"), &named(""), &trusting(CA)).is_ok(),
        "this machine is asked directly"
    );
    assert_eq!(proxy.log.all(), Vec::<String>::new());
    assert!(look("https://api.anthropic.com", &named("example.invalid,thropic.com"), &trusting(CA)).is_ok());
    assert_eq!(proxy.log.all().len(), 1, "a part of a name is no domain");
}

#[test]
fn a_socks_proxy_is_used_and_not_gone_around() {
    let server = server();
    let proxy = socks(server.address);
    let env: Env = [("ALL_PROXY", format!("socks5h://{}", proxy.address))].into_iter().collect();
    assert!(look("https://api.anthropic.com", &env, &trusting(CA)).is_ok());
    assert_eq!(proxy.log.all(), ["api.anthropic.com"]);
}

#[test]
fn a_providers_key_goes_to_its_own_host() {
    let balance = r#"{"balance_infos":[{"currency":"USD","total_balance":"1.00"}]}"#;
    let server = secured(answer("200", "", balance.as_bytes()));
    let proxy = tunnel(server.address, None);
    let real = Endpoints::from_env(&Env::default()).expect("the real ones");
    let (env, wire) = (behind("http", "", &proxy), trusting(CA));
    let client = Client::new(&real, &env, &wire, true);
    let provider = Provider::at("https://api.deepseek.com/anthropic").expect("a provider");
    let answer = client.provider(provider, &Secret::new("sk-FAKE"), PATIENT, || true).expect("an answer");
    assert_eq!(answer.balances.len(), 1);
    let tunnels: Vec<String> =
        proxy.log.all().iter().filter_map(|head| head.lines().next().map(str::to_owned)).collect();
    assert_eq!(tunnels, ["CONNECT api.deepseek.com:443 HTTP/1.1"]);
    assert!(server.log.all()[0].starts_with("GET /user/balance HTTP/1.1"), "{:?}", server.log.all());
}

#[test]
fn whom_to_trust_is_found_out_once_and_only_when_somebody_asks() {
    let server = server();
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&asked);
    let wire = Wire::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        Trust { instead: Some(vec![CA.to_vec()]), beside: Vec::new() }
    });
    let (endpoints, env) = (Endpoints::from_env(&Env::default()).expect("the real ones"), Env::default());
    let off = Client::new(&endpoints, &env, &wire, false);
    assert_eq!(off.profile(&Secret::new(TOKEN), PATIENT), Err(LookupError::Refused));
    assert_eq!((asked.load(Ordering::SeqCst), wire.is_made()), (0, false), "nothing was asked");
    assert_eq!(look("http://127.0.0.1:1", &env, &wire), Err(LookupError::Offline));
    assert_eq!((asked.load(Ordering::SeqCst), wire.is_made()), (0, true), "nothing was to be secured");
    let api = format!("https://localhost:{}", server.address.port());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert!(look(&api, &env, &wire.clone()).is_ok()));
        }
    });
    assert_eq!((asked.load(Ordering::SeqCst), wire.is_made()), (1, true));
}

#[test]
fn with_the_network_off_every_request_is_refused_at_the_one_door() {
    let (wire, env) = (Wire::new(|| unreachable!("nobody is asked")), Env::default());
    let endpoints = Endpoints::from_env(&env).expect("the real ones");
    let client = Client::new(&endpoints, &env, &wire, false);
    let token = Secret::new(TOKEN);
    let request = TokenRequest { refresh: &token, client_id: None, scopes: &[] };
    assert_eq!(client.profile(&token, PATIENT).err(), Some(LookupError::Refused));
    assert_eq!(client.usage(&token, PATIENT).err(), Some(LookupError::Refused));
    assert_eq!(client.incidents(PATIENT).err(), Some(LookupError::Refused));
    assert_eq!(client.refresh(&request, PATIENT).err(), Some(TokenError::Refused));
    for (title, host) in Provider::hosts() {
        let provider = Provider::at(&format!("https://{host}/x")).expect("a provider");
        assert_eq!(client.provider(provider, &token, PATIENT, || true).err(), Some(LookupError::Refused), "{title}");
    }
    assert!(!wire.is_made());
}
