//! The watchdog of a session: one thread that notices what Claude Code wrote, brings it home, and keeps settings and state
//! files in step. File events wake it; a look once a second is the floor.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use clauth_claude::ClaudeHome;
use jiff::Timestamp;
use notify::{RecursiveMode, Watcher as _};

use super::copy::{Pair, Watcher};
use super::visit::foreign;
use super::{Converger, LinkMode, Place, Tended, is_shared};
use crate::{Engine, Error};

/// Without events the files are looked at so often; where events fail, four times as often.
const FLOOR: Duration = Duration::from_secs(1);
const FLOOR_WITHOUT_EVENTS: Duration = Duration::from_millis(250);

/// So often it is seen to that a bearer copy goes on working.
const BEARER: Duration = Duration::from_secs(30);

/// A write is often followed by a rename; what happens within this belongs together.
const SETTLE: Duration = Duration::from_millis(20);

enum Message {
    /// Something happened in a watched directory.
    Event,
    /// The session is over.
    End,
}

/// The thread, until [`Watch::end`].
pub(super) struct Watch {
    tell: Sender<Message>,
    thread: JoinHandle<Vec<String>>,
    /// In copy mode: what keeps the rest of the tree in step with the home.
    mirror: Option<Watcher>,
    /// What the mirror told.
    told: Arc<Mutex<Notices>>,
}

impl Watch {
    pub(super) fn begin(engine: Engine, place: Place, home: &ClaudeHome, converger: Converger) -> Result<Self, Error> {
        let notices = Arc::new(Mutex::new(Notices::default()));
        let mirror = mirror(&engine, &place, home, &notices)?;
        let (tell, told) = mpsc::channel();
        let watcher = watcher(tell.clone(), [&place.tree, &home.dir]);
        let floor = if watcher.is_some() { FLOOR } else { FLOOR_WITHOUT_EVENTS };
        let path = place.tree.clone();
        let mut dog = Dog {
            files: files(&place, home),
            seen: Vec::new(),
            seen_to: engine.disk.clock.monotonic(),
            notices: Notices::default(),
            engine,
            place,
            converger,
        };
        let thread = std::thread::Builder::new().name("clauth-session".into()).spawn(move || {
            let _watcher = watcher;
            dog.run(&told, floor);
            dog.notices.all
        });
        let thread = thread.map_err(|source| clauth_durable::Error::Io { doing: "watch", path, source })?;
        Ok(Self { tell, thread, mirror, told: notices })
    }

    /// Stops the thread after one last look. Answers what the user should know, now that the terminal is ours again.
    pub(super) fn end(self) -> Vec<String> {
        let _ = self.tell.send(Message::End);
        let ended = self.thread.join();
        let mut all = ended.unwrap_or_else(|_| vec!["the session's watchdog ended early".to_owned()]);
        if let Some(report) = self.mirror.and_then(Watcher::stop) {
            all.extend(report.problems.iter().map(ToString::to_string));
        }
        all.append(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner).all);
        all
    }
}

/// In copy mode, what keeps the tree in step with the home.
fn mirror(
    engine: &Engine,
    place: &Place,
    home: &ClaudeHome,
    told: &Arc<Mutex<Notices>>,
) -> Result<Option<Watcher>, Error> {
    if place.mode(&engine.disk) == LinkMode::Real {
        return Ok(None);
    }
    let shared = Arc::new(|name: &OsStr| is_shared(name, LinkMode::Copy));
    let told = Arc::clone(told);
    let say = Arc::new(move |line: &str| told.lock().unwrap_or_else(PoisonError::into_inner).once(line.to_owned()));
    Watcher::start(engine.disk.clone(), Pair::of(place, &home.dir), shared, say).map(Some)
}

/// Wakes the thread when something in one of `directories` changes; `None` where the system has no such events.
fn watcher(tell: Sender<Message>, directories: [&PathBuf; 2]) -> Option<notify::RecommendedWatcher> {
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
        place.credential(),
        place.slot.clone(),
        place.tree.join("settings.json"),
        place.tree.join(".claude.json"),
        home.settings(),
        home.state.clone(),
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
    notices: Notices,
}

impl Dog {
    fn run(&mut self, told: &Receiver<Message>, floor: Duration) {
        loop {
            let last = match told.recv_timeout(floor) {
                Ok(Message::Event) => self.gathered(told),
                Ok(Message::End) | Err(RecvTimeoutError::Disconnected) => true,
                Err(RecvTimeoutError::Timeout) => false,
            };
            let marks: Vec<Mark> = self.files.iter().map(|path| self.mark(path)).collect();
            if last || marks != self.seen {
                // Looked at before the work, so that what is written during it is seen at the next look.
                let done = self.look();
                self.seen = if done { marks } else { Vec::new() };
            }
            if last {
                return;
            }
            self.see_to_bearer();
        }
    }

    fn see_to_bearer(&mut self) {
        let now = self.engine.disk.clock.monotonic();
        if now.saturating_sub(self.seen_to) < BEARER {
            return;
        }
        self.seen_to = now;
        match self.engine.keep_bearer(&self.place) {
            Ok(warnings) => warnings.into_iter().for_each(|warning| self.notices.once(warning)),
            Err(error) => self.notices.once(error.to_string()),
        }
    }

    /// Waits until a burst of events is over. Answers whether the end was among them.
    fn gathered(&self, told: &Receiver<Message>) -> bool {
        self.engine.disk.clock.sleep(SETTLE);
        told.try_iter().any(|message| matches!(message, Message::End))
    }

    fn mark(&self, path: &Path) -> Mark {
        let stat = self.engine.disk.vfs.lstat(path).ok()?;
        let link = stat.kind == clauth_durable::Kind::Link;
        Some((stat.dev, stat.ino, stat.len, stat.modified, link))
    }

    /// Brings home and converges. Answers whether nothing has to be looked at again.
    fn look(&mut self) -> bool {
        let tended = self.engine.tend(&self.place);
        let quiet = !matches!(tended, Ok(Tended::Later) | Err(_));
        match tended {
            Ok(Tended::Foreign { entry, whose }) => self.notices.once(foreign(&self.place.name, &whose, &entry)),
            Ok(Tended::Replaced) => self.notices.once(format!(
                "a session of '{}' wrote a login that is no newer than the stored one, which stays",
                self.place.name
            )),
            Ok(_) => {}
            Err(error) => self.notices.once(error.to_string()),
        }
        match self.converger.pass() {
            // What was skipped is looked at again; what is due later is seen by the floor.
            Ok(passed) => quiet && passed.skipped.is_empty() && !passed.elsewhere && passed.due.is_none(),
            Err(error) => {
                self.notices.once(error.to_string());
                false
            }
        }
    }
}

/// What is told after the session, each thing once.
#[derive(Default)]
struct Notices {
    all: Vec<String>,
}

impl Notices {
    fn once(&mut self, notice: String) {
        if !self.all.contains(&notice) {
            self.all.push(notice);
        }
    }
}
