//! `adopt --from claude-swap`: what comes in, what does not, and that nothing of that tool's is changed.

use clauth_engine::{Adoption, Error, Fate, Kind, State};
use clauth_sandbox::world::encode;
use clauth_sandbox::{Account, Login, Pair};
use serde_json::{Value, json};

use crate::custody::assert_one_holder;
use crate::house::House;

fn login(family: &str) -> Login {
    let account = Account::of_family(family).expect("an account");
    Login::new(&account, Pair::new(family, 1))
}

fn store(house: &House, families: &[&str]) {
    let logins: Vec<Login> = families.iter().map(|family| login(family)).collect();
    house.world.swap_store(&logins);
}

fn adopt(house: &House) -> Result<Adoption, Error> {
    house.engine().adopt_swap(None)
}

fn fates(adoption: &Adoption) -> Vec<(&str, Fate)> {
    adoption.adoptees.iter().map(|one| (one.name.as_str(), one.fate)).collect()
}

/// The other tool's files, as they were.
fn theirs(house: &House) -> Vec<(String, clauth_sandbox::world::Entry)> {
    let picture = clauth_sandbox::world::snapshot(&house.world.swap_dir()).expect("a store");
    picture.into_iter().collect()
}

#[test]
fn every_account_becomes_a_profile_and_nothing_of_the_other_tool_changes() {
    let house = House::new("swap");
    store(&house, &["A", "B"]);
    let before = theirs(&house);
    let untouched = house.world.snapshot();
    let planned = house.engine().adoptable_swap(None).expect("a plan");
    assert_eq!(house.world.snapshot(), untouched, "looking writes nothing");
    assert_eq!(fates(&planned), [("alice", Fate::Taken), ("bob", Fate::Taken)]);
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), fates(&planned));
    assert!(done.changed && done.warnings[0].contains("do not use claude-swap"), "{:?}", done.warnings);
    assert_eq!((house.slot("alice").as_str(), house.slot("bob").as_str()), ("A1", "B1"));
    let listing = house.engine().list().expect("a list");
    let alice = &listing.accounts[0];
    assert_eq!((alice.email.as_deref(), alice.proven), (Some("alice@example.invalid"), false));
    assert_eq!(theirs(&house), before);
    let again = adopt(&house).expect("once more");
    assert_eq!(fates(&again), [("alice", Fate::Known), ("bob", Fate::Known)]);
    assert!(!again.changed);
    house.switch("bob");
    assert_eq!(house.world.live(), "B1");
}

#[test]
fn a_login_that_is_live_goes_in_as_lent() {
    let house = House::new("swap-live");
    let signed_in = house.world.sign_in(&Account::b());
    house.world.swap_store(&[login("A"), signed_in]);
    let before = std::fs::read(house.world.credentials_path()).expect("a login");
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), [("alice", Fate::Taken), ("bob", Fate::Lent)]);
    assert_eq!((house.slot("bob").as_str(), house.loan("bob").as_str()), ("B1 bearer", "B1"));
    assert_eq!(std::fs::read(house.world.credentials_path()).expect("a login"), before, "the live file is not touched");
    assert_one_holder(&house);
    house.world.claude().rotate_offline();
    house.switch("alice");
    assert_eq!((house.world.live().as_str(), house.slot("bob").as_str()), ("A1", "B2"));
}

/// What the other tool kept of the live account is an ancestor by then.
#[test]
fn a_live_login_that_was_renewed_since_is_taken_in_the_place_of_the_kept_one() {
    let house = House::new("swap-renewed");
    let signed_in = house.world.sign_in(&Account::b());
    house.world.swap_store(&[signed_in]);
    house.world.claude().rotate_offline();
    let file = std::fs::File::options().write(true).open(house.world.credentials_path()).expect("a login");
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(60)).expect("own file");
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), [("bob", Fate::Lent)]);
    assert_eq!((house.loan("bob").as_str(), house.vault()), ("B2", Vec::<String>::new()));
    house.switch("bob");
}

#[test]
fn an_account_that_is_a_profile_already_keeps_its_own_login() {
    let house = House::two("swap-known");
    let again = Login::new(&Account::a(), Pair::new("AB", 1));
    house.world.swap_store(&[again, login("C"), login("C")]);
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), [("a", Fate::Known), ("carol", Fate::Taken), ("carol", Fate::Known)]);
    assert_eq!((house.slot("a").as_str(), house.slot("carol").as_str()), ("A1", "C1"));
    assert_eq!(house.world.live(), "B1");
}

