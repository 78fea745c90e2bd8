//! The status line as Claude Code calls it: one line whatever happens, and readings of the right account.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use clauth_sandbox::world::{DEADLINE, changes};
use clauth_sandbox::{Output, World};
use serde_json::{Value, json};

#[cfg(unix)]
use crate::stage::PROGRAM;
use crate::stage::Stage;

/// Seconds since 1970, an hour from now.
fn soon() -> u64 {
    clauth_sandbox::now_ms() / 1000 + 3600
}

/// What Claude Code hands over (facts §8.9), of a session whose transcript is there.
fn handed(transcript: &Path, five: f64, week: f64, reset: u64) -> Value {
    json!({
        "session_id": "0c1f6a52", "transcript_path": transcript, "cwd": "/w", "model": {"id": "m", "display_name": "Opus"},
        "rate_limits": {
            "five_hour": {"used_percentage": five, "resets_at": reset},
            "seven_day": {"used_percentage": week, "resets_at": reset + 400_000},
        },
    })
}

/// A transcript in the live home, written just now.
fn transcript(world: &World, config: &Path) -> PathBuf {
    let dir = config.join("projects").join("-w");
    std::fs::create_dir_all(&dir).expect("a directory");
    let path = dir.join("s.jsonl");
    assert!(path.starts_with(world.home()));
    std::fs::write(&path, "{}\n").expect("a transcript");
    path
}

fn start(mut command: Command, input: &[u8]) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a process");
    // One that was killed reads no more.
    let _ = child.stdin.take().expect("a pipe").write_all(input);
    child
}

fn feed(command: Command, input: &[u8]) -> String {
    let output = start(command, input).wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).expect("text")
}

fn show(stage: &Stage, input: &Value) -> String {
    feed(stage.command(&["statusline"]), input.to_string().as_bytes())
}

/// The figures of the five hours that a profile has by its status line.
fn kept(stage: &Stage, name: &str) -> Option<f64> {
    let document = stage.json(&["usage", name, "--offline"]);
    let usage = &document["accounts"][0]["usage"];
    (usage["source"] == "statusline").then(|| usage["windows"][0]["percent"].as_f64()).flatten()
}

