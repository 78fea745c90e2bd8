//! Hostile surroundings: names that are no text, many profiles and entries, a clock that jumps, and file systems that fold
//! letters' case or deny links.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use clauth_durable::vfs::RealVfs;
use clauth_engine::{Engine, Error, Kind, Options, Target};
use clauth_host::Clock;
#[cfg(target_os = "linux")]
use clauth_sandbox::World;
use clauth_sandbox::{Account, Login, Pair};

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced};
use crate::odd::Odd;

/// The main journey: two accounts, there and back with a renewal, a look, and a removal.
fn journey(house: &House, name: &str) {
    for (account, profile) in [(Account::a(), "a"), (Account::b(), "b")] {
        house.sign_in(&account);
        house.engine().capture(Some(profile), false).expect(name);
    }
    house.try_switch("a").expect(name);
    house.world.claude().rotate_offline();
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() - Duration::from_secs(60)).expect("own file");
    house.try_switch("b").expect(name);
    assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("B1", "A2"), "{name}");
    assert_eq!(house.loan("b"), "B1", "{name}");
    assert_one_holder(house);
    let listing = house.engine().list().expect("a list");
    assert_eq!((listing.active.as_deref(), listing.accounts.len()), (Some("b"), 2), "{name}");
    house.engine().undo(false).expect(name);
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str()), ("A2", "B1"), "{name}");
    house.engine().remove("b", false).expect(name);
    assert_eq!(house.vault(), ["B1"], "{name}");
}

#[cfg(target_os = "linux")]
fn odd_name(at: usize) -> std::ffi::OsString {
    use std::os::unix::ffi::OsStringExt as _;
    std::ffi::OsString::from_vec(format!("caf{at}").into_bytes().into_iter().chain([0xe9, 0xff]).collect())
}

