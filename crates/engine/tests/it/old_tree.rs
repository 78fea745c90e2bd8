//! Taking over a tree of version 0.4.0, and living beside one that still runs.
#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use clauth_engine::{Kind, Options, State, Target};
use clauth_sandbox::{Account, Login, Pair};

use crate::custody::assert_one_holder;
use crate::house::House;

/// The login of a family, as 0.4.0 knows it: without the login's own end.
pub(crate) fn login(family: &str) -> Login {
    generation(family, 1)
}

fn generation(family: &str, number: u32) -> Login {
    let account = Account::new(family.chars().next().expect("a letter"));
    Login::new(&account, Pair::new(family, number)).ending_at(None)
}

pub(crate) fn logins<'n>(rows: &[(&'n str, &str)]) -> Vec<(&'n str, Login)> {
    rows.iter().map(|(name, family)| (*name, login(family))).collect()
}

/// a and b, a live; the state file names C, who signed in before there was a clauth.
pub(crate) fn old(name: &str) -> House {
    let house = House::new(name);
    house.sign_in(&Account::c());
    house.world.old_tree(&logins(&[("a", "A"), ("b", "B")]), Some("a"));
    house
}

fn old_with_server(name: &str) -> House {
    let house = House::with_server(name);
    house.sign_in(&Account::c());
    let rows = logins(&[("a", "A"), ("b", "B")]);
    rows.iter().for_each(|(_, login)| house.server.as_ref().expect("a server").know(login));
    house.world.old_tree(&rows, Some("a"));
    house
}

/// The least acting command.
fn act(house: &House) {
    let name = house.engine().names().expect("names")[0].clone();
    house.engine().order(&name, 1).expect("an acting command");
}

fn said(house: &House, words: &str) -> bool {
    house.said.lock().expect("not poisoned").iter().any(|line| line.contains(words))
}

fn is_file(house: &House) -> bool {
    std::fs::symlink_metadata(house.world.credentials_path()).expect("a live login").is_file()
}

fn state(house: &House, name: &str) -> State {
    let listing = house.engine().list().expect("a list");
    listing.accounts.iter().find(|account| account.name == name).expect("a profile").state
}

#[test]
fn the_link_becomes_a_file_and_its_login_is_lent() {
    let house = old("old");
    let before = house.world.snapshot();
    act(&house);
    assert!(is_file(&house));
    assert_eq!((house.world.live().as_str(), house.world.identity().as_str()), ("A1", "none"));
    assert_eq!((house.slot("a").as_str(), house.loan("a").as_str()), ("A1 bearer", "A1"));
    assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("B1", "none"));
    assert_one_holder(&house);
    let mode = |path| std::fs::metadata(path).expect("a file").permissions().mode() & 0o777;
    assert_eq!(mode(house.world.credentials_path()), 0o600);
    assert_eq!(mode(house.world.root().join("profiles/b/credentials.json")), 0o600);
    let settings = std::fs::read_to_string(house.world.root().join("settings.toml")).expect("settings");
    assert!(settings.contains(&format!("home = \"{}\"", house.world.claude_dir().display())), "{settings}");
    let bytes = |picture: &clauth_sandbox::Snapshot, name: &str| match picture.get(name) {
        Some(clauth_sandbox::world::Entry::File(_, bytes)) => bytes.clone(),
        other => panic!("{name}: {other:?}"),
    };
    let after = house.world.snapshot();
    for name in ["profiles.toml", "profiles/a/config.toml", "profiles/b/config.toml", "profiles/a/usage_cache.json"] {
        let name = format!(".clauth/{name}");
        assert_eq!(bytes(&after, &name), bytes(&before, &name), "{name} was touched");
    }
    assert!(said(&house, "took over the profiles of clauth 0.4.0"));
    act(&house);
    assert_eq!(house.world.snapshot(), after, "once is enough");
}

