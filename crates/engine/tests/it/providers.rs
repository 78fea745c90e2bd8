//! Providers behind endpoint profiles: asked only at their own host, within the same budget, by the same poller.

use clauth_engine::{Account, Asked, Asking, Reading, Source, Trouble, Usage};
use clauth_host::Secret;
use clauth_sandbox::{Reply, Route};
use serde_json::json;

use crate::house::House;

const KEY: &str = "sk-FAKE-PROVIDER-KEY";

const DEEPSEEK: &str = "https://api.deepseek.com/anthropic";

/// A home with one endpoint profile, `deep`.
fn house(name: &str, url: &str) -> House {
    let house = House::with_server(name);
    let _ = house.world.install_claude(std::path::Path::new("/bin/true"));
    house.engine().add("deep", url, &Secret::new(KEY)).expect("added");
    house
}

fn ask(house: &House, asking: Asking) -> Usage {
    house.engine().usage(Some("deep"), asking).expect("usage")
}

fn became(usage: &Usage) -> Asked {
    usage.tried.first().expect("it was tried").asked.clone()
}

fn account(usage: &Usage) -> &Account {
    usage.listing.accounts.first().expect("an account")
}

fn reading(usage: &Usage) -> &Reading {
    account(usage).usage.as_ref().expect("a reading")
}

/// `5h 12, balance 110 USD`.
fn told(reading: &Reading) -> String {
    let windows = reading.windows.iter().map(|window| format!("{} {}", window.id, window.percent));
    let balances = reading.balances.iter().map(|balance| {
        format!("{} {:.2} {}", balance.label, balance.amount, balance.currency.as_deref().unwrap_or("?"))
    });
    windows.chain(balances).collect::<Vec<_>>().join(", ")
}

#[test]
fn each_provider_is_asked_at_its_own_place_and_its_answer_is_kept() {
    for (provider, url, paths, expected, plan) in [
        ("DeepSeek", DEEPSEEK, &["/user/balance"][..], "balance 110.00 USD, of it granted 10.00 USD", None),
        (
            "Z.ai",
            "https://api.z.ai/api/anthropic",
            &["/api/monitor/usage/quota/limit"],
            "5h 12, 7d 40, 1mo:tools 25",
            Some("pro"),
        ),
        (
            "Moonshot",
            "https://api.moonshot.ai/anthropic",
            &["/v1/users/me/balance"],
            "balance 49.59 USD, of it vouchers 46.59 USD, of it cash 3.00 USD",
            None,
        ),
        ("MiniMax", "https://api.minimax.io/anthropic", &["/v1/token_plan/remains"], "5h 62, 7d 31", None),
        (
            "OpenRouter",
            "https://openrouter.ai/api",
            &["/api/v1/key", "/api/v1/credits"],
            "1mo 72.5, credits -4.60 USD, left of the key's limit 5.50 USD",
            None,
        ),
    ] {
        let house = house("p-each", url);
        assert!(account(&ask(&house, Asking::Nobody)).usage.is_none(), "{provider}");
        assert_eq!(house.fake().requests().len(), 0, "{provider}: offline");
        let usage = ask(&house, Asking::Stale);
        assert_eq!(became(&usage), Asked::Answered, "{provider}");
        assert_eq!((account(&usage).provider, account(&usage).plan.as_deref()), (Some(provider), plan));
        assert_eq!(
            (told(reading(&usage)).as_str(), reading(&usage).source),
            (expected, Source::Provider),
            "{provider}"
        );
        let asked: Vec<String> = house.fake().requests().into_iter().map(|request| request.path).collect();
        assert_eq!(asked, paths, "{provider}: and nobody's status page");
        assert_eq!(account(&usage).budget.map(|budget| budget.used), Some(paths.len()), "{provider}");
        assert_eq!(became(&ask(&house, Asking::Stale)), Asked::Spared, "{provider}: it is not stale");
        assert_eq!(told(reading(&ask(&house, Asking::Nobody))), expected, "{provider}: kept");
        let holders = clauth_sandbox::world::holders(&house.world.snapshot(), KEY);
        assert!(holders.iter().all(|path| path.ends_with("config.toml")), "{provider}: {holders:?}");
    }
}

