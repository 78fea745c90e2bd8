//! Both sides kept in step, path by path (S6).
//!
//! Nothing is deleted. A deletion on one side stays there and does not reach the other: it may be one program's tidying up
//! of what another still wants. Neither is it undone while the other side rests, or the two would work against each other
//! for ever; new content on the other side is newer than the deletion and comes through.
//!
//! One process at a time mirrors a pair: see [`super::Watcher`]. Each path settles by itself, from what stands there, so a
//! kill at any point leaves nothing that the next look does not carry on from.

mod content;
mod decide;
mod keep;
mod lines;
mod look;
mod modes;
mod parents;
mod plain;
mod swap;
mod walk;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clauth_durable::Disk;

use super::fence::Fence;
use super::index::{Entry, Index, Stamp, hash_of};
use super::name::Ground;
use super::side::{Pair, Two};
use super::store::Store;
use super::{Problem, Trouble, name};

/// Whether a top-level entry is shared (S4).
pub(crate) type Shared = Arc<dyn Fn(&OsStr) -> bool + Send + Sync>;

/// How long a file that became empty, or JSON that stopped parsing, must rest before it is believed (S6).
const REST: Duration = Duration::from_secs(2);
/// How soon a file that is being written is looked at again.
const SOON: Duration = Duration::from_millis(100);

/// How a path stands after a look.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Nothing to do.
    Same,
    /// Something was brought to the other side, or kept.
    Changed,
    /// Too early to tell; look again after this time.
    Wait(Duration),
    /// It is not in step, and why.
    Trouble(Problem),
}

/// How everything stands after a walk.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Paths that something was done about.
    pub(crate) changed: usize,
    /// Paths to look at again, and when.
    pub(crate) waiting: Vec<(PathBuf, Duration)>,
    /// Files of lines that end, in the tree, in a line without its end: it stays there until it has one.
    pub(crate) torn: Vec<PathBuf>,
    /// What is not in step.
    pub(crate) problems: Vec<Problem>,
    /// Those of the problems that may pass by themselves: the system refused something there.
    pub(crate) refused: Vec<PathBuf>,
}

impl Report {
    fn add(&mut self, relative: &Path, outcome: Outcome) {
        match outcome {
            Outcome::Same => {}
            Outcome::Changed => self.changed += 1,
            Outcome::Wait(time) => self.waiting.push((relative.to_owned(), time)),
            Outcome::Trouble(problem) => {
                if matches!(problem.what, Trouble::Refused(_)) {
                    self.refused.push(relative.to_owned());
                }
                self.problems.push(problem);
            }
        }
    }

    pub(super) fn join(&mut self, other: Self) {
        self.changed += other.changed;
        self.waiting.extend(other.waiting);
        self.torn.extend(other.torn);
        self.problems.extend(other.problems);
        self.refused.extend(other.refused);
    }

    /// Whether everything that the tree holds is in the home or among the conflicts.
    pub(crate) fn is_in_step(&self) -> bool {
        self.waiting.is_empty() && self.torn.is_empty() && self.problems.is_empty()
    }
}

/// Two sides and what is known of them.
pub(crate) struct Mirror {
    disk: Disk,
    pair: Pair,
    shared: Shared,
    fence: Fence,
    ground: Two<Ground>,
    index: Index,
    store: Store,
    /// Names what this mirror stages.
    tag: String,
    /// Files that look half-written: as they were when that was first seen, and when.
    resting: BTreeMap<PathBuf, (Stamp, Duration)>,
}

impl Mirror {
    /// The sides, with what is known from the last time. The caller mirrors alone.
    pub(crate) fn open(disk: Disk, pair: Pair, shared: Shared) -> Self {
        let (store, index) = Store::open(&disk, &pair.base);
        let fence = Fence::around(&disk, &[&pair.tree, &pair.home, &pair.base, &pair.conflicts]);
        let ground = Two { home: Ground::of(&disk, &pair.home), tree: Ground::of(&disk, &pair.tree) };
        let tag = hash_of(&name::to_bytes(&pair.tree))[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { disk, pair, shared, fence, ground, index, store, tag, resting: BTreeMap::new() }
    }

    /// Writes down what is known. Without it the next one reads more.
    pub(crate) fn save(&mut self) -> Result<(), crate::Error> {
        self.store.flush(&self.disk, &self.index)
    }

    /// Remembers what both sides have.
    fn learn(&mut self, relative: &Path, entry: Entry) {
        self.resting.remove(relative);
        if self.index.set(relative, entry) {
            self.store.note(relative, Some(&entry));
        }
    }

    fn forget(&mut self, relative: &Path) {
        self.resting.remove(relative);
        if self.index.forget(relative) {
            self.store.note(relative, None);
        }
    }

    /// How long a file must still rest before it is believed: by its own time, or by how long it was seen unchanged,
    /// since a clock that was set back says nothing.
    fn must_rest(&mut self, relative: &Path, stamp: Stamp) -> Option<Duration> {
        let age = self.disk.clock.file_now().duration_since(stamp.modified);
        if Duration::try_from(age).is_ok_and(|age| age >= REST) {
            return None;
        }
        let now = self.disk.clock.monotonic();
        let seen = self.resting.entry(relative.to_owned()).or_insert((stamp, now));
        if seen.0 != stamp {
            *seen = (stamp, now);
        }
        let rested = now.saturating_sub(seen.1);
        (rested < REST).then(|| REST - rested)
    }
}

/// An outcome for a refusal: what vanished or moved meanwhile is looked at again.
fn refused(error: clauth_durable::Error) -> Outcome {
    use clauth_durable::Error as Disk;
    match &error {
        Disk::Moved { .. } | Disk::NotRegular { .. } => Outcome::Wait(SOON),
        Disk::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Outcome::Wait(SOON),
        _ => Outcome::Trouble(Problem::refused(error)),
    }
}

fn trouble(path: PathBuf, what: Trouble) -> Outcome {
    Outcome::Trouble(Problem { path, what })
}
