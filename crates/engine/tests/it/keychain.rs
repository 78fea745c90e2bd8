//! The live login and a session's as Keychain items: capture, switch, undo, sessions and sign-in, and what goes wrong.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clauth_durable::vfs::{RealVfs, Vfs};
use clauth_durable::{Items, Trouble};
use clauth_engine::{Engine, Kind, Options, Target};
use clauth_sandbox::world::Snapshot;
use clauth_sandbox::{Account, describe};
use jiff::Timestamp;

use crate::custody::assert_one_holder;
use crate::house::{House, Unsynced};

/// Items as files behind a [`Vfs`], so that each of their effects can be made to fail. They are the files of the sandbox's
/// own tool.
pub(crate) struct Folder {
    vfs: Arc<dyn Vfs>,
    dir: PathBuf,
}

impl Folder {
    pub(crate) fn new(vfs: Arc<dyn Vfs>, dir: PathBuf) -> Self {
        Self { vfs, dir }
    }
}

fn trouble(error: &std::io::Error) -> Trouble {
    Trouble { why: error.to_string(), next: "try again".into() }
}

impl Items for Folder {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        match self.vfs.read(&self.dir.join(name), 1 << 20) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let temp = self.dir.join(".new");
        let put = || {
            let _ = std::fs::remove_file(&temp);
            let mut file = self.vfs.create(&temp, 0o600)?;
            let mut rest = bytes;
            while !rest.is_empty() {
                rest = &rest[file.write(rest)?..];
            }
            self.vfs.rename(&temp, &self.dir.join(name))
        };
        put().map_err(|error| {
            let _ = std::fs::remove_file(&temp);
            trouble(&error)
        })
    }

    fn remove(&self, name: &str) -> Result<bool, Trouble> {
        match self.vfs.remove_file(&self.dir.join(name)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(trouble(&error)),
        }
    }

    fn modified(&self, name: &str) -> Result<Option<Timestamp>, Trouble> {
        self.vfs.stat(&self.dir.join(name)).map(|stat| Some(stat.modified)).map_err(|error| trouble(&error))
    }
}

pub(crate) fn fresh() -> House {
    let house = House::with_keychain("k-fresh");
    house.sign_in(&Account::a());
    house
}

/// a and b captured, b live.
pub(crate) fn two() -> House {
    House::with_keychain("k-two").populated()
}

/// Claude Code has renewed b, whose end tells that it is b's.
pub(crate) fn rotated() -> House {
    let house = two();
    house.world.claude().rotate_offline();
    house
}

/// Claude Code keeps a copy of the item in the file beside it.
pub(crate) fn mirrored() -> House {
    let house = two();
    std::fs::copy(item(&house), house.world.credentials_path()).expect("a copy");
    assert!(is_mirrored(&house.world.snapshot()));
    house
}

/// Nobody's login is live.
pub(crate) fn stranger() -> House {
    let house = two();
    house.sign_in(&Account::c());
    house
}

fn items(house: &House) -> PathBuf {
    house.world.home().join("Library/Keychains")
}

fn item(house: &House) -> PathBuf {
    items(house).join("Claude Code-credentials")
}

/// What the file beside the item holds: whose access token, and whether with a refresh token.
fn file(house: &House) -> (String, bool) {
    let object = house.world.read_json(&house.world.credentials_path());
    let access = object["claudeAiOauth"]["accessToken"].as_str().unwrap_or("none").replace("sk-ant-oat01-FAKE-", "");
    (access, object["claudeAiOauth"]["refreshToken"].is_string())
}

/// Whether the file beside the item is the copy that Claude Code made of it.
pub(crate) fn is_mirrored(picture: &Snapshot) -> bool {
    let [item, file] =
        ["Library/Keychains/Claude Code-credentials", ".claude/.credentials.json"].map(|name| picture.get(name));
    item.is_some() && item == file
}

#[test]
fn a_login_moves_through_the_item_and_no_file_is_made() {
    let house = two();
    assert_eq!(house.loan("b"), "B1");
    let loan = house.world.read_json(&house.world.root().join("profiles/b/loan.json"));
    assert_eq!(loan["store"], "keychain");
    house.switch("a");
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str(), house.loan("b").as_str()), ("A1", "B1", "none"));
    house.engine().undo(false).expect("undone");
    assert_eq!((house.world.live().as_str(), house.loan("b").as_str()), ("B1", "B1"));
    house.world.claude().rotate_offline();
    house.switch("a");
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str()), ("A1", "B2"), "what was renewed came home");
    assert_one_holder(&house);
    assert!(!house.world.credentials_path().exists(), "no file is made where none was");
    house.engine().remove("b", false).expect("removed");
    assert_eq!(house.vault(), ["B2"]);
}