#[test]
fn a_key_for_another_host_gets_no_request() {
    for url in [
        "https://gateway.example.invalid/anthropic",
        "https://api.deepseek.com.example.invalid/anthropic",
        "https://api.deepseek.com:8443/anthropic",
        "http://127.0.0.1:1/anthropic",
    ] {
        let house = house("p-elsewhere", url);
        let usage = ask(&house, Asking::Everybody);
        assert_eq!((became(&usage), account(&usage).provider), (Asked::Spared, None), "{url}");
        house.engine().poll_once(false).expect("a poll");
        assert_eq!(house.fake().requests().len(), 0, "{url}");
    }
}

#[test]
fn each_failure_ends_in_a_state_of_its_own_and_the_last_reading_stays() {
    let page = || Reply::Status(200, vec![], "<html>SECRET</html>".into());
    let rows: Vec<(&str, Reply, Trouble, Option<i64>)> = vec![
        ("a refused key", Reply::json(401, &json!({"error": "no"})), Trouble::Key, Some(3600)),
        ("a throttle", Reply::throttled(Some("720")), Trouble::Throttled, Some(720)),
        ("an error", Reply::status(500), Trouble::Server, None),
        (
            "a redirect",
            Reply::Status(302, vec![("location".into(), "/user/balance".into())], String::new()),
            Trouble::Server,
            None,
        ),
        ("a page", page(), Trouble::Unparsable, None),
        ("null", Reply::json(200, &json!(null)), Trouble::Unparsable, None),
        ("a reset", Reply::DropBefore, Trouble::Offline, None),
    ];
    for (name, reply, trouble, hold) in rows {
        let house = house("p-table", DEEPSEEK);
        let before = reading(&ask(&house, Asking::Everybody)).clone();
        house.fake().script(Route::Provider, vec![reply]);
        let usage = ask(&house, Asking::Everybody);
        let now = reading(&usage);
        assert_eq!((became(&usage), now.error), (Asked::Failed(trouble), Some(trouble)), "{name}");
        assert_eq!((told(now), now.as_of), (told(&before), before.as_of), "{name}");
        let wait = now.retry_at.map(|at| at.duration_since(now.error_at.expect("a time")).as_secs());
        assert!(wait >= hold && wait.is_some() == hold.is_some(), "{name}: {wait:?}");
        assert_eq!(matches!(became(&ask(&house, Asking::Everybody)), Asked::Held(_)), hold.is_some(), "{name}");
    }
}

#[test]
fn another_key_is_another_account_and_asked_about_at_once() {
    let house = house("p-key", DEEPSEEK);
    ask(&house, Asking::Everybody);
    house.fake().script(Route::Provider, vec![Reply::json(401, &json!({}))]);
    assert_eq!(became(&ask(&house, Asking::Everybody)), Asked::Failed(Trouble::Key));
    let config = house.world.root().join("profiles/deep/config.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    std::fs::write(&config, text.replace(KEY, "sk-FAKE-ANOTHER")).expect("written");
    assert!(account(&ask(&house, Asking::Nobody)).usage.is_none(), "the other key's figures are not this one's");
    let usage = ask(&house, Asking::Stale);
    assert_eq!((became(&usage), reading(&usage).error), (Asked::Answered, None));
}

#[test]
fn a_key_has_the_budget_of_an_account() {
    let house = house("p-budget", "https://openrouter.ai/api");
    for _ in 0..15 {
        ask(&house, Asking::Everybody);
    }
    assert_eq!(house.fake().requests_to(Route::Provider).len(), 20);
    assert!(matches!(became(&ask(&house, Asking::Everybody)), Asked::Held(_)));
}

#[test]
fn with_the_network_off_no_provider_is_asked() {
    let house = house("p-off", DEEPSEEK);
    let settings = house.world.root().join("settings.toml");
    let text = std::fs::read_to_string(&settings).unwrap_or_default();
    std::fs::write(&settings, format!("network = \"off\"\n{text}")).expect("written");
    assert_eq!(became(&ask(&house, Asking::Everybody)), Asked::Off);
    house.engine().poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests().len(), 0);
}

#[test]
fn the_poller_asks_providers_too() {
    let house = house("p-poll", DEEPSEEK);
    house.engine().poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Provider).len(), 1);
    house.engine().poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Provider).len(), 1, "it is not due");
    house.later(30 * 60).poll_once(false).expect("a poll");
    assert_eq!(house.fake().requests_to(Route::Provider).len(), 2);
}