/// An endpoint as 0.4.0 leaves it: its key in the settings, which is its own and no override of anything.
#[test]
fn an_active_endpoint_is_taken_over_as_that_and_what_it_set_goes_with_it() {
    let house = House::new("old-endpoint");
    house.world.old_tree(&logins(&[("a", "A"), ("e", "B")]), Some("e"));
    std::fs::remove_file(house.world.credentials_path()).expect("a link");
    let profile = house.world.root().join("profiles/e");
    std::fs::remove_file(profile.join("credentials.json")).expect("a slot");
    let config = "base_url = \"https://e.example\"\napi_key = \"sk-FAKE\"\n\n[env]\nX = \"1\"\n";
    std::fs::write(profile.join("config.toml"), config).expect("a config");
    let set = r#"{"env": {"ANTHROPIC_AUTH_TOKEN": "sk-FAKE", "ANTHROPIC_BASE_URL": "https://e.example", "X": "1", "Y": "2"}}"#;
    let settings = house.world.claude_dir().join("settings.json");
    std::fs::write(&settings, set).expect("settings");
    let listing = house.engine().list().expect("a list");
    assert_eq!((listing.active.as_deref(), listing.overrides), (Some("e"), Vec::new()));
    house.switch("a");
    assert!(said(&house, "the endpoint 'e' is active"), "{:?}", house.said);
    let env = house.world.read_json(&settings)["env"].to_string();
    assert_eq!(env, r#"{"Y":"2","HTTP_PROXY":"http://proxy.invalid"}"#, "the user's own, and a's");
    assert_eq!(house.world.live(), "A1");
}

/// It set all of `[env]`: also what decides which login is used, which must not stay for the next one (W6).
#[test]
fn w6_all_that_0_4_0_set_for_the_active_login_goes_with_it() {
    for acted in [false, true] {
        let house = old("old-env");
        let config =
            "[env]\nANTHROPIC_BASE_URL = \"https://gw.example.com\"\nANTHROPIC_API_KEY = \"FAKE-K\"\nFOO = \"1\"\n";
        std::fs::write(house.world.root().join("profiles/a/config.toml"), config).expect("a config");
        std::fs::write(house.world.root().join("profiles/b/config.toml"), "[env]\nBAR = \"x\"\n").expect("a config");
        let set = r#"{"env": {"ANTHROPIC_BASE_URL": "https://gw.example.com", "ANTHROPIC_API_KEY": "FAKE-K", "FOO": "1", "BAR": "x"}}"#;
        let settings = house.world.claude_dir().join("settings.json");
        std::fs::write(&settings, set).expect("settings");
        let overrides = |house: &House| house.engine().list().expect("a list").overrides.concat();
        assert!(overrides(&house).contains("ANTHROPIC_API_KEY"), "it outranks a's login: {}", overrides(&house));
        if acted {
            act(&house);
            assert_eq!(std::fs::read_to_string(&settings).expect("settings"), set);
            assert!(overrides(&house).contains("ANTHROPIC_API_KEY"), "{}", overrides(&house));
        }
        house.switch("b");
        let env = |house: &House| house.world.read_json(&settings)["env"].to_string();
        assert_eq!((env(&house).as_str(), overrides(&house).as_str()), (r#"{"BAR":"x"}"#, ""));
        house.switch("a");
        assert_eq!(env(&house), r#"{"BAR":"x","FOO":"1"}"#, "it is the user's, who had it already");
    }
}

#[test]
fn looking_takes_nothing_over() {
    let house = old("old-look");
    let before = house.world.snapshot();
    let listing = house.engine().list().expect("a list");
    assert_eq!(listing.active.as_deref(), Some("a"));
    house.engine().custody(None).expect("custody");
    house.engine().which().expect("which");
    house.engine().twins().expect("twins");
    let dry = Options { dry_run: true, ..Options::default() };
    house.engine().switch(Target::Named("b"), dry).expect("a dry run");
    assert_eq!(house.world.snapshot(), before);
}

#[test]
fn a_switch_takes_over_and_what_was_renewed_comes_home() {
    let house = old("old-switch");
    house.switch("b");
    assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("B1", "A1"));
    house.switch("a");
    house.world.claude().rotate_offline();
    // A moment later: what was written just now might be half of a sign-in.
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).expect("own file");
    house.switch("b");
    assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("B1", "A2"));
    assert_one_holder(&house);
}

/// The marked one keeps it, or the one that is live, or the first.
#[test]
fn of_two_profiles_with_one_login_one_keeps_it_and_the_vault_the_copy() {
    let rows: [(&str, Option<&str>, &str, &str); 3] = [
        ("the live one", Some("c"), "c", "a"),
        ("the first", Some("b"), "a", "c"),
        ("the first, with nobody live", None, "a", "c"),
    ];
    for (name, active, keeper, other) in rows {
        let house = House::new("old-twins");
        house.world.old_tree(&logins(&[("a", "A"), ("b", "B"), ("c", "A")]), active);
        let before = house.engine().twins().expect("twins");
        assert_eq!((before[0].keeper.as_str(), before[0].other.as_str()), (keeper, other), "{name}");
        act(&house);
        assert_eq!(state(&house, other), State::NoLogin, "{name}");
        assert_eq!(state(&house, keeper), State::Ok, "{name}");
        assert_eq!(house.vault(), ["A1"], "{name}");
        let twins = house.engine().twins().expect("twins");
        assert_eq!(twins.len(), 1, "{name}: {twins:?}");
        assert_eq!((twins[0].keeper.as_str(), twins[0].other.as_str()), (keeper, other), "{name}");
        assert_eq!(twins[0].vault.as_deref(), Some(house.engine().vault().expect("a vault")[0].id.as_str()), "{name}");
        assert_one_holder(&house);
        if active.is_some() {
            assert!(is_file(&house), "{name}");
        }
    }
}

#[test]
fn a_login_that_0_4_0_let_go_of_is_lent_and_a_renewed_one_is_told() {
    let house = old("old-detached");
    house.world.old_detach();
    act(&house);
    assert_eq!((house.loan("a").as_str(), house.slot("a").as_str()), ("A1", "A1 bearer"));

    let house = old("old-renewed");
    house.world.old_detach();
    house.world.claude().rotate_offline();
    act(&house);
    assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("A2", "A1"), "nobody can tell whose it is");
    assert_eq!(house.world.identity(), "none", "whom the state file named was somebody else");
    house.switch("b");
    assert_eq!(house.vault(), ["A2"]);
    assert_eq!(house.engine().vault().expect("a vault")[0].email, None, "the state file proves nothing");

    let house = old_with_server("old-asked");
    house.world.old_detach();
    house.world.claude().rotate_offline();
    house.server.as_ref().expect("a server").know(&generation("A", 2));
    act(&house);
    assert_eq!((house.world.live().as_str(), house.loan("a").as_str()), ("A2", "A2"), "the server can");
}

