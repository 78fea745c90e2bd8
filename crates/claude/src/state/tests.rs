//! Each key of facts §1.4, and what an edit must leave alone.

use super::*;

/// The keys that no switch may touch (facts §1.4), and one that nobody knows.
const KEPT: [&str; 13] = [
    "projects",
    "mcpServers",
    "userID",
    "numStartups",
    "hasCompletedOnboarding",
    "theme",
    "tipsHistory",
    "installMethod",
    "autoUpdates",
    "githubRepoPaths",
    "feedbackSurveyState",
    "futureKey",
    "oauthaccount",
];

/// The list of facts §1.4, written a second time: a key lost from the code's own list is lost to every account.
const BOUND: [&str; 29] = [
    "oauthAccount",
    "primaryApiKey",
    "customApiKeyResponses",
    "cachedUsageUtilization",
    "overageCreditGrantCache",
    "passesEligibilityCache",
    "passesLastSeenRemaining",
    "cachedExtraUsageDisabledReason",
    "cachedArtifactRoster",
    "artifactRosterDenied",
    "groveConfigCache",
    "promoStartupStatusCache",
    "metricsStatusCache",
    "metricsStatusCacheByPrincipal",
    "clientDataCache",
    "clientDataCacheSlots",
    "cachedGrowthBookFeatures",
    "cachedGrowthBookFeaturesAt",
    "cachedExperimentFeatures",
    "cachedExperimentData",
    "orgModelDefaultCache",
    "lastSeenOrgDefaultUpdatedAt",
    "modelAccessCache",
    "additionalModelCostsCache",
    "additionalModelOptionsCache",
    "additionalModelOptionsAnsweredAt",
    "autoCompactWindowsCache",
    "githubWebConnectionStatusCache",
    "startupPrefetchedAt",
];

const OTHER: &str = r#"{"accountUuid":"b",  "later": 1.10}"#;

/// What lies before and after the identity in [`file`]: numbers, layout and line ends of somebody else.
const BEFORE: &str = "\u{feff}{\r\n    \"numStartups\": 412,\r\n    \"big\" : 9007199254740993,";
const AFTER: &str = ",\r\n    \"projects\": {\"/home/u/p\": { \"cost\": 1.10, \"last\":1E+2 } }\r\n}\r\n";

fn state(text: &str) -> StateFile {
    StateFile::parse(text.as_bytes().to_vec()).expect("an object")
}

fn string(state: &StateFile) -> &str {
    std::str::from_utf8(state.bytes()).expect("text")
}

fn file(identity: &str) -> String {
    format!("{BEFORE}\r\n    \"oauthAccount\": {identity}{AFTER}")
}

#[test]
fn every_account_bound_key_goes_and_every_other_stays() {
    assert_eq!(ACCOUNT_KEYS, BOUND, "the list of the facts, in its order");
    let cases = BOUND.iter().map(|key| (*key, false)).chain(KEPT.iter().map(|key| (*key, true)));
    for (name, stays) in cases {
        let (first, last) = ("{\"numStartups\": 3,\n \"odd\":\t1.10", ", \"last\": [1 , 2]}");
        let with = state(&format!("{first}, \"{name}\": {{ \"v\": 1.0 }}{last}"));
        let without = format!("{first}{last}");
        let (removed, expected) =
            (with.with_identity(None).expect("an edit"), if stays { string(&with) } else { &without });
        assert_eq!(string(&removed), expected, "{name}, nobody comes");

        let changed = with.with_identity(Some(OTHER)).expect("an edit");
        assert_eq!(changed.block(), Some(OTHER), "{name}, b comes");
        let text = changed.without_identity();
        assert_eq!(string(&text), if name == IDENTITY { &without } else { expected }, "{name}, b comes");
    }
}

#[test]
fn an_identity_comes_and_goes_without_another_byte() {
    let mine =
        "{ \"accountUuid\": \"a\",\r\n      \"emailAddress\":\"alice@example.invalid\", \"later\": {\"n\": 1.0} }";
    let with = file(mine);
    let without = format!("{BEFORE}{}", AFTER.strip_prefix(',').expect("a comma"));
    assert_eq!(string(&state(&with).without_identity()), without);
    assert_eq!(state(&with).block(), Some(mine));
    assert_eq!(string(&state(&with).with_identity(Some(OTHER)).expect("an edit")), file(OTHER), "in the same place");
    assert_eq!(string(&state(&with).with_identity(Some(mine)).expect("an edit")), with, "to itself");

    let back = state(&without).with_identity(Some(mine)).expect("an edit");
    assert_eq!(back.block(), Some(mine), "to the byte");
    assert_eq!(string(&back.without_identity()), without, "and out again");
    assert_eq!(string(&state(&without).without_identity()), without, "none to take");
}

