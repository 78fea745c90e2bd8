//! The thread: takes the lead, watches, and looks when something is due.

use std::fs::File;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use clauth_durable::Disk;
use notify::RecommendedWatcher;

use super::super::mirror::{Mirror, Report, Shared};
use super::super::side::Pair;
use super::queue::{Due, Queue, Said};
use super::{Message, Say, events};

/// How often it is tried to take the lead over.
const TRY_LEAD: Duration = Duration::from_secs(1);

/// Everything that the thread has.
pub(super) struct Runner {
    disk: Disk,
    pair: Pair,
    shared: Shared,
    say: Say,
    events: bool,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
}

/// What only the one that mirrors has.
struct Lead {
    mirror: Mirror,
    queue: Queue,
    said: Said,
    watcher: Option<RecommendedWatcher>,
    /// Held for as long as it mirrors.
    _lock: File,
}

impl Runner {
    pub(super) fn new(
        disk: Disk,
        pair: Pair,
        shared: Shared,
        (say, events): (Say, bool),
        (sender, receiver): (Sender<Message>, Receiver<Message>),
    ) -> Self {
        Self { disk, pair, shared, say, events, sender, receiver }
    }

    pub(super) fn run(self) -> Option<Report> {
        let mut lead = self.take_lead();
        let mut paused = false;
        loop {
            let wait = match &mut lead {
                Some(lead) => self.look(lead),
                None => (!paused).then_some(TRY_LEAD),
            };
            let message = match wait {
                None => self.receiver.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(wait) => self.receiver.recv_timeout(wait),
            };
            match message {
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                Ok(Message::Pause(done)) => {
                    (lead, paused) = (None, true);
                    drop(done);
                }
                Ok(Message::Resume) => paused = false,
                Ok(message) => self.told(lead.as_mut(), message),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if lead.is_none() && !paused {
                lead = self.take_lead();
            }
        }
        // The one that led may have ended just before.
        let mut lead = lead.or_else(|| self.take_lead())?;
        drop(lead.watcher.take());
        let report = lead.mirror.walk();
        self.save(&mut lead);
        for text in lead.said.of_walk(&report) {
            (self.say)(&text);
        }
        Some(report)
    }

    /// Does all that is due; answers how long to wait for the next.
    fn look(&self, lead: &mut Lead) -> Option<Duration> {
        loop {
            let now = self.disk.clock.monotonic();
            match lead.queue.due(now) {
                Due::Later(at) => return at.map(|at| at.saturating_sub(now)),
                Due::Walk => self.walk(lead),
                Due::Paths(paths) => self.look_at(lead, &paths),
            }
        }
    }

    fn walk(&self, lead: &mut Lead) {
        let began = self.disk.clock.monotonic();
        let report = lead.mirror.walk();
        self.save(lead);
        let now = self.disk.clock.monotonic();
        lead.queue.walked(&report, now.saturating_sub(began), now);
        for text in lead.said.of_walk(&report) {
            (self.say)(&text);
        }
    }

    fn look_at(&self, lead: &mut Lead, paths: &[(PathBuf, bool)]) {
        let mut whole = Report::default();
        for (path, deep) in paths {
            let report = if *deep { lead.mirror.sync_tree(path) } else { lead.mirror.sync_path(path) };
            whole.join(report);
        }
        self.save(lead);
        lead.queue.looked(paths, &whole, self.disk.clock.monotonic());
        let looked: Vec<_> = paths.iter().map(|(path, _)| path.as_path()).collect();
        for text in lead.said.of_look(&whole, &looked) {
            (self.say)(&text);
        }
    }

    /// Without what is known the next one reads more: no reason to stop, nor to speak.
    fn save(&self, lead: &mut Lead) {
        let _ = lead.mirror.save();
    }

    fn told(&self, lead: Option<&mut Lead>, message: Message) {
        let Some(lead) = lead else { return };
        let now = self.disk.clock.monotonic();
        match message {
            Message::Changed(change) => lead.queue.changed(change, now),
            Message::Lost => lead.queue.lost(now),
            Message::Blind(why) => self.go_blind(lead, &why),
            Message::Pause(_) | Message::Resume | Message::Stop => {}
        }
    }

    fn go_blind(&self, lead: &mut Lead, why: &str) {
        if lead.watcher.take().is_some() {
            (self.say)(&format!("file events fail ({why}): the copy of Claude Code's home is kept in step by walks"));
        }
        lead.queue.go_blind(self.disk.clock.monotonic());
    }

    /// Takes the lead if nobody has it: from then on everything is known only from the disk.
    fn take_lead(&self) -> Option<Lead> {
        self.disk.ensure_dir(&self.pair.base).ok()?;
        let lock = self.disk.vfs.open_lock(&self.pair.base.join("mirror.lock")).ok()?;
        lock.try_lock().ok()?;
        let mirror = Mirror::open(self.disk.clone(), self.pair.clone(), self.shared.clone());
        let mut lead = Lead { mirror, queue: Queue::default(), said: Said::default(), watcher: None, _lock: lock };
        // Events first, so that nothing that happens during the walk is missed.
        match self.events.then(|| events::watch(&self.pair, self.sender.clone())) {
            Some(Ok(watcher)) => lead.watcher = Some(watcher),
            Some(Err(error)) => {
                (self.say)(&format!(
                    "file events fail ({error}): the copy of Claude Code's home is kept in step by walks"
                ));
                lead.queue.go_blind(self.disk.clock.monotonic());
            }
            None => lead.queue.go_blind(self.disk.clock.monotonic()),
        }
        self.walk(&mut lead);
        Some(lead)
    }
}
