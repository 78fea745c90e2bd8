//! `clauth demo` where it does not come to its end.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};

use crate::stage::Stage;

#[test]
fn a_place_that_cannot_be_used_is_named() {
    let stage = Stage::new("demo-nowhere");
    let nowhere = stage.world.home().join("nowhere");
    let mut command = stage.command(&["demo", "--json"]);
    command.env("TMPDIR", &nowhere);
    let output = crate::stage::finish(command);
    assert_eq!(output.code, Some(1), "{output:?}");
    let error = &output.json()["error"];
    assert_eq!(error["where"], nowhere.display().to_string(), "{error}");
    assert!(error["hints"][0].as_str().is_some_and(|hint| hint.contains("TMPDIR=")), "{error}");
}

fn pid(number: u32) -> Pid {
    Pid::from_raw(i32::try_from(number).expect("a process id")).expect("no zero")
}

/// Whether whoever started the suite has it ignore a signal, as a shell does for what it runs in the background: then the
/// demonstration ignores it as well.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (signal.as_raw() - 1) & 1 == 1
}

/// A terminal sends to everything in front of it, `kill` to one process; neither may leave a home or a fake `claude`.
#[test]
fn a_signal_ends_it_as_its_end_does() {
    let stage = Stage::new("demo-signal");
    let temporary = stage.world.home().join("tmp");
    std::fs::create_dir(&temporary).expect("a directory");
    let cases = [
        ("Ctrl-C", Signal::INT, true),
        ("kill", Signal::TERM, false),
        ("a closed terminal", Signal::HUP, true),
        ("kill -INT", Signal::INT, false),
    ];
    for (name, signal, to_all) in cases.into_iter().filter(|(_, signal, _)| !is_ignored(*signal)) {
        let mut command = stage.command(&["demo"]);
        command.env("TMPDIR", &temporary).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        let mut child = command.spawn().expect(name);
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        // By then a fake claude has come up, and stands in the registry.
        let told = lines.by_ref().map_while(Result::ok).find(|line| line.contains("$ clauth switch work"));
        assert!(told.is_some(), "{name}");
        let home = std::fs::read_dir(&temporary).expect(name).next().expect("a home").expect(name).path();
        let claudes: Vec<u32> = std::fs::read_dir(home.join(".claude/sessions"))
            .expect(name)
            .filter_map(|entry| entry.expect(name).path().file_stem()?.to_str()?.parse().ok())
            .collect();
        assert!(!claudes.is_empty(), "{name}");
        let send = if to_all { kill_process_group } else { kill_process };
        send(pid(child.id()), signal).expect(name);
        lines.map_while(Result::ok).for_each(drop);
        let ended = child.wait_with_output().expect(name);
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!((ended.status.code(), ended.status.signal()), (Some(128 + signal.as_raw()), None), "{name}: {said}");
        assert_eq!(said, "", "{name}");
        assert_eq!(std::fs::read_dir(&temporary).expect(name).count(), 0, "{name}: the home is left");
        for claude in claudes {
            test_kill_process(pid(claude)).expect_err("a claude that lives on");
        }
    }
}
