//! `adopt`: shown first, asked about, and done once.

use clauth_sandbox::{Account, Login, Pair, World};

use crate::stage::Stage;

fn logins() -> Vec<Login> {
    let login = |account: Account, family: &str| Login::new(&account, Pair::new(family, 1));
    vec![login(Account::a(), "A"), login(Account::b(), "B")]
}

#[test]
fn nothing_is_taken_over_without_a_yes() {
    let stage = Stage::new("a-ask");
    stage.world.swap_store(&logins());
    let before = stage.world.snapshot();
    let shown = stage.run(&["adopt", "--from", "claude-swap", "--dry-run"]).success();
    assert!(shown.stdout.contains("alice@example.invalid") && shown.stdout.contains("taken over"), "{shown:?}");
    let refused = stage.run(&["adopt", "--from", "claude-swap"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stdout.contains("alice"), "what would be taken over is shown: {refused:?}");
    assert!(refused.stderr.contains("next: clauth adopt --from claude-swap --yes"), "{refused:?}");
    assert_eq!(stage.json(&["adopt", "--from", "claude-swap"])["error"]["kind"], "protected");
    assert_eq!(stage.changes(&before), Vec::<String>::new());
}

#[test]
fn the_accounts_of_claude_swap_become_profiles() {
    let stage = Stage::new("a-swap");
    stage.world.swap_store(&logins());
    let done = stage.json(&["adopt", "--from", "claude-swap", "--yes"]);
    assert_eq!(
        (&done["changed"], &done["done"], &done["from"]),
        (&true.into(), &"adopt".into(), &"claude-swap".into())
    );
    assert_eq!(done["accounts"][1]["profile"], "bob");
    assert_eq!(done["accounts"][1]["fate"], "taken");
    assert!(done["warnings"][0].as_str().is_some_and(|warning| warning.contains("do not use claude-swap")), "{done}");
    assert_eq!((stage.slot("alice").as_str(), stage.slot("bob").as_str()), ("A1", "B1"));
    let again = stage.json(&["adopt", "--from", "claude-swap", "--yes"]);
    assert_eq!((&again["changed"], &again["accounts"][0]["fate"]), (&false.into(), &"known".into()));
    stage.ok(&["bob"]);
    assert_eq!(stage.world.live(), "B1");
}

#[test]
fn an_export_is_read_and_an_encrypted_one_refused_in_words() {
    let stage = Stage::new("a-export");
    let path = stage.world.home().join("export file.json");
    let file = path.to_str().expect("text");
    std::fs::write(&path, World::swap_export(&logins()).to_string()).expect("an export");
    let unasked = stage.run(&["adopt", "--from", "claude-swap", file]);
    assert!(unasked.stderr.contains(&format!("claude-swap '{file}' --yes")), "{unasked:?}");
    stage.ok(&["adopt", "--from", "claude-swap", file, "--yes"]);
    assert_eq!(stage.slot("bob"), "B1");
    std::fs::write(&path, r#"{"version": 1, "encrypted": true, "accounts": "FAKE"}"#).expect("an export");
    let refused = stage.run(&["adopt", "--from", "claude-swap", file, "--yes"]);
    assert_eq!(refused.code, Some(5), "{refused:?}");
    assert!(refused.stderr.contains("this export is encrypted"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("FAKE"), "{}", refused.stderr);
}

#[cfg(unix)]
#[test]
fn a_tree_of_0_4_0_is_taken_over_without_a_word_being_asked() {
    let stage = Stage::new("a-old");
    let logins = logins();
    stage.world.old_tree(&[("a", logins[0].clone()), ("b", logins[1].clone())], Some("a"));
    assert_eq!(stage.json(&["list"])["active"], "a");
    let shown = stage.json(&["adopt", "--dry-run"]);
    assert_eq!((&shown["accounts"][0]["fate"], &shown["copy"]), (&"lent".into(), &serde_json::Value::Null));
    let output = stage.run(&["b"]).success();
    assert!(output.stderr.contains("took over the profiles of clauth 0.4.0; the login of 'a' is live"), "{output:?}");
    assert_eq!((stage.world.live().as_str(), stage.slot("a").as_str()), ("B1", "A1"));
    assert_eq!(stage.run(&["adopt"]).code, Some(3));
}

#[cfg(unix)]
#[test]
fn a_tree_of_a_later_version_is_only_looked_at_until_it_is_adopted() {
    let stage = Stage::new("a-later");
    let logins = logins();
    stage.world.old_tree(&[("a", logins[0].clone()), ("b", logins[1].clone())], Some("a"));
    let lock = std::fs::File::create(stage.world.root().join("clauthd.lock")).expect("a lock");
    lock.lock().expect("free");
    assert_eq!(stage.run(&["b"]).code, Some(4));
    assert_eq!(stage.run(&["adopt", "--yes"]).code, Some(4));
    stage.ok(&["list"]);
    drop(lock);
    assert_eq!(stage.run(&["b"]).code, Some(5));
    assert_eq!(stage.run(&["adopt"]).code, Some(5));
    let done = stage.json(&["adopt", "--yes"]);
    let copy = std::path::PathBuf::from(done["copy"].as_str().expect("a copy"));
    assert!(copy.join("profiles.toml").exists(), "{done}");
    assert!(done["left"][0].as_str().is_some_and(|path| path.ends_with("clauthd.lock")), "{done}");
    stage.ok(&["b"]);
    assert_eq!((stage.world.live().as_str(), stage.slot("a").as_str()), ("B1", "A1"));
}

/// Twenty processes find the old tree at once: one takes it over, and each succeeds or says that it had to wait too long.
#[cfg(unix)]
#[test]
fn twenty_at_once_take_a_tree_of_0_4_0_over_once() {
    let stage = Stage::new("a-twenty");
    let logins = logins();
    stage.world.old_tree(&[("a", logins[0].clone()), ("b", logins[1].clone())], Some("a"));
    let start = |name: &&str| {
        let mut command = stage.command(&["switch", name]);
        command.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::piped()).spawn().expect("it starts")
    };
    let children: Vec<_> = ["a", "b"].iter().cycle().take(20).map(start).collect();
    let mut took_over = 0;
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(matches!(output.status.code(), Some(0 | 4)), "{:?}: {said}", output.status);
        took_over += usize::from(said.contains("took over the profiles of clauth 0.4.0"));
    }
    assert_eq!(took_over, 1);
    stage.ok(&["switch", "b"]);
    assert_eq!(
        (stage.world.live().as_str(), stage.slot("a").as_str(), stage.slot("b").as_str()),
        ("B1", "A1", "B1 bearer")
    );
    assert!(stage.json(&["vault"])["vault"].as_array().is_some_and(Vec::is_empty));
}
