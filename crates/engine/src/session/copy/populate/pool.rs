//! Copying many files by a bounded number of workers.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};

use clauth_durable::{Copied, Disk, Manners};

use super::super::{Problem, Trouble};
use super::scan::{Source, is_too_long};
use super::{Plan, Progress};
use crate::Error;

/// Files that a worker takes at a time.
const BATCH: usize = 32;
/// Files this large are taken first, so that the last one taken is small.
const LARGE: u64 = 4 << 20;
/// How often a file that is being written is copied anew.
const TRIES: usize = 3;

/// What all workers did.
#[derive(Default)]
pub(super) struct Results {
    /// By the place in the list.
    pub(super) copied: Vec<(usize, Copied)>,
    pub(super) problems: Vec<Problem>,
    pub(super) progress: Progress,
}

/// What the workers share.
struct Shared<'w> {
    disk: &'w Disk,
    home: &'w Path,
    stage: &'w Path,
    files: &'w [Source],
    order: Vec<usize>,
    next: AtomicUsize,
    /// Files and bytes that are done with.
    files_done: AtomicU64,
    bytes_done: AtomicU64,
    /// The file system can share bytes, as far as is known.
    share: AtomicBool,
    cancel: &'w AtomicBool,
    failed: Mutex<Option<clauth_durable::Error>>,
}

/// How one file fared.
enum Fared {
    Copied(Copied),
    /// It was never at rest: it has a copy that the index does not know.
    Unsure,
    /// Removed meanwhile.
    Gone,
    Left(Problem),
}

/// Copies `files` below the stage; `None` when cancelled.
pub(super) fn copy(plan: &Plan<'_>, stage: &Path, files: &[Source]) -> Result<Option<Results>, Error> {
    let (large, small): (Vec<usize>, Vec<usize>) = (0..files.len()).partition(|file| files[*file].len >= LARGE);
    let shared = Shared {
        disk: plan.disk,
        home: plan.home,
        stage,
        files,
        order: large.into_iter().chain(small).collect(),
        next: AtomicUsize::new(0),
        files_done: AtomicU64::new(0),
        bytes_done: AtomicU64::new(0),
        share: AtomicBool::new(true),
        cancel: plan.cancel,
        failed: Mutex::new(None),
    };
    let workers = plan.workers.clamp(1, files.len().max(1));
    let (sender, receiver) = channel();
    let mut results = Results::default();
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|_| {
                let (shared, sender) = (&shared, sender.clone());
                scope.spawn(move || shared.work(&sender))
            })
            .collect();
        drop(sender);
        results.progress = shared.follow(plan, &receiver);
        for worker in running {
            // A worker that panicked takes its list with it, and the panic goes on here.
            let (copied, problems) = worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            results.copied.extend(copied);
            results.problems.extend(problems);
        }
    });
    match shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error.into()),
        None if plan.cancel.load(Ordering::Relaxed) => Ok(None),
        None => Ok(Some(results)),
    }
}

impl Shared<'_> {
    /// Tells how far it has come, until the last worker is done.
    fn follow(&self, plan: &Plan<'_>, receiver: &Receiver<()>) -> Progress {
        let of_bytes = self.files.iter().map(|file| file.len).sum();
        let start = Progress { of_files: self.files.len() as u64, of_bytes, ..Progress::default() };
        let so_far = || Progress {
            files: self.files_done.load(Ordering::Relaxed),
            bytes: self.bytes_done.load(Ordering::Relaxed),
            ..start
        };
        (plan.progress)(start);
        for () in receiver {
            (plan.progress)(so_far());
        }
        so_far()
    }

    fn work(&self, sender: &Sender<()>) -> (Vec<(usize, Copied)>, Vec<Problem>) {
        let (mut copied, mut problems) = (Vec::new(), Vec::new());
        loop {
            let first = self.next.load(Ordering::Relaxed);
            // Large files singly, so that several workers share them.
            let batch = self.order.get(first).map_or(1, |file| if self.files[*file].len >= LARGE { 1 } else { BATCH });
            if self.next.compare_exchange(first, first + batch, Ordering::Relaxed, Ordering::Relaxed).is_err() {
                continue;
            }
            let Some(taken) = self.order.get(first..(first + batch).min(self.order.len())).filter(|b| !b.is_empty())
            else {
                return (copied, problems);
            };
            let mut bytes = 0;
            for file in taken {
                if self.cancel.load(Ordering::Relaxed) || self.failed().is_some() {
                    return (copied, problems);
                }
                bytes += self.files[*file].len;
                match self.copy(&self.files[*file]) {
                    Ok(Fared::Copied(done)) => copied.push((*file, done)),
                    Ok(Fared::Unsure | Fared::Gone) => {}
                    Ok(Fared::Left(problem)) => problems.push(problem),
                    Err(error) => *self.failed() = Some(error),
                }
            }
            self.files_done.fetch_add(taken.len() as u64, Ordering::Relaxed);
            self.bytes_done.fetch_add(bytes, Ordering::Relaxed);
            // Nobody listens once the caller has panicked.
            let _ = sender.send(());
        }
    }

    fn failed(&self) -> std::sync::MutexGuard<'_, Option<clauth_durable::Error>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copy(&self, file: &Source) -> Result<Fared, clauth_durable::Error> {
        let (from, to) = (self.home.join(&file.relative), self.stage.join(&file.relative));
        for _ in 0..TRIES {
            let share = self.share.load(Ordering::Relaxed) && file.len > 0;
            let copied = match self.disk.copy_new(&from, &to, Manners { share, sync: false }) {
                Ok(copied) => copied,
                Err(error) => return self.refusal(error, &from, &to),
            };
            if share && !copied.shared {
                self.share.store(false, Ordering::Relaxed);
            }
            if !copied.torn {
                return Ok(Fared::Copied(copied));
            }
            self.disk.remove_file(&to)?;
        }
        // Always being written: what it has by now is a beginning that the mirror completes.
        let last = self.disk.copy_new(&from, &to, Manners { share: false, sync: false });
        last.map_or_else(|error| self.refusal(error, &from, &to), |_| Ok(Fared::Unsure))
    }

    /// What the source's side refuses is left out; what the tree's side refuses ends it all.
    fn refusal(&self, error: clauth_durable::Error, from: &Path, to: &Path) -> Result<Fared, clauth_durable::Error> {
        use clauth_durable::Error as Disk;
        let of_source = error.path() == from;
        let fared = match &error {
            Disk::Io { source, .. } if !of_source && source.kind() == io::ErrorKind::AlreadyExists => {
                return Ok(Fared::Left(Problem { path: from.to_owned(), what: Trouble::Collides }));
            }
            Disk::Io { source, .. } if of_source && source.kind() == io::ErrorKind::NotFound => Fared::Gone,
            Disk::Io { source, .. } if of_source || is_too_long(source) => Fared::Left(Problem::refused(error)),
            // Something else was put in the file's place meanwhile.
            Disk::NotRegular { .. } => Fared::Gone,
            _ => return Err(error),
        };
        self.disk.remove_file(to)?;
        Ok(fared)
    }
}