#[test]
fn machine_keys_stay_in_the_item() {
    let house = two();
    house.world.seed_mcp();
    house.switch("a");
    let object = house.world.read_json(&item(&house));
    assert_eq!(object["mcpOAuth"]["example-server|0123456789abcdef"]["refreshToken"], "FAKE-MCP-REFRESH");
    assert_eq!(object["pluginSecrets"]["demo-plugin"]["apiKey"], "FAKE-PLUGIN-SECRET");
    assert!(!std::fs::read(item(&house)).expect("readable").contains(&b'\n'), "one line, as Claude Code writes it");
}

#[test]
fn a_file_beside_the_item_follows_without_a_refresh_token() {
    let house = mirrored();
    let before = std::fs::metadata(house.world.credentials_path()).and_then(|meta| meta.modified()).expect("a time");
    house.switch("a");
    assert_eq!((house.world.live().as_str(), file(&house)), ("A1", ("A1".to_owned(), false)));
    let after = std::fs::metadata(house.world.credentials_path()).and_then(|meta| meta.modified()).expect("a time");
    assert!(after > before, "its time tells running sessions to look again (W5)");
    assert_one_holder(&house);
    assert_eq!(house.vault(), Vec::<String>::new(), "B1 is stored, so it needs no other place");
}

#[test]
fn another_login_in_the_file_beside_goes_to_the_vault() {
    let house = stranger();
    std::fs::copy(item(&house), house.world.credentials_path()).expect("C beside");
    let b = house.world.read_json(&house.world.root().join("profiles/b/loan.json"))["login"].to_string();
    std::fs::write(item(&house), b).expect("B in the item");
    assert_eq!(house.switch("a").from.as_deref(), Some("b"), "the item decides");
    assert_eq!(house.vault(), ["C1"]);
    assert_eq!(file(&house), ("A1".to_owned(), false));
}

#[test]
fn a_renewal_in_the_file_of_a_process_that_fell_back_is_taken_home() {
    let house = mirrored();
    let old = std::fs::read(item(&house)).expect("readable");
    house.world.claude().rotate_offline();
    std::fs::rename(item(&house), house.world.credentials_path()).expect("B2 in the file");
    std::fs::write(item(&house), old).expect("B1 in the item");
    assert_eq!(house.engine().list().expect("a list").active.as_deref(), Some("b"));
    house.switch("a");
    assert_eq!((house.slot("b").as_str(), house.world.live().as_str()), ("B2", "A1"));
    assert!(house.engine().custody(Some("b")).expect("custody")[0].spent.len() == 1, "B1 is used up");
    assert_one_holder(&house);
}

#[test]
fn a_login_in_the_file_alone_is_live_and_the_item_is_made_by_the_switch() {
    let house = two();
    std::fs::rename(item(&house), house.world.credentials_path()).expect("no item");
    house.switch("a");
    assert_eq!((describe(&house.world.read_json(&item(&house))).as_str(), house.slot("b").as_str()), ("A1", "B1"));
    assert_eq!(file(&house), ("A1".to_owned(), false));
    assert_one_holder(&house);
}

/// Items of which some calls answer with an error, and all are counted.
struct Odd {
    items: Folder,
    reads: AtomicUsize,
    fails: Mutex<&'static str>,
}

impl Odd {
    fn fail(&self, doing: &str) -> Result<(), Trouble> {
        let failing = *self.fails.lock().expect("not poisoned") == doing;
        if failing { Err(Trouble { why: "it is locked".into(), next: "unlock it".into() }) } else { Ok(()) }
    }
}

impl Items for Odd {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.fail("read")?;
        self.items.read(name)
    }
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        self.fail("write")?;
        let fails = *self.fails.lock().expect("not poisoned");
        if fails.ends_with("half") && bytes.len() > 40 {
            // Only the first is cut: what puts it right again is whole.
            if fails == "half" {
                *self.fails.lock().expect("not poisoned") = "";
            }
            return self.items.write(name, &bytes[..40]);
        }
        self.items.write(name, bytes)
    }
    fn remove(&self, name: &str) -> Result<bool, Trouble> {
        self.fail("remove")?;
        self.items.remove(name)
    }
    fn modified(&self, name: &str) -> Result<Option<Timestamp>, Trouble> {
        self.items.modified(name)
    }
}

