//! Programs run to their end, with a deadline.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a program may run before it is killed. Under Wine a program takes ten times as long, and `demo` runs two dozen.
pub const DEADLINE: Duration = Duration::from_secs(if cfg!(windows) { 120 } else { 30 });

/// What a program printed, and how it ended.
#[must_use = "a program's failure must be looked at"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Standard output; what is no UTF-8 is replaced.
    pub stdout: String,
    /// Standard error; what is no UTF-8 is replaced.
    pub stderr: String,
    /// The exit code; none if a signal or the deadline ended it.
    pub code: Option<i32>,
    /// Whether the deadline passed.
    pub timed_out: bool,
}

impl Output {
    /// Checks the exit code.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Checks that the exit code is 0.
    ///
    /// # Panics
    /// It is another one.
    #[track_caller]
    pub fn success(self) -> Self {
        self.expect_code(0)
    }

    /// Standard output as one JSON document.
    ///
    /// # Panics
    /// It is none.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        let parsed = serde_json::from_str(&self.stdout);
        assert!(parsed.is_ok(), "no JSON on stdout: {self:#?}");
        parsed.unwrap_or(Value::Null)
    }
}

/// Runs a command to its end, or kills it at the deadline. Its stdin is as the command has it.
///
/// # Panics
/// It cannot be started.
pub fn run(mut command: Command, deadline: Duration) -> Output {
    let end = Instant::now() + deadline;
    let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.unwrap_or_else(|error| cannot_start(&command, &error));
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let (code, timed_out) = wait(&mut child, end);
    // A grandchild may hold the pipes open after the end; a second is enough for what the program itself printed.
    let text = |pipe: &Receiver<Vec<u8>>| {
        let left = end.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        String::from_utf8_lossy(&pipe.recv_timeout(left).unwrap_or_default()).into_owned()
    };
    Output { stdout: text(&stdout), stderr: text(&stderr), code, timed_out }
}

/// Fails the test over a program that cannot be started.
#[expect(clippy::panic, reason = "a harness fails by panicking")]
pub(super) fn cannot_start(command: &Command, error: &std::io::Error) -> Child {
    panic!("{}: {error}", command.get_program().to_string_lossy())
}

/// Waits until `end`, then kills. Returns the exit code and whether the deadline passed.
pub(super) fn wait(child: &mut Child, end: Instant) -> (Option<i32>, bool) {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return (status.code(), false),
            Ok(None) if Instant::now() < end => thread::sleep(Duration::from_millis(2)),
            _ => break,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    (None, true)
}

/// Reads a pipe to its end beside us.
fn drain(pipe: Option<impl Read + Send + 'static>) -> Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        let _ = send.send(bytes);
    });
    receive
}
