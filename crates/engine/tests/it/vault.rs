//! What goes into the vault and comes out of it: nothing is overwritten, mixed up, or used twice.

use clauth_engine::{Kind, Options, Target};
use clauth_sandbox::{Account, Login, Pair};
use serde_json::json;

use crate::house::House;

/// The id of the first login in the vault.
fn first(house: &House) -> String {
    house.engine().vault().expect("the vault")[0].id.clone()
}

/// A list of profiles that lost everybody but b.
fn unlist_a(house: &House) {
    std::fs::write(house.world.root().join("profiles.toml"), "profiles = [\"b\"]\nactive_profile = \"b\"\n")
        .expect("a list");
}

/// A directory that no list names is no profile, but its login is one: nobody writes over it.
#[test]
fn an_unlisted_directory_is_never_written_over() {
    let house = House::two("v-unlisted");
    unlist_a(&house);
    house.sign_in(&Account::c());
    let engine = house.engine();
    engine.switch(Target::Named("b"), Options::default()).expect("a switch");
    house.sign_in(&Account::c());
    let id = first(&house);
    let path = house.world.root().join("profiles").join("a").display().to_string();
    for (name, refused) in [
        ("capture", engine.capture(Some("a"), false).map(drop)),
        ("restore", engine.restore(&id, Some("a")).map(drop)),
        ("rename", engine.rename("b", "a").map(drop)),
        ("login", engine.login("a", false, |_| Ok::<(), clauth_engine::Error>(())).map(drop)),
    ] {
        let refused = refused.expect_err(name);
        assert_eq!((refused.kind(), refused.place().as_deref()), (Kind::Protected, Some(path.as_str())), "{name}");
        assert_eq!(house.slot("a"), "A1", "{name}");
    }
    assert_eq!(engine.names().expect("names"), ["b"]);
}

/// An account's name never ends up with another account's login, and a login that becomes a new profile knows who it is.
#[test]
fn a_login_is_restored_to_its_own_account_only() {
    for (name, house) in [("server", House::two_with_server("v-mixed")), ("offline", House::two("v-mixed-offline"))] {
        house.sign_in(&Account::c());
        house.switch("a");
        let id = first(&house);
        let refused = house.engine().restore(&id, Some("b")).map(drop).expect_err(name);
        assert_eq!(refused.kind(), Kind::Protected, "{name}");
        assert!(refused.to_string().contains("carol@example.invalid"), "{name}: {refused}");
        assert_eq!((house.slot("b"), house.vault()), ("B1".into(), vec!["C1".to_owned()]), "{name}");
        house.engine().restore(&id, Some("new")).expect(name);
        house.switch("new");
        assert_eq!(house.world.live(), "C1", "{name}");
        assert!(["C", "none"].contains(&house.world.identity().as_str()), "{name}: {}", house.world.identity());
        let listing = house.engine().list().expect(name);
        assert_eq!(listing.accounts[2].email.as_deref(), Some("carol@example.invalid"), "{name}");
        assert!(!house.capture("new").created, "{name}");
    }
}

/// The server's word, not a state file that lags behind, says whose a vaulted login is.
#[test]
fn a_lagging_state_file_names_nobody_in_the_vault() {
    let house = House::two("v-lagging");
    // Half of a sign-in: the credential is c's, the state file still names b.
    let state = std::fs::read(house.world.state_path()).expect("a state file");
    house.world.store_login(&Login::new(&Account::c(), Pair::new("C", 1)));
    std::fs::write(house.world.state_path(), state).expect("a state file");
    house.switch("a");
    let entry = house.engine().vault().expect("the vault").remove(0);
    assert_eq!((entry.email, entry.profile), (None, None));
    let refused = house.engine().restore(&entry.id, Some("b")).map(drop).expect_err("nobody's");
    assert_eq!(refused.kind(), Kind::Protected);
}

