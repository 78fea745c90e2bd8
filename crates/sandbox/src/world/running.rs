//! A running `claude`, driven over its stdin.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use serde_json::Value;

use super::DEADLINE;
use super::child::{cannot_start, wait};

/// A `claude` that answers one JSON line to each command (see [`crate::claude::run_session`]); killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    ready: Value,
}

impl Running {
    /// Starts a command that runs a session (directly, or through `clauth start`) and waits until it is ready. Lines on
    /// its stdout that are no JSON are passed over.
    ///
    /// # Panics
    /// It cannot be started, or is not ready within [`DEADLINE`].
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let started = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.unwrap_or_else(|error| cannot_start(&command, &error));
        let (send, lines) = mpsc::channel();
        let stdout = child.stdout.take();
        thread::spawn(move || {
            for line in stdout.into_iter().flat_map(|stdout| BufReader::new(stdout).split(b'\n')).map_while(Result::ok)
            {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut running = Self { stdin: child.stdin.take(), child, lines, ready: Value::Null };
        running.ready = running.read();
        assert_eq!(running.ready["ready"], true, "the session did not come up: {}", running.ready);
        running
    }

    /// The id of the process that holds the session (not of what started it).
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.ready["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0)
    }

    /// The id of the process that was started: the session itself, or the `clauth start` above it.
    #[must_use]
    pub fn parent(&self) -> u32 {
        self.child.id()
    }

    /// Its session's id, which names its transcript.
    #[must_use]
    pub fn session_id(&self) -> &str {
        self.ready["session"].as_str().unwrap_or_default()
    }

    /// Sends a command and returns the answer.
    ///
    /// # Panics
    /// No answer within [`DEADLINE`].
    #[track_caller]
    pub fn send(&mut self, command: &str) -> Value {
        self.post(command);
        self.read()
    }

    /// Sends a command without waiting for its answer, which [`Running::read`] then returns.
    ///
    /// # Panics
    /// It has ended.
    #[track_caller]
    pub fn post(&mut self, command: &str) {
        let sent = self.stdin.as_mut().map(|stdin| writeln!(stdin, "{command}").and_then(|()| stdin.flush()));
        assert!(matches!(sent, Some(Ok(()))), "{command}: the session has ended");
    }

    /// The next answer.
    ///
    /// # Panics
    /// None within [`DEADLINE`].
    #[track_caller]
    pub fn read(&mut self) -> Value {
        let end = Instant::now() + DEADLINE;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line = line.expect("an answer of the session");
            if let Ok(answer @ Value::Object(_)) = serde_json::from_slice(&line) {
                return answer;
            }
        }
    }

    /// Makes a turn and returns the bearer it used, as `A2`.
    ///
    /// # Panics
    /// The turn failed.
    #[track_caller]
    pub fn turn(&mut self) -> String {
        let answer = self.send("turn");
        assert_eq!(answer["ok"], true, "{answer}");
        answer["bearer"].as_str().unwrap_or_default().to_owned()
    }

    /// Closes its stdin and waits for its end; the exit code.
    #[must_use]
    pub fn finish(mut self) -> Option<i32> {
        drop(self.stdin.take());
        wait(&mut self.child, Instant::now() + DEADLINE).0
    }

    /// Kills it, so that it cleans nothing up.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
