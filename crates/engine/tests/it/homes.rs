//! L8: which Claude Code home a root is for, under which names and links it is met, and where a root may not be.

use std::path::PathBuf;

#[cfg(unix)]
use clauth_engine::{Asking, LiveState};
use clauth_engine::{Engine, Error, Kind, Options, Report, Target};
use clauth_host::Host;
use clauth_sandbox::Account;

use crate::house::House;

/// The engine of a shell with these variables.
fn engine_with(house: &House, variables: &[(&str, PathBuf)]) -> Engine {
    let mut env = house.world.env(None);
    env.retain(|(name, _)| !variables.iter().any(|(variable, _)| name.to_str() == Some(variable)));
    env.extend(variables.iter().map(|(name, value)| ((*name).into(), value.clone().into())));
    Engine::new(Host::from_env(env.into_iter().collect()).expect("a host"), std::sync::Arc::new(|_| {}))
}

fn switch_in(house: &House, variables: &[(&str, PathBuf)]) -> Result<Report, Error> {
    engine_with(house, variables).switch(Target::Named("a"), Options::default())
}

/// Name, variables, and the remedy.
type Row<'a> = (&'a str, Vec<(&'a str, PathBuf)>, &'a str);

const CONFIG: &str = "CLAUDE_CONFIG_DIR";
const SECURE: &str = "CLAUDE_SECURESTORAGE_CONFIG_DIR";

#[test]
fn l8_a_home_is_its_directory_its_store_and_its_state_file() {
    let house = House::two("parts");
    let (home, dir) = (house.world.home().to_owned(), house.world.claude_dir());
    let rows: [Row<'_>; 3] = [
        ("the default home by name has another state file", vec![(CONFIG, dir.clone())], "unset CLAUDE_CONFIG_DIR"),
        (
            "another config home over the same store",
            vec![(CONFIG, home.join("other")), (SECURE, PathBuf::new())],
            "unset CLAUDE_CONFIG_DIR",
        ),
        ("another store", vec![(SECURE, home.join("other"))], "unset CLAUDE_SECURESTORAGE_CONFIG_DIR"),
    ];
    for (name, variables, remedy) in rows {
        let refused = switch_in(&house, &variables).map(drop).expect_err(name);
        assert_eq!((refused.kind(), refused.hints()[0].as_str()), (Kind::Protected, remedy), "{name}");
        assert_eq!((house.world.live().as_str(), house.world.identity().as_str()), ("B1", "B"), "{name}");
    }
    let mut same = dir.into_os_string();
    same.push("/");
    switch_in(&house, &[(SECURE, same.into())]).expect("the same store by another name");
}

/// The root that is proposed for another home lies beside it, whatever slash the variable ends in.
#[test]
fn l8_a_root_of_its_own_is_proposed_beside_the_other_home() {
    let house = House::two("l8-beside");
    let dir = |name: &str| PathBuf::from(format!("{}/{name}/", house.world.home().display()));
    for (variable, name) in [("CLAUDE_CONFIG_DIR", "other"), ("CLAUDE_SECURESTORAGE_CONFIG_DIR", "store")] {
        std::fs::create_dir_all(dir(name)).expect("a directory");
        let Err(error) = switch_in(&house, &[(variable, dir(name))]) else { panic!("{variable}: refused") };
        let proposed = format!("CLAUTH_HOME={}-clauth", house.world.home().join(name).display());
        assert!(error.hints().iter().any(|hint| hint.ends_with(&proposed)), "{variable}: {:?}", error.hints());
    }
}

#[test]
fn l8_a_root_for_the_default_home_by_name_stays_with_it() {
    let house = House::new("named");
    let dir = house.world.claude_dir();
    for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
        house.sign_in(&account);
        std::fs::copy(house.world.state_path(), dir.join(".claude.json")).expect("its state file");
        engine_with(&house, &[(CONFIG, dir.clone())]).capture(Some(name), false).expect("captured");
    }
    switch_in(&house, &[(CONFIG, dir.clone())]).expect("the home that was recorded");
    assert_eq!(house.world.live(), "A1");
    let refused = house.try_switch("b").map(drop).expect_err("another state file");
    assert_eq!(refused.kind(), Kind::Protected);
    assert_eq!(refused.hints()[0], format!("set CLAUDE_CONFIG_DIR={}", dir.display()));
}

