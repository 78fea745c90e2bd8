//! Logins that no server ever confirmed: the state file names nobody after a switch, and what Claude Code renews still
//! comes home (O5).

use clauth_engine::{Kind, Outgoing};
use clauth_sandbox::{Account, Login, Pair};

use crate::house::House;

/// As older versions of Claude Code store it: without the login's own end.
fn sign_in_without_end(house: &House, account: &Account) {
    let login = Login::new(account, Pair::new(&account.family(0), 1)).ending_at(None);
    house.world.sign_in(account);
    house.world.store_login(&login);
    if let Some(server) = &house.server {
        server.know(&login);
    }
}

/// A pair of a minute ago.
fn settle(house: &House) {
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(60);
    file.set_modified(then).expect("own file");
}

fn two(house: House) -> House {
    for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
        sign_in_without_end(&house, &account);
        settle(&house);
        house.capture(name);
    }
    house.switch("a");
    house.switch("b");
    house
}

fn renew(house: &House) {
    house.world.claude().rotate_offline();
    house.world.edit_json(&house.world.credentials_path(), |object| {
        if let Some(oauth) = object.get_mut("claudeAiOauth").and_then(|oauth| oauth.as_object_mut()) {
            oauth.remove("refreshTokenExpiresAt");
        }
    });
    settle(house);
}

#[test]
fn a_renewed_login_without_an_end_comes_home_offline() {
    let house = two(House::new("unnamed"));
    assert_eq!(house.world.identity(), "none", "an unproven account is not named");
    renew(&house);
    let report = house.switch("a");
    assert_eq!(report.harvested_into.as_deref(), Some("b"), "{:?}", report.warnings);
    assert_eq!(house.slot("b"), "B2");
    house.switch("b");
    assert_eq!(house.world.live(), "B2");
    renew(&house);
    house.switch("b");
    assert_eq!(house.loan("b"), "B3", "asked for what is live already, it comes home as well");
    renew(&house);
    house.switch("a");
    assert_eq!(house.slot("b"), "B4");
}

#[test]
fn a_sign_in_names_itself_and_is_nobody_elses() {
    let house = two(House::new("signed"));
    sign_in_without_end(&house, &Account::c());
    settle(&house);
    let report = house.switch("a");
    assert_eq!(report.outgoing, Some(Outgoing::Vaulted));
    assert_eq!((house.slot("b").as_str(), house.vault()), ("B1", vec!["C1".to_owned()]));
}

/// Nobody can tell a renewal from a file that was copied there, unless both say the same organization: then the earlier
/// login is kept.
#[test]
fn without_an_organization_the_earlier_login_is_kept() {
    let house = two(House::new("kept"));
    renew(&house);
    house.world.edit_json(&house.world.credentials_path(), |object| {
        object.remove("organizationUuid");
    });
    settle(&house);
    house.switch("a");
    assert_eq!(house.slot("b"), "B2");
    assert_eq!(house.vault(), ["B1"]);
}

/// A tree of version 0.4.0 has no identities: a switch that can ask learns whose the login is that it puts live.
#[test]
fn a_switch_learns_whose_an_unknown_login_is() {
    let house = two(House::with_server("learned"));
    for name in ["a", "b"] {
        std::fs::remove_file(house.world.root().join("profiles").join(name).join("identity.json")).expect("known");
    }
    house.switch("a");
    let identity = house.world.read_json(&house.world.root().join("profiles/a/identity.json"));
    assert_eq!(identity["proven"], true, "{identity}");
    assert_eq!(house.try_switch("nobody").map(drop).expect_err("no such profile").kind(), Kind::NotFound);
}

/// L2, L6: a torn or lost identity makes no stranger of what Claude Code renewed: the loan knows whose it is, and what it knows
/// is written down before it goes.
#[test]
fn a_torn_identity_leaves_no_used_up_login_in_the_slot() {
    for torn in [true, false] {
        let house = two(House::new("torn-identity"));
        let identity = house.world.root().join("profiles/b/identity.json");
        let named = |house: &House| {
            house.world.edit_json(&house.world.state_path(), |state| {
                state.insert("oauthAccount".into(), Account::b().oauth_account());
            });
        };
        let spoil = || match torn {
            true => std::fs::write(&identity, "{").expect("a torn file"),
            false => std::fs::remove_file(&identity).expect("removed"),
        };
        renew(&house);
        named(&house);
        spoil();
        let report = house.switch("a");
        assert_eq!((report.harvested_into.as_deref(), house.slot("b").as_str()), (Some("b"), "B2"), "torn: {torn}");
        // The same again after a switch away that had nothing to take home.
        house.switch("b");
        spoil();
        house.switch("a");
        house.switch("b");
        renew(&house);
        named(&house);
        house.switch("a");
        assert_eq!((house.slot("b").as_str(), house.vault()), ("B3", Vec::new()), "torn: {torn}");
    }
}