/// L6: once Claude Code has gone on with a login that was live when it was put away, that one is not brought back.
#[test]
fn a_login_that_was_gone_on_with_is_used_up() {
    let house = House::two("v-outlived");
    house.engine().remove("b", true).expect("removed");
    let id = first(&house);
    house.world.claude().rotate_offline();
    let refused = |kind| {
        let refused = house.engine().restore(&id, Some("other")).map(drop).expect_err("a refusal");
        assert_eq!(refused.kind(), kind, "{refused}");
    };
    refused(Kind::Protected);
    house.capture("b");
    refused(Kind::DeadLogin);
    house.switch("a");
    refused(Kind::DeadLogin);
    assert_eq!((house.slot("b"), house.vault()), ("B2".into(), vec!["B1".to_owned()]));
}

/// The same when the later one has no profile: it goes to the vault, and the one that was put away while live is used up.
#[test]
fn a_vaulted_successor_uses_up_the_one_before() {
    let house = House::two("v-successor");
    house.engine().remove("b", true).expect("removed");
    let id = first(&house);
    house.world.claude().rotate_offline();
    house.switch("a");
    assert_eq!(house.vault(), ["B1", "B2"]);
    assert_eq!(house.engine().restore(&id, Some("b")).map(drop).expect_err("B1").kind(), Kind::DeadLogin);
    let all = house.engine().vault().expect("the vault");
    let newer = all.iter().find(|entry| entry.id != id).expect("B2");
    house.engine().restore(&newer.id, Some("b")).expect("restored");
    house.switch("b");
    assert_eq!(house.world.live(), "B2");
}

/// A login that was live when it was put away, and displaced unchanged, comes back without any doubt.
#[test]
fn a_login_that_was_displaced_unchanged_is_whole() {
    let house = House::two("v-unchanged");
    house.engine().remove("b", true).expect("removed");
    house.switch("a");
    assert_eq!(house.engine().restore(&first(&house), Some("b")).expect("restored").1, Vec::<String>::new());
}

/// Deleting never goes through a link: what a user put one to is the user's.
#[cfg(unix)]
#[test]
fn nothing_is_deleted_through_a_link() {
    use std::os::unix::fs::symlink;
    let house = House::two("v-links");
    house.sign_in(&Account::c());
    house.switch("b");
    let (root, theirs) = (house.world.root(), house.world.home().join("theirs"));
    std::fs::create_dir(&theirs).expect("a directory");
    std::fs::write(theirs.join("photo"), "mine").expect("a file");
    let id = first(&house);
    symlink(&theirs, root.join("vault").join(format!("{id}.bound"))).expect("a link");
    house.engine().purge(&id).expect("purged");
    std::fs::rename(root.join("profiles/a"), theirs.join("a")).expect("moved");
    std::fs::create_dir_all(theirs.join("a/bound")).expect("a directory");
    std::fs::write(theirs.join("a/bound/policy-limits.json"), "{}").expect("a file");
    symlink(theirs.join("a"), root.join("profiles/a")).expect("a link");
    let removed = house.engine().remove("a", false).expect("removed");
    assert!(removed.warnings.iter().any(|line| line.contains("was a link")), "{:?}", removed.warnings);
    for path in ["photo", "a/credentials.json", "a/identity.json", "a/bound/policy-limits.json"] {
        assert!(theirs.join(path).is_file(), "{path}");
    }
    assert!(!root.join("profiles/a").is_symlink() && !root.join("vault").join(format!("{id}.bound")).is_symlink());
    assert_eq!(house.vault(), ["A1"]);
}

