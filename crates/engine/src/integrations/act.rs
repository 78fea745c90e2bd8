//! Putting something outside the root, and taking it back.

use std::path::{Path, PathBuf};

use clauth_durable::Manner;

use super::key::{self, Back};
use super::{Integration, Piece, Record, What, lines};
use crate::custody::{ATTEMPTS, Applied, Draft, Operation};
use crate::error::Kind;
use crate::{Engine, Error};

/// What an installation came to.
#[derive(Debug)]
pub struct Installed {
    /// Whether anything was written.
    pub changed: bool,
    /// The files in which it stands already, by somebody else's hand: it is not ours to take out.
    pub by_hand: Vec<PathBuf>,
}

/// What became of one installed thing.
#[derive(Debug)]
pub struct Taken {
    /// What it is.
    pub what: Integration,
    /// Why nothing was taken out of the file; `None` when something was.
    pub stays: Option<&'static str>,
}

impl Engine {
    /// Everything that stands outside the root. Writes nothing.
    ///
    /// # Errors
    /// `integrations.json` cannot be read.
    pub fn integrations(&self) -> Result<Vec<Integration>, Error> {
        Ok(self.record()?.installed)
    }

    /// Puts `pieces` outside the root, as one or not at all; what stands there already is not put there twice. `by` is the
    /// command that asks for it, by which [`Engine::take_out`] finds it again.
    ///
    /// # Errors
    /// A file that is read-only, no text or no settings, or as the system says.
    pub fn put_outside(&self, by: &str, pieces: &[Piece]) -> Result<Installed, Error> {
        self.recover()?;
        for _ in 0..ATTEMPTS {
            let held = self.lock_prepared()?;
            let mut record = self.record()?;
            let (mut draft, mut files) = (Draft::new(&self.disk), Draft::new(&self.disk));
            let mut by_hand = Vec::new();
            for piece in pieces {
                if !self.draft_piece(by, piece, &mut record, &mut files)? {
                    by_hand.push(piece.file().to_owned());
                }
            }
            // First the record: what is not on it is never found again.
            record.put(&mut draft, &self.root)?;
            let changes: Vec<_> = draft.into_changes().into_iter().chain(files.into_changes()).collect();
            let changed = !changes.is_empty();
            let made = self.make_dirs(&record, by)?;
            let operation = Operation { done: "install", ..Operation::default() };
            match self.apply(&operation, changes, &held) {
                Ok(Applied::Done) => return Ok(Installed { changed, by_hand }),
                Ok(Applied::Moved(_)) => self.remove_dirs(&made),
                Err(error) => {
                    self.remove_dirs(&made);
                    return Err(error);
                }
            }
        }
        Err(Error::Contended { path: pieces.first().map_or_else(PathBuf::new, |piece| piece.file().to_owned()) })
    }

    /// Takes back what commands put outside the root: of all those that `is_meant`. What the user edited since stays.
    ///
    /// # Errors
    /// A file that is read-only, or as the system says.
    pub fn take_out(&self, is_meant: &dyn Fn(&Integration) -> bool) -> Result<Vec<Taken>, Error> {
        self.recover()?;
        for _ in 0..ATTEMPTS {
            let held = self.lock_prepared()?;
            let mut record = self.record()?;
            let mut draft = Draft::new(&self.disk);
            let (meant, rest) = record.installed.drain(..).partition::<Vec<_>, _>(is_meant);
            if meant.is_empty() {
                return Ok(Vec::new());
            }
            record.installed = rest;
            let mut taken = Vec::new();
            for what in meant.into_iter().rev() {
                let stays = self.draft_back(&what, &mut draft)?;
                taken.push(Taken { what, stays });
            }
            record.put(&mut draft, &self.root)?;
            let operation = Operation { done: "uninstall", ..Operation::default() };
            if let Applied::Done = self.apply(&operation, draft.into_changes(), &held)? {
                taken.iter().for_each(|taken| self.remove_dirs(&taken.what.dirs));
                return Ok(taken);
            }
        }
        Err(Error::Contended { path: self.root.integrations() })
    }

    /// Whether something is still there as it was put there. Writes nothing.
    pub(crate) fn stands_outside(&self, one: &Integration) -> bool {
        let Ok(Some(bytes)) = self.disk.read(&one.file) else { return false };
        match &one.what {
            What::Lines { added } => lines::stands(&bytes, added),
            What::Key { .. } => key::stands(&bytes, &one.what),
        }
    }

    fn record(&self) -> Result<Record, Error> {
        Ok(Record::read(&self.disk, &self.root)?.with_old(&self.disk, &self.root, &self.host))
    }

    /// Drafts one piece and its place in the record; `false` when it stands there by somebody else's hand.
    fn draft_piece(&self, by: &str, piece: &Piece, record: &mut Record, files: &mut Draft<'_>) -> Result<bool, Error> {
        let path = piece.file();
        self.check_writable(path)?;
        let mut stood = files.read(path)?;
        let known = record.of(by, path).cloned();
        let made = known.as_ref().map_or(stood.is_none(), |known| known.made || stood.is_none());
        if let Some(known) = &known {
            if stood.as_deref().is_some_and(|bytes| is_there(bytes, known, piece)) {
                return Ok(true);
            }
            // What an earlier version put there goes first.
            stood = match stood {
                Some(bytes) => Some(without(path, &bytes, known)?.unwrap_or(bytes)),
                None => None,
            };
        }
        let Some((bytes, what)) = with(path, stood.as_deref(), piece)? else { return Ok(known.is_some()) };
        let dirs = match known {
            Some(known) if !known.dirs.is_empty() => known.dirs,
            _ => self.missing_dirs(path)?,
        };
        if path.to_str().is_none() {
            let next = ["clauth can only keep a record of files whose path is text"];
            return Err(Error::refused(Kind::Usage, "this path is no text", path.display().to_string(), &next));
        }
        files.put(path, Manner::Document, bytes)?;
        let at = self.host.clock.now();
        record.set(Integration { by: by.to_owned(), at, file: path.to_owned(), what, made, dirs });
        Ok(true)
    }