fn odd(house: &House, fails: &'static str) -> (Engine, Arc<Odd>) {
    let items = Folder::new(Arc::new(Unsynced(RealVfs)), items(house));
    let odd = Arc::new(Odd { items, reads: AtomicUsize::new(0), fails: Mutex::new(fails) });
    let mut engine = house.engine();
    engine.disk.items = Some(Arc::clone(&odd) as Arc<dyn Items>);
    (engine, odd)
}

#[test]
fn a_keychain_that_refuses_changes_nothing_and_is_told() {
    for (fails, kind) in [("read", Kind::Unreadable), ("write", Kind::Io), ("half", Kind::Io)] {
        let house = mirrored();
        let before = house.picture();
        let (engine, _) = odd(&house, fails);
        let error = engine.switch(Target::Named("a"), Options::default()).err().expect("refused");
        assert_eq!(error.kind(), kind, "{fails}: {error}");
        assert!(error.place().is_some_and(|place| place.contains("Claude Code-credentials")), "{fails}");
        assert!(!error.hints().is_empty() && !error.to_string().contains("FAKE"), "{fails}");
        assert_eq!(house.picture(), before, "{fails}");
        assert_eq!(file(&house), ("B1".to_owned(), true), "{fails}");
    }
}

#[test]
fn an_item_that_could_not_be_put_back_is_put_back_by_the_next_command() {
    let house = two();
    house.world.seed_mcp();
    let whole = std::fs::read(item(&house)).expect("readable");
    let (engine, _) = odd(&house, "always half");
    let error = engine.switch(Target::Named("a"), Options::default()).err().expect("refused");
    assert_eq!(error.kind(), Kind::Io, "{error}");
    assert_eq!(std::fs::read(item(&house)).expect("readable").len(), 40);
    house.switch("a");
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str()), ("A1", "B1"));
    let object = house.world.read_json(&item(&house));
    assert_eq!(object["mcpOAuth"]["example-server|0123456789abcdef"]["refreshToken"], "FAKE-MCP-REFRESH");
    house.switch("b");
    assert_eq!(
        house.world.read_json(&item(&house)),
        serde_json::from_slice::<serde_json::Value>(&whole).expect("JSON")
    );
    assert_one_holder(&house);
}

#[test]
fn looking_asks_once_for_an_item() {
    let house = rotated();
    type Look = fn(&Engine);
    let looks: [(&str, Look); 4] = [
        ("list", |engine| assert_eq!(engine.list().expect("a list").active.as_deref(), Some("b"))),
        ("which", |engine| assert_eq!(engine.which().expect("an answer").profile.as_deref(), Some("b"))),
        ("custody", |engine| drop(engine.custody(None).expect("custody"))),
        ("sessions", |engine| drop(engine.sessions().expect("sessions"))),
    ];
    for (name, look) in looks {
        let (engine, odd) = odd(&house, "");
        look(&engine);
        assert_eq!(odd.reads.load(Ordering::Relaxed), 1, "{name}");
    }
}

#[test]
fn bytes_that_are_no_login_are_kept_aside_before_another_one_is_put_there() {
    let house = two();
    let torn = br#"{"claudeAiOauth":{"accessToken":"sk-ant-oat01-FAKE-B1","refreshTok"#;
    std::fs::write(item(&house), torn).expect("a torn item");
    let error = house.try_switch("a").err().expect("refused");
    assert_eq!(error.kind(), Kind::Unreadable);
    assert!(error.hints().iter().any(|hint| hint.contains("--force")), "{:?}", error.hints());
    assert_eq!(std::fs::read(item(&house)).expect("as it was"), torn);
    let options = Options { force: true, ..Options::default() };
    let report = house.engine().switch(Target::Named("a"), options).expect("a switch");
    assert!(report.warnings.iter().any(|warning| warning.contains("unreadable-")), "{:?}", report.warnings);
    let vault = house.world.root().join("vault");
    let kept = std::fs::read_dir(vault).expect("a vault").flatten().map(|entry| entry.path());
    let kept: Vec<PathBuf> = kept.filter(|path| path.to_string_lossy().contains("unreadable-")).collect();
    assert_eq!(std::fs::read(&kept[0]).expect("kept"), torn);
    assert_eq!((house.world.live().as_str(), house.slot("b").as_str()), ("A1", "B1"));
}

