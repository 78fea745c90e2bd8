//! What there is to copy. Directories are made on the way, files and links are listed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use clauth_durable::{Kind, Stat};

use super::super::fence::Fence;
use super::super::{Problem, Trouble, name};
use super::{Plan, io_error};
use crate::Error;

/// A file to copy.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) relative: PathBuf,
    pub(super) len: u64,
}

/// Everything to copy; all paths relative to the home.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) files: Vec<Source>,
    pub(super) links: Vec<PathBuf>,
    /// With their modes, outer ones first.
    pub(super) directories: Vec<(PathBuf, u32)>,
    pub(super) problems: Vec<Problem>,
}

impl Scan {
    /// Walks the home; never through a link, and never into the tree itself.
    pub(super) fn of(plan: &Plan<'_>, stage: &Path, fence: &Fence) -> Result<Self, Error> {
        let mut scan = Self::default();
        let mut left = Vec::new();
        for name in plan.disk.list(plan.home)? {
            if (plan.shared)(&name) && plan.disk.lstat(&plan.tree.join(&name))?.is_none() {
                left.extend(scan.take(plan, stage, fence, PathBuf::from(name))?);
            }
        }
        while let Some(directory) = left.pop() {
            if plan.cancel.load(Ordering::Relaxed) {
                break;
            }
            match plan.disk.list(&plan.home.join(&directory)) {
                Ok(names) => {
                    for name in names {
                        left.extend(scan.take(plan, stage, fence, directory.join(name))?);
                    }
                }
                Err(error) => scan.problems.push(Problem::refused(error)),
            }
        }
        Ok(scan)
    }

    /// Takes one entry in; answers a directory that is now to be walked.
    fn take(
        &mut self,
        plan: &Plan<'_>,
        stage: &Path,
        fence: &Fence,
        relative: PathBuf,
    ) -> Result<Option<PathBuf>, Error> {
        let path = plan.home.join(&relative);
        let stat = match plan.disk.lstat(&path) {
            Ok(Some(stat)) => stat,
            // Removed meanwhile.
            Ok(None) => return Ok(None),
            Err(error) => {
                self.problems.push(Problem::refused(error));
                return Ok(None);
            }
        };
        if relative.file_name().is_none_or(|name| name::is_passing(name, stat.kind)) {
            return Ok(None);
        }
        match stat.kind {
            Kind::File => self.files.push(Source { relative, len: stat.len }),
            Kind::Link => self.links.push(relative),
            Kind::Dir if !fence.holds(&path, &stat) => return self.make(plan, stage, relative, &stat),
            Kind::Dir | Kind::Other => {}
        }
        Ok(None)
    }

    fn make(
        &mut self,
        plan: &Plan<'_>,
        stage: &Path,
        relative: PathBuf,
        stat: &Stat,
    ) -> Result<Option<PathBuf>, Error> {
        let path = stage.join(&relative);
        match plan.disk.vfs.create_dir(&path, stat.mode | 0o700) {
            Ok(()) => {
                self.directories.push((relative.clone(), stat.mode));
                Ok(Some(relative))
            }
            // The stage was empty: another name of the home means the same here.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                self.problems.push(Problem { path: plan.home.join(relative), what: Trouble::Collides });
                Ok(None)
            }
            Err(error) if is_too_long(&error) => {
                self.problems.push(refused(&path, error));
                Ok(None)
            }
            Err(error) => Err(io_error("create", &path)(error)),
        }
    }
}

/// A name that fits below the home and not below the tree, whose own path is longer.
pub(super) fn is_too_long(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::InvalidFilename
}

fn refused(path: &Path, source: io::Error) -> Problem {
    Problem::refused(clauth_durable::Error::Io { doing: "create", path: path.to_owned(), source })
}
