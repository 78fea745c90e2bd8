//! Each body of facts §4.7, what hosts are taken for a provider, and bodies that nobody should send.

use clauth_host::{Endpoints, Env};

use super::*;
use crate::Wire;
use crate::scripted::{Server, Then, answer};

const KEY: &str = "sk-FAKE-PROVIDER-KEY";

/// Longer than any test takes.
const PATIENT: Duration = Duration::from_secs(30);

const DEEPSEEK: &str = r#"{ "is_available": true, "balance_infos": [ { "currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00" } ] }"#;

const ZAI: &str = r#"{ "code": 200, "msg": "Operation successful", "success": true, "data": { "level": "pro", "limits": [
  { "type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 12, "nextResetTime": 1795190400000 },
  { "type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 40, "nextResetTime": 1795618800000 },
  { "type": "TIME_LIMIT", "unit": 5, "number": 1, "usage": 1000, "currentValue": 250, "remaining": 750, "percentage": 25,
    "nextResetTime": 1797000000000, "usageDetails": [ { "modelCode": "search-prime", "usage": 3 } ] } ] } }"#;

const MOONSHOT: &str = r#"{ "code": 0, "data": { "available_balance": 49.59, "voucher_balance": 46.59, "cash_balance": 3.0 }, "scode": "0x0", "status": true }"#;

const MINIMAX: &str = r#"{ "model_remains": [ { "model_name": "general", "start_time": 1795172400000, "end_time": 1795190400000, "remains_time": 6651988,
    "current_interval_status": 1, "current_interval_remaining_percent": 38, "weekly_start_time": 1795014000000, "weekly_end_time": 1795618800000,
    "weekly_remains_time": 211851988, "current_weekly_status": 1, "current_weekly_remaining_percent": 69 } ],
  "base_resp": { "status_code": 0, "status_msg": "success" } }"#;

const OPENROUTER: &str = r#"{"data":{"label":"sk-or-…","limit":20,"limit_remaining":5.5,"limit_reset":"weekly","usage":30.1,"usage_daily":1,"usage_weekly":14.5,"usage_monthly":30.1,"is_free_tier":false}}"#;

/// Each provider with the body that it is known to send.
const KNOWN: [(&str, &str); 5] = [
    ("https://api.deepseek.com/anthropic", DEEPSEEK),
    ("https://api.z.ai/api/anthropic", ZAI),
    ("https://api.moonshot.ai/anthropic", MOONSHOT),
    ("https://api.minimax.io/anthropic", MINIMAX),
    ("https://openrouter.ai/api", OPENROUTER),
];

fn asked(url: &str, server: &Server) -> Result<ProviderAnswer, LookupError> {
    let real = Endpoints::from_env(&Env::default()).expect("the real ones");
    let endpoints = Endpoints { providers: Some(server.url()), ..real };
    let (env, wire) = (Env::default(), Wire::default());
    let client = Client::new(&endpoints, &env, &wire, true);
    let provider = Provider::at(url).expect("a provider");
    let answer = client.provider(provider, &Secret::new(KEY), PATIENT, || true);
    if let Err(error) = &answer {
        assert!(!format!("{error} {error:?}").contains("FAKE"), "{error:?}");
    }
    answer
}

fn says(url: &str, status: &str, body: &str) -> Result<ProviderAnswer, LookupError> {
    asked(url, &Server::answering(status, "", body.as_bytes()))
}

/// `5h 12 → 1795190400; balance 110 USD; plan pro`.
fn told(answer: Result<ProviderAnswer, LookupError>) -> String {
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return format!("{error:?}"),
    };
    let reset = |window: &UsageWindow| window.resets_at.map_or_else(String::new, |at| format!(" → {}", at.as_second()));
    let windows = answer.windows.iter().map(|window| format!("{} {}{}", window.id, window.percent, reset(window)));
    let balances = answer
        .balances
        .iter()
        .map(|balance| format!("{} {} {}", balance.label, balance.amount, balance.currency.as_deref().unwrap_or("?")));
    windows.chain(balances).chain(answer.plan.iter().map(|plan| format!("plan {plan}"))).collect::<Vec<_>>().join("; ")
}

#[test]
fn a_key_goes_to_exactly_the_host_that_it_belongs_to() {
    for (name, url, host) in [
        ("DeepSeek", "https://api.deepseek.com/anthropic", Some("api.deepseek.com")),
        ("in capitals", "HTTPS://API.DeepSeek.com/x", Some("api.deepseek.com")),
        ("with its port", "https://api.z.ai:443/api/anthropic", Some("api.z.ai")),
        ("one region", "https://api.moonshot.ai/anthropic", Some("api.moonshot.ai")),
        ("the other region", "https://api.moonshot.cn/anthropic", Some("api.moonshot.cn")),
        ("Z.ai in China", "https://open.bigmodel.cn/api/anthropic", Some("open.bigmodel.cn")),
        ("MiniMax", "https://api.minimax.io/anthropic", Some("api.minimax.io")),
        ("OpenRouter", "https://openrouter.ai/api", Some("openrouter.ai")),
        ("not secured", "http://api.deepseek.com/anthropic", None),
        ("another port", "https://api.deepseek.com:8443/anthropic", None),
        ("a longer name", "https://api.deepseek.com.example.com/", None),
        ("a host below", "https://evil.api.deepseek.com/", None),
        ("as a user's name", "https://api.deepseek.com@example.com/", None),
        ("with a user", "https://me@api.deepseek.com/", None),
        ("in a path", "https://example.com/api.deepseek.com", None),
        ("behind a backslash", "https://example.com\\@api.deepseek.com/", None),
        ("this machine", "http://127.0.0.1:8080", None),
        ("no address", "api.deepseek.com", None),
        ("nothing", "", None),
    ] {
        assert_eq!(Provider::at(url).map(|provider| provider.host()), host, "{name}");
    }
}