/// S4: what is bound to an account goes where its login goes.
#[test]
fn account_bound_files_go_with_a_vaulted_login() {
    let house = House::two("v-bound");
    let live = house.world.claude_dir().join("policy-limits.json");
    let kept = |id: &str| house.world.root().join("vault").join(format!("{id}.bound"));
    let vaulted = || {
        house.sign_in(&Account::c());
        std::fs::write(&live, "c").expect("a policy");
        house.switch("a");
        assert!(!live.exists());
        first(&house)
    };
    let id = vaulted();
    house.engine().undo(false).expect("undone");
    assert_eq!(std::fs::read_to_string(&live).expect("it came back"), "c");
    assert!(!kept(&id).exists(), "nothing is left behind");
    house.switch("a");
    let id = first(&house);
    house.engine().restore(&id, Some("c")).expect("restored");
    let parked = house.world.root().join("profiles/c/bound/policy-limits.json");
    assert!(parked.is_file() && !kept(&id).exists());
    let removed = house.engine().remove("c", false).expect("removed").vault.expect("an entry");
    assert_eq!(std::fs::read_to_string(kept(&removed).join("policy-limits.json")).expect("kept"), "c");
    house.engine().purge(&removed).expect("purged");
    assert!(!kept(&removed).exists());
}

/// O1: when nothing but the login's end says whose a login is, what it displaces is kept, and not taken for used up; while the
/// other one is there it is not restored, since it may be (L6).
#[test]
fn an_end_alone_uses_nothing_up() {
    let house = House::two("v-end");
    let end = house.world.read_json(&house.world.root().join("profiles/b/loan.json"));
    let end = end["login"]["claudeAiOauth"]["refreshTokenExpiresAt"].as_u64();
    house.world.store_login(&Login::new(&Account::c(), Pair::new("C", 1)).ending_at(end));
    house.world.edit_json(&house.world.credentials_path(), |object| drop(object.remove("organizationUuid")));
    house.world.edit_json(&house.world.state_path(), |object| drop(object.remove("oauthAccount")));
    house.switch("a");
    assert_eq!(house.vault(), ["B1"]);
    assert_eq!(house.engine().custody(Some("b")).expect("custody")[0].spent.len(), 0);
    let kept = first(&house);
    assert_eq!(house.engine().restore(&kept, Some("b")).map(drop).expect_err("may be").kind(), Kind::Protected);
    let other = house.engine().remove("b", false).expect("removed").vault.expect("an entry");
    assert_eq!(house.engine().restore(&kept, Some("b")).map(drop).expect_err("may be").kind(), Kind::Protected);
    house.engine().purge(&other).expect("a person's decision");
    house.engine().restore(&kept, Some("b")).expect("restored");
    assert_eq!((house.slot("b"), house.vault()), ("B1".into(), Vec::new()));
}

/// An outside sign-in of a known account that nobody confirms: the profile is named, and how to give it the login.
#[test]
fn an_unconfirmed_sign_in_names_the_profile() {
    let house = House::two("v-known");
    house.sign_in(&Account::a());
    let newer = house.world.live();
    let report = house.switch("b");
    let id = first(&house);
    let told = report.warnings.join("\n");
    assert!(told.contains("of the account of 'a'") && told.contains(&format!("clauth vault restore {id}")), "{told}");
    assert_eq!(house.engine().restore(&id, None).expect("restored").0, "a");
    assert_eq!((house.slot("a"), house.vault()), (newer, vec!["A1".to_owned()]));
}

/// An e-mail that two profiles have is no name of a third.
#[test]
fn an_ambiguous_name_makes_no_profile() {
    let house = House::with_server("v-ambiguous");
    for (account, name) in [(Account::a(), "private"), (Account::a().with_organization('T'), "team")] {
        house.sign_in(&account);
        house.capture(name);
    }
    house.sign_in(&Account::c());
    house.switch("private");
    let engine = house.engine();
    let refused = engine.restore(&first(&house), Some("alice@example.invalid")).map(drop).expect_err("two fit");
    assert_eq!(refused.kind(), Kind::Ambiguous);
    let refused = engine
        .login("alice@example.invalid", false, |_| Ok::<(), clauth_engine::Error>(()))
        .map(drop)
        .expect_err("two");
    assert_eq!(refused.kind(), Kind::Ambiguous);
}