#[cfg(target_os = "linux")]
#[test]
fn a_home_whose_path_is_no_text_is_a_home() {
    let base = std::env::temp_dir().join(odd_name(std::process::id() as usize));
    std::fs::create_dir(&base).expect("a directory");
    {
        let world = World::create_in(&base, "text").expect("a home");
        let house = House { world, server: None, said: Arc::default() };
        journey(&house, "no text");
    }
    std::fs::remove_dir(&base).expect("an empty directory");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_text_are_left_alone_wherever_they_are() {
    let house = House::new("odd-names");
    let (root, dir) = (house.world.root(), house.world.claude_dir());
    let places = [
        house.world.home().to_owned(),
        dir.clone(),
        dir.join("projects"),
        root.clone(),
        root.join("profiles"),
        root.join("profiles/a"),
        root.join("profiles/a/sessions"),
        root.join("vault"),
        root.join("locks"),
        root.join("login"),
        root.join("journal"),
    ];
    for (at, place) in places.iter().enumerate() {
        if place.starts_with(root.join("profiles/a")) {
            continue;
        }
        std::fs::create_dir_all(place).expect("a directory");
        std::fs::write(place.join(odd_name(at)), "theirs").expect("a file");
        std::fs::create_dir(place.join(odd_name(at + 100))).expect("a directory");
    }
    journey(&house, "odd names");
    for (at, place) in places.iter().enumerate().filter(|(_, place)| !place.starts_with(root.join("profiles/a"))) {
        assert_eq!(std::fs::read(place.join(odd_name(at))).expect("a file"), b"theirs", "{}", place.display());
    }
    let house = House::new("odd-profile");
    house.world.old_tree(&crate::old_tree::logins(&[("a", "A"), ("b", "B")]), Some("a"));
    for place in ["profiles/a", "profiles/b", "profiles/b/sessions"] {
        let place = house.world.root().join(place);
        std::fs::create_dir_all(&place).expect("a directory");
        std::fs::write(place.join(odd_name(1)), "theirs").expect("a file");
    }
    house.switch("b");
    house.engine().rename("a", "z").expect("renamed");
    assert_eq!(std::fs::read(house.world.root().join("profiles/z").join(odd_name(1))).expect("a file"), b"theirs");
}

#[cfg(unix)]
#[test]
fn five_hundred_profiles_are_taken_over_and_switched() {
    let house = House::new("many");
    let names: Vec<String> = (0..500).map(|number| format!("p{number}")).collect();
    let family = |number: usize| {
        let letter = |at: usize| char::from(b"BCDEFGHIJKLMNOPQRSTUVW"[at % 22]);
        format!("A{}{}{}", letter(number / 484), letter(number / 22), letter(number))
    };
    let login = |number: usize| Login::new(&Account::a(), Pair::new(&family(number), 1)).ending_at(None);
    let rows: Vec<(&str, Login)> =
        names.iter().enumerate().map(|(number, name)| (name.as_str(), login(number))).collect();
    house.world.old_tree(&rows, Some("p7"));
    house.switch("p499");
    assert_eq!(house.world.live(), format!("{}1", family(499)));
    for (number, name) in names.iter().enumerate().filter(|(number, _)| *number != 499) {
        assert_eq!(house.slot(name), format!("{}1", family(number)));
    }
    assert_eq!(house.engine().list().expect("a list").accounts.len(), 500);
    house.switch("p7");
}

#[test]
fn twenty_thousand_entries_are_no_obstacle() {
    let house = House::new("entries");
    let mut count = 20_000;
    if clauth_sandbox::is_wine() {
        println!(
            "skipped: under Wine: 18,000 of the entries, since it reads a whole directory for each new name in it"
        );
        count = 2_000;
    }
    for place in [house.world.claude_dir().join("projects"), house.world.root().join("profiles")] {
        std::fs::create_dir_all(&place).expect("a directory");
        for number in 0..count {
            std::fs::write(place.join(format!("entry-{number}")), "").expect("a file");
        }
    }
    journey(&house, "entries");
}

/// Bytes whose size is what matters: 240 MB, and a tenth of it where nothing is optimized.
#[test]
fn a_state_file_of_hundreds_of_megabytes_is_edited_and_not_rewritten() {
    let house = House::new("state");
    let megabytes = if cfg!(debug_assertions) { 24 } else { 240 };
    let path = house.world.state_path();
    let text = std::fs::read_to_string(&path).expect("a state file");
    let line = format!("    \"{}\": {{\"history\": [\"{}\"]}},\n", "k", "x".repeat(1 << 10));
    let mut projects = String::new();
    for number in 0..megabytes * 1000 {
        projects.push_str(&line.replacen("\"k\"", &format!("\"/p/{number}\""), 1));
    }
    let large = text.replacen("\"projects\": {", &format!("\"projects\": {{\n{projects}"), 1);
    assert!(large.len() > megabytes << 20);
    std::fs::write(&path, &large).expect("a state file");
    for (family, profile) in [("A", "a"), ("B", "b")] {
        house.world.edit_json(&house.world.credentials_path(), |object| {
            // Two logins that the file never names are told apart by their ends (O1).
            let end = if family == "A" { 4_000_000_000_000 } else { 4_100_000_000_000 };
            let login = Login::new(&Account::new(family.chars().next().expect("a letter")), Pair::new(family, 1))
                .ending_at(Some(end));
            object.insert("claudeAiOauth".to_owned(), login.oauth());
        });
        house.engine().capture(Some(profile), false).expect("captured");
    }
    house.switch("a");
    assert_eq!(house.world.live(), "A1");
    assert_eq!(std::fs::read_to_string(&path).expect("a state file"), large, "nothing in it was to be changed");
}

/// A clock that jumps by hours each time that it is looked at.
struct Jumping(AtomicI64, i64);

impl Jumping {
    fn jumped(&self) -> jiff::Timestamp {
        let turn = self.0.fetch_add(1, Ordering::Relaxed) % 3;
        jiff::Timestamp::now() + jiff::SignedDuration::from_hours(self.1 * turn)
    }
}

impl clauth_host::Time for Jumping {
    fn now(&self) -> jiff::Timestamp {
        self.jumped()
    }
    fn file_now(&self) -> jiff::Timestamp {
        self.jumped()
    }
    fn monotonic(&self) -> Duration {
        Clock::system().monotonic()
    }
    fn sleep(&self, time: Duration) {
        std::thread::sleep(time.min(Duration::from_millis(20)));
    }
}

#[test]
fn a_clock_that_steps_by_hours_moves_no_login() {
    for hours in [5, -5, 30] {
        let house = House::two("clock");
        let clock = Clock::new(Jumping(AtomicI64::new(0), hours));
        let engine = || {
            let mut engine = house.engine();
            (engine.host.clock, engine.disk.clock) = (clock.clone(), clock.clone());
            engine
        };
        for (name, live) in [("a", "A1"), ("b", "B1"), ("a", "A1")] {
            engine().switch(Target::Named(name), Options::default()).unwrap_or_else(|error| panic!("{hours}: {error}"));
            assert_eq!(house.world.live(), live, "{hours}");
        }
        engine().undo(false).unwrap_or_else(|error| panic!("{hours}: {error}"));
        assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("B1", "A1"), "{hours}");
        assert!(house.vault().is_empty(), "{hours}");
        assert_one_holder(&house);
    }
}

