//! When to mirror: at file events, and by walking where those fail (S6).
//!
//! Of all sessions of a profile one mirrors, the one that holds `base/mirror.lock`; the others wait for it to end. The
//! lock is the operating system's, so that a killed one's is free at once; one that is suspended with its `claude` lets
//! go of it first.

mod events;
mod queue;
mod run;

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use clauth_durable::Disk;

use super::mirror::{Report, Shared};
use super::side::Pair;
use crate::Error;
use run::Runner;

/// How long a suspension waits for what is being looked at.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the watching thread is told.
#[derive(Debug)]
enum Message {
    /// Something happened at this path.
    Changed(events::Change),
    /// Something happened that was not told.
    Lost,
    /// Nothing will be told any more, and why.
    Blind(String),
    /// The process is about to be stopped: another one's turn. Answered by dropping the sender.
    Pause(Sender<()>),
    /// The process goes on.
    Resume,
    /// The end.
    Stop,
}

/// Tells the user something: one line, no line end.
pub(crate) type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// A thread that keeps a pair in step until it is stopped.
pub(crate) struct Watcher {
    sender: Sender<Message>,
    thread: JoinHandle<Option<Report>>,
}

impl Watcher {
    /// Begins to mirror, at first with a walk. `say` is told of each problem once, for as long as it lasts.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(disk: Disk, pair: Pair, shared: Shared, say: Say) -> Result<Self, Error> {
        Self::start_by(disk, pair, shared, (say, true))
    }

    /// The same; without `events` as where the system tells nothing.
    pub(super) fn start_by(disk: Disk, pair: Pair, shared: Shared, (say, events): (Say, bool)) -> Result<Self, Error> {
        let (sender, receiver) = channel();
        let tree = pair.tree.clone();
        let runner = Runner::new(disk, pair, shared, (say, events), (sender.clone(), receiver));
        let thread = std::thread::Builder::new().name("mirror".into()).spawn(move || runner.run());
        let thread = thread.map_err(|source| spawn_error(&tree, source))?;
        Ok(Self { sender, thread })
    }

    /// Lets another session mirror, when what is being looked at is done; waited for no longer than a user who suspends a
    /// program would.
    pub(crate) fn pause(&self) {
        let (done, told) = channel();
        if self.sender.send(Message::Pause(done)).is_ok() {
            let _ = told.recv_timeout(PATIENCE);
        }
    }

    /// Mirrors again, unless another session does now.
    pub(crate) fn resume(&self) {
        let _ = self.sender.send(Message::Resume);
    }

    /// Brings everything in step a last time and ends. `None` when another session mirrors, and goes on.
    pub(crate) fn stop(self) -> Option<Report> {
        // A thread that is gone needs no telling.
        let _ = self.sender.send(Message::Stop);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

fn spawn_error(tree: &Path, source: std::io::Error) -> Error {
    clauth_durable::Error::Io { doing: "watch", path: tree.to_owned(), source }.into()
}
