//! A running client, one turn at a time over its stdin.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::bench::{Bench, PATIENCE};

/// The client's words for turn after turn over its stdin.
pub(super) const TURNS: [&str; 8] =
    ["-p", "--model", "haiku", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"];

/// A `claude` that was started once and is asked again and again.
pub(super) struct Session<'b> {
    bench: &'b Bench,
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl<'b> Session<'b> {
    pub(super) fn start(bench: &'b Bench, mut command: Command) -> anyhow::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().context("cannot start the client")?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().context("no stdout")?;
        let (send, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { bench, child, stdin, lines })
    }

    /// One turn; says which login paid for it.
    pub(super) fn turn(&mut self) -> anyhow::Result<String> {
        self.ask()?;
        self.bench.bearer()
    }

    /// One turn, whatever is tried until it is answered.
    pub(super) fn ask(&mut self) -> anyhow::Result<()> {
        self.bench.server.forget_requests();
        let message =
            json!({ "type": "user", "message": { "role": "user", "content": [{ "type": "text", "text": "hi" }] } });
        let stdin = self.stdin.as_mut().context("the session was closed")?;
        writeln!(stdin, "{message}").context("the session has ended")?;
        let result = self.result()?;
        ensure!(result["is_error"] == false, "the turn failed: {result}");
        Ok(())
    }

    /// Kills what was started, and nothing below it: of a `clauth start` its `claude` goes on.
    pub(super) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().context("it cannot be killed")?;
        self.child.wait().context("it does not end").map(drop)
    }

    /// Ends its input, at which the client ends.
    pub(super) fn close(&mut self) {
        self.stdin = None;
    }

    fn result(&self) -> anyhow::Result<Value> {
        let end = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(end.saturating_duration_since(Instant::now()));
            let line: Value = serde_json::from_str(&line.context("the turn came to no end")?).unwrap_or_default();
            if line["type"] == "result" {
                return Ok(line);
            }
        }
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
