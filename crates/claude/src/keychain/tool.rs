//! The tool as a child process: words, perhaps a line on its standard input, and a deadline after which it is killed.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use clauth_durable::Trouble;
use clauth_host::{Clock, Host};

use super::{account, answer};

/// How often it is looked whether the tool has ended.
const LOOK: Duration = Duration::from_millis(2);

/// More than any item can hold (the system's limit for arguments).
const MOST: u64 = 4 << 20;

/// What the tool needs of our environment: whose keychains it opens, and in which session it may ask.
const KEPT: [&str; 8] =
    ["HOME", "USER", "LOGNAME", "PATH", "TMPDIR", "SECURITYSESSIONID", "__CF_USER_TEXT_ENCODING", "CLAUTH_HOME"];

/// How a call ended.
pub(super) struct Outcome {
    /// Its exit code; `None` when a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) output: Vec<u8>,
}

/// The tool.
pub(super) struct Tool {
    path: PathBuf,
    env: Vec<(OsString, OsString)>,
    /// Under which account items are kept.
    pub(super) account: String,
}

impl Tool {
    pub(super) fn new(path: PathBuf, host: &Host) -> Self {
        let kept = KEPT.iter().filter_map(|name| Some((OsString::from(name), host.env.raw(name)?.to_owned())));
        Self { path, env: kept.collect(), account: account::account(host, user_of_system) }
    }

    /// Runs it. Its standard error is not looked at: an exit code says enough, and nothing of it could be shown.
    pub(super) fn run(
        &self,
        words: &[&str],
        line: Option<&str>,
        time: Duration,
        clock: &Clock,
    ) -> Result<Outcome, Trouble> {
        let mut command = Command::new(&self.path);
        command.args(words).env_clear().envs(self.env.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        apart(&mut command);
        let mut child = command.spawn().map_err(|error| Trouble {
            why: format!("{} cannot be run: {error}", self.path.display()),
            next: "keep credentials in files: CLAUTH_CREDENTIALS=file".into(),
        })?;
        let output = streams(&mut child, line.map(str::to_owned));
        let end = clock.monotonic() + time;
        let outcome = loop {
            if let Ok(Some(status)) = child.try_wait() {
                break Some(status.code());
            }
            if clock.monotonic() >= end {
                break None;
            }
            clock.sleep(LOOK);
        };
        let Some(code) = outcome else {
            stop(&mut child);
            return Err(answer::timeout());
        };
        let left = end.saturating_sub(clock.monotonic()).max(LOOK);
        output.recv_timeout(left).map(|output| Outcome { code, output }).map_err(|_| answer::timeout())
    }
}

/// Feeds and drains the child without ever waiting for it: a pipe that it does not read, or leaves open, holds up a thread
/// of its own.
fn streams(child: &mut Child, line: Option<String>) -> mpsc::Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    std::thread::spawn(move || {
        if let (Some(mut stdin), Some(line)) = (stdin, line) {
            // A tool that ends early leaves a broken pipe; its exit code, and the read back, tell what came of it.
            let _ = stdin.write_all(line.as_bytes());
        }
    });
    std::thread::spawn(move || {
        let mut output = Vec::new();
        let read = stdout.map(|stdout| stdout.take(MOST).read_to_end(&mut output));
        if matches!(read, Some(Ok(_))) {
            let _ = tell.send(output);
        }
    });
    told
}

/// Out of the terminal's reach: a ^C would end the tool in the middle of a write.
#[cfg(unix)]
fn apart(command: &mut Command) {
    use std::os::unix::process::CommandExt as _;
    command.process_group(0);
}

#[cfg(not(unix))]
fn apart(_: &mut Command) {}

/// Kills the child, and with it the process group that was made for it alone.
fn stop(child: &mut Child) {
    #[cfg(unix)]
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
    let _ = child.wait();
}

/// What the system calls the user.
fn user_of_system() -> Option<String> {
    let said = Command::new("/usr/bin/id").arg("-un").env_clear().stdin(Stdio::null()).output().ok()?;
    let name = String::from_utf8(said.stdout).ok()?;
    said.status.success().then(|| name.trim().to_owned())
}
