//! `uninstall`: nothing of ours stays outside, Claude Code stays signed in, and nothing dangles.
#![cfg(unix)]

use std::path::{Path, PathBuf};

use clauth_sandbox::Account;

use crate::stage::Stage;

/// Every link below a directory that leads nowhere, or into the root.
fn dangling(stage: &Stage) -> Vec<PathBuf> {
    fn walk(dir: &Path, root: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            let path = entry.path();
            let meta = std::fs::symlink_metadata(&path).expect("an entry");
            if meta.is_symlink() {
                let leads = std::fs::canonicalize(&path);
                if leads.is_err() || leads.is_ok_and(|path| path.starts_with(root)) {
                    found.push(path);
                }
            } else if meta.is_dir() && path != root {
                walk(&path, root, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(stage.world.home(), &stage.world.root(), &mut found);
    found
}

#[test]
fn everything_outside_goes_and_the_profiles_stay() {
    let stage = Stage::two("u-plain");
    std::fs::write(stage.world.home().join(".zshrc"), "alias x=y").expect("a file");
    let before = stage.world.snapshot();
    stage.ok(&["completions", "install", "zsh", "--yes"]);
    stage.ok(&["completions", "install", "fish", "--yes"]);
    let refused = stage.run(&["uninstall"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains(".zshrc") && refused.stderr.contains("clauth.fish"), "{}", refused.stderr);
    let done = stage.json(&["uninstall", "--yes"]);
    assert_eq!((&done["changed"], &done["signed_in"], &done["purged"]), (&true.into(), &"b".into(), &false.into()));
    assert_eq!(done["files"].as_array().map(Vec::len), Some(2), "{done}");
    assert_eq!(stage.changes(&before), Vec::<String>::new());
    assert_eq!(stage.json(&["uninstall"])["changed"], false, "there is nothing to ask about");
}

#[test]
fn a_purge_says_what_is_lost_and_leaves_claude_code_signed_in() {
    let stage = Stage::two("u-purge");
    stage.sign_in(&Account::c());
    stage.ok(&["switch", "a"]);
    let login = std::fs::read(stage.world.credentials_path()).expect("a login");
    let state = std::fs::read(stage.world.state_path()).expect("a state file");
    let before = stage.world.snapshot();
    let refused = stage.run(&["uninstall", "--purge"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(
        refused.stderr.contains("1 login (b)") && refused.stderr.contains("1 login in the vault"),
        "{}",
        refused.stderr
    );
    assert_eq!(stage.changes(&before), Vec::<String>::new());
    let done = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!((&done["signed_in"], &done["lost"]), (&"a".into(), &serde_json::json!(["b"])), "{done}");
    assert!(!stage.world.root().exists());
    assert_eq!(std::fs::read(stage.world.credentials_path()).expect("a login"), login);
    assert_eq!(std::fs::read(stage.world.state_path()).expect("a state file"), state);
    assert_eq!(stage.world.live(), "A1");
    assert_eq!(dangling(&stage), Vec::<PathBuf>::new());
    stage.ok(&["list"]);
}

/// The live login of a 0.4.0 tree is a link into the root.
#[test]
fn a_link_of_0_4_0_becomes_a_file_before_the_root_goes() {
    let stage = Stage::two("u-link");
    let live = stage.world.credentials_path();
    std::fs::remove_file(&live).expect("gone");
    std::os::unix::fs::symlink(stage.world.root().join("profiles/b/credentials.json"), &live).expect("a link");
    let rc = stage.world.home().join(".bashrc");
    let script = stage.world.root().join("completions/clauth.bash");
    std::fs::write(&rc, format!("x\n\n# clauth\nsource \"{}\"\n", script.display())).expect("a file");
    std::fs::create_dir_all(script.parent().expect("a parent")).expect("a directory");
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!stage.world.root().exists());
    assert!(std::fs::symlink_metadata(&live).expect("a login").is_file());
    assert_eq!(stage.world.live(), "B1", "with its refresh token");
    if !cfg!(target_os = "macos") {
        assert_eq!(std::fs::read_to_string(&rc).expect("the file"), "x\n", "no shell stumbles over it");
    }
    assert_eq!(dangling(&stage), Vec::<PathBuf>::new());
}

/// An endpoint's helper would be a program that is gone.
#[test]
fn what_an_endpoint_set_goes_with_it() {
    let stage = Stage::two("u-endpoint");
    let file = stage.world.claude_dir().join("settings.json");
    let before = std::fs::read(&file).ok();
    let input = stage.world.home().join("key");
    std::fs::write(&input, "sk-FAKE\n").expect("a key");
    let mut command = stage.command(&["add", "deep", "--preset", "deepseek"]);
    command.stdin(std::fs::File::open(&input).expect("a key"));
    let _ = crate::stage::finish(command).success();
    stage.ok(&["switch", "deep"]);
    let ids = stage.json(&["doctor"])["findings"].as_array().cloned().unwrap_or_default();
    let own = |finding: &&serde_json::Value| finding["id"] != "variable" && finding["id"] != "claude-missing";
    assert_eq!(ids.iter().filter(own).count(), 0, "nothing is wrong with an endpoint: {ids:?}");
    for words in [&["uninstall", "--yes"][..], &["uninstall", "--purge", "--yes"]] {
        let refused = stage.run(words);
        assert_eq!(refused.code, Some(5), "nobody would be signed in: {refused:?}");
        assert!(refused.stderr.contains("clauth switch a, then try again"), "{refused:?}");
    }
    // A login that was made beside it is what stays.
    stage.sign_in(&Account::a());
    assert_eq!(stage.json(&["uninstall", "--purge"])["error"]["kind"], "protected");
    let done = stage.run(&["uninstall", "--yes"]).success();
    assert!(
        done.stderr.contains("'deep', whose settings go") && !done.stderr.contains("nobody is signed in"),
        "{done:?}"
    );
    assert_eq!(std::fs::read(&file).ok(), before, "to the letter");
    assert_eq!(stage.json(&["uninstall"])["changed"], false);
}

/// Where there are only endpoints there is nothing to stay signed in with, which is said; a key is no login.
#[test]
fn endpoints_alone_go_and_nobody_is_signed_in() {
    let stage = Stage::new("u-keys");
    let _ = crate::endpoint::given(&stage, &["add", "deep", "--preset", "deepseek"], "sk-FAKE-KEY\n").success();
    stage.ok(&["switch", "deep"]);
    let done = stage.run(&["uninstall", "--purge", "--yes"]).success();
    assert!(done.stderr.contains("nobody is signed in to Claude Code then"), "{done:?}");
    assert!(done.stderr.contains("1 endpoint key (deep)") && !done.stderr.contains("1 login"), "{done:?}");
    assert!(!stage.world.root().exists());
}

#[test]
fn a_running_session_and_a_link_into_the_root_refuse() {
    let stage = Stage::two("u-refuse");
    let tree = stage.world.root().join("profiles/a/runtime");
    std::fs::create_dir_all(&tree).expect("a directory");
    let claude = stage.claude(&[("CLAUDE_CONFIG_DIR", &tree)]);
    for words in [&["uninstall", "--yes"][..], &["uninstall", "--purge", "--yes"]] {
        let refused = stage.json(words);
        assert_eq!(refused["error"]["kind"], "protected", "{refused}");
        assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("session of 'a'")), "{refused}");
    }
    claude.kill();
    let link = stage.world.claude_dir().join("mine");
    std::os::unix::fs::symlink(stage.world.root().join("profiles"), &link).expect("a link");
    let refused = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!(refused["error"]["where"], link.display().to_string(), "{refused}");
    assert!(stage.world.root().join("profiles.toml").exists());
    std::fs::remove_file(&link).expect("gone");
    stage.ok(&["uninstall", "--purge", "--yes"]);
}

#[test]
fn what_is_not_ours_in_the_root_stays() {
    let stage = Stage::two("u-strange");
    let mine = stage.world.root().join("notes.txt");
    std::fs::write(&mine, "mine").expect("a file");
    let done = stage.json(&["uninstall", "--purge", "--yes"]);
    assert!(done["warnings"][0].as_str().is_some_and(|text| text.contains("notes.txt")), "{done}");
    let left: Vec<_> =
        std::fs::read_dir(stage.world.root()).expect("the root").flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, [mine]);
}

/// A root that is a link goes with what it leads to.
#[test]
fn a_root_behind_a_link_goes_whole() {
    let stage = Stage::two("u-root");
    let (root, real) = (stage.world.root(), stage.world.home().join("elsewhere"));
    std::fs::rename(&root, &real).expect("moved");
    std::os::unix::fs::symlink(&real, &root).expect("a link");
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!real.exists() && std::fs::symlink_metadata(&root).is_err());
    assert_eq!(stage.world.live(), "B1");
}

/// What is somebody's own stays: what lost against something newer, what a person put beside it, and directories that no
/// list names.
#[test]
fn a_purge_keeps_what_is_the_users_and_says_where() {
    let stage = Stage::two("u-kept");
    let root = stage.world.root();
    let kept = [
        "profiles/a/conflicts/20261123T000000Z/CLAUDE.md",
        "profiles/a/notes.txt",
        "profiles/gone/conflicts/20261123T000000Z/x.md",
        "profiles/a.bak/credentials.json",
    ];
    for path in kept {
        std::fs::create_dir_all(root.join(path).parent().expect("a parent")).expect("directories");
        std::fs::write(root.join(path), path).expect("a file");
    }
    std::fs::create_dir_all(root.join("profiles/b/conflicts/20261123T000000Z")).expect("an empty one");
    // Left half-written by a process that was killed.
    std::fs::create_dir_all(root.join("locks/held")).expect("directories");
    std::fs::write(root.join("locks/held/2000000000-5ede6d51bc50.json"), "").expect("a file");
    let asked = stage.run(&["uninstall", "--purge"]).expect_code(5).stderr;
    assert!(!asked.contains("lost against"), "that is not lost: {asked}");
    let done = stage.json(&["uninstall", "--purge", "--yes"]);
    let warnings = done["warnings"].to_string();
    for told in ["profiles/a/conflicts", "profiles/a/notes.txt", "profiles/gone", "profiles/a.bak"] {
        assert!(warnings.contains(told), "{told}: {done}");
    }
    let mut left = files(&root);
    left.sort();
    let mut expected = kept.to_vec();
    expected.sort_unstable();
    assert_eq!(left, expected);
    for path in kept {
        assert_eq!(std::fs::read_to_string(root.join(path)).expect("a file"), path);
    }
    assert!(!root.join("profiles/b").exists() && !root.join("locks").exists());
    stage.ok(&["list"]);
}

/// The files below a directory, by their path from there.
fn files(dir: &Path) -> Vec<String> {
    let all = clauth_sandbox::world::snapshot(dir).expect("a directory");
    all.into_iter()
        .filter(|(_, entry)| matches!(entry, clauth_sandbox::world::Entry::File(..)))
        .map(|(path, _)| path)
        .collect()
}

/// The tree of a removed profile: while somebody lives in it nothing goes, and afterwards what was written there comes home
/// first.
#[test]
fn a_purge_takes_nothing_from_under_a_session_of_a_removed_profile() {
    let stage = Stage::two_with_server("u-orphan");
    let mut session = clauth_sandbox::Running::start(stage.start_command("copy", &["a", "session"]));
    assert_eq!(session.turn(), "A1");
    stage.ok(&["remove", "a", "--yes", "--force"]);
    let tree = stage.world.root().join("profiles/a/runtime");
    let refused = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!(refused["error"]["kind"], "protected", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("session of 'a'")), "{refused}");
    assert!(tree.exists());
    std::fs::write(tree.join("late.md"), "late").expect("a file");
    let _ = session.finish();
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!stage.world.root().exists());
    assert_eq!(std::fs::read_to_string(stage.world.claude_dir().join("late.md")).expect("it came home"), "late");
}