#[test]
fn one_account_in_two_organizations_is_two_profiles() {
    let house = House::new("swap-orgs");
    store(&house, &["A", "AXP"]);
    assert_eq!(fates(&adopt(&house).expect("adopted")), [("alice", Fate::Taken), ("alice-2", Fate::Taken)]);
}

#[test]
fn tokens_keys_disabled_accounts_and_empty_ones_are_told_apart() {
    let house = House::new("swap-kinds");
    store(&house, &["A", "B", "C"]);
    let account = |family: &str| Account::of_family(family).expect("an account").email;
    house.world.swap_credential("1", &account("A"), &encode(b"sk-ant-oat01-FAKE-SETUP"));
    house.world.swap_credential("2", &account("B"), &encode(b"sk-ant-api03-FAKE-KEY"));
    std::fs::remove_file(house.world.swap_dir().join("credentials").join(format!(".creds-3-{}.enc", account("C"))))
        .expect("a credential");
    house.world.edit_json(&house.world.swap_dir().join("sequence.json"), |list| {
        list["accounts"]["2"]["disabled"] = true.into();
        list["sequence"] = json!([2, 1, 3]);
    });
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), [("bob", Fate::Taken), ("alice", Fate::Taken), ("carol", Fate::NoLogin)]);
    let listing = house.engine().list().expect("a list");
    let kinds: Vec<(&str, &str, bool)> =
        listing.accounts.iter().map(|one| (one.name.as_str(), one.kind.word(), one.enabled)).collect();
    assert_eq!(kinds, [("bob", "endpoint", false), ("alice", "token", true)]);
    let again = adopt(&house).expect("once more");
    assert_eq!(fates(&again), [("bob", Fate::Known), ("alice", Fate::Known), ("carol", Fate::NoLogin)]);
    assert!(!again.changed);
}

#[test]
fn an_export_says_the_same_as_the_store() {
    let house = House::new("swap-export");
    let path = house.world.home().join("export.json");
    let mut export = clauth_sandbox::World::swap_export(&[login("A"), login("B")]);
    export["accounts"][1]["alias"] = "Work Mail".into();
    export["accounts"][0]["credentials"] = export["accounts"][0]["credentials"].to_string().into();
    std::fs::write(&path, export.to_string()).expect("an export");
    let done = house.engine().adopt_swap(Some(&path)).expect("adopted");
    assert_eq!(fates(&done), [("alice", Fate::Taken), ("Work-Mail", Fate::Taken)]);
    assert_eq!((house.slot("alice").as_str(), house.slot("Work-Mail").as_str()), ("A1", "B1"));
}

/// Name, kind of refusal, and what is done to the store.
type Bad<'a> = (&'a str, Kind, &'a dyn Fn(&House));

/// Each is refused before the first write, in words without a secret.
#[test]
fn what_cannot_be_right_is_refused_whole() {
    let edit = |house: &House, edit: &dyn Fn(&mut Value)| {
        let path = house.world.swap_dir().join("sequence.json");
        let mut list = house.world.read_json(&path);
        edit(&mut list);
        house.world.swap_list(&list);
    };
    let alice = Account::a().email;
    let rows: [Bad<'_>; 10] = [
        ("a credential that is no base64", Kind::Unreadable, &|house| {
            house.world.swap_credential("1", &alice, "sk-ant-ort01-FAKE!");
        }),
        ("half a credential", Kind::Unreadable, &|house| {
            house.world.swap_credential(
                "1",
                &alice,
                &encode(b"{\"claudeAiOauth\": {\"accessToken\": \"sk-ant-oat01-FAKE"),
            );
        }),
        ("an e-mail that is a path", Kind::Unreadable, &|house| {
            edit(house, &|list| list["accounts"]["2"]["email"] = "../../.claude/x".into());
        }),
        ("a number that is none", Kind::Unreadable, &|house| {
            edit(house, &|list| {
                let entry = list["accounts"]["1"].clone();
                list["accounts"]["../1"] = entry;
            });
        }),
        ("an account that is no object", Kind::Unreadable, &|house| {
            edit(house, &|list| list["accounts"]["3"] = 7.into());
        }),
        ("a list that is no JSON", Kind::Unreadable, &|house| {
            std::fs::write(house.world.swap_dir().join("sequence.json"), "{\"acc").expect("a list");
        }),
        ("JSON of a great depth", Kind::Unreadable, &|house| {
            std::fs::write(house.world.swap_dir().join("sequence.json"), "[".repeat(200_000)).expect("a list");
        }),
        ("a config that is no JSON", Kind::Unreadable, &|house| {
            let path = house.world.swap_dir().join("configs").join(format!(".claude-config-1-{alice}.json"));
            std::fs::write(path, "{").expect("a config");
        }),
        ("no account", Kind::Nothing, &|house| house.world.swap_list(&json!({"sequence": [], "accounts": {}}))),
        ("no list", Kind::Nothing, &|house| {
            std::fs::remove_file(house.world.swap_dir().join("sequence.json")).expect("a list");
        }),
    ];
    for (name, kind, spoil) in rows {
        let house = House::new("swap-bad");
        store(&house, &["A", "B"]);
        spoil(&house);
        let before = house.world.snapshot();
        let refused = adopt(&house).map(drop).expect_err(name);
        assert_eq!(refused.kind(), kind, "{name}: {refused}");
        let said = format!("{refused} {:?} {:?}", refused.place(), refused.hints());
        assert!(!said.contains("FAKE"), "{name}: {said}");
        assert_eq!(house.world.snapshot(), before, "{name}");
    }
    let house = House::new("swap-none");
    assert_eq!(adopt(&house).map(drop).expect_err("no store").kind(), Kind::Nothing);
}

