//! The ordinary life of logins, on Claude Code's side and ours.

use clauth_engine::{Kind, Options, Outgoing, State, Target};
use clauth_sandbox::{Account, Login, Pair};

use crate::house::House;

/// L3: the way everybody begins works without a flag.
#[test]
fn capture_sign_in_capture_switch() {
    let house = House::new("begin");
    house.sign_in(&Account::a());
    assert!(house.capture("a").created);
    assert_eq!((house.loan("a"), house.slot("a")), ("A1".into(), "A1 bearer".into()), "L2");
    house.sign_in(&Account::b());
    house.capture("b");
    assert_eq!((house.loan("a"), house.slot("a")), ("none".into(), "A1".into()), "L3: the displaced login came home");
    assert_eq!((house.loan("b"), house.slot("b")), ("B1".into(), "B1 bearer".into()));
    let report = house.switch("a");
    assert_eq!((report.from.as_deref(), report.to.as_str()), (Some("b"), "a"));
    assert_eq!(report.outgoing, Some(Outgoing::Own));
    assert_eq!(house.world.live(), "A1");
    assert_eq!((house.loan("b"), house.slot("b")), ("none".into(), "B1".into()));
    assert!(house.vault().is_empty());
}

/// The rotated login comes back, without any network.
#[test]
fn a_rotation_survives_the_round_trip() {
    let house = House::two("round");
    house.world.claude().rotate_offline();
    assert_eq!(house.world.live(), "B2");
    let report = house.switch("a");
    assert_eq!(report.outgoing, Some(Outgoing::Harvested));
    assert_eq!(report.harvested_into.as_deref(), Some("b"));
    assert_eq!((house.world.live(), house.slot("b")), ("A1".into(), "B2".into()));
    house.world.claude().rotate_offline();
    house.world.claude().rotate_offline();
    house.switch("b");
    assert_eq!((house.world.live(), house.slot("a")), ("B2".into(), "A3".into()));
    house.switch("a");
    assert_eq!(house.world.live(), "A3");
    assert!(house.vault().is_empty(), "{:?}", house.vault());
}

#[test]
fn switching_to_the_live_profile_changes_nothing() {
    let house = House::two("same");
    let before = house.world.snapshot();
    let report = house.switch("b");
    assert!(!report.switched && !report.changed);
    let mut changes = clauth_sandbox::world::changes(&before, &house.world.snapshot());
    changes.retain(|change| !change.contains(".clauth/locks") && !change.ends_with(".clauth/.lock"));
    assert_eq!(changes, Vec::<String>::new());
}

/// W4: machine keys stay as they are live; unknown keys travel with their account.
#[test]
fn machine_keys_stay_and_unknown_keys_travel() {
    let house = House::new("keys");
    house.sign_in(&Account::a());
    house.world.seed_mcp();
    house.capture("a");
    house.sign_in(&Account::b());
    house.world.edit_json(&house.world.credentials_path(), |object| drop(object.remove("futureSharedKey")));
    house.capture("b");
    house.switch("a");
    let live = house.world.read_json(&house.world.credentials_path());
    assert!(live["mcpOAuth"].is_object() && live["pluginSecrets"].is_object());
    assert_eq!(live["futureSharedKey"]["keep"], true, "it is a's");
    house.world.edit_json(&house.world.credentials_path(), |object| drop(object.remove("mcpOAuth")));
    house.switch("b");
    let live = house.world.read_json(&house.world.credentials_path());
    assert!(live["mcpOAuth"].is_null(), "absent stays absent");
    assert!(live["futureSharedKey"].is_null());
    assert!(live["pluginSecrets"].is_object());
}

/// O2, W6: proven identities are shown in the state file; another account's never is.
#[test]
fn the_state_file_names_the_live_account() {
    let house = House::two_with_server("names");
    assert_eq!(house.world.identity(), "B");
    house.switch("a");
    assert_eq!(house.world.identity(), "A");
    house.switch("b");
    assert_eq!(house.world.identity(), "B");
    let offline = House::two("unproven");
    offline.switch("a");
    assert_eq!(offline.world.identity(), "none", "an unproven block is nobody's");
}

/// W6: account-bound keys go, everything else of the state file stays.
#[test]
fn account_bound_keys_are_dropped() {
    let house = House::two_with_server("bound");
    house.world.edit_json(&house.world.state_path(), |state| {
        state.insert("modelAccessCache".into(), true.into());
        state.insert("mine".into(), 7.into());
    });
    house.switch("a");
    let state = house.world.read_json(&house.world.state_path());
    assert!(state["modelAccessCache"].is_null());
    assert_eq!(state["mine"], 7);
    assert_eq!(state["theme"], "dark");
}