#[test]
fn l8_a_root_for_a_store_elsewhere_stays_with_it() {
    let house = House::new("store");
    let store = house.world.home().join("store");
    std::fs::create_dir(&store).expect("a directory");
    for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
        house.sign_in(&account);
        std::fs::rename(house.world.credentials_path(), store.join(".credentials.json")).expect("moved");
        engine_with(&house, &[(SECURE, store.clone())]).capture(Some(name), false).expect("captured");
    }
    switch_in(&house, &[(SECURE, store.clone())]).expect("the home that was recorded");
    assert_eq!(house.world.login_at(&store.join(".credentials.json")), "A1");
    assert_eq!(house.try_switch("b").map(drop).expect_err("another store").kind(), Kind::Protected);
}

#[cfg(unix)]
#[test]
fn l8_a_home_that_leads_into_our_root_is_not_written_through() {
    let house = House::two("linked");
    let (dir, aside) = (house.world.claude_dir(), house.world.home().join("aside"));
    std::fs::rename(&dir, &aside).expect("moved away");
    let inside = house.world.root().join("profiles/a");
    std::os::unix::fs::symlink(&inside, &dir).expect("a link");
    let before = house.world.snapshot();
    let refused = house.try_switch("b").map(drop).expect_err("ours");
    assert_eq!(refused.kind(), Kind::Protected);
    assert!(refused.to_string().contains("is a link into clauth's own files"), "{refused}");
    assert_eq!(house.world.snapshot(), before);
    house.engine().check_root().expect("the root is where it should be");
}

/// A link in the place of the live login that leads to a slot: what stands there is only the bearer copy of what is lent.
#[cfg(unix)]
#[test]
fn l8_in_the_place_of_a_link_to_a_bearer_copy_the_lent_pair_is_put() {
    let house = House::two("bearer");
    let live = house.world.credentials_path();
    std::fs::remove_file(&live).expect("removed");
    std::os::unix::fs::symlink(house.world.root().join("profiles/b/credentials.json"), &live).expect("a link");
    house.switch("b");
    assert!(std::fs::symlink_metadata(&live).expect("there").is_file());
    assert_eq!(house.world.live(), "B1", "it can be renewed");
    house.world.claude().rotate_offline();
    house.switch("a");
    assert_eq!(house.slot("b"), "B2");
}

#[test]
fn a_root_may_not_be_claude_codes_home_nor_in_it_nor_around_it() {
    let house = House::new("root");
    let (home, dir) = (house.world.home().to_owned(), house.world.claude_dir());
    let rows = [
        ("beside it", home.join("roots/one"), true),
        ("a name that begins alike", home.join(".claude-clauth"), true),
        ("the home", dir.clone(), false),
        ("in it", dir.join("clauth"), false),
        ("around it", home.clone(), false),
        ("the system's", home.ancestors().last().expect("a root").to_owned(), false),
        ("by another name", home.join("roots/../.claude"), false),
    ];
    for (name, root, allowed) in rows {
        let engine = engine_with(&house, &[("CLAUTH_HOME", root)]);
        assert_eq!(
            engine.check_root().map_err(|error| error.kind()),
            if allowed { Ok(()) } else { Err(Kind::Usage) },
            "{name}"
        );
    }
    let named = engine_with(&house, &[(CONFIG, home.join("work")), ("CLAUTH_HOME", home.join("work/clauth"))]);
    assert_eq!(named.check_root().expect_err("in the named home").kind(), Kind::Usage);
    let session = engine_with(&house, &[(CONFIG, house.world.root().join("profiles/a/runtime"))]);
    session.check_root().expect("a session's shell");
}

/// Anything but on or off is an error: a misspelt `off` must not open a socket.
#[test]
fn a_setting_is_on_or_off_or_an_error() {
    let house = House::two("settings");
    let path = house.world.root().join("settings.toml");
    let stands = std::fs::read_to_string(&path).expect("settings");
    let rows = [
        ("network = \"on\"", None),
        ("network = \"off\"", None),
        ("network = true", None),
        ("network = false", None),
        ("network = \"Off\"", Some(Kind::Unreadable)),
        ("network = \"no\"", Some(Kind::Unreadable)),
        ("network = 0", Some(Kind::Unreadable)),
        ("refresh = \"of\"", Some(Kind::Unreadable)),
    ];
    for (line, kind) in rows {
        std::fs::write(&path, format!("{stands}{line}\n")).expect("settings");
        assert_eq!(house.engine().list().map(drop).map_err(|error| error.kind()).err(), kind, "{line}");
    }
}

#[test]
fn a_root_of_a_later_format_is_only_looked_at() {
    let house = House::two("format");
    let path = house.world.root().join("settings.toml");
    let stands = std::fs::read_to_string(&path).expect("settings");
    for format in ["9", "\"2\""] {
        std::fs::write(&path, stands.replace("format = 1", &format!("format = {format}"))).expect("settings");
        let before = house.world.snapshot();
        house.engine().list().expect("looking");
        assert_eq!(house.try_switch("a").map(drop).expect_err("acting").kind(), Kind::Protected, "{format}");
        assert_eq!(house.world.snapshot(), before, "{format}");
    }
}

