//! The index on disk: a log of records, of which the last one about a path counts.
//!
//! Nothing is synced: what a crash takes from the end only causes more reading. Each record carries a check, and the
//! first one that fails ends the log.

use std::path::{Path, PathBuf};

use clauth_durable::Disk;
use jiff::Timestamp;

use super::index::{Entry, Hash, Index, Known, Mark, Stamp, hash_of};
use super::name;
use crate::Error;

/// Names the format; another one is no index.
const HEAD: &[u8] = b"clauth index 1\n";

/// The log of one profile.
pub(super) struct Store {
    path: PathBuf,
    /// Records in the file, outdated ones included; `None` when the file must be written anew.
    records: Option<usize>,
    /// Not yet written.
    pending: Vec<u8>,
    noted: usize,
}

impl Store {
    /// The log in the directory `base`, and what it says. Whatever cannot be read says nothing.
    pub(super) fn open(disk: &Disk, base: &Path) -> (Self, Index) {
        let path = base.join("index");
        let bytes = disk.read(&path).ok().flatten().unwrap_or_default();
        let mut index = Index::default();
        let records = bytes.strip_prefix(HEAD).and_then(|log| replay(log, &mut index));
        (Self { path, records, pending: Vec::new(), noted: 0 }, index)
    }

    /// A log that is about to be written for the first time.
    pub(super) fn fresh(base: &Path) -> Self {
        Self { path: base.join("index"), records: None, pending: Vec::new(), noted: 0 }
    }

    /// Remembers to write what is now known of a path.
    pub(super) fn note(&mut self, path: &Path, entry: Option<&Entry>) {
        if self.records.is_some() {
            record(path, entry, &mut self.pending);
            self.noted += 1;
        }
    }

    /// Writes what was noted; now and then the whole log anew.
    pub(super) fn flush(&mut self, disk: &Disk, index: &Index) -> Result<(), Error> {
        match self.records {
            Some(records) if records + self.noted <= 2 * index.len() + 4096 => {
                if self.noted > 0 {
                    // Should this write be cut short, what follows it must not be written behind a broken record.
                    self.records = None;
                    disk.append(&self.path, &self.pending, false)?;
                    self.records = Some(records + self.noted);
                }
            }
            _ => {
                self.write_anew(disk, index)?;
                self.records = Some(index.len());
            }
        }
        self.pending.clear();
        self.noted = 0;
        Ok(())
    }

    fn write_anew(&self, disk: &Disk, index: &Index) -> Result<(), Error> {
        let mut bytes = HEAD.to_vec();
        for (path, entry) in index.iter() {
            record(path, Some(entry), &mut bytes);
        }
        let base = self.path.parent().unwrap_or(Path::new("/"));
        disk.ensure_dir(base)?;
        let temp = base.join(format!(".index.clauth-{}", disk.random.name()));
        let io = |doing, source| clauth_durable::Error::Io { doing, path: self.path.clone(), source };
        drop(disk.vfs.create(&temp, 0o600).map_err(|error| io("create", error))?);
        let written = disk
            .append(&temp, &bytes, false)
            .and_then(|_| disk.vfs.rename(&temp, &self.path).map_err(|error| io("replace", error)));
        if written.is_err() {
            let _ = disk.vfs.remove_file(&temp);
        }
        Ok(written?)
    }
}

/// Reads records into `index`; answers how many, `None` when the log does not end where a record ends.
fn replay(mut log: &[u8], index: &mut Index) -> Option<usize> {
    let mut count = 0;
    while !log.is_empty() {
        let mut head = Reader(log);
        let len = usize::try_from(head.u32()?).ok()?;
        let check = head.take(4)?;
        let payload = head.take(len)?;
        if hash_of(payload)[..4] != *check {
            return None;
        }
        log = head.0;
        let (path, entry) = parse(payload)?;
        match entry {
            Some(entry) => drop(index.set(&path, entry)),
            None => drop(index.forget(&path)),
        }
        count += 1;
    }
    Some(count)
}

fn record(path: &Path, entry: Option<&Entry>, into: &mut Vec<u8>) {
    let path = name::to_bytes(path);
    let mut payload = Vec::with_capacity(path.len() + 128);
    payload.extend(u32::try_from(path.len()).unwrap_or(u32::MAX).to_le_bytes());
    payload.extend(path);
    for known in entry.into_iter().flat_map(|entry| [entry.home, entry.tree]) {
        side(known, &mut payload);
    }
    into.extend(u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
    into.extend(&hash_of(&payload)[..4]);
    into.extend(payload);
}

fn side(known: Known, into: &mut Vec<u8>) {
    match known {
        Known::Gone => into.push(0),
        Known::Dir => into.push(1),
        Known::Link(hash) => {
            into.push(2);
            into.extend(hash);
        }
        Known::File(mark) => {
            into.push(3 | (u8::from(mark.sure) << 4) | (u8::from(mark.hash.is_some()) << 5));
            into.extend(mark.stamp.len.to_le_bytes());
            into.extend(mark.stamp.modified.as_nanosecond().to_le_bytes());
            into.extend(mark.stamp.ino.to_le_bytes());
            into.extend(mark.mode.to_le_bytes());
            into.extend(mark.upto.to_le_bytes());
            into.extend(mark.hash.unwrap_or_default());
        }
    }
}

fn parse(payload: &[u8]) -> Option<(PathBuf, Option<Entry>)> {
    let mut reader = Reader(payload);
    let len = usize::try_from(reader.u32()?).ok()?;
    let path = name::from_bytes(reader.take(len)?)?;
    if reader.0.is_empty() {
        return Some((path, None));
    }
    let entry = Entry { home: reader.side()?, tree: reader.side()? };
    reader.0.is_empty().then_some((path, Some(entry)))
}

struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn side(&mut self) -> Option<Known> {
        let [tag] = self.array()?;
        match tag & 0xf {
            0 => Some(Known::Gone),
            1 => Some(Known::Dir),
            2 => Some(Known::Link(self.array()?)),
            3 => {
                let (len, modified) = (self.u64()?, i128::from_le_bytes(self.array()?));
                let stamp = Stamp { len, modified: Timestamp::from_nanosecond(modified).ok()?, ino: self.u64()? };
                let (mode, upto, hash) = (self.u32()?, self.u64()?, self.array::<{ size_of::<Hash>() }>()?);
                let hash = (tag & 0x20 != 0).then_some(hash);
                Some(Known::File(Mark { stamp, mode, upto, hash, sure: tag & 0x10 != 0 }))
            }
            _ => None,
        }
    }
}

/// Removes the index, so that nothing of a former tree is taken for known.
///
/// # Errors
/// As the system says.
pub(crate) fn discard(disk: &Disk, base: &Path) -> Result<(), Error> {
    Ok(disk.remove_file(&base.join("index")).map(drop)?)
}

/// Whether the tree was filled from the home: its index is written when that is done.
pub(crate) fn is_filled(disk: &Disk, base: &Path) -> bool {
    disk.lstat(&base.join("index")).is_ok_and(|stat| stat.is_some())
}

#[cfg(test)]
mod tests;