/// S4: the account-bound files leave and come back with their account.
#[test]
fn account_bound_files_travel() {
    let house = House::two("files");
    let policy = house.world.claude_dir().join("policy-limits.json");
    std::fs::write(&policy, "{\"of\": \"b\"}").expect("a file");
    house.switch("a");
    assert!(!policy.exists());
    house.switch("b");
    assert_eq!(std::fs::read_to_string(&policy).expect("a file"), "{\"of\": \"b\"}");
}

/// Nothing is destroyed: a key that somebody gave leaves the state file with its account, and comes back with it.
#[test]
fn a_key_that_somebody_gave_travels_with_its_account() {
    let house = House::two("given");
    let give = |key: &str| {
        house
            .world
            .edit_json(&house.world.state_path(), |state| drop(state.insert("primaryApiKey".into(), key.into())));
    };
    let given = || house.world.read_json(&house.world.state_path())["primaryApiKey"].as_str().map(str::to_owned);
    give("sk-ant-api03-FAKE-B");
    house.switch("a");
    assert_eq!(given(), None, "it is b's");
    give("sk-ant-api03-FAKE-A");
    house.switch("b");
    assert_eq!(given().as_deref(), Some("sk-ant-api03-FAKE-B"));
    house.switch("a");
    assert_eq!(given().as_deref(), Some("sk-ant-api03-FAKE-A"));
    // Nobody's login: the key stays beside what is in the vault, and an undo brings both back.
    house.sign_in(&Account::c());
    give("sk-ant-api03-FAKE-C");
    house.switch("b");
    assert_eq!(given().as_deref(), Some("sk-ant-api03-FAKE-B"));
    house.engine().undo(false).expect("undone");
    assert_eq!((house.world.live(), given().as_deref()), ("C1".into(), Some("sk-ant-api03-FAKE-C")));
    // No login at all: it is kept aside, and told.
    std::fs::remove_file(house.world.credentials_path()).expect("a login");
    let report = house.switch("b");
    assert_eq!(given().as_deref(), Some("sk-ant-api03-FAKE-B"));
    let vault = std::fs::read_dir(house.world.root().join("vault")).expect("a vault").flatten();
    let kept: Vec<_> = vault.filter(|entry| entry.file_name().to_string_lossy().starts_with("given-")).collect();
    assert_eq!(kept.len(), 1);
    assert!(std::fs::read_to_string(kept[0].path()).expect("kept").contains("FAKE-C"));
    assert!(report.warnings.iter().any(|line| line.contains("given-")), "{:?}", report.warnings);
}

/// W10 and L6: what cannot work is not installed.
#[test]
fn a_login_that_cannot_work_is_not_installed() {
    let house = House::two("dead");
    house.switch("a");
    house.world.edit_json(&house.world.credentials_path(), |object| {
        object["claudeAiOauth"]["accessToken"] = "".into();
        object["claudeAiOauth"]["refreshToken"] = "".into();
        object["claudeAiOauth"]["expiresAt"] = 0.into();
    });
    let listing = house.engine().list().expect("a list");
    assert_eq!(listing.accounts[0].state, State::SignedOut);
    let report = house.switch("b");
    assert_eq!(report.outgoing, Some(Outgoing::SignedOut));
    assert_eq!(house.slot("a"), "A1", "nothing stored is overwritten");
    let refused = house.try_switch("a").map(drop).expect_err("a refusal");
    assert_eq!(refused.kind(), Kind::DeadLogin);
    assert_eq!(house.world.live(), "B1");
    house.engine().switch(Target::Named("a"), Options { force: true, ..Options::default() }).expect("forced");
    assert_eq!(house.world.live(), "A1");
}

#[test]
fn a_lapsed_login_is_not_installed() {
    let house = House::new("lapsed");
    house
        .world
        .store_login(&Login::new(&Account::a(), Pair::new("A", 1)).ending_at(Some(clauth_sandbox::now_ms() - 1000)));
    house.capture("a");
    house.sign_in(&Account::b());
    house.capture("b");
    let refused = house.try_switch("a").map(drop).expect_err("a refusal");
    assert_eq!(refused.kind(), Kind::DeadLogin);
    assert!(refused.to_string().contains("lapsed"), "{refused}");
}

/// A file that is not there says nothing.
#[test]
fn a_missing_login_takes_nothing_away() {
    let house = House::two("missing");
    std::fs::remove_file(house.world.credentials_path()).expect("the live file");
    let report = house.switch("a");
    assert_eq!(report.outgoing, Some(Outgoing::Missing));
    assert_eq!((house.world.live(), house.slot("b")), ("A1".into(), "B1".into()));
}