#[test]
fn a_server_tells_whose_the_live_login_is() {
    let house = old_with_server("old-known");
    act(&house);
    let identity = house.world.read_json(&house.world.root().join("profiles/a/identity.json"));
    assert_eq!((&identity["proven"], &identity["email"]), (&true.into(), &"alice@example.invalid".into()));
    assert_ne!(house.world.identity(), "C", "whom the state file named was somebody else");
}

/// Two sign-ins of one account are two families, and only a server can say that they are one account.
#[test]
fn two_profiles_that_turn_out_to_be_one_account_are_parted() {
    let house = House::with_server("old-account");
    let rows = logins(&[("a", "A"), ("b", "B"), ("again", "AB")]);
    rows.iter().for_each(|(_, login)| house.server.as_ref().expect("a server").know(login));
    house.world.old_tree(&rows, Some("a"));
    house.switch("b");
    assert_eq!(house.vault(), Vec::<String>::new(), "nobody has asked whose the third one is");
    house.switch("again");
    act(&house);
    assert_eq!((house.world.live().as_str(), house.vault()), ("AB1", vec!["A1".to_owned()]), "the live one keeps it");
    assert_eq!((state(&house, "a"), state(&house, "again")), (State::NoLogin, State::Ok));
    let twins = house.engine().twins().expect("twins");
    assert_eq!((twins[0].keeper.as_str(), twins[0].other.as_str(), twins.len()), ("again", "a", 1));
    assert!(said(&house, "'again' and 'a' are one login") && !said(&house, "another version"));
    let before = house.world.snapshot();
    act(&house);
    assert_eq!(house.world.snapshot(), before, "once is enough");
}

/// Name, and what is done to the tree.
type Spoilt<'a> = (&'a str, &'a dyn Fn(&House));

