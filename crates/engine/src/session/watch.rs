//! The watchdog of a session: one thread that notices what Claude Code wrote, brings it home, and keeps settings and state
//! files in step. File events wake it; a look once a second is the floor.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use clauth_claude::ClaudeHome;
use jiff::Timestamp;
use notify::{RecursiveMode, Watcher as _};

use super::copy::{Pair, Watcher};
use super::gate::Gate;
use super::teller::Teller;
use super::visit::foreign;
use super::{Converger, LinkMode, Place, Tended, is_shared};
use crate::{Engine, Error};

/// Without events the files are looked at so often; where events fail, four times as often.
const FLOOR: Duration = Duration::from_secs(1);
const FLOOR_WITHOUT_EVENTS: Duration = Duration::from_millis(250);

/// When events begin, with the first look: what was written before is seen by then. Not sooner, since a system takes longer to
/// forget what it was to tell (Linux: tens of milliseconds) than a session takes that begins and ends at once (0039).
const FIRST: Duration = Duration::from_millis(50);

/// So often it is seen to that a bearer copy goes on working.
const BEARER: Duration = Duration::from_secs(30);

/// For so long the server is not asked again whose a live login is: it is counted for that account's readings.
const ASKED: Duration = Duration::from_secs(10 * 60);

/// A write is often followed by a rename; what happens within this belongs together.
const SETTLE: Duration = Duration::from_millis(20);

enum Message {
    /// Something happened in a watched directory.
    Event,
    /// The session is over.
    End,
}

/// Until [`Watch::end`].
pub(super) struct Watch {
    dog: Kennel,
    /// In copy mode: what keeps the rest of the tree in step with the home.
    mirror: Option<Watcher>,
    teller: Teller,
    gate: Arc<Gate>,
}

/// Where the watchdog lives.
enum Kennel {
    /// In a thread of its own.
    Thread { tell: Sender<Message>, thread: JoinHandle<()> },
    /// With whoever began the session, who calls it.
    ByHand(Box<Dog>),
}

impl Watch {
    pub(super) fn begin(
        engine: &Engine,
        place: Place,
        home: &ClaudeHome,
        (mut converger, uses_tree): (Converger, bool),
    ) -> Result<Self, Error> {
        // From here on the terminal is the child's.
        let teller = Teller::new(engine, &place.name);
        let engine = teller.engine();
        converger.set_engine(&engine);
        let by_hand = engine.by_hand;
        let mirror = if by_hand || !uses_tree { None } else { mirror(&engine, &place, home, &teller)? };
        let (tree, path) = (place.tree.clone(), place.tree.clone());
        let mut dog = Dog {
            files: files(&place, home),
            seen: Vec::new(),
            seen_to: engine.disk.clock.monotonic(),
            due: None,
            asked: None,
            teller: teller.clone(),
            engine,
            place,
            converger,
        };
        if by_hand {
            return Ok(Self { dog: Kennel::ByHand(Box::new(dog)), mirror, teller, gate: Arc::default() });
        }
        let (tell, told) = mpsc::channel();
        let (wake, directories) = (tell.clone(), [tree, home.dir.clone()]);
        let gate = Arc::new(Gate::default());
        let door = Arc::clone(&gate);
        let thread = std::thread::Builder::new()
            .name("clauth-session".into())
            .spawn(move || dog.run(&told, &door, || watcher(wake, &directories)));
        let thread = thread.map_err(|source| clauth_durable::Error::Io { doing: "watch", path, source })?;
        Ok(Self { dog: Kennel::Thread { tell, thread }, mirror, teller, gate })
    }

    /// One look, where nobody looks by itself.
    pub(super) fn look(&mut self) {
        if let Kennel::ByHand(dog) = &mut self.dog {
            dog.look();
            dog.settle();
            dog.see_to_bearer();
        }
    }

    /// The watchdog holds nothing from here on, and in copy mode another session mirrors, if there is one (decision 0009).
    pub(super) fn pause(&self) {
        self.gate.shut();
        self.mirror.iter().for_each(Watcher::pause);
    }

