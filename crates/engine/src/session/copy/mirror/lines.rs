//! A file of lines that both sides have: each gets the whole lines that the other has more (S6).
//!
//! Both sides only ever grow, in place, so that a program that has the file open goes on writing into it. The sides then
//! have the same lines in different order; what counts is each side's beginning that the other is known to have. Lines are
//! matched as often as they occur, so that what an interrupted merge brought already is not brought twice.

use std::collections::HashMap;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use clauth_durable::{Disk, Stat};

use super::super::index::{Hash, Known, Mark, Stamp, hash_of};
use super::super::name;
use super::super::side::{Side, Two};
use super::look::Seen;
use super::{Mirror, Outcome, content, refused};

/// Bytes before the known end by which a beginning is recognized.
const WINDOW: u64 = 4096;
/// The largest file whose lines are compared in memory.
const LIMIT: u64 = 512 << 20;
/// How often a merge starts again because a side grew meanwhile.
const ROUNDS: usize = 5;

/// One side, as far as it was read.
struct Text {
    stat: Stat,
    /// Where in the file `bytes` begin.
    at: u64,
    bytes: Vec<u8>,
    /// Where in `bytes` that begins which the other side is not known to have.
    own: usize,
    /// The beginning that is known stands as it was.
    intact: bool,
}

impl Text {
    /// What is new here, whole lines only.
    fn new_lines(&self) -> &[u8] {
        &self.bytes[self.own..self.whole()]
    }

    /// The end of the last whole line, in `bytes`.
    fn whole(&self) -> usize {
        let new = &self.bytes[self.own..];
        self.own + new.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
    }

    /// A line without its end.
    fn tail(&self) -> &[u8] {
        &self.bytes[self.whole()..]
    }

    /// Against what another side's new lines are held: what is new here too, or everything when the other side was
    /// written anew, and so may repeat anything.
    fn reference(&self, other: &Self) -> &[u8] {
        let from = if other.intact { self.own } else { 0 };
        &self.bytes[from..self.whole()]
    }
}

impl Mirror {
    /// Brings two files of lines in step.
    pub(super) fn merge_lines(&mut self, relative: &Path, seen: &Two<Seen>) -> Result<Outcome, Outcome> {
        let mut changed = false;
        for _ in 0..ROUNDS {
            let texts = self.texts(relative)?;
            let missing = Two {
                home: missing(texts.tree.new_lines(), texts.home.reference(&texts.tree)),
                tree: missing(texts.home.new_lines(), texts.tree.reference(&texts.home)),
            };
            let mut ends = Two { home: None, tree: None };
            let mut again = false;
            for side in Side::BOTH {
                let text = texts.at(side);
                let Some(bytes) = self.addition(relative, text, missing.at(side))? else { continue };
                let path = self.pair.path(side, relative);
                let stat = self.disk.append(&path, &bytes, side == Side::Home).map_err(refused)?;
                changed = true;
                // Somebody else wrote meanwhile, or a line had to be ended first: what is new is seen by looking again.
                again |= stat.len != text.stat.len + bytes.len() as u64 || stat.ino != text.stat.ino;
                again |= bytes == b"\n";
                *ends.at_mut(side) = Some(stat);
            }
            if !again {
                self.learn_lines(relative, &texts, &ends)?;
                let modes = self.compare_modes(relative, seen)?;
                return Ok(if changed { Outcome::Changed } else { modes });
            }
        }
        Err(Outcome::Wait(super::SOON))
    }

    /// Whether the tree's file ends in a line without its end, which the home may not have.
    pub(super) fn is_torn(&self, relative: &Path, seen: &Two<Seen>) -> bool {
        let lines = name::is_lines(relative) && seen.home.file().is_some();
        let (Some(stat), Some(mark)) = (seen.tree.file(), self.marks(relative).tree) else { return false };
        lines && mark.upto < stat.len
    }

    /// What to add so that the missing lines stand there, each on a line of its own.
    fn addition(&mut self, relative: &Path, text: &Text, missing: &[u8]) -> Result<Option<Vec<u8>>, Outcome> {
        let tail = text.tail();
        if missing.is_empty() {
            return Ok(None);
        }
        if let Some(rest) = missing.strip_prefix(tail) {
            // An interrupted merge began this very line.
            return Ok(Some(rest.to_vec()));
        }
        // Somebody is in the middle of a line; one that was given up is ended.
        match self.must_rest(relative, Stamp::of(&text.stat)) {
            Some(time) => Err(Outcome::Wait(time)),
            None => Ok(Some(b"\n".to_vec())),
        }
    }