#[test]
fn one_unreadable_profile_never_blocks_the_others() {
    let slot = |house: &House, name: &str| house.world.root().join("profiles").join(name).join("credentials.json");
    let rows: [Spoilt<'_>; 4] = [
        ("a torn slot", &|house| std::fs::write(slot(house, "b"), "{\"claudeAi").expect("a slot")),
        ("a slot that is a directory", &|house| {
            std::fs::remove_file(slot(house, "b")).expect("a slot");
            std::fs::create_dir(slot(house, "b")).expect("a directory");
        }),
        ("no directory", &|house| {
            std::fs::remove_dir_all(house.world.root().join("profiles/b")).expect("a profile");
        }),
        ("options that are no TOML", &|house| {
            std::fs::write(house.world.root().join("profiles/b/config.toml"), b"\xff = [").expect("options");
        }),
    ];
    for (name, spoil) in rows {
        let house = House::new("old-torn");
        house.world.old_tree(&logins(&[("a", "A"), ("b", "B"), ("c", "C")]), Some("a"));
        spoil(&house);
        house.try_switch("c").unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("C1", "A1"), "{name}");
    }
}

/// A torn slot behind the link is no login that Claude Code could use; it stays where it is for its owner.
#[test]
fn a_link_to_a_torn_slot_goes_and_the_slot_stays() {
    let house = old("old-torn-live");
    let slot = house.world.root().join("profiles/a/credentials.json");
    std::fs::write(&slot, "{\"claudeAiOauth\": {\"accessTok").expect("a slot");
    house.switch("b");
    assert_eq!(house.world.live(), "B1");
    assert_eq!(std::fs::read_to_string(&slot).expect("a slot"), "{\"claudeAiOauth\": {\"accessTok");
    assert!(said(&house, "led to a slot that cannot be understood"));
}

#[test]
fn a_link_to_nothing_goes() {
    let house = old("old-dangling");
    std::fs::remove_file(house.world.root().join("profiles/a/credentials.json")).expect("a slot");
    act(&house);
    assert!(std::fs::symlink_metadata(house.world.credentials_path()).is_err());
    house.switch("b");
    assert_eq!(house.world.live(), "B1");
}

#[test]
fn a_session_of_a_running_0_4_0_is_a_session() {
    let house = old("old-session");
    let session = house.world.old_session("b");
    let refused = |result: Result<(), clauth_engine::Error>, what: &str| {
        let error = result.expect_err(what);
        assert_eq!(error.kind(), Kind::Protected, "{what}");
        assert!(error.to_string().contains("session of 'b' is running"), "{what}: {error}");
    };
    refused(house.engine().rename("b", "z").map(drop), "rename");
    refused(house.engine().remove("b", false).map(drop), "remove");
    let listing = house.engine().list().expect("a list");
    assert_eq!(listing.accounts.iter().map(|account| account.sessions).collect::<Vec<_>>(), [0, 1]);
    act(&house);
    assert!(house.world.root().join("profiles/b/runtime/settings.json").exists(), "its tree is not touched");
    drop(session);
    house.engine().rename("b", "z").expect("nobody lives there any more");
}

#[test]
fn the_default_home_is_the_one_that_0_4_0_knew() {
    let house = old("old-home");
    let mut env = house.world.env(None);
    env.push(("CLAUDE_CONFIG_DIR".into(), house.world.home().join("work").into()));
    let host = clauth_host::Host::from_env(env.into_iter().collect()).expect("a host");
    let engine = clauth_engine::Engine::new(host, std::sync::Arc::new(|_| {}));
    let refused = engine.switch(Target::Named("b"), Options::default()).map(drop).expect_err("another home");
    assert_eq!(refused.kind(), Kind::Protected);
    assert_eq!(house.world.live(), "A1");
}

