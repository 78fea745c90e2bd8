//! What the environment says of proxies and certificates reaches every request: a provider under its real name, behind a
//! scripted proxy that leads to a TLS server of a throw-away authority on loopback.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clauth_engine::{Asked, Asking, Engine, Trouble};
use clauth_host::{Env, Host, Secret};

use crate::house::House;

#[path = "../../../anthropic/src/wire/scripted.rs"]
#[expect(dead_code, reason = "it is the wire's own, which needs more of it")]
mod scripted;

const BODY: &str = r#"{"balance_infos":[{"currency":"USD","total_balance":"7.50"}]}"#;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../anthropic/fixtures").join(name)
}

/// An engine on a machine with these variables, and none of the sandbox's addresses.
fn engine(house: &House, more: &[(&str, String)]) -> Engine {
    let mut env = house.world.env(None);
    env.retain(|(name, _)| !name.to_string_lossy().starts_with("CLAUTH_"));
    env.extend(more.iter().map(|(name, value)| ((*name).into(), value.clone().into())));
    let env: Env = env.into_iter().collect();
    Engine::new(Host::from_env(env).expect("a host"), Arc::new(|_| {}))
}

#[test]
fn the_environment_decides_which_way_requests_go_and_whom_they_trust() {
    let response = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{BODY}", BODY.len());
    let server = scripted::secured(response.into_bytes());
    // FAKE:PASSWORD in Base64.
    let proxy = scripted::tunnel(server.address, Some("RkFLRTpQQVNTV09SRA=="));
    let through = |user: &str| ("HTTPS_PROXY", format!("http://{user}@{}", proxy.address));
    let good = || through("FAKE:PASSWORD");
    let named = |name: &'static str, path: &Path| (name, path.to_str().expect("a path").to_owned());
    let (ca, other) = (fixture("ca.pem"), fixture("other.pem"));
    let rows = [
        ("a file", vec![good(), named("SSL_CERT_FILE", &ca)], Asked::Answered),
        ("a directory", vec![good(), named("SSL_CERT_DIR", &fixture(""))], Asked::Answered),
        ("another authority", vec![good(), named("SSL_CERT_FILE", &other)], Asked::Failed(Trouble::Untrusted)),
        (
            "Claude Code's variable beside another",
            vec![good(), named("SSL_CERT_FILE", &other), named("NODE_EXTRA_CA_CERTS", &ca)],
            Asked::Answered,
        ),
        ("what the system trusts", vec![good()], Asked::Failed(Trouble::Untrusted)),
        ("a wrong password", vec![through("FAKE:WRONG"), named("SSL_CERT_FILE", &ca)], Asked::Failed(Trouble::Proxy)),
        (
            "no proxy that can be used",
            vec![("HTTPS_PROXY", "ftp://FAKE:PASSWORD@127.0.0.1:9".to_owned())],
            Asked::Failed(Trouble::Proxy),
        ),
    ];
    for (name, env, expected) in rows {
        let house = House::new("s-way");
        let before = server.log.all().len();
        let engine = engine(&house, &env);
        engine.add("deep", "https://api.deepseek.com/anthropic", &Secret::new("sk-FAKE-KEY")).expect("added");
        let usage = engine.usage(None, Asking::Everybody).expect("usage");
        assert_eq!(usage.tried[0].asked, expected, "{name}");
        let requests = server.log.all().split_off(before);
        assert_eq!(requests.len(), usize::from(expected == Asked::Answered), "{name}: nobody else got the key");
        let kept = clauth_sandbox::world::holders(&house.world.snapshot(), "PASSWORD");
        assert_eq!(kept, Vec::<String>::new(), "{name}: the proxy's password is in no file");
    }
    let heads = proxy.log.all();
    assert!(heads.iter().all(|head| head.starts_with("CONNECT api.deepseek.com:443 ")), "{heads:?}");
    assert!(!heads.concat().contains("sk-FAKE-KEY"), "the proxy sees no key");
}