    pub(super) fn resume(&self) {
        self.gate.open();
        self.mirror.iter().for_each(Watcher::resume);
    }

    /// Stops the thread after one last look. Answers what the user should know, now that the terminal is ours again.
    pub(super) fn end(self) -> Vec<String> {
        self.gate.open();
        match self.dog {
            Kennel::Thread { tell, thread } => {
                let _ = tell.send(Message::End);
                if thread.join().is_err() {
                    self.teller.tell("the session's watchdog ended early");
                }
            }
            Kennel::ByHand(mut dog) => {
                dog.look();
            }
        }
        let report = self.mirror.and_then(Watcher::stop);
        report.iter().flat_map(|report| &report.problems).for_each(|problem| self.teller.tell(&problem.to_string()));
        self.teller.notices()
    }
}

/// In copy mode, what keeps the tree in step with the home.
fn mirror(engine: &Engine, place: &Place, home: &ClaudeHome, teller: &Teller) -> Result<Option<Watcher>, Error> {
    if place.mode(&engine.disk) == LinkMode::Real {
        return Ok(None);
    }
    let shared = Arc::new(|name: &OsStr| is_shared(name, LinkMode::Copy));
    let teller = teller.clone();
    let say = Arc::new(move |line: &str| teller.tell(line));
    Watcher::start(engine.disk.clone(), Pair::of(place, &home.dir), shared, say).map(Some)
}

/// Wakes the thread when something in one of `directories` changes; `None` where the system has no such events.
fn watcher(tell: Sender<Message>, directories: &[PathBuf]) -> Option<notify::RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let reads = event.as_ref().is_ok_and(|event| event.kind.is_access());
        if !reads {
            let _ = tell.send(Message::Event);
        }
    })
    .ok()?;
    for directory in directories {
        watcher.watch(directory, RecursiveMode::NonRecursive).ok()?;
    }
    Some(watcher)
}

/// The files whose change means something.
fn files(place: &Place, home: &ClaudeHome) -> Vec<PathBuf> {
    vec![
        // An item tells nobody that it changed, but Claude Code takes a lock in the tree to change it.
        if place.item.is_some() { place.tree.clone() } else { place.file() },
        place.slot.clone(),
        place.tree.join("settings.json"),
        place.tree.join(".claude.json"),
        home.settings(),
        home.state.clone(),
        home.credentials(),
    ]
}

/// What tells a file from a later version of itself.
type Mark = Option<(u64, u64, u64, Timestamp, bool)>;

struct Dog {
    engine: Engine,
    place: Place,
    converger: Converger,
    files: Vec<PathBuf>,
    seen: Vec<Mark>,
    /// When the bearer copy was seen to last, by our own monotonic time.
    seen_to: Duration,
    /// From when on it has to be renewed, by the clock: hours may pass in the sleep of the whole machine.
    due: Option<Timestamp>,
    /// The live login that the server was asked about last, and when.
    asked: Option<(Mark, Duration)>,
    teller: Teller,
}

impl Dog {
    /// Looks until the end, woken by the events that `events` begins.
    fn run<W>(&mut self, told: &Receiver<Message>, gate: &Gate, events: impl FnOnce() -> Option<W>) {
        let mut last = matches!(told.recv_timeout(FIRST), Ok(Message::End) | Err(RecvTimeoutError::Disconnected));
        let mut watcher = if last { None } else { events() };
        let floor = if watcher.is_some() { FLOOR } else { FLOOR_WITHOUT_EVENTS };
        loop {
            if last {
                // The system forgets while the last look is made.
                watcher.take();
            }
            let marks: Vec<Mark> = self.files.iter().map(|path| self.mark(path)).collect();
            if last || marks != self.seen {
                // Looked at before the work, so that what is written during it is seen at the next look.
                let done = gate.within(|| self.look());
                self.seen = if done { self.without_own(marks) } else { Vec::new() };
            }
            if last {
                return;
            }
            gate.within(|| {
                self.settle();
                self.see_to_bearer();
            });
            last = match told.recv_timeout(floor) {
                Ok(Message::Event) => self.gathered(told),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => true,
                Err(RecvTimeoutError::Timeout) => false,
            };
        }
    }

