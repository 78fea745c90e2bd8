//! What both sides had when they were last in step (S6).
//!
//! An index that is lost or out of date costs work and never content: without a base, two different files count as both
//! changed, and the one that gives way is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clauth_durable::Stat;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::side::Two;

/// A file system may store times this coarsely; what was written this shortly ago may be written again unseen.
const GRAIN: SignedDuration = SignedDuration::from_secs(2);

/// The beginning of a SHA-256: enough to tell contents apart.
pub(super) type Hash = [u8; 16];

/// The hash of some bytes.
pub(super) fn hash_of(bytes: &[u8]) -> Hash {
    cut(Sha256::digest(bytes).as_slice())
}

/// The first bytes of a digest.
pub(super) fn cut(digest: &[u8]) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(&digest[..16]);
    hash
}

/// By what a written file shows itself without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) len: u64,
    pub(super) modified: Timestamp,
    pub(super) ino: u64,
}

impl Stamp {
    pub(super) fn of(stat: &Stat) -> Self {
        Self { len: stat.len, modified: stat.modified, ino: stat.ino }
    }
}

/// A file as it was when the sides were in step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) stamp: Stamp,
    pub(super) mode: u32,
    /// How much of it the other side has too: all of a plain file, of a file of lines the whole lines.
    pub(super) upto: u64,
    /// Of a plain file's bytes, or of the last bytes before `upto`; where it is missing, both sides had equal bytes.
    pub(super) hash: Option<Hash>,
    /// A later write cannot hide behind an equal stamp.
    pub(super) sure: bool,
}

impl Mark {
    /// A file in step, as `stat` shows it at `now`, of which nothing was read.
    pub(super) fn new(stat: &Stat, now: Timestamp) -> Self {
        // A time in the future comes from a clock that was set back, which may come by the same time again.
        let age = now.duration_since(stat.modified);
        Self { stamp: Stamp::of(stat), mode: stat.mode, upto: stat.len, hash: None, sure: age >= GRAIN }
    }

    pub(super) fn hashed(mut self, hash: Hash) -> Self {
        self.hash = Some(hash);
        self
    }

    pub(super) fn upto(mut self, upto: u64) -> Self {
        self.upto = upto;
        self
    }
}

/// What stood on one side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It was deleted there.
    Gone,
    Dir,
    /// A link, by the hash of the place that it means.
    Link(Hash),
    File(Mark),
}

/// What stood on both.
pub(super) type Entry = Two<Known>;

/// All paths that were ever in step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Index(BTreeMap<PathBuf, Entry>);

impl Index {
    pub(super) fn get(&self, path: &Path) -> Option<&Entry> {
        self.0.get(path)
    }

    /// Answers whether this says something new.
    pub(super) fn set(&mut self, path: &Path, entry: Entry) -> bool {
        match self.0.get_mut(path) {
            Some(known) if *known == entry => false,
            Some(known) => {
                *known = entry;
                true
            }
            None => self.0.insert(path.to_owned(), entry).is_none(),
        }
    }

    pub(super) fn forget(&mut self, path: &Path) -> bool {
        self.0.remove(path).is_some()
    }

    /// Forgets a path and everything below it.
    pub(super) fn forget_below(&mut self, path: &Path) {
        self.0.retain(|known, _| !known.starts_with(path));
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&PathBuf, &Entry)> {
        self.0.iter()
    }
}
