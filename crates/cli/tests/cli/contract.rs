//! What programs rely on, beside what the snapshots pin.

use clauth_sandbox::Account;
use serde_json::Value;

use crate::stage::Stage;

#[test]
fn a_dry_run_names_the_files_that_a_switch_changes() {
    for (name, stranger) in [("own", false), ("vaulted", true)] {
        let stage = Stage::two_with_server("c-dry");
        if stranger {
            stage.sign_in(&Account::c());
            stage.server.as_ref().expect("a server").set_profile(&Account::c(), Value::Null);
        }
        let before = stage.world.snapshot();
        let told = stage.json(&["switch", "a", "--dry-run"]);
        assert_eq!(stage.changes(&before), Vec::<String>::new(), "{name}: a dry run changes nothing");
        let home = stage.world.home();
        let mut planned: Vec<String> = told["files"]
            .as_array()
            .expect("files")
            .iter()
            .map(|file| file["path"].as_str().expect("a path"))
            .map(|path| std::path::Path::new(path).strip_prefix(home).expect("inside").display().to_string())
            .map(|path| path.replace('\\', "/"))
            .map(|path| if path.starts_with(".clauth/vault/") { ".clauth/vault/[entry]".to_owned() } else { path })
            .collect();
        let did = stage.json(&["switch", "a"]);
        let after = stage.world.snapshot();
        let names = before.keys().chain(after.keys()).filter(|path| before.get(*path) != after.get(*path));
        let mut changed: Vec<String> = names
            .filter(|path| {
                // What is counted is no change of anything.
                !path.starts_with(".clauth/locks")
                    && !path.starts_with(".clauth/poll")
                    && !matches!(after.get(*path), Some(clauth_sandbox::world::Entry::Dir(_)))
            })
            .map(
                |path| {
                    if path.starts_with(".clauth/vault/") { ".clauth/vault/[entry]".to_owned() } else { path.clone() }
                },
            )
            .collect();
        for list in [&mut planned, &mut changed] {
            list.iter_mut().for_each(|path| *path = path.replace('\\', "/"));
            list.sort();
            list.dedup();
        }
        assert_eq!(planned, changed, "{name}");
        for field in ["from", "to", "outgoing", "switched"] {
            assert_eq!(told[field], did[field], "{name}: {field}");
        }
    }
}

#[test]
fn every_line_of_the_history_is_a_document() {
    let stage = Stage::two("c-history");
    stage.ok(&["switch", "a"]);
    stage.ok(&["undo"]);
    let text = std::fs::read_to_string(stage.world.root().join("history.jsonl")).expect("a history");
    assert!(text.lines().count() >= 4, "{text}");
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(event["schema"], 1);
        for field in ["at", "event", "profile", "from", "to", "by", "reason", "tokens"] {
            assert!(event.get(field).is_some(), "{field}: {line}");
        }
    }
    assert_eq!(stage.run(&["why", "--json"]).success().stdout, text, "why shows the same");
}

#[test]
fn a_report_is_one_document_on_one_line() {
    let stage = Stage::two("c-line");
    for words in [&["list"][..], &["which"], &["custody"], &["vault"], &["order"], &["switch", "a"], &["nobody"]] {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        let output = stage.run(&words);
        assert_eq!(output.stdout.lines().count(), 1, "{words:?}: {}", output.stdout);
        assert_eq!(output.json()["schema"], 1, "{words:?}");
    }
}
