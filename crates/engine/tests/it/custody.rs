//! L5 and the management of profiles.

use std::sync::Arc;

use clauth_durable::vfs::{FaultyVfs, RealVfs};
use clauth_engine::{Custodian, Kind};
use clauth_sandbox::Account;
use clauth_sandbox::world::holders;

use crate::house::{House, counting};

/// L5: of everything a `claude` reads, one file at most holds a given refresh token.
pub(crate) fn assert_one_holder(house: &House) {
    assert_one_holder_when(house, "after it");
}

/// The same, at a moment.
pub(crate) fn assert_one_holder_when(house: &House, told: &str) {
    assert_eq!(read_twice(house), Vec::<String>::new(), "{told}: read from several places");
}

/// Whether the home is as version 0.4.0 leaves it: the live login is a link to the slot, so that both are read. A file takes the
/// link's place before the slot is reduced, or a kill between the two would sign Claude Code out.
pub(crate) fn is_shared(house: &House) -> bool {
    house.world.credentials_path().is_symlink()
}

/// The refresh tokens that more than one file that a `claude` reads has, and where. Slots count, since sessions read them by
/// the links of their trees (L4); where credentials are items, sessions read those.
fn read_twice(house: &House) -> Vec<String> {
    let picture = house.world.snapshot();
    let items = picture.keys().any(|path| path.starts_with("Library/Keychains/"));
    // Of Claude Code's own doing, before we come.
    let mirrored = crate::keychain::is_mirrored(&picture);
    let is_read = |path: &str| {
        let item = path.starts_with("Library/Keychains/") && !path.contains("/.new");
        let slot = !items && path.starts_with(".clauth/profiles/") && path.ends_with("/credentials.json");
        let live = path.starts_with(".claude") && !path.contains(".clauth");
        item || slot || live
    };
    let tokens = ["A", "B", "C"].into_iter().flat_map(|family| (1..6).map(move |at| format!("{family}{at}")));
    let read = tokens.filter_map(|token| {
        let mut read = holders(&picture, &format!("sk-ant-ort01-FAKE-{token}"));
        read.retain(|path| is_read(path));
        let twice = read.len() > 1 && !(mirrored && read.len() == 2);
        twice.then(|| format!("{token} in {read:?}"))
    });
    read.collect()
}

#[test]
fn every_generation_has_its_place() {
    let house = House::two("places");
    house.world.claude().rotate_offline();
    house.switch("a");
    assert_one_holder(&house);
    let all = house.engine().custody(None).expect("custody");
    let (a, b) = (&all[0], &all[1]);
    assert_eq!((a.custodian, b.custodian), (Some(Custodian::Live), Some(Custodian::Store)));
    let places: Vec<&str> = a.generations[0].copies.iter().map(|copy| copy.place).collect();
    assert_eq!(places, ["live", "loan", "slot"]);
    assert_eq!(a.generations[0].copies.iter().filter(|copy| copy.full && copy.read_by_claude).count(), 1);
    assert_eq!(b.spent.len(), 1, "B1 is used up");
}

#[test]
fn a_removed_profile_leaves_its_login_in_the_vault() {
    let house = House::two("remove");
    let removed = house.engine().remove("a", false).expect("removed");
    assert_eq!(house.vault(), ["A1"]);
    assert!(!house.world.root().join("profiles/a").exists());
    let entry = removed.vault.expect("an entry");
    assert_eq!(house.engine().restore(&entry, Some("a")).expect("restored").0, "a");
    house.switch("a");
    assert_eq!(house.world.live(), "A1");
}

#[test]
fn the_live_profile_is_removed_only_by_force_and_stays_signed_in() {
    let house = House::two("live");
    assert_eq!(house.engine().remove("b", false).map(drop).expect_err("live").kind(), Kind::Protected);
    house.engine().remove("b", true).expect("removed");
    assert_eq!(house.world.live(), "B1");
    assert_eq!(house.engine().names().expect("names"), ["a"]);
    let id = house.engine().vault().expect("the vault")[0].id.clone();
    let refused = house.engine().restore(&id, Some("b")).map(drop).expect_err("it is live");
    assert_eq!(refused.kind(), Kind::Protected);
    house.capture("b");
    assert_eq!(house.loan("b"), "B1");
}

