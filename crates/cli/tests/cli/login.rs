//! Signing in beside the live login (S9).

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use clauth_sandbox::{Account, Output};
use serde_json::Value;

use crate::stage::{PROGRAM, Stage, finish};
#[cfg(unix)]
use crate::{stage::kill, start::soon};

const TOKEN: &str = "sk-ant-oat01-FAKE-SETUP";

/// A home in which `claude` is installed.
fn with_claude(stage: Stage) -> Stage {
    let _ = stage.world.install_claude(Path::new(PROGRAM)).expect("a claude");
    stage
}

fn two(name: &str) -> Stage {
    with_claude(Stage::two_with_server(name))
}

/// `clauth login` with these words, where an account signs in.
fn sign_in(stage: &Stage, words: &[&str], account: &str) -> Output {
    let mut command = stage.command(&[&["login"], words].concat());
    command.env("FAKE_LOGIN_ACCOUNT", account);
    finish(command)
}

/// The command with a text on its standard input.
fn fed(mut command: Command, stage: &Stage, text: &str) -> Output {
    let path = stage.world.home().join("input");
    std::fs::File::create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("an input");
    command.stdin(Stdio::from(std::fs::File::open(&path).expect("an input")));
    let output = finish(command);
    std::fs::remove_file(path).expect("an input");
    output
}

fn vault(stage: &Stage) -> Vec<String> {
    let entries = stage.json(&["vault"])["vault"].as_array().cloned().unwrap_or_default();
    let file = |entry: &Value| {
        stage.world.root().join("vault").join(format!("{}.json", entry["id"].as_str().unwrap_or_default()))
    };
    let mut all: Vec<String> =
        entries.iter().map(|entry| clauth_sandbox::describe(&stage.world.read_json(&file(entry))["login"])).collect();
    all.sort();
    all
}

fn loan(stage: &Stage, name: &str) -> String {
    let loan = stage.world.read_json(&stage.world.root().join("profiles").join(name).join("loan.json"));
    if loan.is_null() { "none".into() } else { clauth_sandbox::describe(&loan["login"]) }
}

/// No private directory is left.
fn assert_cleared(stage: &Stage) {
    let left = std::fs::read_dir(stage.world.root().join("login")).map(Iterator::count);
    assert_eq!(left.unwrap_or(0), 0, "a sign-in's directory is left");
}

#[test]
fn a_new_profile_is_signed_in_beside_the_live_one() {
    let stage = two("i-new");
    let (live, state) = (stage.world.credentials_path(), stage.world.state_path());
    let before = [&live, &state].map(|path| std::fs::read(path).expect("a file"));
    let mut command = stage.command(&["login", "c", "--json"]);
    command.env("FAKE_LOGIN_ACCOUNT", "C").env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE");
    command.env("CLAUDE_SECURESTORAGE_CONFIG_DIR", "").env("CLAUDE_CODE_OAUTH_REFRESH_TOKEN", "sk-ant-ort01-FAKE");
    let output = finish(command).success();
    let document = output.json();
    assert_eq!(
        (&document["created"], &document["proven"], &document["email"]),
        (&true.into(), &true.into(), &"carol@example.invalid".into())
    );
    assert_eq!(output.stderr.matches("ANTHROPIC_API_KEY").count(), 1, "{}", output.stderr);
    for name in ["CLAUDE_SECURESTORAGE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_REFRESH_TOKEN"] {
        assert!(output.stderr.contains(name), "{}", output.stderr);
    }
    assert!(!output.stderr.contains("sk-ant-"), "{}", output.stderr);
    assert_eq!((stage.slot("c").as_str(), loan(&stage, "c").as_str()), ("C1", "none"));
    assert_eq!([&live, &state].map(|path| std::fs::read(path).expect("a file")), before, "the live home is untouched");
    assert_cleared(&stage);
    stage.ok(&["switch", "c"]);
    assert_eq!(stage.world.live(), "C1");
    stage.server.as_ref().expect("a server").assert_clean();
}

#[test]
fn a_parked_profile_is_signed_in_anew_and_what_it_held_is_kept() {
    let stage = two("i-parked");
    let output = sign_in(&stage, &["A", "--json"], "A").success();
    assert_eq!((&output.json()["created"], &output.json()["waits"]), (&false.into(), &false.into()));
    assert_eq!((stage.slot("a").as_str(), vault(&stage)), ("AB1", vec!["A1".to_owned()]));
    assert_eq!(stage.world.live(), "B1");
    assert_cleared(&stage);
}