#[test]
fn whatever_comes_there_is_one_line_and_no_failure() {
    let stage = Stage::two("sl-garbage");
    let before = stage.world.snapshot();
    let deep = "[".repeat(100_000);
    let large = format!("{{\"x\":\"{}\"}}", "y".repeat(3 << 20));
    let rows: [(&str, &[u8]); 9] = [
        ("nothing", b""),
        ("garbage", b"garbage"),
        ("half", br#"{"rate_limits":{"five_hour":"#),
        ("bytes", &[0, 255, 7, 27]),
        ("a list", b"[1,2]"),
        ("wrong shapes", br#"{"rate_limits":7,"transcript_path":[],"model":"m","cwd":{}}"#),
        ("nested without end", deep.as_bytes()),
        ("very much", large.as_bytes()),
        ("no figures", br#"{"model":{"display_name":"Opus"},"rate_limits":{}}"#),
    ];
    for (name, input) in rows {
        let line = feed(stage.command(&["statusline"]), input);
        assert_eq!(line, "b\n", "{name}");
    }
    assert_eq!(changes(&before, &stage.world.snapshot()), Vec::<String>::new(), "and nothing is written");
    let mut odd = stage.command(&["statusline"]);
    odd.env("CLAUTH_HOME", "relative");
    assert_eq!(feed(odd, b"{}"), "\n", "a root that cannot be");
    let mut odd = stage.command(&["statusline"]);
    odd.env("CLAUTH_HOME", stage.world.claude_dir());
    assert_eq!(feed(odd, b"{}"), "\n", "a root that may not be");
}

/// The plan is the one that `list` names, also before the server was ever asked.
#[test]
fn the_plan_is_told_as_list_tells_it() {
    let stage = Stage::two("sl-plan");
    stage.ok(&["config", "set", "statusline.format", "{account}: {plan}"]);
    let plan = stage.json(&["list"])["accounts"][1]["plan"].as_str().expect("a plan").to_owned();
    assert_eq!(feed(stage.command(&["statusline"]), b"{}"), format!("b: {plan}\n"));
}

#[test]
fn an_input_that_never_ends_is_not_waited_for() {
    let stage = Stage::two("sl-open");
    let path = transcript(&stage.world, &stage.world.claude_dir());
    let mut command = stage.command(&["statusline"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("a process");
    let mut open = child.stdin.take().expect("a pipe");
    open.write_all(handed(&path, 20.0, 40.0, soon()).to_string().as_bytes()).expect("written");
    // It ends by itself: the pipe stays open until after it has.
    let output = child.wait_with_output().expect("an end");
    drop(open);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("b  5h 20%"), "{output:?}");
}

#[test]
fn figures_are_kept_for_the_account_that_they_are_of() {
    let stage = Stage::two("sl-whose");
    let live = transcript(&stage.world, &stage.world.claude_dir());
    assert!(show(&stage, &handed(&live, 20.0, 40.0, soon())).starts_with("b  5h 20% 59m  7d 40% 4d"), "live");
    assert_eq!((kept(&stage, "a"), kept(&stage, "b")), (None, Some(20.0)));

    // A session of a's own tree, by its environment and by its transcript.
    let tree = stage.world.root().join("profiles/a/runtime");
    std::fs::create_dir_all(&tree).expect("a tree");
    let slot = stage.world.root().join("profiles/a/credentials.json");
    link(&slot, &tree.join(".credentials.json"));
    let own = transcript(&stage.world, &tree);
    let mut command = stage.command(&["statusline"]);
    command.env("CLAUDE_CONFIG_DIR", &tree);
    let line = feed(command, handed(&own, 70.0, 41.0, soon()).to_string().as_bytes());
    assert!(line.starts_with("a  5h 70%"), "{line}");
    assert_eq!((kept(&stage, "a"), kept(&stage, "b")), (Some(70.0), Some(20.0)));
    assert!(show(&stage, &handed(&own, 80.0, 41.0, soon())).starts_with("a  5h 80%"), "by its transcript alone");
    assert_eq!((kept(&stage, "a"), kept(&stage, "b")), (Some(80.0), Some(20.0)));
}

/// A session that has asked nothing for a while hands over what was so then.
#[test]
fn an_idle_sessions_old_figures_replace_nothing() {
    let stage = Stage::two("sl-idle");
    let (live, reset) = (transcript(&stage.world, &stage.world.claude_dir()), soon());
    show(&stage, &handed(&live, 46.0, 60.0, reset));
    let history = stage.world.root().join("profiles/b/usage_history.jsonl");
    let before = std::fs::read(&history).expect("a history");
    let line = show(&stage, &handed(&live, 10.0, 50.0, reset));
    assert!(line.starts_with("b  5h 46% 59m  7d 60%"), "usage within one window never falls: {line}");
    assert_eq!(std::fs::read(&history).expect("a history"), before, "and is no part of the history");
    assert!(show(&stage, &handed(&live, 10.0, 60.0, reset + 3600)).starts_with("b  5h 10%"), "it began anew");
}

#[test]
fn a_window_that_is_not_handed_over_keeps_its_last_figure() {
    let stage = Stage::two("sl-one");
    let live = transcript(&stage.world, &stage.world.claude_dir());
    let mut input = handed(&live, 20.0, 91.0, soon());
    show(&stage, &input);
    input["rate_limits"]["seven_day"] = Value::Null;
    input["rate_limits"]["five_hour"]["used_percentage"] = json!(22.0);
    assert!(show(&stage, &input).starts_with("b  5h 22% 59m  7d 91%"));
    let usage = stage.json(&["usage", "b", "--offline"])["accounts"][0]["usage"].clone();
    let percents: Vec<_> = usage["windows"].as_array().expect("windows").iter().map(|w| w["percent"].clone()).collect();
    assert_eq!(percents, [json!(22.0), json!(91.0)]);
}

#[cfg(unix)]
fn link(target: &Path, at: &Path) {
    std::os::unix::fs::symlink(target, at).expect("a link");
}

#[cfg(windows)]
fn link(target: &Path, at: &Path) {
    std::fs::copy(target, at).expect("a copy");
}

#[test]
fn figures_of_nobody_known_are_shown_and_not_kept() {
    let stage = Stage::two("sl-nobody");
    let elsewhere = stage.world.home().join("other");
    let theirs = transcript(&stage.world, &elsewhere);
    let live = transcript(&stage.world, &stage.world.claude_dir());
    // What stands in two profiles' trees at once is neither's.
    let trees = ["a", "b"].map(|name| stage.world.root().join("profiles").join(name).join("runtime"));
    let of_a = transcript(&stage.world, &trees[0]);
    link(&stage.world.root().join("profiles/a/credentials.json"), &trees[0].join(".credentials.json"));
    std::fs::create_dir_all(&trees[1]).expect("a tree");
    link(&stage.world.root().join("profiles/b/credentials.json"), &trees[1].join(".credentials.json"));
    let tree_of_b = trees[1].to_str().expect("text");
    let before = stage.world.snapshot();
    let rows = [
        ("another profile's tree by its transcript", &of_a, Some(("CLAUDE_CONFIG_DIR", tree_of_b))),
        ("another home by its transcript", &theirs, None),
        ("another home by its environment", &live, Some(("CLAUDE_CONFIG_DIR", "/nowhere/at/all"))),
        ("a key outranks the login", &live, Some(("ANTHROPIC_API_KEY", "sk-ant-api03-FAKE"))),
        ("a token outranks the login", &live, Some(("CLAUDE_CODE_OAUTH_TOKEN", "sk-ant-oat01-FAKE-SETUP"))),
    ];
    for (name, path, env) in rows {
        let mut command = stage.command(&["statusline"]);
        command.envs(env);
        let line = feed(command, handed(path, 20.0, 40.0, soon()).to_string().as_bytes());
        assert!(line.starts_with("5h 20%"), "{name}: {line}");
    }
    assert_eq!(changes(&before, &stage.world.snapshot()), Vec::<String>::new());
}

#[test]
fn after_a_switch_the_former_accounts_figures_are_dropped() {
    let stage = Stage::two("sl-switched");
    let path = transcript(&stage.world, &stage.world.claude_dir());
    let (of_b, of_a) = (soon(), soon() + 7200);
    show(&stage, &handed(&path, 20.0, 40.0, of_b));
    assert_eq!(kept(&stage, "b"), Some(20.0));
    stage.ok(&["switch", "a"]);
    // Nothing was answered since: whatever the session hands over is b's.
    let stale = handed(&path, 21.0, 41.0, of_b + 60);
    assert_eq!(show(&stage, &stale), "a\n", "not even shown as a's");
    // The user has written something; the figures are b's still, by their resets.
    std::fs::write(&path, "{}\n{}\n").expect("a transcript");
    assert_eq!(show(&stage, &handed(&path, 20.0, 40.0, of_b)), "a\n");
    assert_eq!((kept(&stage, "a"), kept(&stage, "b")), (None, Some(20.0)));
    // An answer to a.
    assert!(show(&stage, &handed(&path, 3.0, 7.0, of_a)).starts_with("a  5h 3%"));
    assert_eq!((kept(&stage, "a"), kept(&stage, "b")), (Some(3.0), Some(20.0)));
}

#[test]
fn a_profile_that_is_gone_is_not_made_again() {
    let stage = Stage::two("sl-gone");
    let tree = stage.world.root().join("profiles/zz/runtime");
    let input = handed(&tree.join("projects/p/s.jsonl"), 20.0, 40.0, soon());
    let before = stage.world.snapshot();
    show(&stage, &input);
    assert_eq!(changes(&before, &stage.world.snapshot()), Vec::<String>::new());
}

#[test]
fn five_hundred_runs_half_of_them_killed_leave_nothing() {
    let stage = Stage::two("sl-storm");
    let path = transcript(&stage.world, &stage.world.claude_dir());
    let reset = soon();
    show(&stage, &handed(&path, 1.0, 2.0, reset));
    let before = stage.world.snapshot();
    thread::scope(|scope| {
        for worker in 0..20_u32 {
            let (stage, path) = (&stage, &path);
            scope.spawn(move || {
                for run in 0..25_u32 {
                    // Another figure each time, so that each would be stored.
                    let percent = f64::from((worker * 25 + run) % 90);
                    let input = handed(path, percent, 2.0, reset).to_string();
                    let mut child = start(stage.command(&["statusline"]), input.as_bytes());
                    if run % 2 == 0 {
                        for _ in 0..(worker * run) % 40 {
                            thread::yield_now();
                        }
                        let _ = child.kill();
                    }
                    let _ = child.wait();
                }
            });
        }
    });
    let changed = changes(&before, &stage.world.snapshot());
    let readings = "profiles/b/usage_history.jsonl";
    assert!(changed.iter().all(|change| change.contains(readings)), "{changed:#?}");
    let text = std::fs::read_to_string(stage.world.root().join(readings)).expect("readings");
    assert!(text.ends_with('\n'));
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a whole line");
        assert_eq!(line["by"], "statusline");
    }
    assert!(kept(&stage, "b").is_some());
}

/// By what the kernel was asked for: one file is written, nothing is locked, nobody is spoken to and nothing is started.
#[cfg(unix)]
#[test]
fn it_opens_no_socket_and_starts_no_process() {
    let strace = ["/usr/bin/strace", "/bin/strace"].into_iter().find(|path| Path::new(path).exists());
    let Some(strace) = strace else {
        println!("skipped: strace is not installed");
        return;
    };
    let stage = Stage::two("sl-strace");
    let path = transcript(&stage.world, &stage.world.claude_dir());
    let trace = stage.world.home().join("trace");
    let mut command = stage.world.command(Path::new(strace), None);
    command.args(["-f", "-qq", "-e", "trace=%file,%network,%process,flock,fcntl", "-o"]).arg(&trace);
    command.arg(PROGRAM).arg("statusline");
    let line = feed(command, handed(&path, 20.0, 40.0, soon()).to_string().as_bytes());
    assert!(line.starts_with("b  5h 20%"), "{line}");
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let calls = || text.lines().map(|line| line.split_once(' ').map_or(line, |(_, call)| call.trim_start()));
    assert_eq!(calls().filter(|call| call.starts_with("execve(")).count(), 1, "itself");
    for forbidden in
        ["socket(", "connect(", "flock(", "rename", "unlink", "mkdir", "link(", "symlink", "fork", "vfork("]
    {
        let told: Vec<&str> = calls().filter(|call| call.starts_with(forbidden)).collect();
        assert_eq!(told, Vec::<&str>::new(), "{forbidden}");
    }
    let written: Vec<&str> = calls()
        .filter(|call| call.starts_with("open") && (call.contains("O_WRONLY") || call.contains("O_RDWR")))
        .filter(|call| !call.contains("/dev/null"))
        .collect();
    assert!(written.len() == 1 && written[0].contains("profiles/b/usage_history.jsonl"), "{written:#?}");
}

/// A wrong word is refused as any command's is; the bare command never fails.
#[test]
fn more_words_are_the_command_lines() {
    let stage = Stage::two("sl-words");
    let output: Output = clauth_sandbox::world::run(stage.command(&["statusline", "--json"]), DEADLINE);
    assert_eq!((output.code, output.stdout.as_str()), (Some(0), "b\n"));
}
