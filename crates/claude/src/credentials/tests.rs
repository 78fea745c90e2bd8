//! Each key of facts §1.2, each bad input of §8.1.

use super::*;

const KEYS: [(&str, KeyClass); 14] = [
    ("claudeAiOauth", KeyClass::Account),
    ("organizationUuid", KeyClass::Account),
    ("trustedDeviceToken", KeyClass::Account),
    ("enterpriseGateway", KeyClass::Account),
    ("designOauth", KeyClass::Account),
    ("mcpOAuth", KeyClass::Machine),
    ("mcpOAuthClientConfig", KeyClass::Machine),
    ("mcpXaaIdp", KeyClass::Machine),
    ("mcpXaaIdpConfig", KeyClass::Machine),
    ("pluginSecrets", KeyClass::Machine),
    ("coworkRemoteDevice", KeyClass::Machine),
    ("futureSharedKey", KeyClass::Unknown),
    // Nothing is guessed from a name: only what is known to be the machine's stays.
    ("mcpOfTomorrow", KeyClass::Unknown),
    ("", KeyClass::Unknown),
];

fn whole(text: &str) -> Credentials {
    Credentials::parse(text.as_bytes().to_vec()).expect("an object")
}

fn part(text: &str) -> AccountPart {
    AccountPart::parse(text.as_bytes().to_vec()).expect("an object")
}

fn string(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

fn word(found: &Found) -> &'static str {
    match found {
        Found::Login(_) => "login",
        Found::Blank => "blank",
        Found::Absent => "absent",
        Found::Malformed => "malformed",
    }
}

fn login_of(text: &str) -> Login {
    match whole(text).login() {
        Found::Login(login) => login,
        other => panic!("{text} is {}", word(&other)),
    }
}

#[test]
fn every_known_key_has_its_owner_and_the_rest_is_unknown() {
    for (name, class) in KEYS {
        assert_eq!(class_of(name), class, "{name}");
    }
    let known = |class| KEYS.iter().filter(|(_, of)| *of == class).count();
    assert_eq!((known(KeyClass::Account), known(KeyClass::Machine)), (ACCOUNT.len(), MACHINE.len()), "a row each");
}