/// L2: a live login that the removal itself first wrote down as lent leaves no record in the profile's directory.
#[test]
fn nothing_of_a_removed_profile_stays_that_the_removal_wrote() {
    let house = House::two_with_server("late");
    house.sign_in(&Account::a());
    house.engine().remove("a", true).expect("removed");
    assert_eq!((house.world.live().as_str(), house.vault()), ("AB1", vec!["A1".to_owned(), "AB1".to_owned()]));
    assert!(!house.world.root().join("profiles/a").exists(), "its directory stands");
}

#[test]
fn a_rename_carries_everything_with_it() {
    let house = House::two("rename");
    house.world.claude().rotate_offline();
    house.switch("a");
    assert_eq!(house.engine().rename("b", "bob").expect("renamed").0, "b");
    assert_eq!(house.slot("bob"), "B2");
    let custody = house.engine().custody(Some("bob")).expect("custody");
    assert_eq!(custody[0].spent.len(), 1, "the spent list knows the new name");
    assert_eq!(house.engine().undo(false).expect("undone").to, "bob");
    assert_eq!(house.world.live(), "B2");
    assert_eq!(house.engine().rename("a", "BOB").map(drop).expect_err("taken").kind(), Kind::Name);
    house.engine().rename("bob", "Bob").expect("another case is no collision with itself");
}

#[test]
fn order_and_enable() {
    let house = House::two("order");
    let engine = house.engine();
    assert_eq!(engine.order("b", 1).expect("moved"), ("b".into(), true));
    assert_eq!(engine.names().expect("names"), ["b", "a"]);
    assert_eq!(engine.order("b", 3).map(drop).expect_err("no such place").kind(), Kind::Usage);
    assert_eq!(engine.set_enabled("a", false).expect("disabled"), ("a".into(), true));
    assert!(!engine.list().expect("a list").accounts[1].enabled);
    assert_eq!(engine.set_enabled("a", false).expect("again"), ("a".into(), false));
}

/// L7: a root from another machine installs nothing.
#[test]
fn a_copied_root_installs_nothing() {
    let house = House::two("machine");
    let mut engine = house.engine();
    engine.host.machine = Some(clauth_host::Fingerprint::of(b"another machine"));
    let path = house.world.root().join("settings.toml");
    let settings = std::fs::read_to_string(&path).expect("settings");
    let other = clauth_host::Fingerprint::of(b"this machine");
    let mut lines: Vec<String> =
        settings.lines().filter(|line| !line.starts_with("machine")).map(str::to_owned).collect();
    lines.push(format!("machine = \"{}\"", other.full()));
    std::fs::write(&path, lines.join("\n")).expect("settings");
    let refused = engine.switch(clauth_engine::Target::Named("a"), clauth_engine::Options::default()).map(drop);
    assert_eq!(refused.expect_err("a refusal").kind(), Kind::Protected);
    assert_eq!(house.world.live(), "B1");

    // The very pair that came with the root confirms nothing; signing in again does, for that profile.
    engine.capture(Some("b"), false).expect("captured");
    house.sign_in(&Account::a());
    let family = house.world.live();
    engine.capture(Some("a"), false).expect("captured");
    let to_b = engine.switch(clauth_engine::Target::Named("b"), clauth_engine::Options::default()).map(drop);
    assert_eq!(to_b.expect_err("a refusal").kind(), Kind::Protected);
    house.sign_in(&Account::c());
    engine.capture(Some("c"), false).expect("captured");
    engine.switch(clauth_engine::Target::Named("a"), clauth_engine::Options::default()).expect("confirmed");
    assert_eq!(house.world.live(), family);
}

/// L8: one home a root.
#[test]
fn another_home_is_refused() {
    let house = House::two("home");
    let other = house.world.home().join("other");
    let claude = house.world.claude_in(&other);
    drop(claude);
    std::fs::create_dir_all(&other).expect("a directory");
    let mut engine = house.engine();
    let mut env: Vec<_> = house.world.env(None);
    env.push(("CLAUDE_CONFIG_DIR".into(), other.into()));
    engine.host.env = env.into_iter().collect();
    let refused = engine.switch(clauth_engine::Target::Named("a"), clauth_engine::Options::default()).map(drop);
    assert_eq!(refused.expect_err("a refusal").kind(), Kind::Protected);
}