/// Nothing of the user's dangles afterwards, however deep in the home it is.
#[cfg(unix)]
#[test]
fn a_purge_refuses_while_something_of_the_home_leads_into_the_root() {
    let stage = Stage::two("u-inward");
    let agents = stage.world.claude_dir().join("agents");
    std::fs::create_dir_all(&agents).expect("a directory");
    std::os::unix::fs::symlink(stage.world.root().join("profiles"), agents.join("x")).expect("a link");
    let refused = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!(refused["error"]["kind"], "protected", "{refused}");
    assert!(refused["error"]["message"].as_str().is_some_and(|message| message.contains("agents/x")), "{refused}");
    assert!(stage.world.root().join("profiles.toml").exists(), "nothing went");
    std::fs::remove_file(agents.join("x")).expect("gone");
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!stage.world.root().exists());
}

/// What could not be brought home is not removed either.
#[test]
fn a_purge_refuses_while_a_removed_profiles_files_are_not_home() {
    let stage = Stage::two("u-stuck");
    let tree = stage.world.root().join("profiles/gone/runtime");
    std::fs::create_dir_all(tree.join("projects/p")).expect("a tree");
    std::fs::write(tree.join("projects/p/t.jsonl"), "{}\n").expect("a transcript");
    // A state file that sessions wrote has to be merged, and settings that cannot be merged now hold that up.
    std::fs::write(tree.join(".claude.json"), "{\"numStartups\": 5}").expect("a file");
    std::fs::write(stage.world.claude_dir().join("settings.json"), "{ torn").expect("a file");
    let refused = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!(refused["error"]["kind"], "protected", "{refused}");
    assert!(tree.join("projects/p/t.jsonl").exists());
    assert!(stage.world.root().join("profiles.toml").exists(), "nothing went");
}

