//! Running `claude`s: what a switch says about each, and who they run as.

#[cfg(target_os = "linux")]
use serde_json::Value;

use crate::stage::Stage;

/// The running `claude`s of this stage: every one of this user's is told of, and other tests run theirs meanwhile.
#[cfg(target_os = "linux")]
fn of_stage(stage: &Stage, document: &Value) -> Vec<Value> {
    let home = stage.world.home();
    let is_own =
        |one: &&Value| one["config_dir"].as_str().is_some_and(|dir| std::path::Path::new(dir).starts_with(home));
    document["sessions"].as_array().expect("sessions").iter().filter(is_own).cloned().collect()
}

#[cfg(target_os = "linux")]
fn effects(stage: &Stage, report: &Value) -> Vec<(u64, String)> {
    let of = |one: &Value| (one["pid"].as_u64().expect("a pid"), one["effect"].as_str().unwrap_or_default().to_owned());
    of_stage(stage, report).iter().map(of).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn each_running_claude_is_told_apart() {
    let stage = Stage::two_with_server("e-sessions");
    let own = stage.world.home().join("own");
    std::fs::create_dir(&own).expect("a directory");
    let plain = stage.claude(&[]);
    let pinned = stage.claude(&[("CLAUDE_CONFIG_DIR", &own)]);
    let held = stage.claude(&[("ANTHROPIC_API_KEY", std::path::Path::new("sk-ant-api03-FAKE"))]);
    let mut told = effects(&stage, &stage.json(&["switch", "a"]));
    told.sort();
    let mut expected = vec![
        (u64::from(plain.pid()), "next_request".to_owned()),
        (u64::from(pinned.pid()), "pinned".to_owned()),
        (u64::from(held.pid()), "restart".to_owned()),
    ];
    expected.sort();
    assert_eq!(told, expected);
    let people = stage.run(&["switch", "b"]).success().stderr;
    assert!(people.contains("uncached") && people.contains("ANTHROPIC_API_KEY"), "{people}");
    assert!(!people.contains("FAKE"), "{people}");
}

/// A switch is followed at the next request; what is renewed comes home, over several round trips.
#[test]
fn a_running_claude_follows_and_what_it_renews_comes_home() {
    let stage = Stage::two_with_server("e-follow");
    let mut claude = stage.claude(&[]);
    assert_eq!(claude.turn(), "B1");
    stage.ok(&["switch", "a"]);
    assert_eq!(claude.turn(), "A1");
    assert_eq!(claude.send("refresh")["ok"], true);
    assert_eq!(stage.world.live(), "A2");
    stage.ok(&["switch", "b"]);
    assert_eq!((claude.turn().as_str(), stage.slot("a").as_str()), ("B1", "A2"));
    stage.ok(&["switch", "-"]);
    assert_eq!(claude.turn(), "A2");
    stage.server.as_ref().expect("a server").assert_clean();
}

#[cfg(target_os = "linux")]
#[test]
fn a_profile_with_a_running_session_keeps_its_name_and_place() {
    let stage = Stage::two("e-own");
    let tree = stage.world.root().join("profiles").join("a").join("runtime");
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700)
        .create(&tree)
        .expect("a session's directory");
    let session = stage.claude(&[("CLAUDE_CONFIG_DIR", &tree)]);
    let before = stage.world.snapshot();
    for words in [&["rename", "a", "c"][..], &["remove", "a", "--yes"]] {
        let output = stage.run(words).expect_code(5);
        assert!(output.stderr.contains(&session.pid().to_string()), "{}", output.stderr);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{words:?}");
    }
    stage.ok(&["remove", "a", "--yes", "--force"]);
}

#[cfg(target_os = "linux")]
#[test]
fn every_running_claude_is_listed_with_its_account() {
    let stage = Stage::two("e-listed");
    let tree = stage.world.root().join("profiles").join("a").join("runtime");
    let own = stage.world.home().join("own");
    for directory in [&tree, &own] {
        std::fs::create_dir(directory).expect("a directory");
    }
    let plain = stage.claude(&[]);
    let session = stage.claude(&[("CLAUDE_CONFIG_DIR", &tree)]);
    let other = stage.claude(&[("CLAUDE_CONFIG_DIR", &own)]);
    let keyed = stage.claude(&[("ANTHROPIC_API_KEY", std::path::Path::new("sk-ant-api03-FAKE"))]);
    let document = stage.json(&["sessions"]);
    let listed = of_stage(&stage, &document);
    for (name, pid, profile, via, email) in [
        ("plain", plain.pid(), Some("b"), "live", Some("bob@example.invalid")),
        ("ours", session.pid(), Some("a"), "session", Some("alice@example.invalid")),
        ("of another home", other.pid(), None, "none", None),
        ("with a key", keyed.pid(), Some("b"), "live", Some("bob@example.invalid")),
    ] {
        let found = listed.iter().find(|one| one["pid"] == pid).unwrap_or_else(|| panic!("{name}: {document}"));
        assert_eq!((&found["profile"], &found["email"]), (&profile.into(), &email.into()), "{name}");
        assert_eq!((found["via"].as_str(), &found["status"]), (Some(via), &"idle".into()), "{name}");
        assert_eq!(found["cwd"], stage.world.home().display().to_string(), "{name}");
        assert!(found["since"].is_string(), "{name}: {found}");
    }
    assert_eq!(listed.len(), 4, "each once: {document}");
    let people = stage.run(&["sessions"]).success().stdout;
    assert!(people.contains("by ANTHROPIC_API_KEY") && !people.contains("FAKE"), "{people}");
    for claude in [plain, session, other, keyed] {
        let _ = claude.finish();
    }
    assert_eq!(of_stage(&stage, &stage.json(&["sessions"])), Vec::<Value>::new());
}

/// A session of ours is told by its holder, also where its `claude` has another name and registers nowhere; one that a script
/// runs is told once.
#[cfg(target_os = "linux")]
#[test]
fn a_session_that_only_its_holder_tells_of_is_listed_once() {
    let stage = Stage::two("e-unseen");
    let ready = "echo \"{\\\"ready\\\":true,\\\"pid\\\":$$}\"";
    let start = |text: &str| {
        let mut command = stage.start_command(crate::stage::usual(), &["a"]);
        command.env("CLAUTH_CLAUDE", stage.script("a-script", text, ""));
        clauth_sandbox::Running::start(command)
    };
    let session = start(&format!("{ready}; read -r line; exit 0"));
    let listed = of_stage(&stage, &stage.json(&["sessions"]));
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!((&listed[0]["pid"], &listed[0]["profile"]), (&session.pid().into(), &"a".into()));
    assert_eq!((&listed[0]["via"], &listed[0]["email"]), (&"session".into(), &"alice@example.invalid".into()));
    assert!(listed[0]["since"].is_string() && listed[0]["status"].is_null(), "{listed:?}");
    assert_eq!(session.finish(), Some(0));
    assert_eq!(of_stage(&stage, &stage.json(&["sessions"])), Vec::<Value>::new());
    let session = start("claude session");
    let listed = of_stage(&stage, &stage.json(&["sessions"]));
    assert_eq!((listed.len(), &listed[0]["pid"]), (1, &session.pid().into()), "{listed:?}");
    assert_eq!(session.finish(), Some(0));
}