#[test]
fn exports_that_are_none_are_refused() {
    let house = House::new("swap-exports");
    let path = house.world.home().join("export.json");
    for (name, text, word) in [
        ("encrypted", json!({"version": 1, "encrypted": true, "accounts": "FAKE"}).to_string(), "encrypted"),
        ("encrypted, in another word", json!({"version": 1, "encrypted": "aes", "data": ""}).to_string(), "encrypted"),
        ("of another version", json!({"version": 2, "encrypted": false, "accounts": []}).to_string(), "version 2"),
        ("without a version", json!({"accounts": []}).to_string(), "cannot be read"),
        ("no JSON", "PK\u{3}\u{4}".to_owned(), "cannot be read"),
        ("empty", String::new(), "cannot be read"),
    ] {
        std::fs::write(&path, text).expect("an export");
        let refused = house.engine().adopt_swap(Some(&path)).map(drop).expect_err(name);
        assert!(refused.to_string().contains(word), "{name}: {refused}");
    }
    let file = std::fs::File::create(&path).expect("an export");
    file.set_len(17 << 20).expect("a large file");
    assert_eq!(house.engine().adopt_swap(Some(&path)).map(drop).expect_err("huge").kind(), Kind::Io);
    let missing = house.world.home().join("nowhere.json");
    assert_eq!(house.engine().adopt_swap(Some(&missing)).map(drop).expect_err("missing").kind(), Kind::Nothing);
}

#[cfg(unix)]
#[test]
fn traps_in_the_place_of_files_are_refused_at_once() {
    use std::os::unix::fs::symlink;
    let house = House::new("swap-traps");
    store(&house, &["A"]);
    let path = house.world.swap_dir().join("credentials").join(format!(".creds-1-{}.enc", Account::a().email));
    let rows: [(&str, &dyn Fn()); 4] = [
        ("a circle of links", &|| symlink(&path, &path).expect("a link")),
        ("a device", &|| symlink("/dev/zero", &path).expect("a link")),
        ("a FIFO", &|| {
            let made = std::process::Command::new("mkfifo").arg(&path).status();
            assert!(made.is_ok_and(|status| status.success()), "mkfifo");
        }),
        ("a directory", &|| std::fs::create_dir(&path).expect("a directory")),
    ];
    for (name, put) in rows {
        let _ = std::fs::remove_file(&path);
        put();
        let before = house.world.snapshot();
        assert_eq!(adopt(&house).map(drop).expect_err(name).kind(), Kind::Io, "{name}");
        assert_eq!(house.world.snapshot(), before, "{name}");
    }
}

#[test]
fn a_used_up_login_is_not_brought_in() {
    let house = House::two("swap-spent");
    house.world.claude().rotate_offline();
    house.switch("a");
    house.engine().remove("b", false).expect("removed");
    store(&house, &["B"]);
    let done = adopt(&house).expect("adopted");
    assert_eq!(fates(&done), [("bob", Fate::NoLogin)]);
    let listing = house.engine().list().expect("a list");
    assert!(listing.accounts.iter().all(|one| one.state == State::Ok));
}
