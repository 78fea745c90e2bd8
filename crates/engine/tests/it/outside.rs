//! Sign-ins and writes that happen outside clauth.

use clauth_engine::{Kind, LiveState, Outgoing};
use clauth_sandbox::{Account, Login, Pair};

use crate::house::House;

/// A sign-in as a known profile while another was live ends in that profile's slot, by the server's word (O2).
#[test]
fn a_known_account_ends_in_its_own_slot() {
    let house = House::two_with_server("known");
    house.sign_in(&Account::a());
    let family = house.world.live();
    assert_ne!(family, "A1");
    let report = house.switch("b");
    assert_eq!(report.harvested_into.as_deref(), Some("a"));
    assert_eq!(house.slot("a"), family);
    assert_eq!(house.vault(), ["A1"], "what it displaced is kept");
    assert_eq!(house.world.live(), "B1");
}

/// Without a proof it goes to the vault, and is named; never into the outgoing profile's slot.
#[test]
fn without_a_proof_it_goes_to_the_vault() {
    let house = House::two("vault");
    house.sign_in(&Account::c());
    let listing = house.engine().list().expect("a list");
    assert_eq!((listing.active, listing.live), (None, LiveState::Unknown));
    let report = house.switch("a");
    assert_eq!(report.outgoing, Some(Outgoing::Vaulted));
    assert!(report.warnings.iter().any(|warning| warning.contains("carol@example.invalid")), "{:?}", report.warnings);
    assert_eq!(house.vault(), ["C1"]);
    assert_eq!((house.world.live(), house.slot("b")), ("A1".into(), "B1".into()));
}

/// W9: undo brings the vaulted login back, moved.
#[test]
fn undo_brings_a_vaulted_login_back() {
    let house = House::two("moved");
    house.sign_in(&Account::c());
    house.switch("a");
    house.engine().undo(false).expect("undone");
    assert_eq!(house.world.live(), "C1");
    assert!(house.vault().is_empty(), "moved, not copied");
    assert_eq!(house.slot("a"), "A1");
}