    fn learn_lines(&mut self, relative: &Path, texts: &Two<Text>, ends: &Two<Option<Stat>>) -> Result<(), Outcome> {
        let known = Two::each(|side| {
            let text = texts.at(side);
            let (stat, upto) = match ends.at(side) {
                Some(stat) => (stat, stat.len),
                None => (&text.stat, text.at + text.whole() as u64),
            };
            let mut file = content::open(&self.disk, &self.pair.path(side, relative)).map_err(refused)?.0;
            let hash = window(&mut file, upto).ok();
            let mode = self.marks(relative).at(side).map_or(stat.mode, |mark| mark.mode);
            // Lines are only added: a later write shows by the length.
            let mark = Mark { mode, hash, sure: hash.is_some(), ..Mark::new(stat, stat.modified).upto(upto) };
            Ok(Known::File(mark))
        })?;
        self.learn(relative, known);
        Ok(())
    }

    fn compare_modes(&mut self, relative: &Path, seen: &Two<Seen>) -> Result<Outcome, Outcome> {
        let (Some(home), Some(tree)) = (seen.home.file(), seen.tree.file()) else { return Ok(Outcome::Same) };
        let marks = self.marks(relative);
        self.settle_modes(relative, &Two { home, tree }, &marks)
    }

    /// Reads what is new on each side; everything where one of them was written anew or nothing is known.
    fn texts(&self, relative: &Path) -> Result<Two<Text>, Outcome> {
        let marks = self.marks(relative);
        let mut files = Two::each(|side| content::open(&self.disk, &self.pair.path(side, relative)).map_err(refused))?;
        let mut windows = Two { home: None, tree: None };
        for side in Side::BOTH {
            let (file, stat) = files.at_mut(side);
            let mark = marks.at(side).filter(|mark| mark.upto <= stat.len && mark.stamp.ino == stat.ino);
            *windows.at_mut(side) = mark.and_then(|mark| window(file, mark.upto).ok());
        }
        let intact = |side: Side| {
            let (Some(mark), Some(window)) = (marks.at(side), windows.at(side)) else { return false };
            match mark.hash {
                Some(hash) => hash == *window,
                // Nothing was read then; both sides had equal bytes.
                None => {
                    marks.at(side.other()).is_some_and(|other| other.upto == mark.upto) && windows.home == windows.tree
                }
            }
        };
        let (home, tree) = (intact(Side::Home), intact(Side::Tree));
        let from = |side: Side| marks.at(side).map_or(0, |mark| mark.upto);
        let make = |side: Side, (mut file, stat): (std::fs::File, Stat), intact: bool| {
            let known = if intact { from(side) } else { 0 };
            let at = if home && tree { known } else { 0 };
            let bytes = read_from(&mut file, at).map_err(|source| {
                refused(clauth_durable::Error::Io { doing: "read", path: self.pair.path(side, relative), source })
            })?;
            // What grew since the look belongs to the next one.
            let stat = Stat { len: at + bytes.len() as u64, ..stat };
            Ok(Text { stat, at, own: usize::try_from(known - at).unwrap_or(0).min(bytes.len()), bytes, intact })
        };
        Ok(Two { home: make(Side::Home, files.home, home)?, tree: make(Side::Tree, files.tree, tree)? })
    }
}

/// By what the end of a file is known again.
pub(super) fn end_of(disk: &Disk, path: &Path) -> Result<Hash, clauth_durable::Error> {
    let (mut file, stat) = content::open(disk, path)?;
    window(&mut file, stat.len).map_err(|source| clauth_durable::Error::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })
}

/// The hash of the last bytes before `upto`.
fn window(file: &mut std::fs::File, upto: u64) -> std::io::Result<Hash> {
    let from = upto.saturating_sub(WINDOW);
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; usize::try_from(upto - from).unwrap_or(0)];
    file.read_exact(&mut bytes)?;
    Ok(hash_of(&bytes))
}

fn read_from(file: &mut std::fs::File, at: u64) -> std::io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::new();
    file.take(LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The lines of `new` that `reference` does not have, each as often as it has fewer of them.
fn missing(new: &[u8], reference: &[u8]) -> Vec<u8> {
    let mut have: HashMap<&[u8], usize> = HashMap::new();
    for line in reference.split_inclusive(|byte| *byte == b'\n') {
        *have.entry(line).or_default() += 1;
    }
    let mut missing = Vec::new();
    for line in new.split_inclusive(|byte| *byte == b'\n') {
        match have.get_mut(line).filter(|count| **count > 0) {
            Some(count) => *count -= 1,
            None => missing.extend_from_slice(line),
        }
    }
    missing
}

#[cfg(test)]
mod tests;
