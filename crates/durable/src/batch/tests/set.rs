//! The set of changes that these tests make, with every kind of change in every manner.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::{Batch, Change, CommitError, Manner};
use crate::testing::{Picture, Poor, Scratch, Seen, disk};
use crate::vfs::Vfs;
use crate::{Disk, Error};

/// A file of the set: its name, its manner, and its content before and after.
pub(super) type Row = (&'static str, Manner, Option<&'static str>, Option<&'static str>);

pub(super) const SET: [Row; 9] = [
    ("own.json", Manner::Own, Some(r#"{"own":1}"#), Some(r#"{"own":2}"#)),
    ("own-new.json", Manner::Own, None, Some(r#"{"own":"new"}"#)),
    ("own-gone.json", Manner::Own, Some(r#"{"own":"gone"}"#), None),
    ("theirs.json", Manner::Document, Some(r#"{"theirs":1}"#), Some(r#"{"theirs":2}"#)),
    ("theirs-new.json", Manner::Document, None, Some(r#"{"theirs":"new"}"#)),
    ("theirs-gone.json", Manner::Document, Some(r#"{"theirs":"gone"}"#), None),
    ("login.json", Manner::Credential, Some(r#"{"login":1}"#), Some(r#"{"login":2}"#)),
    ("log.jsonl", Manner::Log, Some("{\"log\":1}\n"), Some("{\"log\":1}\n{\"log\":2}\n")),
    ("last.json", Manner::Own, Some(r#"{"last":1}"#), Some(r#"{"last":2}"#)),
];

/// A home with everything as it is before.
pub(super) fn home() -> Scratch {
    let home = Scratch::new("batch");
    for (name, _, before, _) in SET {
        if let Some(text) = before {
            home.write(name, text);
        }
    }
    home
}

pub(super) fn changes(home: &Scratch) -> Vec<Change> {
    let bytes = |text: Option<&str>| text.map(|text| text.as_bytes().to_vec());
    SET.iter()
        .map(|(name, manner, before, after)| Change {
            path: home.path(name),
            before: bytes(*before),
            after: bytes(*after),
            manner: *manner,
        })
        .collect()
}

/// Both kinds of systems: those that exchange two files in one step, and those that move aside and put.
pub(super) const SYSTEMS: [Poor; 2] = [Poor::RICH, Poor { exchanges: false, ..Poor::RICH }];

pub(super) fn on(vfs: impl Vfs + 'static) -> Disk {
    disk().with_vfs(Arc::new(vfs))
}

pub(super) fn plan(disk: &Disk, home: &Scratch) -> Batch {
    Batch::plan(disk, &home.path("root"), "7", changes(home)).expect("a plan")
}

/// How a whole batch ended.
#[derive(Debug)]
pub(super) enum End {
    /// All is changed; whether nothing was left beside.
    Done(bool),
    Failed(Error),
    Moved(PathBuf),
    Stuck(Vec<PathBuf>),
}

/// Stages, commits and finishes.
pub(super) fn run(batch: Batch) -> End {
    run_guarded(batch, &mut || Ok(()))
}

pub(super) fn run_guarded(mut batch: Batch, guard: &mut dyn FnMut() -> Result<(), Error>) -> End {
    if let Err(error) = batch.stage() {
        return End::Failed(error);
    }
    match batch.commit(guard) {
        Ok(()) => End::Done(batch.finish()),
        Err(CommitError::Failed(error)) => End::Failed(error),
        Err(CommitError::Moved { path }) => End::Moved(path),
        Err(CommitError::Stuck { left, .. }) => End::Stuck(left),
    }
}

/// What a file of the set holds.
pub(super) fn content(picture: &Picture, name: &str) -> Option<String> {
    match picture.get(name) {
        Some(Seen::File(bytes, _)) => Some(String::from_utf8(bytes.clone()).expect("a text")),
        _ => None,
    }
}

/// The contents alone: modes are looked at where they matter.
pub(super) fn contents(picture: &Picture) -> Vec<(String, Option<String>)> {
    picture.keys().map(|name| (name.clone(), content(picture, name))).collect()
}

/// The picture of a home in which everything is changed, and nothing lies beside.
pub(super) fn all_after() -> Vec<(String, Option<String>)> {
    let mut all: Vec<_> = SET
        .iter()
        .filter_map(|(name, _, _, after)| after.map(|text| ((*name).to_owned(), Some(text.to_owned()))))
        .collect();
    all.sort();
    all
}