#[test]
fn only_the_identity_is_taken_out_while_a_switch_is_under_way() {
    let text = r#"{"oauthAccount": {"accountUuid": "a"}, "primaryApiKey": "sk-ant-FAKE", "modelAccessCache": {}}"#;
    let left = state(text).without_identity();
    assert_eq!(string(&left), r#"{"primaryApiKey": "sk-ant-FAKE", "modelAccessCache": {}}"#);
}

#[test]
fn what_somebody_gave_is_taken_out_and_put_back_to_the_byte() {
    let rest = "{\"numStartups\": 3, \"projects\": {\"/x\": {\"cost\": 1.10}}}";
    assert_eq!(state(rest).given(), None, "nothing given");
    for (name, keys) in [
        ("a key", "\"primaryApiKey\": \"sk-ant-FAKE\""),
        ("answers", "\"customApiKeyResponses\": { \"approved\" : [\"FAKE\"] }"),
        ("both", "\"primaryApiKey\": null, \"customApiKeyResponses\": { \"approved\" : [1.10] }"),
    ] {
        let with = rest.replace("{\"numStartups\"", &format!("{{{keys}, \"numStartups\""));
        let given = state(&with).given().expect(name);
        let without = state(&with).with_identity(None).expect("an edit");
        assert_eq!((string(&without), without.given()), (rest, None), "{name}");
        let back = without.with_given(given.clone()).expect("an edit");
        assert_eq!(back.given(), Some(given), "{name}");
        assert_eq!(string(&back.with_identity(None).expect("an edit")), rest, "{name}");
    }
    assert!(state(rest).with_given(b"[]".to_vec()).is_err());
}

#[test]
fn an_identity_needs_its_account_and_nothing_else() {
    let full = Identity {
        account_uuid: "11111111-1111-4111-8111-111111111111".into(),
        organization_uuid: Some("22222222-2222-4222-8222-222222222222".into()),
        email: Some("alice@example.invalid".into()),
        organization_name: Some("Alice's".into()),
    };
    let bare = |account: &str| Identity {
        account_uuid: account.into(),
        organization_uuid: None,
        email: None,
        organization_name: None,
    };
    for (name, block, expected) in [
        (
            "whole",
            r#"{"accountUuid":"11111111-1111-4111-8111-111111111111","emailAddress":"alice@example.invalid",
            "organizationUuid":"22222222-2222-4222-8222-222222222222","organizationName":"Alice's","future":{}}"#,
            Some(full),
        ),
        ("the account alone", r#"{"accountUuid":"a"}"#, Some(bare("a"))),
        ("nulls", r#"{"accountUuid":"a","emailAddress":null,"organizationUuid":null}"#, Some(bare("a"))),
        ("blanks", r#"{"accountUuid":"a","emailAddress":" ","organizationUuid":""}"#, Some(bare("a"))),
        ("other types", r#"{"accountUuid":"a","emailAddress":[],"organizationUuid":7}"#, Some(bare("a"))),
        ("the account twice", r#"{"accountUuid":"a","accountUuid":"b"}"#, Some(bare("b"))),
        ("no account", r#"{"emailAddress":"alice@example.invalid","organizationUuid":"o"}"#, None),
        ("a blank account", r#"{"accountUuid":" "}"#, None),
        ("a number as account", r#"{"accountUuid":1}"#, None),
        ("empty", "{}", None),
        ("null", "null", None),
        ("a text", "\"alice@example.invalid\"", None),
        ("a list", "[]", None),
    ] {
        assert_eq!(state(&file(block)).identity(), expected, "{name}");
    }
    assert_eq!(state("{}").identity(), None, "absent");
    assert_eq!(state("{}").block(), None, "absent");
}

#[test]
fn what_is_no_state_file_is_refused_and_so_is_a_block_that_is_no_json() {
    for (name, text) in [("empty", ""), ("torn", "{\"oauthAccount\": {\"acc"), ("a list", "[]"), ("two", "{}{}")] {
        assert!(StateFile::parse(text.into()).is_err(), "{name}");
    }
    for (name, block) in [("torn", "{\"acc"), ("nothing", ""), ("two", "{},\"userID\":{}")] {
        assert!(state("{\"theme\": \"dark\"}").with_identity(Some(block)).is_err(), "{name}");
    }
}
