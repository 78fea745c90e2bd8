//! A command as a process of the built program, killed by the system.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::stage::Stage;
use crate::step::Act;

/// The exit code of a program that panicked.
const PANICKED: i32 = 101;

/// No command takes so long.
const DEADLINE: Duration = Duration::from_secs(60);

/// How a process ended.
pub(crate) struct Ended {
    pub(crate) outcome: String,
    /// It was killed before it had ended by itself.
    pub(crate) killed: bool,
    pub(crate) panicked: bool,
}

/// The words of a command; `None` for what only makes sense within a process. `entry` is a vault entry's id.
pub(crate) fn words(act: &Act, entry: Option<String>) -> Option<Vec<String>> {
    let words: Vec<&str> = match act {
        Act::Capture(name) => vec!["capture", name],
        Act::CaptureAgain => vec!["capture"],
        Act::CaptureOver(name) => vec!["capture", name, "--replace"],
        Act::Switch(name) => vec!["switch", name],
        Act::Force(name) => vec!["switch", name, "--force"],
        Act::Back => vec!["switch", "-"],
        Act::Undo => vec!["undo"],
        Act::Refresh(name) => vec!["refresh", name],
        Act::RefreshAll => vec!["refresh", "--all"],
        Act::Remove(name) => vec!["remove", name],
        Act::RemoveForced(name) => vec!["remove", name, "--force"],
        Act::Restore(_) => return Some(owned(&["vault", "restore", &entry?, "--yes"])),
        Act::RestoreAs(_, name) => return Some(owned(&["vault", "restore", &entry?, "--as", name, "--yes"])),
        Act::Rename(from, to) => vec!["rename", from, to],
        Act::Bind(name) => vec!["bind", name],
        Act::Order(name) => vec!["order", name, "1"],
        Act::List => vec!["list"],
        Act::Start(_) | Act::Look(_) | Act::End(_) | Act::Login(..) => return None,
    };
    Some(owned(&[words.as_slice(), &["--yes"]].concat()))
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Runs the program with these words, and kills it after `kill`.
pub(crate) fn run(stage: &Stage, program: &Path, words: &[String], kill: Option<Duration>) -> Ended {
    let mut command = stage.world.command(program, stage.network.then_some(&stage.server));
    command.args(words).env("XDG_RUNTIME_DIR", stage.home().join("run"));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the built program");
    if let Some(after) = kill {
        std::thread::sleep(after);
        // It may have ended by itself.
        let _ = child.kill();
    }
    let code = wait(&mut child);
    let outcome = code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
    Ended { outcome, killed: code.is_none(), panicked: code == Some(PANICKED) }
}

fn wait(child: &mut Child) -> Option<i32> {
    let end = Instant::now() + DEADLINE;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let _ = child.kill();
    let _ = child.wait();
    Some(PANICKED)
}