#[test]
fn a_splice_takes_machine_keys_from_live_and_all_others_from_the_part() {
    let (here, there) = (r#"{"of": "live", "n": 1.10}"#, r#"{"of":"part","n":1e3}"#);
    for (name, class) in KEYS {
        for (in_live, in_part) in [(false, false), (false, true), (true, false), (true, true)] {
            let object = |with: bool, value: &str| match with {
                true => format!(r#"{{"first": [1,  2], "{name}": {value}}}"#),
                false => r#"{"first": [1,  2]}"#.to_owned(),
            };
            let live = whole(&object(in_live, here));
            let incoming = object(in_part, there);
            let expected = match class {
                KeyClass::Machine => in_live.then_some(here),
                KeyClass::Account | KeyClass::Unknown => in_part.then_some(there),
            };
            // A slot that another program wrote may carry machine keys; they count for nothing there.
            for (way, part) in [("harvested", whole(&incoming).account()), ("stored", part(&incoming))] {
                let spliced = live.with_account(&part).expect("a part");
                let case = format!("{name:?}, {way}, live {in_live}, part {in_part}");
                assert_eq!(spliced.0.raw(&[name]), expected, "{case}");
                assert_eq!(spliced.0.raw(&["first"]), Some("[1,  2]"), "{case}");
                assert_eq!(spliced.0.keys().len(), 1 + usize::from(expected.is_some()), "{case}");
            }
        }
    }
}

#[test]
fn a_splice_edits_live_and_never_rewrites_it() {
    let live = concat!(
        "\u{feff}{\r\n\t\"mcpOAuth\" : { \"x|1\": {\"n\": 9007199254740993} },\r\n",
        "\t\"claudeAiOauth\": {\"accessToken\":\"sk-ant-oat01-FAKE-A1\", \"mine\": 1.10},\r\n",
        "\t\"trustedDeviceToken\": \"FAKE-DEVICE-A\",\r\n\t\"pluginSecrets\": {}\r\n}\r\n",
    );
    let incoming = r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-B1","expiresAt":1.7951904e12,"z":{"k":[ ]}},
        "organizationUuid":"b","mcpOAuth":{"other":1}}"#;
    let expected = concat!(
        "\u{feff}{\r\n\t\"mcpOAuth\" : { \"x|1\": {\"n\": 9007199254740993} },\r\n",
        "\t\"claudeAiOauth\": {\"accessToken\":\"sk-ant-oat01-FAKE-B1\",\"expiresAt\":1.7951904e12,\"z\":{\"k\":[ ]}},\r\n",
        "\t\"pluginSecrets\": {},\r\n\t\"organizationUuid\": \"b\"\r\n}\r\n",
    );
    let spliced = whole(live).with_account(&whole(incoming).account()).expect("a part");
    assert_eq!(string(spliced.bytes()), expected);
    let back = spliced.with_account(&whole(live).account()).expect("a part");
    assert_eq!(back.0.raw(&["claudeAiOauth"]), whole(live).0.raw(&["claudeAiOauth"]), "there and back");
}

#[test]
fn an_empty_object_takes_an_account_and_gives_none() {
    let spliced = Credentials::empty().with_account(&part(r#"{"organizationUuid":"b"}"#)).expect("a part");
    assert_eq!(spliced.0.raw(&["organizationUuid"]), Some(r#""b""#));
    let gone = spliced.with_account(&Credentials::empty().account()).expect("a part");
    assert_eq!(gone.0.keys(), Vec::<String>::new());
}

#[test]
fn no_second_copy_of_a_login_hides_behind_a_repeated_key() {
    let live = r#"{"claudeAiOauth":{"refreshToken":"sk-ant-ort01-FAKE-A1"},"mcpOAuth":1,"mcpOAuth":2,
        "claudeAiOaut\u0068":{"refreshToken":"sk-ant-ort01-FAKE-A2"},"futureKey":1,"futureKey":2}"#;
    let two = r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-B1","refreshToken":"sk-ant-ort01-FAKE-B1"},
        "claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-B2","refreshToken":"sk-ant-ort01-FAKE-B2"}}"#;
    for (way, incoming) in [("harvested", whole(two).account()), ("stored", part(two))] {
        let spliced = whole(live).with_account(&incoming).expect("a part");
        let text = string(spliced.bytes());
        assert!(!text.contains("FAKE-A") && !text.contains("ort01-FAKE-B1"), "{way}: the last one counts: {text}");
        assert!(text.contains("ort01-FAKE-B2"), "{way}");
        assert!(text.contains(r#""mcpOAuth":1,"mcpOAuth":2"#), "{way}: what stays is not ours to tidy");
        assert!(!text.contains("futureKey"), "{way}");
        assert!(!string(incoming.bearer().bytes()).contains("ort01"), "{way}: a bearer copy cannot renew");
    }
}

#[test]
fn what_stands_for_a_login_is_told_apart() {
    for (name, text, expected) in [
        ("a login", r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","refreshToken":"r"}}"#, "login"),
        ("a setup token", r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-S","refreshToken":null}}"#, "login"),
        ("no refresh token", r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1"}}"#, "login"),
        ("scopes as text", r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","scopes":"a b"}}"#, "login"),
        ("the dead marker", r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":0}}"#, "blank"),
        ("tokens of space", r#"{"claudeAiOauth":{"accessToken":" \t","refreshToken":" "}}"#, "blank"),
        ("null tokens", r#"{"claudeAiOauth":{"accessToken":null,"refreshToken":null}}"#, "blank"),
        ("a cleared block", r#"{"claudeAiOauth":{}}"#, "blank"),
        ("a cleared block with a plan", r#"{"claudeAiOauth":{"subscriptionType":"max"}}"#, "blank"),
        ("MCP alone", r#"{"mcpOAuth":{}}"#, "absent"),
        ("nothing", "{}", "absent"),
        ("null", r#"{"claudeAiOauth":null}"#, "absent"),
        ("a list", r#"{"claudeAiOauth":[]}"#, "malformed"),
        ("a text", r#"{"claudeAiOauth":"sk-ant-oat01-FAKE-A1"}"#, "malformed"),
        ("a number as token", r#"{"claudeAiOauth":{"accessToken":1}}"#, "malformed"),
        ("an object as refresh token", r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":{}}}"#, "malformed"),
        // There is a login; that it cannot be read must never pass for its absence, or it would be overwritten.
        ("a number beyond all", r#"{"claudeAiOauth":{"accessToken":"a","expiresAt":1e999}}"#, "malformed"),
        ("half a character", r#"{"claudeAiOauth":{"accessToken":"a\ud800"}}"#, "malformed"),
        ("the last of two", r#"{"claudeAiOauth":{"accessToken":"a"},"claudeAiOauth":{"accessToken":""}}"#, "blank"),
    ] {
        assert_eq!(word(&whole(text).login()), expected, "{name}");
        assert_eq!(word(&whole(text).account().login()), expected, "{name}, harvested");
        assert_eq!(word(&part(text).login()), expected, "{name}, stored");
    }
}

#[test]
fn times_are_milliseconds_and_what_others_wrote_is_understood() {
    for (name, text, expected) in [
        ("milliseconds", "1795190400000", Some(1_795_190_400_000)),
        ("seconds", "1795190400", Some(1_795_190_400_000)),
        ("milliseconds in a text", "\" 1795190400000 \"", Some(1_795_190_400_000)),
        ("seconds in a text", "\"1795190400\"", Some(1_795_190_400_000)),
        ("with a fraction", "1795190400000.75", Some(1_795_190_400_000)),
        ("with an exponent", "1.7951904e12", Some(1_795_190_400_000)),
        ("the dead marker's", "0", None),
        ("before the epoch", "-1", None),
        ("beyond the calendar", "9223372036854775807", None),
        ("beyond all integers", "1e300", None),
        ("words", "\"tomorrow\"", None),
        ("nothing", "null", None),
        ("a flag", "true", None),
        ("a list", "[1795190400000]", None),
    ] {
        let object =
            format!(r#"{{"claudeAiOauth":{{"accessToken":"a","expiresAt":{text},"refreshTokenExpiresAt":{text}}}}}"#);
        let login = login_of(&object);
        assert_eq!(login.expires_at.map(Timestamp::as_millisecond), expected, "{name}");
        assert_eq!(login.refresh_expires_at.map(Timestamp::as_millisecond), expected, "{name}, of the login");
        let kept = Credentials::empty().with_account(&whole(&object).account()).expect("a part");
        assert_eq!(kept.0.raw(&["claudeAiOauth", "expiresAt"]), Some(text), "{name}: the text is kept");
    }
    let login = login_of(r#"{"claudeAiOauth":{"accessToken":"a"}}"#);
    assert_eq!((login.expires_at, login.refresh_expires_at), (None, None), "absent");
}

#[test]
fn every_field_of_a_login_is_read() {
    let login = login_of(
        r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","refreshToken":"sk-ant-ort01-FAKE-A1",
        "scopes":["user:inference",7,"user:profile"],"subscriptionType":"max",
        "rateLimitTier":"default_claude_max_20x","clientId":"FAKE-CLIENT"}}"#,
    );
    assert_eq!(login.access.expose(), "sk-ant-oat01-FAKE-A1");
    assert_eq!(login.refresh.as_ref().map(Secret::expose), Some("sk-ant-ort01-FAKE-A1"));
    assert_eq!(login.access_print(), Fingerprint::of(b"sk-ant-oat01-FAKE-A1"));
    assert_eq!(login.refresh_print(), Some(Fingerprint::of(b"sk-ant-ort01-FAKE-A1")));
    assert_eq!(login.scopes, ["user:inference", "user:profile"]);
    assert_eq!(login.subscription.as_deref(), Some("max"));
    assert_eq!(login.tier.as_deref(), Some("default_claude_max_20x"));
    assert_eq!(login.client_id.as_deref(), Some("FAKE-CLIENT"));

    let bare = login_of(
        r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":" ","scopes":"user:profile",
        "subscriptionType":null,"rateLimitTier":7,"clientId":""}}"#,
    );
    assert!(bare.refresh.is_none() && bare.refresh_print().is_none() && bare.scopes.is_empty());
    assert_eq!((bare.subscription, bare.tier, bare.client_id), (None, None, None));
}

#[test]
fn a_bearer_copy_is_the_login_without_what_renews_it() {
    let full = r#"{
  "claudeAiOauth": {
    "accessToken": "sk-ant-oat01-FAKE-A1",
    "refreshToken": "sk-ant-ort01-FAKE-A1",
    "expiresAt": 1795190400000.0,
    "refreshTokenExpiresAt": 1797750000000,
    "futureField": { "keep": 9007199254740993 }
  },
  "organizationUuid": "22222222-2222-4222-8222-222222222222",
  "enterpriseGateway": { "jwt": "FAKE", "refreshToken": "FAKE-REFRESH" },
  "trustedDeviceToken": "FAKE-DEVICE-TOKEN-A",
  "designOauth": { "refreshToken": "FAKE-REFRESH" },
  "futureSharedKey": { "keep": true }
}
"#;
    let expected = r#"{
  "claudeAiOauth": {
    "accessToken": "sk-ant-oat01-FAKE-A1",
    "expiresAt": 1795190400000.0,
    "refreshTokenExpiresAt": 1797750000000,
    "futureField": { "keep": 9007199254740993 }
  },
  "organizationUuid": "22222222-2222-4222-8222-222222222222",
  "trustedDeviceToken": "FAKE-DEVICE-TOKEN-A",
  "futureSharedKey": { "keep": true }
}
"#;
    let part = part(full);
    assert!(!part.is_bearer());
    assert_eq!(string(part.bearer().bytes()), expected);
    assert!(part.bearer().is_bearer());
    assert_eq!(string(part.bearer().bearer().bytes()), expected, "twice is once");
    assert_eq!(part.organization_uuid(), part.bearer().organization_uuid());
}

#[test]
fn only_a_login_without_refresh_token_is_a_bearer_copy() {
    for (name, text, bearer) in [
        ("absent", r#"{"claudeAiOauth":{"accessToken":"a"}}"#, true),
        ("null", r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":null}}"#, true),
        ("blank", r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":" "}}"#, true),
        ("there", r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":"r"}}"#, false),
        ("signed out", r#"{"claudeAiOauth":{"accessToken":"","refreshToken":""}}"#, false),
        ("no login", "{}", false),
        ("unreadable", r#"{"claudeAiOauth":7}"#, false),
    ] {
        assert_eq!(part(text).is_bearer(), bearer, "{name}");
    }
}

#[test]
fn an_organization_is_a_text_that_says_something() {
    for (name, text, expected) in [
        ("there", r#"{"organizationUuid":"22222222-2222-4222-8222-222222222222"}"#, true),
        ("absent", "{}", false),
        ("null", r#"{"organizationUuid":null}"#, false),
        ("blank", r#"{"organizationUuid":" "}"#, false),
        ("a number", r#"{"organizationUuid":22222222}"#, false),
    ] {
        assert_eq!(part(text).organization_uuid().is_some(), expected, "{name}");
    }
}

#[test]
fn bad_inputs_are_refused_without_telling_a_token() {
    let token = "sk-ant-oat01-FAKE-ACCESS-A1";
    let login = format!(r#"{{"claudeAiOauth":{{"accessToken":"{token}"}}}}"#);
    let many = vec![b' '; 64];
    for (name, bytes) in [
        ("empty", Vec::new()),
        ("space alone", many),
        ("a mark alone", "\u{feff}".into()),
        ("truncated", login.as_bytes()[..login.len() - 1].to_vec()),
        ("truncated in the token", login.as_bytes()[..40].to_vec()),
        ("a list", format!("[{login}]").into_bytes()),
        ("a text", format!("\"{token}\"").into_bytes()),
        ("null", b"null".to_vec()),
        ("two objects", format!("{login}{login}").into_bytes()),
        ("a comma too many", login.replace('}', ",}").into_bytes()),
        ("zeros", vec![0; 512]),
        ("no UTF-8", [login.as_bytes(), b"\xff"].concat()),
        ("UTF-16", login.encode_utf16().flat_map(u16::to_le_bytes).collect()),
    ] {
        for error in [Credentials::parse(bytes.clone()).err(), AccountPart::parse(bytes).err()] {
            let error = error.unwrap_or_else(|| panic!("{name} was taken for an object"));
            assert!(!format!("{error} {error:?}").contains("FAKE"), "{name}: {error}");
        }
    }
}

#[test]
fn odd_but_whole_inputs_are_taken() {
    let login = r#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-A1","refreshToken":"r"}}"#;
    let servers: Vec<String> =
        (0..2000).map(|n| format!(r#""server|{n:016}":{{"accessToken":"{}"}}"#, "F".repeat(80))).collect();
    let large = login.replacen('{', &format!("{{\"mcpOAuth\":{{{}}},", servers.join(",")), 1);
    assert!(large.len() > 200 << 10);
    for (name, text) in [("a byte order mark", format!("\u{feff}{login}")), ("200 KB of MCP logins", large)] {
        let live = whole(&text);
        assert_eq!(word(&live.login()), "login", "{name}");
        assert_eq!(live.with_account(&live.account()).expect("a part").bytes(), live.bytes(), "{name}: to itself");
    }
}