/// The same account in two organizations: the refusal tells them apart.
#[test]
fn two_organizations_are_named() {
    let house = House::two_with_server("v-organizations");
    house.sign_in(&Account::a().with_organization('T'));
    let refused = house.engine().capture(Some("a"), false).map(drop).expect_err("another organization").to_string();
    assert!(
        refused.contains("Organization T") && refused.contains("alice@example.invalid's Organization"),
        "{refused}"
    );
}

/// `undo` cannot go back to a profile that is no more; it says so, and how to get the login back.
#[test]
fn undo_after_a_removal_says_how_to_get_it_back() {
    let house = House::two("v-undo");
    house.switch("a");
    let id = house.engine().remove("b", false).expect("removed").vault.expect("an entry");
    let refused = house.engine().undo(false).map(drop).expect_err("it is no more");
    assert_eq!(refused.kind(), Kind::Protected);
    assert_eq!(refused.hints()[0], format!("clauth vault restore {id} --as b"));
    house.engine().restore(&id, Some("b")).expect("restored");
    house.engine().undo(false).expect("undone");
    assert_eq!(house.world.live(), "B1");
}

/// A dry run tells what would be, not what was.
#[test]
fn a_dry_run_puts_nothing_into_the_vault() {
    let house = House::two("v-dry");
    house.sign_in(&Account::c());
    let report =
        house.engine().switch(Target::Named("a"), Options { dry_run: true, ..Options::default() }).expect("a report");
    assert!(report.warnings.iter().any(|line| line.contains("would be put")), "{:?}", report.warnings);
    assert!(house.vault().is_empty());
}

/// A login is not destroyed by a few characters that happen to fit.
#[test]
fn a_purge_needs_more_than_a_prefix() {
    let house = House::two("v-purge");
    let id = house.engine().remove("a", false).expect("removed").vault.expect("an entry");
    let refused = house.engine().purge(&id[..7]).map(drop).expect_err("too short");
    assert_eq!((refused.kind(), house.vault().len()), (Kind::Usage, 1));
    assert_eq!(house.engine().purge(&id[id.len() - 8..]).expect("purged"), id);
}

/// Recovery of what clauth itself was writing never takes it for somebody else's.
#[test]
fn an_interrupted_change_of_ours_is_not_somebody_elses() {
    use std::sync::Arc;

    use clauth_durable::vfs::{Fault, FaultyVfs, RealVfs};

    use crate::house::{Unsynced, counting, restore};
    let house = House::two("v-ours");
    house.sign_in(&Account::c());
    house.switch("a");
    let id = first(&house);
    let before = house.world.snapshot();
    let vfs = counting();
    house.engine_on(Arc::new(vfs.clone())).restore(&id, Some("c")).expect("restored");
    for at in 1..=vfs.effects().len() {
        restore(house.world.home(), &before);
        let killed = FaultyVfs::failing(Arc::new(Unsynced(RealVfs)), at, Fault::Kill);
        let _ = house.engine_on(Arc::new(killed)).restore(&id, Some("c"));
        house.said.lock().expect("not poisoned").clear();
        house.engine().order("a", 1).expect("recovered");
        let said = house.said.lock().expect("not poisoned").join("\n");
        assert!(!said.contains("somebody else"), "killed at {at}: {said}");
    }
}