/// L5, L6: but not one that is used up since, or that a profile holds.
#[test]
fn undo_does_not_put_a_used_up_or_held_login_live() {
    let spent = |house: &House| {
        let token = clauth_host::Secret::new("sk-ant-ort01-FAKE-C1").fingerprint().full().to_owned();
        let line = format!("{{\"schema\":1,\"token\":\"{token}\",\"profile\":\"gone\",\"why\":\"superseded\"}}\n");
        std::fs::write(house.world.root().join("spent.jsonl"), line).expect("written");
    };
    let held = |house: &House| {
        let parked = house.world.root().join("profiles").join("b").join("credentials.json");
        let login = Login::new(&Account::c(), Pair::new("C", 1));
        house.world.edit_json(&parked, |slot| drop(slot.insert("claudeAiOauth".into(), login.oauth())));
    };
    type Arrange<'a> = &'a dyn Fn(&House);
    let rows: [(&str, Arrange<'_>, Kind); 2] = [("used up", &spent, Kind::DeadLogin), ("held", &held, Kind::Protected)];
    for (name, arrange, kind) in rows {
        let house = House::two("kept");
        house.sign_in(&Account::c());
        house.switch("a");
        arrange(&house);
        let before = house.world.live();
        let refused = house.engine().undo(false).map(drop).expect_err(name);
        assert_eq!((refused.kind(), house.world.live()), (kind, before), "{name}: {refused}");
        assert_eq!(house.vault().len(), 1, "{name}: it stays in the vault");
    }
}

/// W10: restore moves into a profile, new or its own.
#[test]
fn a_vaulted_login_becomes_a_profile() {
    let house = House::two("restore");
    house.sign_in(&Account::c());
    house.switch("a");
    let engine = house.engine();
    let id = engine.vault().expect("the vault")[0].id.clone();
    assert_eq!(engine.restore(&id, None).map(drop).expect_err("nobody's").kind(), Kind::Usage);
    assert_eq!(engine.restore(&id, Some("c")).expect("restored").0, "c");
    assert_eq!((house.slot("c"), house.vault().len()), ("C1".into(), 0));
    house.switch("c");
    assert_eq!(house.world.live(), "C1");
}

/// L6: an earlier generation that somebody put back is neither harvested nor kept as the newest.
#[test]
fn a_rewound_login_is_replaced_by_the_newest() {
    let house = House::two("rewound");
    let old = std::fs::read(house.world.credentials_path()).expect("bytes");
    house.world.claude().rotate_offline();
    house.switch("a");
    house.switch("b");
    assert_eq!(house.world.live(), "B2");
    std::fs::write(house.world.credentials_path(), old).expect("put back");
    house.switch("a");
    assert_eq!(house.slot("b"), "B2");
    assert_eq!(house.vault(), ["B1"]);
    let id = house.engine().vault().expect("the vault")[0].id.clone();
    assert_eq!(house.engine().restore(&id, None).map(drop).expect_err("used up").kind(), Kind::DeadLogin);
}

/// O3: the same e-mail and account in two organizations are two profiles.
#[test]
fn two_organizations_are_two_profiles() {
    let house = House::with_server("organizations");
    let team = Account::a().with_organization('T');
    house.sign_in(&Account::a());
    house.capture("private");
    house.sign_in(&team);
    house.capture("team");
    assert_eq!(house.engine().names().expect("names"), ["private", "team"]);
    house.switch("private");
    assert_eq!(house.world.identity(), "A");
    house.switch("team");
    assert_eq!(house.world.identity(), team.code);
}

/// Capturing again updates the profile; under another name it is refused, naming the holder.
#[test]
fn a_login_belongs_to_one_profile() {
    let house = House::two("one");
    let again = house.capture("b");
    assert!(!again.created);
    let refused = house.engine().capture(Some("c"), false).map(drop).expect_err("a refusal");
    assert_eq!(refused.kind(), Kind::Protected);
    assert!(refused.to_string().contains("'b'"), "{refused}");
    assert_eq!(house.engine().names().expect("names"), ["a", "b"]);
}

/// Another account is not put into a profile without `--replace`, and then the former login is kept.
#[test]
fn another_account_needs_replace() {
    let house = House::two("replace");
    house.sign_in(&Account::c());
    let refused = house.engine().capture(Some("b"), false).map(drop).expect_err("a refusal");
    assert_eq!(refused.kind(), Kind::Protected);
    assert_eq!(house.loan("b"), "B1");
    house.engine().capture(Some("b"), true).expect("replaced");
    assert_eq!(house.loan("b"), "C1");
    assert_eq!(house.vault(), ["B1"]);
}

/// L3: a displaced login whose access token had run out carries the remark, and works all the same.
#[test]
fn a_displaced_login_may_have_been_renewed() {
    let house = House::new("remark");
    house.world.store_login(&Login::new(&Account::a(), Pair::new("A", 1)).expiring_at(clauth_sandbox::now_ms() - 1000));
    house.capture("a");
    house.sign_in(&Account::b());
    house.capture("b");
    let listing = house.engine().list().expect("a list");
    let reason = listing.accounts[0].reason.clone().unwrap_or_default();
    assert!(reason.contains("may have been renewed"), "{reason}");
    house.switch("a");
    assert_eq!(house.world.live(), "A1");
}

/// Nothing to capture.
#[test]
fn there_must_be_a_login_to_capture() {
    let house = House::new("nothing");
    let engine = house.engine();
    assert_eq!(engine.capture(Some("a"), false).map(drop).expect_err("none").kind(), Kind::Nothing);
    assert_eq!(engine.names().expect("names"), Vec::<String>::new());
    std::fs::remove_dir_all(house.world.claude_dir()).expect("no Claude Code");
    assert_eq!(engine.capture(Some("a"), false).map(drop).expect_err("none").kind(), Kind::NotInstalled);
}