#[test]
fn the_name_of_the_home_counts_since_each_name_has_an_item() {
    let house = two();
    let mut engine = house.engine();
    let named = (String::from("CLAUDE_CONFIG_DIR").into(), house.world.claude_dir().into_os_string());
    let pairs = engine.host.env.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
    engine.host.env = pairs.chain([named]).collect();
    let error = engine.switch(Target::Named("a"), Options::default()).err().expect("another home");
    assert_eq!(error.kind(), Kind::Protected, "{error}");
    let mut files = house.engine();
    files.disk.items = None;
    assert_eq!(
        files.switch(Target::Named("a"), Options::default()).err().expect("another store").kind(),
        Kind::Protected
    );
    assert_eq!(house.world.live(), "B1");
}

fn session_item(house: &House, config: &Path) -> PathBuf {
    house.world.claude_in(config).dirs().item().expect("a machine with a Keychain")
}

/// S8: the item of the tree's exported path is the session's credential; the end harvests it, and deletes what we made.
#[test]
fn a_session_has_an_item_of_its_own_until_it_ends() {
    let house = two();
    let session = house.engine().begin("a").expect("a session");
    let own = session_item(&house, session.config_dir());
    assert_eq!(house.world.login_at(&own), "A1");
    assert!(!session.config_dir().join(".credentials.json").exists(), "no file is made");
    house.world.claude_in(session.config_dir()).rotate_offline();
    assert_eq!(house.world.login_at(&own), "A2");
    let _ = session.end();
    assert_eq!(house.slot("a"), "A2", "what was renewed came home");
    assert!(!own.exists(), "what we made is removed");
    assert_eq!(house.world.live(), "B1");
}

/// S8: loans go to the item.
#[test]
fn a_session_of_the_live_account_has_a_bearer_copy_which_a_switch_away_makes_whole() {
    let house = two();
    let session = house.engine().begin("b").expect("a session");
    let own = session_item(&house, session.config_dir());
    assert_eq!(house.world.read_json(&own)["claudeAiOauth"].get("refreshToken"), None);
    assert_one_holder(&house);
    house.switch("a");
    assert_eq!(house.world.login_at(&own), "B1", "its login is its own now");
    assert_one_holder(&house);
    let _ = session.end();
    assert!(!own.exists());
}

/// S8: a start harvests what was left over, and the end deletes only what is recorded as ours.
#[test]
fn a_left_over_item_is_harvested_before_it_is_overwritten() {
    let house = two();
    // An item's name is made of the path as it is written.
    let tree = house.world.root().join("profiles").join("a").join("runtime");
    let own = session_item(&house, &tree);
    house.world.claude_in(&tree).sign_in(&Account::c()).expect("a sign-in long ago");
    std::fs::remove_dir_all(&tree).expect("only the item is left");
    let session = house.engine().begin("a").expect("a session");
    assert_eq!(house.world.login_at(&own), "A1");
    assert_eq!(house.vault(), ["C1"]);
    let _ = session.end();
    assert_eq!(house.world.login_at(&own), "none", "it was there before us: signed out, not removed");
    assert_one_holder(&house);
}

/// S8: the item first, then a file that exists.
#[test]
fn a_login_that_fell_back_to_a_file_in_a_session_comes_home_too() {
    let house = two();
    let session = house.engine().begin("a").expect("a session");
    let own = session_item(&house, session.config_dir());
    house.world.claude_in(session.config_dir()).rotate_offline();
    std::fs::rename(&own, session.config_dir().join(".credentials.json")).expect("fallen back");
    let _ = session.end();
    assert_eq!(house.slot("a"), "A2");
    assert!(!own.exists());
}

/// S9: the private directory goes with its item.
#[test]
fn a_sign_in_beside_the_live_login_leaves_no_item() {
    let house = two();
    let taken = house.engine().login("c", false, |dir: &Path| {
        house.world.claude_in(dir).sign_in(&Account::c()).expect("a sign-in");
        assert_eq!(std::fs::read_dir(items(&house)).expect("readable").count(), 2);
        Ok::<(), clauth_engine::Error>(())
    });
    assert!(taken.expect("taken over").created);
    assert_eq!(house.slot("c"), "C1");
    let left: Vec<_> = std::fs::read_dir(items(&house)).expect("readable").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["Claude Code-credentials"]);
}
