//! A live login of which nobody can tell whose it is may be the later one of what is lent there: then its earlier one is not
//! put in its place, and not presented when it has come back (L3, L6).

use clauth_engine::{Kind, Need, Options, Report, State, Target};
use clauth_host::Secret;
use clauth_sandbox::{Account, Server};

use crate::house::House;

/// a and b by the server's word, b live and renewed, and with nobody to ask from now on.
fn renewed(name: &str) -> (House, Server) {
    let mut house = House::two_with_server(name);
    house.switch("a");
    house.switch("b");
    let _ = house.world.claude().rotate_offline();
    house.world.edit_json(&house.world.credentials_path(), |object| {
        if let Some(oauth) = object.get_mut("claudeAiOauth").and_then(|oauth| oauth.as_object_mut()) {
            oauth.remove("refreshTokenExpiresAt");
        }
    });
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).expect("own file");
    let server = house.server.take().expect("a server");
    (house, server)
}

fn forced(house: &House, name: &str) -> Report {
    let options = Options { force: true, ..Options::default() };
    house.engine().switch(Target::Named(name), options).expect("forced")
}

fn refused(house: &House, name: &str) -> Kind {
    house.try_switch(name).map(drop).expect_err("refused").kind()
}

#[test]
fn an_earlier_login_does_not_take_the_place_of_what_may_be_its_later_one() {
    let (house, server) = renewed("doubt");
    std::fs::remove_file(house.world.home().join(".claude.json")).expect("the state file");
    let before = house.picture();
    assert_eq!(refused(&house, "b"), Kind::Protected);
    assert_eq!((house.world.live(), house.picture()), ("B2".into(), before));

    let report = house.switch("a");
    assert!(report.warnings.iter().any(|warning| warning.contains("may be used up")), "{:?}", report.warnings);
    assert_eq!((house.vault(), house.slot("b")), (vec!["B2".to_owned()], "B1".to_owned()));
    let listed = house.engine().list().expect("a list");
    assert_eq!(listed.accounts.iter().find(|account| account.name == "b").expect("b").state, State::Unknown);
    assert_eq!(refused(&house, "b"), Kind::DeadLogin);
    assert_eq!(house.engine().refresh("b", &Need::default()).map(drop).expect_err("a token").kind(), Kind::DeadLogin);
    assert_eq!(house.engine().begin("b").map(drop).expect_err("a session").kind(), Kind::DeadLogin);

    let house = House { server: Some(server), ..house };
    let entry = house.engine().vault().expect("a vault").remove(0);
    house.engine().restore(&entry.id, Some("b")).expect("restored");
    assert_eq!(house.slot("b"), "B2");
    house.switch("b");
    assert_eq!(house.world.live(), "B2");
}

#[test]
fn who_knows_better_uses_the_earlier_login() {
    let (house, _) = renewed("doubt-forced");
    std::fs::remove_file(house.world.home().join(".claude.json")).expect("the state file");
    forced(&house, "b");
    assert_eq!((house.world.live(), house.vault()), ("B1".into(), vec!["B2".to_owned()]));
    let (house, _) = renewed("doubt-forced-later");
    std::fs::remove_file(house.world.home().join(".claude.json")).expect("the state file");
    house.switch("a");
    forced(&house, "b");
    assert_eq!(house.world.live(), "B1");
}

/// Whoever signs in is named: nothing of the login before came to be live there.
#[test]
fn a_sign_in_that_names_another_account_leaves_no_doubt() {
    let (house, _) = renewed("no-doubt");
    house.sign_in(&Account::c());
    house.switch("a");
    house.switch("b");
    assert_eq!(house.world.live(), "B1");
}

/// A profile that cannot be seen for a while may be whose login is live.
#[test]
fn a_login_is_not_put_away_while_a_profile_cannot_be_seen() {
    let (house, _) = renewed("unseen");
    let (profile, aside) = (house.world.root().join("profiles/b"), house.world.home().join("aside"));
    std::fs::rename(&profile, &aside).expect("moved");
    assert_eq!(refused(&house, "a"), Kind::Unreadable);
    assert_eq!(house.world.live(), "B2");
    std::fs::rename(&aside, &profile).expect("moved back");
    house.switch("a");
    assert_eq!((house.slot("b"), house.vault()), ("B2".to_owned(), Vec::new()));
}

/// A link into a disk that is not there, or a file, in the place of its directory is no profile without a login.
#[test]
fn what_stands_in_the_place_of_a_profile_is_told() {
    let (house, _) = renewed("hidden");
    let profile = house.world.root().join("profiles/b");
    std::fs::rename(&profile, house.world.home().join("aside")).expect("moved");
    std::fs::write(&profile, "").expect("a file");
    let listed = house.engine().list().expect("a list");
    assert_eq!(listed.accounts.iter().find(|account| account.name == "b").expect("b").state, State::Unreadable);
    assert_eq!(refused(&house, "a"), Kind::Unreadable);
}

/// W6, L6: beside an endpoint a profile's own login may be live and later than the stored one; that is what a switch to the
/// profile leaves live.
#[test]
fn a_later_login_beside_the_endpoint_is_what_its_profile_gets() {
    let house = House::two_with_server("e-later");
    house.engine().add("e", "https://e.example/anthropic", &Secret::new("sk-FAKE-ENDPOINT")).expect("an endpoint");
    house.switch("e");
    house.sign_in(&Account::b());
    let later = house.world.live();
    assert_ne!(later, "B1");
    house.switch("b");
    assert_eq!((house.world.live(), house.loan("b")), (later.clone(), later));
    assert_eq!(house.vault(), ["B1"]);
}

/// The user's word that it is another profile's says nothing of whose account it is, where nobody knows that.
#[test]
fn a_capture_under_another_name_leaves_the_doubt() {
    let (house, _) = renewed("doubt-captured");
    std::fs::remove_file(house.world.home().join(".claude.json")).expect("the state file");
    house.capture("x");
    assert_eq!((house.slot("b"), refused(&house, "b")), ("B1".to_owned(), Kind::DeadLogin));
}

/// Sessions of the profile read its slot: a doubted login does not come back to them whole.
#[test]
fn no_session_gets_a_doubted_login() {
    let (house, _) = renewed("doubt-session");
    let mut engine = house.engine();
    engine.by_hand = true;
    let session = engine.begin("b").expect("a session");
    std::fs::remove_file(house.world.home().join(".claude.json")).expect("the state file");
    house.switch("a");
    let mut kept = house.vault();
    kept.sort_unstable();
    assert_eq!((house.slot("b"), kept), ("B1 bearer".to_owned(), vec!["B1".to_owned(), "B2".to_owned()]));
    drop(session);
}

/// Whoever bears the name of a removed profile since is another one.
#[test]
fn there_is_no_way_back_to_who_has_a_removed_profiles_name() {
    let house = House::two("doubt-names");
    house.sign_in(&Account::c());
    house.capture("c");
    house.switch("a");
    house.switch("b");
    house.engine().remove("a", false).expect("removed");
    house.engine().rename("c", "a").expect("renamed");
    assert_eq!(house.engine().undo(false).map(drop).expect_err("another one").kind(), Kind::Protected);
    let back = house.engine().switch(Target::Previous, Options::default());
    assert_eq!(back.map(drop).expect_err("another one").kind(), Kind::Nothing);
    assert_eq!(house.world.live(), "B1");
}