#[test]
fn a_lent_profile_keeps_its_loan_and_the_new_login_waits() {
    for (name, renewed) in [("as it was", false), ("renewed meanwhile", true)] {
        let stage = two("i-lent");
        let output = sign_in(&stage, &["b"], "B").success();
        assert!(output.stdout.contains("until: clauth switch b"), "{name}: {output:?}");
        assert_eq!((stage.slot("b").as_str(), loan(&stage, "b").as_str()), ("BB1", "B1"), "{name}");
        assert_eq!((stage.world.live().as_str(), vault(&stage).len()), ("B1", 0), "{name}");
        let comes_back = if renewed { "B2" } else { "B1" };
        if renewed {
            assert_eq!(stage.claude(&[]).send("refresh")["ok"], true, "{name}");
        }
        stage.ok(&["switch", "a"]);
        assert_eq!((stage.slot("b").as_str(), loan(&stage, "b").as_str()), ("BB1", "none"), "{name}");
        assert_eq!(vault(&stage), [comes_back], "{name}: it goes to the vault, not over the new one");
        stage.ok(&["switch", "b"]);
        assert_eq!(stage.world.live(), "BB1", "{name}");
        stage.server.as_ref().expect("a server").assert_clean();
    }
}

#[test]
fn a_login_that_waits_is_put_live_by_a_switch_or_at_once() {
    for (name, words, then) in [("later", &["b"][..], Some("b")), ("at once", &["b", "--yes"], None)] {
        let stage = two("i-live");
        let output = sign_in(&stage, words, "B").success();
        then.into_iter().for_each(|to| stage.ok(&["switch", to]));
        assert_eq!(stage.world.live(), "BB1", "{name}: {output:?}");
        assert_eq!((loan(&stage, "b").as_str(), vault(&stage)), ("BB1", vec!["B1".to_owned()]), "{name}");
        assert_eq!(stage.world.identity(), "B", "{name}");
        assert_eq!(stage.json(&["switch", "b"])["switched"], false, "{name}: nothing waits any more");
        assert_eq!(stage.json(&["undo"])["error"]["kind"], "nothing", "{name}: nobody was left");
    }
}

#[test]
fn another_accounts_login_is_refused_and_kept() {
    let stage = two("i-other");
    let output = sign_in(&stage, &["a", "--json"], "C").expect_code(5);
    assert_eq!(output.json()["error"]["kind"], "protected");
    assert!(output.json()["error"]["hints"].to_string().contains("vault restore"), "{output:?}");
    assert_eq!((stage.slot("a").as_str(), vault(&stage)), ("A1", vec!["C1".to_owned()]));
    assert_cleared(&stage);
    let id = stage.json(&["vault"])["vault"][0]["id"].as_str().expect("an id").to_owned();
    stage.ok(&["vault", "restore", &id, "--as", "carol"]);
    assert_eq!(stage.slot("carol"), "C1", "the hint works");

    let _ = sign_in(&stage, &["a", "--replace"], "D").success();
    assert_eq!((stage.slot("a").as_str(), vault(&stage)), ("D1", vec!["A1".to_owned()]));
    for (name, words, account) in [
        ("an account that another profile is", &["new"][..], "B"),
        ("the same, though asked for", &["a", "--replace"], "B"),
        ("a live profile, though asked for", &["b", "--replace"], "F"),
    ] {
        let kept = vault(&stage).len();
        let _ = sign_in(&stage, words, account).expect_code(5);
        assert_eq!(vault(&stage).len(), kept + 1, "{name}");
        assert_eq!((stage.slot("a").as_str(), loan(&stage, "b").as_str()), ("D1", "B1"), "{name}");
        assert_eq!(stage.world.live(), "B1", "{name}");
    }
}

#[test]
fn a_sign_in_that_fails_changes_nothing() {
    let stage = two("i-fail");
    let before = stage.world.snapshot();
    for (name, variable, value, code, kind) in [
        ("refused", "FAKE_LOGIN", "fail", 3, "nothing"),
        ("no claude", "CLAUTH_CLAUDE", "/nowhere/claude", 1, "not_installed"),
        ("none on PATH", "PATH", "/nowhere", 1, "not_installed"),
        ("not a program", "CLAUTH_CLAUDE", "/etc/passwd", 1, "not_installed"),
    ] {
        for json in [false, true] {
            let mut command = stage.command(if json { &["login", "a", "--json"] } else { &["login", "a"] });
            command.env(variable, value);
            let output = finish(command).expect_code(code);
            if json {
                assert_eq!(output.json()["error"]["kind"], kind, "{name}");
            }
            let mut changes = stage.changes(&before);
            changes.retain(|change| change != "+ .clauth/login");
            assert_eq!(changes, Vec::<String>::new(), "{name}");
            assert_cleared(&stage);
        }
    }
}

