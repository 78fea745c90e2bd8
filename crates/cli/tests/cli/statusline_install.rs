//! Putting the status line into Claude Code's settings, beside one that is there, and taking it out to the letter.

#[cfg(unix)]
use std::io::Write as _;
use std::path::PathBuf;
#[cfg(unix)]
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::stage::Stage;

fn settings(stage: &Stage) -> PathBuf {
    stage.world.claude_dir().join("settings.json")
}

fn text(stage: &Stage) -> String {
    std::fs::read_to_string(settings(stage)).expect("settings")
}

fn line_of(stage: &Stage) -> Value {
    stage.world.read_json(&settings(stage))["statusLine"].clone()
}

/// Runs the installed command as Claude Code does: by a shell, with `input`.
#[cfg(unix)]
fn run(stage: &Stage, input: &[u8]) -> String {
    let command = line_of(stage)["command"].as_str().expect("a command").to_owned();
    let mut shell: Command = stage.world.command(std::path::Path::new("/bin/sh"), None);
    shell.args(["-c", &command]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().expect("a shell");
    child.stdin.take().expect("a pipe").write_all(input).expect("written");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn what_stood_there_comes_back_to_the_letter() {
    let rows = [
        ("none", "{\n    \"model\": \"opus\",\n    \"n\": 1.10\n}\n"),
        (
            "one",
            "{\n  \"statusLine\": {\"type\": \"command\",  \"command\": \"echo mine\", \"padding\": 0},\n  \"z\": 1\n}",
        ),
        ("without line ends", "{\"a\":[1, 2],\"statusLine\":{\"command\":\"x\",\"type\":\"command\"}}"),
        ("with other line ends", "{\r\n\t\"a\": 1\r\n}\r\n"),
        ("nothing in it", "{}"),
        ("an odd value", "{\"statusLine\": null, \"b\": 2}"),
    ];
    for (name, before) in rows {
        let stage = Stage::two("si-back");
        std::fs::write(settings(&stage), before).expect("written");
        let document = stage.json(&["statusline", "install", "--yes"]);
        assert_eq!((&document["changed"], &document["done"]), (&json!(true), &json!("statusline")), "{name}");
        assert_ne!(text(&stage), before, "{name}");
        let installed = text(&stage);
        assert_eq!(stage.json(&["statusline", "install", "--yes"])["changed"], false, "{name}: twice is once");
        assert_eq!(text(&stage), installed, "{name}");
        stage.ok(&["statusline", "remove"]);
        assert_eq!(text(&stage), before, "{name}");
        assert_eq!(stage.json(&["statusline", "remove"])["changed"], false, "{name}");
    }
}

#[test]
fn without_a_settings_file_there_is_none_afterwards() {
    let stage = Stage::two("si-none");
    std::fs::remove_file(settings(&stage)).expect("removed");
    stage.ok(&["statusline", "install", "--yes"]);
    let end = if cfg!(windows) { "clauth.exe' statusline" } else { "clauth' statusline" };
    assert!(line_of(&stage)["command"].as_str().is_some_and(|command| command.ends_with(end)));
    stage.ok(&["statusline", "remove"]);
    assert!(!settings(&stage).exists());
}

#[cfg(unix)]
#[test]
fn the_line_that_was_there_gets_the_same_bytes_and_is_shown_below() {
    let stage = Stage::two("si-wrap");
    let seen = stage.world.home().join("seen");
    let theirs = format!("cat > '{}'; echo theirs # a remark", seen.display());
    stage.world.edit_json(&settings(&stage), |settings| {
        let line = json!({"type": "command", "command": theirs, "refreshInterval": 30});
        settings.insert("statusLine".into(), line);
    });
    let shown = stage.run(&["statusline", "install", "--yes"]).success();
    assert!(shown.stderr.contains("- \"statusLine\"") && shown.stderr.contains("+ \"statusLine\""), "{}", shown.stderr);
    assert_eq!(line_of(&stage)["refreshInterval"], 30, "other keys stay");
    let large = vec![b'x'; 3 << 20];
    let inputs: [&[u8]; 4] = [b"{\"cwd\": \"/w\"}\n\n", b"no line end", &[0, 200, b'\n', 13], &large];
    for input in inputs {
        assert_eq!(run(&stage, input), "b\ntheirs\n");
        let same = std::fs::read(&seen).expect("seen") == input;
        assert!(same, "passed on unchanged: {} bytes", input.len());
    }
    // One that reads nothing and ends at once does no harm, nor does one that ends no line.
    stage.ok(&["statusline", "remove"]);
    stage.world.edit_json(&settings(&stage), |settings| settings["statusLine"]["command"] = json!("printf quick"));
    stage.ok(&["statusline", "install", "--yes"]);
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(200_000));
    for _ in 0..20 {
        assert_eq!(run(&stage, large.as_bytes()), "b\nquick", "ours is above it");
    }
}

#[test]
fn a_line_that_was_edited_since_stays() {
    let stage = Stage::two("si-edited");
    stage.ok(&["statusline", "install", "--yes"]);
    stage.world.edit_json(&settings(&stage), |settings| settings["statusLine"]["command"] = json!("echo new"));
    let document = stage.json(&["statusline", "remove"]);
    assert!(
        document["warnings"][0].as_str().is_some_and(|warning| warning.contains("you have changed it")),
        "{document}"
    );
    assert_eq!(line_of(&stage)["command"], "echo new");
}

#[test]
fn other_edits_since_stay_too() {
    let stage = Stage::two("si-others");
    stage.ok(&["statusline", "install", "--yes"]);
    stage.world.edit_json(&settings(&stage), |settings| settings["model"] = json!("haiku"));
    stage.ok(&["statusline", "remove"]);
    assert_eq!(line_of(&stage), Value::Null);
    assert_eq!(stage.world.read_json(&settings(&stage))["model"], "haiku");
}

#[test]
fn nobody_who_said_yes_changes_nothing() {
    let stage = Stage::two("si-no");
    let before = text(&stage);
    let output = stage.run(&["statusline", "install"]);
    assert_eq!(output.code, Some(5));
    assert!(output.stderr.contains("statusline install --yes"), "{}", output.stderr);
    assert_eq!(text(&stage), before);
}