/// A torn file stops the command and is left as it is.
#[test]
fn a_torn_login_stops_everything() {
    let house = House::two("torn");
    for torn in ["", "{\"claudeAiOauth\": {\"acc", "{}{}", "[]"] {
        std::fs::write(house.world.credentials_path(), torn).expect("a file");
        let refused = house.try_switch("a").map(drop).expect_err("a refusal");
        assert_eq!(refused.kind(), Kind::Unreadable, "{torn:?}");
        assert_eq!(std::fs::read_to_string(house.world.credentials_path()).expect("a file"), torn);
        assert_eq!(house.loan("b"), "B1");
    }
}

/// W9: undo is a switch to the profile that was left; twice goes two back.
#[test]
fn undo_walks_back() {
    let house = House::two("undo");
    house.sign_in(&Account::c());
    house.capture("c");
    house.switch("a");
    house.world.claude().rotate_offline();
    house.switch("b");
    let engine = house.engine();
    assert_eq!(engine.undo(false).expect("undone").to, "a");
    assert_eq!(house.world.live(), "A2");
    assert_eq!(engine.undo(false).expect("undone").to, "c");
    assert_eq!(house.world.live(), "C1");
    assert_eq!(engine.undo(false).map(drop).expect_err("nothing left").kind(), Kind::Nothing);
}

#[test]
fn undo_is_refused_when_somebody_else_is_live() {
    let house = House::two("descend");
    house.switch("a");
    house.sign_in(&Account::c());
    let refused = house.engine().undo(false).map(drop).expect_err("a refusal");
    assert_eq!(refused.kind(), Kind::Protected);
    assert_eq!(house.world.live(), "C1");
}

#[test]
fn switch_back_and_forth() {
    let house = House::two("dash");
    let back = |house: &House| house.engine().switch(Target::Previous, Options::default());
    assert_eq!(back(&house).map(drop).expect_err("nothing before").kind(), Kind::Nothing);
    house.switch("a");
    assert_eq!(back(&house).expect("back").to, "b");
    assert_eq!(back(&house).expect("forth").to, "a");
}

/// A profile that is gone is none to go back to, whatever else its name might mean by now; what is kept of it is named.
#[test]
fn there_is_no_way_back_to_a_removed_profile() {
    let house = House::two("dash-removed");
    house.switch("a");
    house.engine().remove("b", false).expect("removed");
    house.sign_in(&Account::c());
    house.capture("B");
    let back = house.engine().switch(Target::Previous, Options::default()).map(drop).expect_err("nowhere");
    let undone = house.engine().undo(false).map(drop).expect_err("nowhere");
    for (refused, kind) in [(back, Kind::Nothing), (undone, Kind::Protected)] {
        assert_eq!(refused.kind(), kind, "{refused}");
        assert!(refused.to_string().starts_with("'b', which the last switch left, was removed"), "{refused}");
        assert!(refused.hints().iter().any(|hint| hint.starts_with("clauth vault restore")), "{:?}", refused.hints());
    }
    assert_eq!(house.world.live(), "C1");
}

/// What `--dry-run` shows is what the switch then does.
#[test]
fn a_dry_run_tells_the_truth() {
    let house = House::two_with_server("dry");
    house.world.claude().rotate_offline();
    let before = house.world.snapshot();
    let planned = house
        .engine()
        .switch(Target::Named("a"), Options { dry_run: true, ..Options::default() })
        .expect("a plan")
        .planned;
    assert_eq!(house.world.snapshot(), before, "no byte changed");
    house.switch("a");
    let after = house.world.snapshot();
    let mut changed: Vec<String> =
        clauth_sandbox::world::changes(&before, &after).iter().map(|line| line[2..].to_owned()).collect();
    changed.retain(|path| {
        !path.contains(".clauth/locks")
            && path != ".clauth/.lock"
            && !matches!(after.get(path), Some(clauth_sandbox::world::Entry::Dir(_)))
    });
    let mut told: Vec<String> = planned
        .iter()
        .map(|plan| {
            plan.path.strip_prefix(house.world.home()).expect("inside").display().to_string().replace('\\', "/")
        })
        .collect();
    told.sort();
    assert_eq!(told, changed);
    let credentials = planned.iter().find(|plan| plan.path == house.world.credentials_path()).expect("the credential");
    assert_eq!(credentials.after.as_deref(), std::fs::read(house.world.credentials_path()).ok().as_deref());
}