/// Torn settings of the home are no obstacle to a tree without any: what it holds comes home, and then it goes.
#[test]
fn a_purge_brings_home_what_torn_settings_say_nothing_of() {
    let stage = Stage::two("u-torn");
    let tree = stage.world.root().join("profiles/gone/runtime");
    std::fs::create_dir_all(tree.join("projects/p")).expect("a tree");
    std::fs::write(tree.join("projects/p/t.jsonl"), "{}\n").expect("a transcript");
    std::fs::write(stage.world.claude_dir().join("settings.json"), "{ torn").expect("a file");
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!stage.world.root().exists());
    let home = stage.world.claude_dir();
    assert_eq!(std::fs::read_to_string(home.join("projects/p/t.jsonl")).expect("it came home"), "{}\n");
    assert_eq!(std::fs::read_to_string(home.join("settings.json")).expect("settings"), "{ torn");
}

/// A sign-in that is under way has the only copy of its login in our directory.
#[cfg(target_os = "linux")]
#[test]
fn a_purge_waits_for_a_sign_in() {
    let stage = Stage::two("u-login");
    let private = stage.world.root().join("login/private");
    std::fs::create_dir_all(&private).expect("a directory");
    let claude = stage.claude(&[("CLAUDE_CONFIG_DIR", &private)]);
    let refused = stage.json(&["uninstall", "--purge", "--yes"]);
    assert_eq!(refused["error"]["kind"], "protected", "{refused}");
    assert!(private.exists());
    let _ = claude.finish();
    stage.ok(&["uninstall", "--purge", "--yes"]);
    assert!(!stage.world.root().exists());
}