    /// What the start did not wait for.
    fn settle(&mut self) {
        let settled = self.converger.make_durable();
        self.teller.stands("the record of what the session began with", settled.err().map(|error| error.to_string()));
    }

    /// Our own locks in the tree are no news either.
    fn without_own(&self, mut marks: Vec<Mark>) -> Vec<Mark> {
        if let (Some(first), Some(_)) = (marks.first_mut(), &self.place.item) {
            *first = self.mark(&self.place.tree);
        }
        marks
    }

    fn see_to_bearer(&mut self) {
        let now = self.engine.disk.clock.monotonic();
        let is_due = self.due.is_some_and(|due| due <= self.engine.host.clock.now());
        if now.saturating_sub(self.seen_to) < BEARER && !is_due {
            return;
        }
        self.seen_to = now;
        if self.place.item.is_some() {
            // No event tells of an item.
            let followed = self.engine.follow_live(&self.place);
            self.teller.stands("the login in Claude Code's home", followed.err().map(|error| error.to_string()));
        }
        let ask = self.may_ask();
        let kept = self.engine.keep_bearer(&self.place, ask);
        self.teller.stands("renewing the login", kept.as_ref().err().map(ToString::to_string));
        kept.into_iter().flatten().for_each(|warning| self.teller.tell(&warning));
        // What could not be renewed now is tried again with the next round.
        let now = self.engine.host.clock.now();
        self.due = self.engine.bearer_due(&self.place).filter(|due| *due > now);
    }

    /// Whether the server may be asked whose the live login is: once for each, and again when that told nothing for long.
    fn may_ask(&mut self) -> bool {
        if self.engine.bearer_due(&self.place).is_none_or(|due| due > self.engine.host.clock.now()) {
            return false;
        }
        let (mark, now) = (self.files.last().and_then(|live| self.mark(live)), self.engine.disk.clock.monotonic());
        let asked = self.asked.is_some_and(|(asked, at)| asked == mark && now.saturating_sub(at) < ASKED);
        if !asked {
            self.asked = Some((mark, now));
        }
        !asked
    }

    /// Waits until a burst of events is over, but not when the end comes. Answers whether it came.
    fn gathered(&self, told: &Receiver<Message>) -> bool {
        let clock = &self.engine.disk.clock;
        let until = clock.monotonic() + SETTLE;
        loop {
            match told.recv_timeout(until.saturating_sub(clock.monotonic())) {
                Ok(Message::Event) => {}
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    fn mark(&self, path: &Path) -> Mark {
        let stat = self.engine.disk.vfs.lstat(path).ok()?;
        let link = stat.kind == clauth_durable::Kind::Link;
        Some((stat.dev, stat.ino, stat.len, stat.modified, link))
    }

    /// Brings home and converges. Answers whether nothing has to be looked at again.
    fn look(&mut self) -> bool {
        let tended = self.engine.tend(&self.place);
        self.teller.stands("the login", tended.as_ref().err().map(ToString::to_string));
        match &tended {
            Ok(Tended::Foreign { entry, whose, new: true }) => {
                self.teller.tell(&foreign(&self.place.name, whose, entry));
            }
            Ok(Tended::Replaced) => self.teller.tell(&format!(
                "a session of '{}' wrote a login that is no newer than the stored one, which stays",
                self.place.name
            )),
            _ => {}
        }
        let followed = self.engine.follow_live(&self.place);
        self.teller.stands("the login in Claude Code's home", followed.as_ref().err().map(ToString::to_string));
        self.due = self.engine.bearer_due(&self.place);
        let quiet = !matches!(tended, Ok(Tended::Later) | Err(_)) && matches!(followed, Ok(false));
        let passed = self.converger.pass();
        self.teller.stands("settings and state", passed.as_ref().err().map(ToString::to_string));
        // What was skipped is looked at again; what is due later is seen by the floor.
        quiet && passed.is_ok_and(|passed| passed.skipped.is_empty() && !passed.elsewhere && passed.due.is_none())
    }
}

#[cfg(test)]
mod tests;