/// One unreadable profile never blocks the others.
#[test]
fn one_unreadable_profile_blocks_nobody() {
    let house = House::two("unreadable");
    house.sign_in(&Account::c());
    house.capture("c");
    std::fs::write(house.world.root().join("profiles/b/credentials.json"), "{\"torn").expect("torn");
    house.switch("a");
    assert_eq!(house.world.live(), "A1");
    assert_eq!(house.try_switch("b").map(drop).expect_err("unreadable").kind(), Kind::Unreadable);
    assert_eq!(house.engine().list().expect("a list").accounts[1].state.word(), "unreadable");
}

/// W3: what somebody writes into one of our files while a command changes it stands, and the command does not say that it is
/// done.
#[test]
fn a_file_that_somebody_edits_meanwhile_is_theirs() {
    let count = {
        let (house, vfs) = (House::two("edited"), counting());
        house.engine_on(Arc::new(vfs.clone())).order("b", 1).expect("moved");
        vfs.effects().len()
    };
    let (mut refused, mut done) = (0, 0);
    for at in 1..=count {
        let house = House::two("edited");
        let path = house.world.root().join("profiles.toml");
        let edited = path.clone();
        let vfs = FaultyVfs::with_callback(Arc::new(RealVfs), at, move || {
            let text = std::fs::read_to_string(&edited).expect("a list");
            std::fs::write(&edited, text + "# mine\n").expect("a list");
        });
        let ended = house.engine_on(Arc::new(vfs)).order("b", 1);
        let text = std::fs::read_to_string(&path).expect("a list");
        assert!(text.contains("# mine"), "at {at}: {text}");
        match ended {
            Ok(_) => done += usize::from(house.engine().names().expect("names") == ["b", "a"]),
            Err(error) => {
                assert_eq!(
                    (error.kind(), house.engine().names().expect("names")),
                    (Kind::Busy, vec!["a".into(), "b".into()])
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 0, "nobody came in between");
    assert_eq!(done + refused, count);
}

/// The files below the vault that are no logins.
fn kept_aside(house: &House) -> Vec<String> {
    let picture = house.world.snapshot();
    let aside = picture.iter().filter_map(|(path, entry)| match entry {
        clauth_sandbox::world::Entry::File(_, bytes) if path.starts_with(".clauth/vault/loan-") => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    });
    aside.collect()
}

/// L2: a loan's record that cannot be understood is nothing to move away, which would leave a login that nobody can renew. What
/// is live can be captured again, or signed in anew, and the torn bytes are kept.
#[test]
fn a_torn_loan_makes_room_for_a_new_login() {
    let torn = |house: &House| {
        std::fs::write(house.world.root().join("profiles/b/loan.json"), "{\"torn").expect("torn");
        let account = &house.engine().list().expect("a list").accounts[1];
        assert_eq!(account.state.word(), "unreadable");
        let error = house.try_switch("b").map(drop).expect_err("unreadable");
        assert!(error.hints()[0].contains("clauth login b"), "{:?}", error.hints());
    };
    let house = House::two("torn-loan");
    torn(&house);
    house.capture("b");
    assert_eq!((house.loan("b").as_str(), kept_aside(&house)), ("B1", vec!["{\"torn".to_owned()]));
    house.switch("a");
    house.switch("b");
    assert_eq!(house.world.live(), "B1");
    assert_one_holder(&house);

    let house = House::two("torn-loan-login");
    torn(&house);
    let done = crate::login::login(&house, &house.engine(), "b", &Account::b()).expect("a login");
    assert!(!done.waits && done.warnings.iter().any(|line| line.contains("kept in")), "{:?}", done.warnings);
    assert_eq!((house.slot("b").as_str(), kept_aside(&house).len()), ("BB1", 1));
    house.switch("a");
    assert!(house.vault().contains(&"B1".to_owned()), "what was live is kept: {:?}", house.vault());
    house.switch("b");
    assert_eq!(house.world.live(), "BB1");
    assert_one_holder(&house);
}

/// W10: a login that nothing can renew is not put live without a word.
#[test]
fn a_login_without_a_refresh_token_is_told_of() {
    let house = House::two("bare");
    std::fs::remove_file(house.world.root().join("profiles/b/loan.json")).expect("moved away");
    house.sign_in(&Account::c());
    let account = &house.engine().list().expect("a list").accounts[1];
    assert_eq!(account.state.word(), "ok");
    assert!(account.reason.as_ref().is_some_and(|reason| reason.contains("no refresh token")), "{:?}", account.reason);
    let report = house.switch("b");
    assert!(report.warnings.iter().any(|line| line.contains("no refresh token")), "{:?}", report.warnings);
}
