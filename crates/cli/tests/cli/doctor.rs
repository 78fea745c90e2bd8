//! `doctor`: nothing about a healthy home; exactly one finding about each fault, which `--fix` mends or says why not.
#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use clauth_engine::{RULES, Severity};
use clauth_sandbox::{Account, Login, Pair};
use serde_json::Value;

use crate::doctor_faults::{FAULTS, Fault, home, profile};
use crate::spoil::{age, write};
use crate::stage::{PROGRAM, Stage, finish};

/// a and b captured, b's login live, Claude Code installed, and nobody to be asked.
fn healthy(name: &str) -> Stage {
    let stage = Stage::two(name);
    let _ = stage.world.install_claude(Path::new(PROGRAM)).expect("a claude");
    let settings = stage.world.root().join("settings.toml");
    let text = std::fs::read_to_string(&settings).expect("settings");
    write(&settings, &format!("network = \"off\"\n{text}"));
    age(&stage.world.credentials_path());
    stage
}

/// `doctor` as on a machine of its own: without the sandbox's addresses, which are a finding.
fn doctor(stage: &Stage, words: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = stage.command(&["doctor", "--json"]);
    for name in ["CLAUTH_API_URL", "CLAUTH_STATUS_URL", "CLAUTH_TOKEN_URL", "CLAUTH_PROVIDERS_URL"] {
        command.env_remove(name);
    }
    command.args(words).envs(env.iter().copied());
    command
}

/// The ids that are found, and the whole document.
fn found(stage: &Stage, words: &[&str], env: &[(&str, &str)]) -> (Vec<String>, Value) {
    let output = finish(doctor(stage, words, env));
    let document = output.json();
    let ids: Vec<String> = document["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["id"].as_str().expect("an id").to_owned())
        .collect();
    let error = document["findings"].as_array().into_iter().flatten().any(|finding| finding["severity"] == "error");
    assert_eq!(output.code, Some(i32::from(error)), "{output:?}");
    assert_eq!(document["ok"], !error, "{document}");
    (ids, document)
}

#[test]
fn a_healthy_home_has_no_finding() {
    let stage = healthy("d-well");
    let (ids, document) = found(&stage, &[], &[]);
    assert_eq!(ids, Vec::<String>::new(), "{document}");
    let facts = &document["facts"];
    assert_eq!(facts["config_home"], stage.world.claude_dir().display().to_string());
    assert_eq!((&facts["credential_store"], &facts["links"]), (&"file".into(), &"real".into()));
    assert_eq!(facts["live"]["profile"], "b");
    assert!(facts["claude"]["path"].as_str().is_some_and(|path| path.ends_with("bin/claude")), "{facts}");
    stage.ok(&["switch", "a"]);
    stage.ok(&["switch", "b"]);
    let claude = stage.claude(&[]);
    assert_eq!(found(&stage, &[], &[]).0, Vec::<String>::new(), "with a running claude");
    drop(claude);
    let before = stage.world.snapshot();
    assert_eq!(found(&stage, &["--fix"], &[]).1["mended"], Value::Array(Vec::new()));
    assert_eq!(stage.changes(&before), Vec::<String>::new(), "there is nothing to mend");
}

/// What somebody uses by hand is theirs to use; and what is one fault is told once.
#[test]
fn an_endpoint_by_hand_and_twins_of_0_4_0_are_told_as_what_they_are() {
    let stage = healthy("d-hand");
    let by_hand = r#"{"env":{"ANTHROPIC_BASE_URL":"https://e.example","ANTHROPIC_AUTH_TOKEN":"sk-FAKE"}}"#;
    write(&home(&stage).join("settings.json"), by_hand);
    stage.ok(&["capture", "hand", "--endpoint"]);
    assert_eq!(found(&stage, &[], &[]).0, Vec::<String>::new());

    for (name, torn, expected) in [
        ("twins", false, &["same-account", "live-link"][..]),
        ("a torn slot", true, &["profile-unreadable", "live-link"]),
    ] {
        let stage = Stage::new("d-old");
        let _ = stage.world.install_claude(Path::new(PROGRAM)).expect("a claude");
        let login = |letter: char| Login::new(&Account::new(letter), Pair::new(&letter.to_string(), 1)).ending_at(None);
        let other = if torn { 'B' } else { 'A' };
        stage.world.old_tree(&[("a", login('A')), ("b", login(other))], Some("b"));
        if torn {
            write(&profile(&stage, "b").join("credentials.json"), "{\"torn");
        }
        let (mut ids, document) = found(&stage, &[], &[]);
        ids.retain(|id| id != "root-modes");
        ids.sort();
        let mut expected: Vec<&str> = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(ids, expected, "{name}: {document}");
    }
}

/// Before anything was captured, on a machine where Claude Code is signed in.
#[test]
fn a_new_home_has_no_finding() {
    let stage = Stage::new("d-new");
    let _ = stage.world.install_claude(Path::new(PROGRAM)).expect("a claude");
    assert_eq!(found(&stage, &[], &[]).0, Vec::<String>::new());
}

#[test]
fn each_fault_is_one_finding_and_is_mended_or_told_why_not() {
    let wrong: Vec<String> = FAULTS.iter().filter_map(|fault| tried(fault).err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// Brings a fault about, and says what is wrong with what `doctor` makes of it.
fn tried(fault: &Fault) -> Result<(), String> {
    let what = format!("{}: {}", fault.id, fault.name);
    let rule = RULES.iter().find(|rule| rule.id == fault.id).ok_or_else(|| format!("no such rule: {what}"))?;
    let stage = healthy("d-fault");
    let _alive = (fault.make)(&stage);
    let before = stage.world.snapshot();
    let (ids, document) = found(&stage, &[], fault.env);
    let holds = |holds: bool, why: &str, document: &Value| {
        if holds { Ok(()) } else { Err(format!("{what}: {why}: {document}")) }
    };
    holds(ids == [fault.id], "one finding", &document)?;
    let finding = &document["findings"][0];
    holds(finding["severity"] == rule.severity.word(), "its severity", &document)?;
    holds(finding["fix"].as_str().is_some_and(|fix| !fix.is_empty()), "what to do", &document)?;
    let changes = clauth_sandbox::world::changes(&before, &stage.world.snapshot());
    holds(changes.is_empty(), "it only looks", &Value::from(changes))?;
    let (left, document) = found(&stage, &["--fix", "--yes"], fault.env);
    match rule.mends {
        Some(_) => {
            holds(left.is_empty(), "mended", &document)?;
            holds(document["mended"][0]["id"] == fault.id, "told so", &document)
        }
        None => holds(left == [fault.id], "only a person can mend it", &document),
    }
}

/// What the table above cannot bring about is tested elsewhere.
#[test]
fn every_rule_has_its_fault() {
    let elsewhere = ["locks-void"];
    let missing: Vec<&str> = RULES
        .iter()
        .map(|rule| rule.id)
        .filter(|id| !elsewhere.contains(id) && !FAULTS.iter().any(|fault| fault.id == *id))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
    assert!(RULES.iter().any(|rule| rule.severity == Severity::Info));
}

/// No secret is told of, and what people read says what to do.
#[test]
fn people_are_told_what_to_do() {
    let stage = healthy("d-people");
    write(&profile(&stage, "a").join("credentials.json"), "{\"torn sk-ant-FAKE");
    let mut command = stage.command(&["doctor"]);
    command.env("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE");
    let output = finish(command);
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(output.stdout.contains("ANTHROPIC_API_KEY") && output.stdout.contains("next:"), "{}", output.stdout);
    assert!(!format!("{output:?}").contains("FAKE"), "{output:?}");
}