/// A 0.4.0 that is still open switches from b to a after the tree was taken over: it writes what was live into b's slot,
/// and links a's in.
#[test]
fn a_link_that_a_running_0_4_0_makes_again_is_noticed_settled_and_named() {
    // What it wrote into b's slot, whether a server could be asked, b's slot afterwards, and what went to the vault.
    let later = generation("B", 2).expiring_at(4_000_000_000_000);
    let rows: [(&str, Login, bool, &str, &[&str]); 4] = [
        ("the lent pair", login("B"), false, "B1", &[]),
        ("a later pair that nobody can prove", later.clone(), false, "B1", &["B2"]),
        ("a later pair of the account", later, true, "B2", &[]),
        ("somebody else's", login("C"), false, "B1", &["C1"]),
    ];
    for (name, written, asked, slot, vault) in rows {
        let house = if asked { House::two_with_server("relink") } else { House::two("relink") };
        if let Some(server) = &house.server {
            server.know(&written);
        }
        house.world.old_store("b", &written);
        house.world.old_link("a");
        house.world.old_mark("a");
        act(&house);
        assert!(is_file(&house), "{name}");
        assert_eq!((house.world.live().as_str(), house.loan("a").as_str()), ("A1", "A1"), "{name}");
        assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), (slot, "none"), "{name}");
        assert_eq!(house.vault(), vault, "{name}");
        assert!(said(&house, "another version of clauth, such as 0.4.0"), "{name}");
        assert_one_holder(&house);
        // L3: what stood in its own slot may be what it was renewed to.
        let reason = house.engine().list().expect("a list").accounts[1].reason.clone();
        let doubtful = vault == ["B2"];
        assert_eq!(reason.is_some_and(|reason| reason.contains("may have been renewed")), doubtful, "{name}");
        let report = house.switch("b");
        let told = report.warnings.iter().any(|line| line.contains("'b' may have been renewed"));
        assert_eq!(told, doubtful, "{name}: {:?}", report.warnings);
    }
}

/// Its window makes the link when it switches, and a plain file of what the link shows when it is closed: of a lent login
/// that is the bearer copy, which nobody could renew.
#[test]
fn a_bearer_copy_that_a_running_0_4_0_leaves_live_is_made_whole() {
    for spent in [false, true] {
        let house = House::two("detach");
        house.world.old_link("b");
        house.world.old_detach();
        assert_eq!((house.world.live().as_str(), house.loan("b").as_str()), ("B1 bearer", "B1"));
        if spent {
            let token = clauth_host::Secret::new(&Pair::new("B", 1).refresh()).fingerprint().full().to_owned();
            let line = format!("{{\"schema\":1,\"token\":\"{token}\",\"profile\":\"b\",\"why\":\"superseded\"}}\n");
            std::fs::write(house.world.root().join("spent.jsonl"), line).expect("written");
        }
        assert_eq!(state(&house, "b") == State::Ok, spent, "L6: what is used up is never put there");
        act(&house);
        assert_eq!(house.world.live(), if spent { "B1 bearer" } else { "B1" });
        assert_eq!((house.slot("b").as_str(), house.loan("b").as_str()), ("B1 bearer", "B1"));
        assert_eq!(said(&house, "another version of clauth"), !spent);
        assert_one_holder(&house);
        let before = house.world.snapshot();
        act(&house);
        assert_eq!(house.world.snapshot(), before, "once is enough");
    }
}

/// A pair that was renewed in a session's directory which 0.4.0 left. Its state file was seeded from the home's, which named C.
#[test]
fn what_a_left_tree_of_0_4_0_names_proves_nothing() {
    // The pair, whether the server could be asked, b's slot afterwards, the vault, and whether b's login is doubted.
    for (name, pair, asked, slot, vault, doubted) in [
        ("renewed", generation("B", 5).expiring_at(4_000_000_000_000), false, "B1", &["B5"][..], true),
        // No end and no record of ours tells whether the earlier one is its ancestor: it is kept (0002).
        ("renewed, and asked about", generation("B", 5).expiring_at(4_000_000_000_000), true, "B5", &["B1"], false),
        ("somebody else's, and asked about", login("C"), true, "B1", &["C1"], false),
        ("the stored one", login("B"), false, "B1", &[], false),
    ] {
        let house = if asked { old_with_server("old-left") } else { old("old-left") };
        if let Some(server) = &house.server {
            server.know(&pair);
        }
        drop(house.world.old_session("b"));
        let tree = house.world.root().join("profiles/b/runtime");
        std::fs::copy(house.world.state_path(), tree.join(".claude.json")).expect("seeded");
        std::fs::remove_file(tree.join(".credentials.json")).expect("a link");
        house.world.old_store("b", &pair);
        std::fs::rename(house.world.root().join("profiles/b/credentials.json"), tree.join(".credentials.json"))
            .expect("moved");
        house.world.old_store("b", &login("B"));
        act(&house);
        assert!(!said(&house, "is signed in as c@"), "{name}: {:?}", house.said);
        assert_eq!(
            (house.slot("b").as_str(), house.vault()),
            (slot, vault.iter().map(|one| (*one).to_owned()).collect()),
            "{name}"
        );
        let reason = house.engine().list().expect("a list").accounts[1].reason.clone();
        assert_eq!(reason.is_some_and(|reason| reason.contains("may have been renewed")), doubted, "{name}");
        assert!(!tree.exists(), "{name}");
        if doubted {
            let id = house.engine().vault().expect("a vault")[0].id.clone();
            assert!(said(&house, &format!("clauth vault restore {id} --as b")), "{name}: {:?}", house.said);
            house.engine().restore(&id, Some("b")).expect("restored");
            assert_eq!(house.slot("b"), "B5");
            house.switch("b");
            assert_eq!((house.world.live().as_str(), house.world.identity().as_str()), ("B5", "none"));
        }
    }
}