/// W4: an account's other keys outlive its login in the home, as beside the marker that Claude Code leaves of a dead one
/// (facts §1.2): no switch overwrites the only copy.
#[test]
fn keys_without_a_login_are_kept_before_a_switch_replaces_them() {
    let blank = json!({"accessToken": "", "refreshToken": "", "expiresAt": 0});
    let half = json!({"accessToken": "", "refreshToken": "sk-ant-ort01-FAKE-HALF", "expiresAt": 0});
    for (name, object, kept) in [
        ("a marker", json!({"claudeAiOauth": blank, "designOauth": {"refreshToken": "FAKE-D"}}), Some("FAKE-D")),
        ("a gateway", json!({"enterpriseGateway": {"jwt": "FAKE-J"}, "mcpOAuth": {"k": 1}}), Some("FAKE-J")),
        ("no block", json!({"claudeAiOauth": null, "weird": "FAKE-W"}), Some("FAKE-W")),
        ("half a login", json!({"claudeAiOauth": half}), Some("FAKE-HALF")),
        ("a mere marker", json!({"claudeAiOauth": blank, "organizationUuid": "org-b", "mcpOAuth": {"k": 1}}), None),
    ] {
        let house = House::two("v-beside");
        std::fs::write(house.world.credentials_path(), object.to_string()).expect("signed out");
        let report = house.engine().switch(Target::Named("a"), Options::default()).expect(name);
        let vault = house.engine().vault().expect("the vault");
        assert_eq!(vault.len(), usize::from(kept.is_some()), "{name}: {:?}", report.warnings);
        let Some(kept) = kept else { continue };
        let entry = house.world.root().join(format!("vault/{}.json", vault[0].id));
        assert!(std::fs::read_to_string(entry).expect("an entry").contains(kept), "{name}");
        assert!(report.warnings.iter().any(|line| line.contains(&vault[0].id)), "{name}: {:?}", report.warnings);
        let refused = house.engine().restore(&vault[0].id, Some("b")).map(drop).expect_err(name);
        assert_eq!(refused.kind(), Kind::Nothing, "{name}: there is no login in it");
        assert_eq!(house.slot("b"), "B1", "{name}");
    }
}

/// The same keys, which a profile has already, are no news.
#[test]
fn what_a_lent_profile_has_as_well_is_not_kept_twice() {
    let house = House::two("v-beside-known");
    house.world.edit_json(&house.world.credentials_path(), |object| {
        object.insert("designOauth".into(), json!({"refreshToken": "FAKE-D"}));
    });
    house.switch("a");
    house.switch("b");
    house.world.edit_json(&house.world.credentials_path(), |object| {
        object["claudeAiOauth"] = json!({"accessToken": "", "refreshToken": "", "expiresAt": 0});
    });
    house.switch("a");
    assert_eq!(house.vault(), Vec::<String>::new());
}

/// L6, O1: what a login was renewed to by its end alone speaks against the one before it, which is not restored over it.
#[test]
fn what_was_renewed_by_its_end_alone_is_not_restored_over_what_came_of_it() {
    let house = House::two("v-end-alone");
    let end = house.world.read_json(&house.world.credentials_path())["claudeAiOauth"]["refreshTokenExpiresAt"].clone();
    assert!(end.is_u64(), "the sandbox's logins say when they end: {end}");
    house.switch("a");
    house.switch("b");
    house.world.claude().rotate_offline();
    std::fs::write(house.world.state_path(), "{}").expect("nobody named");
    house.switch("a");
    assert_eq!(house.slot("b"), "B2");
    for entry in house.engine().vault().expect("the vault") {
        let refused = house.engine().restore(&entry.id, Some("b")).map(drop).expect_err("used up, as it seems");
        assert_eq!(refused.kind(), Kind::Protected, "{refused}");
    }
    assert_eq!(house.slot("b"), "B2");
}

/// L6: what is known to be used up becomes nobody's, also when its profile is gone.
#[test]
fn a_used_up_login_is_not_captured() {
    let house = House::two("v-capture-spent");
    let before = std::fs::read(house.world.credentials_path()).expect("a login");
    house.world.claude().rotate_offline();
    house.switch("a");
    house.engine().remove("b", false).expect("removed");
    std::fs::write(house.world.credentials_path(), before).expect("put back from a copy");
    let refused = house.engine().capture(Some("y"), false).map(drop).expect_err("used up");
    assert_eq!(refused.kind(), Kind::DeadLogin, "{refused}");
    assert_eq!(house.engine().names().expect("names"), ["a"]);
}
