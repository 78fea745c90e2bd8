//! What holds for any two objects whatever.

use proptest::prelude::*;
use serde_json::value::RawValue;

use super::*;

/// A key as it stands in the text, with the name that it spells.
const SPELLINGS: [(&str, &str); 16] = [
    ("claudeAiOauth", "claudeAiOauth"),
    (r"claudeAiOaut\u0068", "claudeAiOauth"),
    ("organizationUuid", "organizationUuid"),
    ("trustedDeviceToken", "trustedDeviceToken"),
    ("enterpriseGateway", "enterpriseGateway"),
    ("designOauth", "designOauth"),
    ("mcpOAuth", "mcpOAuth"),
    (r"mcp\u004fAuth", "mcpOAuth"),
    ("mcpOAuthClientConfig", "mcpOAuthClientConfig"),
    ("mcpXaaIdp", "mcpXaaIdp"),
    ("mcpXaaIdpConfig", "mcpXaaIdpConfig"),
    ("pluginSecrets", "pluginSecrets"),
    ("coworkRemoteDevice", "coworkRemoteDevice"),
    ("futureSharedKey", "futureSharedKey"),
    (r#"\"{,\\"#, "\"{,\\"),
    ("schlüssel", "schlüssel"),
];

const VALUES: [&str; 9] = [
    r#"{"accessToken":"sk-ant-oat01-FAKE-A1","refreshToken":"sk-ant-ort01-FAKE-A1","expiresAt":1.795e12}"#,
    "{ \"refreshToken\" : \"sk-ant-ort01-FAKE-B1\",\n  \"x\": [1.10, {}],  \"accessToken\": \"sk-ant-oat01-FAKE-B1\" }",
    r#"{"accessToken":"a","refreshToken":"sk-ant-ort01-FAKE-C1","refreshToken":"sk-ant-ort01-FAKE-C2"}"#,
    r#""22222222-2222-4222-8222-222222222222""#,
    r#""},\"{""#,
    "9007199254740993",
    "-0.0e-5",
    "null",
    "[ ]",
];

/// The keys of an object, and its text in one of several layouts. A key may stand twice.
fn object() -> impl Strategy<Value = String> {
    let member = (0..SPELLINGS.len(), 0..VALUES.len());
    (prop::collection::vec(member, 0..10), 0..4_usize).prop_map(|(members, layout)| {
        let (open, between, colon, close) = [
            ("{", ",", ":", "}"),
            ("{\n  ", ",\n  ", ": ", "\n}\n"),
            ("\u{feff}{\r\n\t", ",\r\n\t", " : ", "\r\n}\r\n"),
            ("{ ", " , ", ": ", " }"),
        ][layout];
        let members: Vec<String> =
            members.iter().map(|(key, value)| format!("\"{}\"{colon}{}", SPELLINGS[*key].0, VALUES[*value])).collect();
        format!("{open}{}{close}", members.join(between))
    })
}

fn names(keep: impl Fn(KeyClass) -> bool) -> impl Iterator<Item = &'static str> {
    SPELLINGS.iter().map(|(_, name)| *name).filter(move |name| keep(class_of(name)))
}

/// The text of each member whose key spells `name`, repeated ones too.
fn members(document: &Document, name: &str) -> Vec<String> {
    struct Members<'n>(&'n str);
    impl<'de> Visitor<'de> for Members<'_> {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut texts = Vec::new();
            while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
                if key == self.0 {
                    texts.push(value.get().to_owned());
                }
            }
            Ok(texts)
        }
    }
    let text = std::str::from_utf8(document.bytes()).expect("text").trim_start_matches('\u{feff}');
    serde_json::Deserializer::from_str(text).deserialize_map(Members(name)).expect("an object")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_splice_is_the_machine_of_live_and_the_rest_of_the_part(live in object(), incoming in object()) {
        let live = Credentials::parse(live.into_bytes()).expect("valid");
        for part in [
            Credentials::parse(incoming.clone().into_bytes()).expect("valid").account(),
            AccountPart::parse(incoming.clone().into_bytes()).expect("valid"),
        ] {
            let spliced = live.with_account(&part).expect("a part");
            let whole = Document::parse(spliced.bytes().to_vec()).expect("still one object");
            let incoming = Document::parse(incoming.clone().into_bytes()).expect("valid");
            for name in names(|class| class == KeyClass::Machine) {
                prop_assert_eq!(members(&whole, name), members(&live.0, name), "{}", name);
            }
            for name in names(|class| class != KeyClass::Machine) {
                prop_assert_eq!(whole.raw(&[name]), incoming.raw(&[name]), "{}", name);
                prop_assert!(members(&whole, name).len() < 2, "{} stands twice", name);
            }
            let foreign = whole.keys().into_iter().find(|key| !SPELLINGS.iter().any(|(_, name)| name == key));
            prop_assert_eq!(foreign, None);
            let again = spliced.with_account(&part).expect("a part");
            prop_assert_eq!(again.bytes(), spliced.bytes(), "twice is once");
        }
    }

    #[test]
    fn a_bearer_copy_differs_by_what_renews_alone(text in object()) {
        let part = Credentials::parse(text.into_bytes()).expect("valid").account();
        let bearer = part.bearer();
        let mut names: Vec<_> = names(|class| class != KeyClass::Machine).collect();
        names.retain(|name| *name != LOGIN && !RENEWABLE.contains(name));
        for name in names {
            prop_assert_eq!(bearer.0.raw(&[name]), part.0.raw(&[name]), "{}", name);
        }
        prop_assert!(RENEWABLE.iter().all(|name| bearer.0.raw(&[name]).is_none()));
        let mut login = part.0.get::<Value>(&[LOGIN]);
        if let Some(Value::Object(login)) = &mut login {
            login.shift_remove("refreshToken");
        }
        prop_assert_eq!(bearer.0.get::<Value>(&[LOGIN]), login);
        prop_assert_eq!(bearer.0.raw(&[LOGIN, "refreshToken"]), None);
    }

    #[test]
    fn machine_keys_come_over_and_the_account_stays(here in object(), there in object()) {
        let here = Credentials::parse(here.into_bytes()).expect("valid");
        let there = Credentials::parse(there.into_bytes()).expect("valid");
        let exactly = here.with_machine_of(&there).expect("valid");
        let more = here.with_more_machine_of(&there).expect("valid");
        prop_assert!(exactly.same_machine(&there));
        for (after, what) in [(&exactly, "exactly"), (&more, "more")] {
            prop_assert!(after.account().same(&here.account()), "{}", what);
        }
        for name in names(|class| class == KeyClass::Machine) {
            prop_assert_eq!(more.0.raw(&[name]), here.0.raw(&[name]).or(there.0.raw(&[name])), "{}", name);
        }
        let again = here.with_machine_of(&here).expect("valid");
        prop_assert_eq!(again.bytes(), here.bytes(), "nothing to do");
    }
}