#[test]
fn a_sign_in_whose_clauth_was_killed_is_kept_by_the_next_one() {
    let stage = two("i-killed");
    let left = stage.world.root().join("login").join("2000000000-0123");
    std::fs::create_dir_all(&left).expect("a directory");
    stage.world.claude_in(&left).sign_in(&Account::c()).expect("a sign-in");
    let output = sign_in(&stage, &["a"], "A").success();
    assert!(output.stderr.contains("interrupted") || output.stderr.contains("vault"), "{output:?}");
    let mut kept = vault(&stage);
    kept.sort();
    assert_eq!(kept, ["A1", "C1"]);
    assert_cleared(&stage);
}

/// S9: what it is still going to write would be lost with its directory.
#[cfg(unix)]
#[test]
fn a_sign_in_that_still_waits_is_left_alone_when_its_clauth_was_killed() {
    let stage = two("i-waits");
    let mut command = stage.command(&["login", "c"]);
    command.env("CLAUTH_CLAUDE", stage.script("waits", "exec sleep 60", ""));
    let mut clauth = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a sign-in");
    let login = stage.world.root().join("login");
    let dir = || std::fs::read_dir(&login).ok()?.flatten().map(|entry| entry.path()).next();
    let record = || dir().map(|dir| stage.world.read_json(&dir.join(".clauth-sign-in.json")));
    soon("the record of the sign-in", || record().is_some_and(|record| record["pid"].is_u64()));
    let (dir, record) = (dir().expect("a directory"), record().expect("a record"));
    clauth.kill().expect("killed");
    let _ = clauth.wait().expect("its end");
    let _ = sign_in(&stage, &["a"], "A").success();
    let stands = dir.exists();
    stage.world.claude_in(&dir).sign_in(&Account::c()).expect("a sign-in");
    kill(u32::try_from(record["pid"].as_u64().expect("a process")).expect("an id"));
    assert!(stands, "the directory of a living process was removed");
    soon("the next one takes care of it", || {
        let _ = sign_in(&stage, &["b"], "B").success();
        vault(&stage).contains(&"C1".into())
    });
    assert_cleared(&stage);
}

#[test]
fn a_removed_profile_leaves_both_of_its_logins_in_the_vault() {
    let stage = two("i-removed");
    let _ = sign_in(&stage, &["b"], "B").success();
    stage.ok(&["rename", "b", "bob"]);
    assert_eq!(stage.slot("bob"), "BB1");
    stage.ok(&["remove", "bob", "--yes", "--force"]);
    assert_eq!(vault(&stage), ["B1", "BB1"]);
    assert_eq!(stage.world.live(), "B1");
}

#[test]
fn a_setup_token_becomes_a_profile_of_its_own_kind() {
    let stage = two("i-token");
    let asked = stage.server.as_ref().map(|server| server.requests().len());
    let give = |words: &[&str], text: &str| {
        let output = fed(stage.command(&[&["login"], words].concat()), &stage, text);
        assert!(!output.stdout.contains("sk-ant") && !output.stderr.contains("FAKE"), "{output:?}");
        output
    };
    let _ = give(&["ci", "--token"], &format!("Your OAuth token (valid for 1 year):\n{TOKEN}\n")).success();
    assert_eq!(stage.server.as_ref().map(|server| server.requests().len()), asked, "nobody is asked about it");
    let list = stage.json(&["list"]);
    let ci = &list["accounts"][2];
    assert_eq!((&ci["name"], &ci["kind"]), (&"ci".into(), &"token".into()));
    assert_eq!((&ci["custodian"], &ci["state"]), (&Value::Null, &"ok".into()));
    let file = stage.world.root().join("profiles").join("ci").join("token.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(give(&["ci", "--token", "--json"], TOKEN).success().json()["changed"], false, "the same again");
    let _ = give(&["ci", "--token"], &format!("{TOKEN}-TWO")).expect_code(5);
    let _ = give(&["ci", "--token", "--replace"], &format!("{TOKEN}-TWO")).success();
    assert!(std::fs::read_to_string(&file).expect("the file").contains("SETUP-TWO"));
    assert_eq!(stage.json(&["vault"])["vault"].as_array().map(Vec::len), Some(1));
    for (name, words, code) in [
        ("nothing given", &["new", "--token"][..], 2),
        ("a signed-in profile", &["a", "--token"], 5),
        ("a sign-in over a token", &["ci"], 5),
        ("a bad name", &["../x", "--token"], 2),
    ] {
        assert_eq!(give(words, "").code, Some(code), "{name}");
    }
    assert_eq!(stage.json(&["switch", "ci"])["error"]["kind"], "protected", "it is never live");
    stage.ok(&["rename", "ci", "robot"]);
    stage.ok(&["remove", "robot", "--yes"]);
    assert_eq!(stage.json(&["vault"])["vault"].as_array().map(Vec::len), Some(2), "nothing is destroyed");
}
