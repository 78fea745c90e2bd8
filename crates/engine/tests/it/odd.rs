//! File systems that are unlike Linux's own: folding letters' case, or without links; and directories that may not be entered.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use clauth_durable::vfs::{Handle, Stat, Vfs};
use jiff::Timestamp;

/// A file system on top of another one.
pub(crate) struct Odd<V> {
    inner: V,
    folds: bool,
    links: bool,
    barred: Option<PathBuf>,
}

impl<V: Vfs> Odd<V> {
    /// `Work` and `work` are one name, spelt as whoever made it spelt it.
    pub(crate) fn folding(inner: V) -> Self {
        Self { inner, folds: true, links: true, barred: None }
    }

    /// No links, and nothing can be exchanged.
    pub(crate) fn without_links(inner: V) -> Self {
        Self { inner, folds: false, links: false, barred: None }
    }

    /// A directory that is somebody else's: it is there, and no more is known of it.
    pub(crate) fn barring(inner: V, directory: PathBuf) -> Self {
        Self { inner, folds: false, links: true, barred: Some(directory) }
    }

    fn enter(&self, path: &Path, lists: bool) -> io::Result<()> {
        let below = |barred: &PathBuf| path.starts_with(barred) && (lists || path != barred);
        match self.barred.as_ref().is_some_and(below) {
            true => Err(io::ErrorKind::PermissionDenied.into()),
            false => Ok(()),
        }
    }

    /// The path as it is spelt on disk, as far as it exists.
    fn spelt(&self, path: &Path) -> PathBuf {
        if !self.folds {
            return path.to_owned();
        }
        let mut spelt = PathBuf::new();
        for part in path.components() {
            let exact = spelt.join(part);
            let stands = self.inner.lstat(&exact).is_ok();
            let names = if stands { Vec::new() } else { self.inner.read_dir(&spelt).unwrap_or_default() };
            let same = names.into_iter().find(|name| name.eq_ignore_ascii_case(part.as_os_str()));
            spelt = same.map_or(exact, |name| spelt.join(name));
        }
        spelt
    }

    /// The path with its last name as it is given: what a rename or creation writes.
    fn renamed(&self, from: &Path, to: &Path) -> PathBuf {
        let (old, new) = (self.spelt(from), self.spelt(to));
        // Of one file another spelling of itself is a new name, not a file in the way.
        if old == new { to.file_name().map_or(new, |name| old.with_file_name(name)) } else { new }
    }
}

fn denied<T>(what: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, what.to_owned()))
}

macro_rules! spelt {
    ($($name:ident(path: &Path $(, $arg:ident: $type:ty)*) -> $result:ty;)*) => {
        $(fn $name(&self, path: &Path $(, $arg: $type)*) -> io::Result<$result> {
            self.enter(path, stringify!($name) == "read_dir")?;
            self.inner.$name(&self.spelt(path) $(, $arg)*)
        })*
    };
}

impl<V: Vfs> Vfs for Odd<V> {
    spelt! {
        read(path: &Path, limit: u64) -> Vec<u8>;
        stat(path: &Path) -> Stat;
        read_only(path: &Path) -> bool;
        lstat(path: &Path) -> Stat;
        read_link(path: &Path) -> PathBuf;
        read_dir(path: &Path) -> Vec<OsString>;
        open(path: &Path) -> File;
        create(path: &Path, mode: u32) -> Box<dyn Handle>;
        append(path: &Path, mode: u32) -> Box<dyn Handle>;
        remove_file(path: &Path) -> ();
        create_dir(path: &Path, mode: u32) -> ();
        remove_dir(path: &Path) -> ();
        sync_dir(path: &Path) -> ();
        set_mode(path: &Path, mode: u32) -> ();
        set_modified(path: &Path, at: Timestamp) -> ();
        open_lock(path: &Path) -> File;
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename(&self.spelt(from), &self.renamed(from, to))
    }

    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.inner.rename_new(&self.spelt(from), &self.renamed(from, to))
    }

    fn exchange(&self, a: &Path, b: &Path) -> io::Result<()> {
        if self.links { self.inner.exchange(&self.spelt(a), &self.spelt(b)) } else { denied("no exchange") }
    }

    fn symlink(&self, target: &Path, link: &Path) -> io::Result<()> {
        if self.links { self.inner.symlink(target, &self.spelt(link)) } else { denied("no links") }
    }
}