#[test]
fn each_known_body_is_read() {
    let expected = [
        "balance 110 USD; of it granted 10 USD",
        "5h 12 → 1795190400; 7d 40 → 1795618800; 1mo:tools 25 → 1797000000; plan pro",
        "balance 49.59 USD; of it vouchers 46.59 USD; of it cash 3 USD",
        "5h 62 → 1795190400; 7d 31 → 1795618800",
        "7d 72.5; left of the key's limit 5.5 USD",
    ];
    for ((url, body), expected) in KNOWN.into_iter().zip(expected) {
        assert_eq!(told(says(url, "200", body)), expected, "{url}");
    }
    assert_eq!(
        told(says("https://api.moonshot.cn/anthropic", "200", MOONSHOT)),
        "balance 49.59 CNY; of it vouchers 46.59 CNY; of it cash 3 CNY",
        "the region tells the currency"
    );
}

/// Other bodies, by the place of the provider in [`KNOWN`].
const VARIANTS: &[(&str, usize, &str, &str)] = &[
    (
        "two currencies",
        0,
        r#"{"balance_infos":[{"currency":"CNY","total_balance":"7"},{"currency":"USD","total_balance":1.5}]}"#,
        "balance 7 CNY; balance 1.5 USD",
    ),
    ("no account yet", 0, r#"{"is_available":false,"balance_infos":[]}"#, ""),
    (
        "an odd entry",
        0,
        r#"{"balance_infos":[null,{"currency":"USD"},{"currency":5,"total_balance":"2"}]}"#,
        "balance 2 ?",
    ),
    ("only odd entries", 0, r#"{"balance_infos":[{"currency":"USD","total_balance":"much"}]}"#, "Unparsable"),
    ("more money than there is", 0, r#"{"balance_infos":[{"currency":"USD","total_balance":"1e300"}]}"#, "Unparsable"),
    ("an error for an answer", 1, r#"{"code":500,"msg":"SECRET","success":false}"#, "Server(200)"),
    ("a bad key for an answer", 1, r#"{"code":1002,"msg":"SECRET","success":false}"#, "Unauthorized"),
    ("a bad key as a text", 1, r#"{"code":"401","success":false}"#, "Unauthorized"),
    ("a throttle for an answer", 1, r#"{"code":1302,"success":false}"#, "Throttled { retry_after: None }"),
    (
        "texts for numbers",
        1,
        r#"{"data":{"limits":[{"type":"TOKENS_LIMIT","unit":"3","number":"5","percentage":"12 %","nextResetTime":null}]}}"#,
        "5h 12",
    ),
    (
        "no percentage",
        1,
        r#"{"data":{"limits":[{"type":"TIME_LIMIT","unit":5,"number":1,"usage":200,"currentValue":50}]}}"#,
        "1mo:tools 25",
    ),
    ("a new kind", 1, r#"{"data":{"limits":[{"type":"VIDEO_LIMIT","unit":9,"percentage":150}]}}"#, "limit:video 100"),
    ("a plan alone", 1, r#"{"data":{"level":"lite","limits":null}}"#, "plan lite"),
    ("nothing in it", 1, r#"{"data":{}}"#, "Unparsable"),
    ("an error for a balance", 2, r#"{"code":5,"data":null,"status":false}"#, "Server(200)"),
    (
        "a debt",
        2,
        r#"{"code":0,"data":{"available_balance":-1.5,"voucher_balance":0,"cash_balance":-1.5},"status":true}"#,
        "balance -1.5 USD; of it cash -1.5 USD",
    ),
    ("a text for a balance", 2, r#"{"data":{"available_balance":"3.5"}}"#, "balance 3.5 USD"),
    ("no balance", 2, r#"{"code":0,"data":{},"status":true}"#, "Unparsable"),
    ("a bad key", 3, r#"{"base_resp":{"status_code":1004,"status_msg":"SECRET"}}"#, "Unauthorized"),
    ("another bad key", 3, r#"{"model_remains":[],"base_resp":{"status_code":2049}}"#, "Unauthorized"),
    ("another error", 3, r#"{"base_resp":{"status_code":1000}}"#, "Server(200)"),
    (
        "two kinds of models",
        3,
        r#"{"model_remains":[{"model_name":"general","current_interval_remaining_percent":"100"},{"model_name":"Video","current_weekly_remaining_percent":null,"current_interval_remaining_percent":0}]}"#,
        "5h 0; 5h:video 100",
    ),
    (
        "a short interval",
        3,
        r#"{"model_remains":[{"start_time":1795172400000,"end_time":1795179600000,"current_interval_remaining_percent":50}]}"#,
        "2h 50 → 1795179600",
    ),
    (
        "a key without a limit",
        4,
        r#"{"data":{"limit":null,"limit_remaining":null,"is_free_tier":true}}"#,
        "plan free tier",
    ),
    (
        "a key that is overdrawn",
        4,
        r#"{"data":{"limit":10,"limit_remaining":-2,"limit_reset":null}}"#,
        "key 100; left of the key's limit -2 USD",
    ),
    ("a limit of nothing", 4, r#"{"data":{"limit":0,"limit_remaining":0}}"#, ""),
    ("no data", 4, r#"{"error":{"message":"SECRET","code":400}}"#, "Unparsable"),
];

#[test]
fn variants_row_by_row() {
    for (name, provider, body, expected) in VARIANTS {
        let (url, _) = KNOWN[*provider];
        assert_eq!(told(says(url, "200", body)), *expected, "{name}");
    }
}

#[test]
fn credits_are_what_is_left_of_them() {
    let mut key = answer("200", "", OPENROUTER.as_bytes());
    let server = Server::start(std::mem::take(&mut key), Then::Close);
    let url = "https://openrouter.ai/api";
    asked(url, &server).expect("an answer");
    let lines: Vec<String> = server.heads().iter().filter_map(|head| head.lines().next().map(str::to_owned)).collect();
    assert_eq!(lines, ["GET /api/v1/key HTTP/1.1", "GET /api/v1/credits HTTP/1.1"]);
    let both = r#"{"data":{"limit":null,"total_credits":25.5,"total_usage":30}}"#;
    assert_eq!(told(says(url, "200", both)), "credits -4.5 USD", "a debt too");
}

#[test]
fn hostile_bodies_are_survived_by_every_provider() {
    let large = format!("{{\"data\":\"{}\"}}", "x".repeat(5 << 20));
    let deep = "[".repeat(100_000);
    for (url, known) in KNOWN {
        for (name, body) in [
            ("nothing", ""),
            ("a page", "<!DOCTYPE html><html>sk-FAKE</html>"),
            ("null", "null"),
            ("a list", "[]"),
            ("a text", "\"sk-FAKE\""),
            ("torn", &known[..known.len() - 2]),
            ("another provider's", r#"{"unknown":true}"#),
            (
                "nulls all over",
                r#"{"data":null,"balance_infos":null,"model_remains":null,"code":null,"success":null,"base_resp":null}"#,
            ),
            ("deep", &deep),
            ("five megabytes", &large),
        ] {
            assert_eq!(says(url, "200", body), Err(LookupError::Unparsable), "{url}: {name}");
        }
        for (status, expected) in [
            ("401", LookupError::Unauthorized),
            ("402", LookupError::Server(402)),
            ("403", LookupError::Server(403)),
            ("429", LookupError::Throttled { retry_after: None }),
            ("500", LookupError::Server(500)),
            ("302", LookupError::Server(302)),
        ] {
            assert_eq!(says(url, status, known), Err(expected), "{url}: {status}");
        }
        let odd = known
            .replace("pro\"", "\\u001b]0;x\\u0007p\\u202ero\"")
            .replace("USD", "U\\u001bSD")
            .replace("general", "\\u001b[2J\\u0000");
        let answer = says(url, "200", &odd).expect("an answer");
        let all = format!("{answer:?}");
        let shown = answer.windows.iter().flat_map(|window| [&window.id, &window.label]).chain(&answer.plan);
        assert!(shown.flat_map(|text| text.chars()).all(|c| !c.is_control() && c != '\u{202e}'), "{url}: {all}");
    }
}

#[test]
fn the_key_stands_in_one_header_alone() {
    for (url, body) in KNOWN {
        let server = Server::answering("200", "", body.as_bytes());
        asked(url, &server).expect("an answer");
        for head in server.heads() {
            let holding: Vec<&str> = head.lines().filter(|line| line.contains("FAKE")).collect();
            let bare = url.contains("z.ai");
            let expected = if bare { format!("authorization: {KEY}") } else { format!("authorization: Bearer {KEY}") };
            assert_eq!(holding, [expected.as_str()], "{url}");
        }
    }
}

#[test]
fn a_redirect_takes_no_key_along() {
    let other = Server::answering("200", "", DEEPSEEK.as_bytes());
    for (url, _) in KNOWN {
        let server = Server::answering("302", &format!("location: {}/x\r\n", other.url()), b"");
        assert_eq!(asked(url, &server), Err(LookupError::Server(302)), "{url}");
    }
    assert_eq!(other.heads(), Vec::<String>::new(), "each key went to one host only");
}