/// A window of 0.4.0 that was closed leaves a plain file, which Claude Code renews. No loan tells of it, but the marker does: its
/// profile's earlier login is not put in the place of what may be its later one.
#[test]
fn what_was_renewed_where_0_4_0_let_go_leaves_the_marked_profile_in_doubt() {
    let house = old("old-detached");
    std::fs::remove_file(house.world.credentials_path()).expect("a link");
    house.world.store_login(&generation("A", 5).expiring_at(4_000_000_000_000));
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).expect("own file");
    assert_eq!(house.try_switch("a").map(drop).expect_err("in doubt").kind(), Kind::DeadLogin);
    house.switch("b");
    assert_eq!((house.world.live(), house.vault()), ("B1".to_owned(), vec!["A5".to_owned()]));
    assert_eq!(house.try_switch("a").map(drop).expect_err("in doubt").kind(), Kind::DeadLogin);
}

/// A slot that somebody made a link to another profile's has no login of its own; it stops nobody.
#[test]
fn a_slot_that_is_a_link_to_anothers_goes_and_the_other_keeps_the_login() {
    for (name, linked, other, ours) in [
        ("the parked one's", "b", "a", false),
        ("the live one's", "a", "b", false),
        ("in a tree of ours", "a", "b", true),
    ] {
        let house = if ours { House::two("slot-link") } else { old("slot-link") };
        let slot = |name: &str| house.world.root().join("profiles").join(name).join("credentials.json");
        std::fs::remove_file(slot(linked)).expect("a slot");
        std::os::unix::fs::symlink(format!("../{other}/credentials.json"), slot(linked)).expect("a link");
        act(&house);
        let path = slot(linked).display().to_string();
        assert!(said(&house, &format!("{path} was a link to the login of '{other}'")), "{name}: {:?}", house.said);
        assert_eq!((house.slot(linked).as_str(), state(&house, linked)), ("missing", State::NoLogin), "{name}");
        assert_eq!(house.world.live(), format!("{}1", other.to_uppercase()), "{name}: nobody is signed out");
        house.switch(other);
        let family = other.to_uppercase();
        assert_eq!((house.world.live(), house.loan(other)), (format!("{family}1"), format!("{family}1")), "{name}");
        let error = house.try_switch(linked).err().expect("no login");
        assert_eq!(error.kind(), Kind::DeadLogin, "{name}");
        assert_one_holder(&house);
    }
}

#[test]
fn names_that_todays_rule_refuses_stay_usable() {
    let long = "x".repeat(250);
    for name in ["list", "NUL", "_work", "-", "a..b.", long.as_str()] {
        let house = House::new("old-names");
        house.world.old_tree(&[(name, login("A")), ("b", login("B"))], Some("b"));
        house.switch(name);
        assert_eq!(house.world.live(), "A1", "{name}");
        house.switch("b");
        house.engine().rename(name, "fine").expect("a better name");
        assert_eq!(house.slot("fine"), "A1", "{name}");
    }
}