fn odd_engine(house: &House, odd: Odd<Unsynced<RealVfs>>) -> Engine {
    house.engine_on(Arc::new(odd))
}

/// macOS and Windows: `Work` and `work` are one directory there.
#[test]
fn where_letters_case_does_not_count_nothing_is_mixed_up() {
    let house = House::new("folding");
    let engine = || odd_engine(&house, Odd::folding(Unsynced(RealVfs)));
    for (account, name) in [(Account::a(), "Work"), (Account::b(), "home")] {
        house.sign_in(&account);
        engine().capture(Some(name), false).expect("captured");
    }
    house.sign_in(&Account::c());
    assert_eq!(engine().capture(Some("WORK"), false).map(drop).expect_err("another account").kind(), Kind::Protected);
    assert_eq!(engine().rename("home", "wOrK").map(drop).expect_err("taken").kind(), Kind::Name);
    let switch = |name: &str| engine().switch(Target::Named(name), Options::default()).expect("a switch");
    switch("HOME");
    switch("work");
    assert_eq!((house.world.live().as_str(), house.slot("home").as_str()), ("A1", "B1"));
    engine().rename("Work", "work").expect("another spelling");
    assert_eq!(engine().names().expect("names"), ["work", "home"]);
    switch("home");
    assert_eq!((house.world.live().as_str(), house.slot("work").as_str()), ("B1", "A1"));
    engine().remove("WORK", false).expect("removed");
    assert_eq!(engine().names().expect("names"), ["home"]);
    assert_one_holder(&house);
}

/// A home on a FAT disk or a share: no links, no exchange, and a clock of two seconds.
#[test]
fn where_there_are_no_links_a_switch_is_a_switch() {
    let house = House::two("no-links");
    let engine = || odd_engine(&house, Odd::without_links(Unsynced(RealVfs)));
    let link: PathBuf = house.world.home().join("link");
    assert!(engine().disk.vfs.symlink(Path::new("x"), &link).is_err());
    for (name, live) in [("a", "A1"), ("b", "B1")] {
        engine().switch(Target::Named(name), Options::default()).expect("a switch");
        assert_eq!(house.world.live(), live);
    }
    let session = engine().begin("a").expect("a session of copies");
    assert_eq!(house.world.login_at(&session.config_dir().join(".credentials.json")), "A1");
    assert!(session.end().is_empty());
    engine().undo(false).expect("undone");
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str()), ("A1", "B1"));
    assert_one_holder(&house);
}