    /// Drafts that something goes again; answers why nothing of it was found, if so.
    fn draft_back(&self, one: &Integration, draft: &mut Draft<'_>) -> Result<Option<&'static str>, Error> {
        let Some(bytes) = draft.read(&one.file)? else { return Ok(Some("the file is gone")) };
        let (left, empty) = match &one.what {
            What::Lines { added } => match lines::take(&bytes, added) {
                None => return Ok(Some("it is not there any more")),
                Some(left) => {
                    let empty = left.trim_ascii().is_empty();
                    (left, empty)
                }
            },
            What::Key { .. } => match key::put_back(&bytes, &one.what).map_err(|source| torn(&one.file, source))? {
                Back::Theirs => return Ok(Some("you have changed it since")),
                Back::Without(left) => (left, false),
                Back::Empty(left) => (left, true),
            },
        };
        self.check_writable(&one.file)?;
        if empty && one.made {
            draft.delete(&one.file, Manner::Document)?;
        } else {
            draft.put(&one.file, Manner::Document, left)?;
        }
        Ok(None)
    }

    /// Refuses a file that its owner may not write: whoever made it so had a reason, such as that it is generated.
    fn check_writable(&self, path: &Path) -> Result<(), Error> {
        let target = self.disk.target(path, None)?;
        let mode = match &target.stat {
            Some(stat) if cfg!(unix) && stat.mode & 0o200 == 0 => format!(" (mode {:04o})", stat.mode),
            Some(_) if cfg!(windows) && self.disk.vfs.read_only(&target.path).unwrap_or(false) => String::new(),
            _ => return Ok(()),
        };
        let what = format!("{} is read-only{mode}, so nothing in it is changed", path.display());
        let place = target.path.display().to_string();
        let command = if cfg!(windows) { "attrib -r" } else { "chmod u+w" };
        let writable = format!("else make it writable: {command} {place}");
        let next = ["if another program makes that file, change it where it is made from", &writable];
        Err(Error::refused(Kind::Protected, what, place, &next))
    }

    /// The directories that are missing above a file, outermost first.
    fn missing_dirs(&self, path: &Path) -> Result<Vec<PathBuf>, Error> {
        let mut missing = Vec::new();
        for dir in path.ancestors().skip(1) {
            if self.disk.lstat(dir)?.is_some() {
                break;
            }
            missing.insert(0, dir.to_owned());
        }
        Ok(missing)
    }

    /// Makes the directories that the record names; answers those that were not there.
    fn make_dirs(&self, record: &Record, by: &str) -> Result<Vec<PathBuf>, Error> {
        let mut made = Vec::new();
        for dir in record.installed.iter().filter(|one| one.by == by).flat_map(|one| &one.dirs) {
            if self.disk.stat(dir)?.is_none() {
                self.disk.ensure_dir(dir)?;
                made.push(dir.clone());
            }
        }
        Ok(made)
    }

    /// Best effort: one in which something is stays.
    fn remove_dirs(&self, dirs: &[PathBuf]) {
        dirs.iter().rev().for_each(|dir| drop(self.disk.vfs.remove_dir(dir)));
    }
}

/// Whether exactly this piece stands in the file, as it is on record.
fn is_there(bytes: &[u8], known: &Integration, piece: &Piece) -> bool {
    match (&known.what, piece) {
        (What::Lines { added }, Piece::Lines { line, .. }) => {
            lines::stands(bytes, added) && added.lines().any(|there| there == line)
        }
        (What::Key { added, .. }, Piece::Key { value, .. }) => {
            key::stands(bytes, &known.what)
                && serde_json::from_str::<serde_json::Value>(added).ok().as_ref() == Some(value)
        }
        _ => false,
    }
}

/// A file with a piece put into it; `None` when it is there.
fn with(path: &Path, file: Option<&[u8]>, piece: &Piece) -> Result<Option<(Vec<u8>, What)>, Error> {
    match piece {
        Piece::Lines { comment, line, .. } => {
            let bytes = file.unwrap_or_default();
            if bytes.contains(&0) {
                let next = format!("add this line to it in an editor: {line}");
                let what = format!("{} is not text that a line could be added to", path.display());
                return Err(Error::refused(Kind::Protected, what, path.display().to_string(), &[&next]));
            }
            Ok(lines::add(bytes, comment, line).map(|(bytes, added)| (bytes, What::Lines { added })))
        }
        Piece::Key { key, value, .. } => key::set(file, key, value).map_err(|source| torn(path, source)),
    }
}

/// A file without what is on record; `None` when nothing of it is there.
fn without(path: &Path, file: &[u8], known: &Integration) -> Result<Option<Vec<u8>>, Error> {
    match &known.what {
        What::Lines { added } => Ok(lines::take(file, added)),
        What::Key { .. } => match key::put_back(file, &known.what).map_err(|source| torn(path, source))? {
            Back::Theirs => Ok(None),
            Back::Without(left) | Back::Empty(left) => Ok(Some(left)),
        },
    }
}

pub(super) fn torn(path: &Path, source: clauth_durable::DocumentError) -> Error {
    clauth_durable::Error::Document { path: path.to_owned(), source }.into()
}