/// The system's time, without waiting.
struct Hurried;

impl clauth_host::Time for Hurried {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn file_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn monotonic(&self) -> std::time::Duration {
        clauth_host::Clock::system().monotonic()
    }
    fn sleep(&self, _: std::time::Duration) {}
}

/// O1: a pair that is dated ahead is not young for ever.
#[test]
fn o1_a_login_that_is_dated_ahead_is_waited_for_once() {
    let house = House::two("ahead");
    let login = clauth_sandbox::Login::new(&Account::b(), clauth_sandbox::Pair::new("B", 2)).ending_at(None);
    house.world.store_login(&login);
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() + std::time::Duration::from_secs(3600)).expect("own file");
    let mut engine = house.engine();
    engine.disk.clock = clauth_host::Clock::new(Hurried);
    let report = engine.switch(Target::Named("a"), Options::default()).expect("a switch");
    assert_eq!(report.harvested_into.as_deref(), Some("b"));
    assert_eq!(house.slot("b"), "B2");
}

#[cfg(unix)]
type Put = fn(&std::path::Path);

/// Puts things in the place of a file that are none.
#[cfg(unix)]
const NO_FILES: [(&str, Put); 4] = [
    ("a directory", |path| std::fs::create_dir(path).expect("a directory")),
    ("a circle of links", |path| std::os::unix::fs::symlink(path, path).expect("a link")),
    ("a device", |path| std::os::unix::fs::symlink("/dev/zero", path).expect("a link")),
    ("a FIFO", |path| {
        let made = std::process::Command::new("mkfifo").arg(path).status();
        assert!(made.is_ok_and(|status| status.success()), "mkfifo");
    }),
];

#[cfg(unix)]
#[test]
fn a_live_login_that_is_no_file_stops_what_acts_and_is_told_by_what_shows() {
    let house = House::two("barred");
    let path = house.world.credentials_path();
    let login = std::fs::read(&path).expect("a login");
    for (name, put) in NO_FILES {
        let _ = std::fs::remove_file(&path);
        put(&path);
        let before = house.world.snapshot();
        let engine = house.engine();
        let refused = |result: Result<(), Error>| {
            let error = result.expect_err(name);
            assert_eq!(error.kind(), Kind::Unreadable, "{name}: {error}");
        };
        refused(house.try_switch("a").map(drop));
        refused(engine.switch(Target::Named("a"), Options { force: true, ..Options::default() }).map(drop));
        refused(engine.switch(Target::Named("a"), Options { dry_run: true, ..Options::default() }).map(drop));
        refused(engine.capture(Some("b"), false).map(drop));
        // It has to answer whatever is there (contract): nobody.
        let which = engine.which().expect(name);
        assert_eq!((which.profile, which.via.word(), which.oauth), (None, "live", false), "{name}");
        assert!(which.notice.is_some_and(|notice| notice.contains(".credentials.json")), "{name}");
        assert_eq!(house.world.snapshot(), before, "{name}");
        let listing = engine.list().expect(name);
        assert_eq!((listing.live, listing.accounts.len()), (LiveState::Unreadable, 2), "{name}");
        assert!(listing.notices.iter().any(|notice| notice.contains(".credentials.json")), "{name}");
        assert_eq!(engine.custody(None).expect(name).len(), 2, "{name}");
        assert!(engine.sessions().is_ok(), "{name}");
        assert_eq!(engine.usage(None, Asking::Stale).expect(name).tried.len(), 2, "{name}: they are asked about");
        let _ = std::fs::remove_dir(&path);
    }
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, login).expect("the login is back");
    house.switch("a");
}

#[cfg(unix)]
#[test]
fn settings_that_are_no_file_are_refused_before_anything_is_written() {
    let house = House::two("trap");
    let path = house.world.claude_dir().join("settings.json");
    for (name, put) in NO_FILES {
        let _ = std::fs::remove_file(&path);
        put(&path);
        let before = house.world.snapshot();
        let refused = house.try_switch("a").map(drop).expect_err(name);
        assert_eq!(refused.kind(), Kind::Io, "{name}: {refused}");
        assert_eq!(house.engine().capture(Some("b"), false).map(drop).expect_err(name).kind(), Kind::Io, "{name}");
        assert_eq!(house.world.snapshot(), before, "{name}");
        let _ = std::fs::remove_dir(&path);
    }
}