/// A profile that `profiles.toml` lists twice is one profile, and no twin of itself whose copy would go to the vault.
#[test]
fn a_profile_that_is_listed_twice_keeps_its_login() {
    let mut cases: Vec<(&str, &str, bool)> = vec![("the same word twice", "[\"a\", \"a\", \"b\"]", false)];
    if cfg!(unix) {
        cases.push(("two spellings of one directory", "[\"a\", \"b\", \"A\"]", true));
    }
    for (name, listed, is_linked) in cases {
        let house = House::two("h-twice");
        let roster = house.world.root().join("profiles.toml");
        let text = std::fs::read_to_string(&roster).expect("a list");
        std::fs::write(&roster, text.replace("[\"a\", \"b\"]", listed)).expect("own file");
        #[cfg(unix)]
        if is_linked {
            std::os::unix::fs::symlink("a", house.world.root().join("profiles/A")).expect("a link");
        }
        assert!(std::fs::read_to_string(&roster).expect("a list").contains(listed), "{name}");
        assert_eq!(house.engine().names().expect("names"), ["a", "b"], "{name}");
        house.try_switch("a").expect(name);
        assert_eq!((house.world.live().as_str(), house.vault()), ("A1", vec![]), "{name}");
        house.try_switch("b").expect(name);
        assert_eq!((house.world.live().as_str(), house.slot("a").as_str()), ("B1", "A1"), "{name}");
        let _ = is_linked;
    }
}

/// A clock that notes what is waited for, and waits for nothing.
struct Patient(Arc<AtomicI64>);

impl clauth_host::Time for Patient {
    fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn file_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
    fn monotonic(&self) -> Duration {
        Clock::system().monotonic()
    }
    fn sleep(&self, time: Duration) {
        self.0.fetch_add(i64::try_from(time.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

fn examine(engine: &Engine) -> Result<(), Error> {
    let _examination = engine.examine(Err("none"));
    Ok(())
}

/// A torn login is read again for one second, and then the command stops (protocols, part 2).
#[test]
fn a_torn_login_is_waited_for_once() {
    let house = House::two("h-torn");
    std::fs::write(house.world.credentials_path(), "{\"claudeAiOauth\": {").expect("own file");
    let cases: [(&str, crate::faults::Act, Option<Kind>); 5] = [
        ("switch", crate::fault_cases::switch_to_a, Some(Kind::Unreadable)),
        ("capture", |engine| engine.capture(Some("b"), false).map(drop), Some(Kind::Unreadable)),
        ("undo", |engine| engine.undo(false).map(drop), Some(Kind::Nothing)),
        ("doctor", examine, None),
        ("remove", |engine| engine.remove("a", false).map(drop), None),
    ];
    for (name, act, refused) in cases {
        let waited = Arc::new(AtomicI64::new(0));
        let mut engine = house.engine();
        engine.disk.clock = Clock::new(Patient(Arc::clone(&waited)));
        assert_eq!(act(&engine).err().map(|error| error.kind()), refused, "{name}");
        assert!(waited.load(Ordering::Relaxed) <= 1000, "{name}: {waited:?} milliseconds");
    }
}

/// One profile's directory that may not be entered is one finding, which names it, and blocks nobody.
#[test]
fn a_profile_that_may_not_be_entered_is_one_thing_to_be_told() {
    let house = House::two("barred");
    let directory = house.world.root().join("profiles").join("a");
    let engine = || odd_engine(&house, Odd::barring(Unsynced(RealVfs), directory.clone()));
    let findings = engine().examine(Err("not looked for")).findings;
    let of_it: Vec<_> =
        findings.iter().filter(|finding| finding.message.contains(&directory.display().to_string())).collect();
    let [finding] = of_it.as_slice() else { panic!("{of_it:?}") };
    assert_eq!((finding.rule.id, finding.message.ends_with("permission denied")), ("profile-unreadable", true));
    assert!(finding.message.starts_with(&format!("{} ", directory.display())), "{}", finding.message);
    let accounts = engine().list().expect("a list").accounts;
    assert_eq!((accounts[0].state.word(), accounts[1].state.word()), ("unreadable", "ok"));
    engine().switch(Target::Named("b"), Options::default()).expect("the others are not affected");
}
