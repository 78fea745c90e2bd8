//! Names in a tree: which are somebody's half-finished work, and how a path is written into the index.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Kind};

pub(super) use platform::{from_bytes, shorten, to_bytes};

/// Locks of git, which other `.lock` files are not: `Cargo.lock` and its like are content.
const LOCKS: [&str; 5] = [".lock", "index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"];

/// Whether an entry at any depth is a lock or somebody's staged content (S4): it means something only where it was made,
/// and only for a moment.
pub(super) fn is_passing(name: &OsStr, kind: Kind) -> bool {
    let name = name.to_string_lossy();
    let lock = match kind {
        Kind::Dir => name.ends_with(".lock"),
        _ => LOCKS.contains(&&*name) || name.ends_with(".json.lock") || name.ends_with(".jsonl.lock"),
    };
    lock || is_ours(&name) || name.ends_with(".tmp") || is_staged(&name)
}

/// `.NAME.clauth-ID`, as everything is called that clauth stages.
fn is_ours(name: &str) -> bool {
    name.starts_with('.') && name.contains(".clauth-")
}

/// How what a mirroring stages is called, whatever its target: a target's name may be as long as names get. It begins
/// with whose it is, since sessions of several profiles mirror into one home.
pub(super) fn staged(tag: &str, random: &str) -> String {
    format!(".mirror.clauth-{tag}-{random}")
}

/// Whether content was staged or displaced by that mirroring, and not cleared.
pub(super) fn is_leftover(name: &OsStr, tag: &str) -> bool {
    name.to_string_lossy().starts_with(&staged(tag, ""))
}

/// `NAME.tmp.ID`, as Claude Code calls what it is about to rename.
fn is_staged(name: &str) -> bool {
    let id = name.rsplit_once(".tmp.").map(|(_, id)| id);
    id.is_some_and(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit() || b".-".contains(&byte)))
}

/// Whether the file is one of lines that are only ever added to.
pub(super) fn is_lines(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"))
}

/// Whether the file should be JSON.
pub(super) fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
}

/// Where a side lies: as it is called, and where that really is, which is where `..` leads out of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Ground {
    named: PathBuf,
    real: PathBuf,
}

impl Ground {
    /// Of the directory at `side`.
    pub(super) fn of(disk: &Disk, side: &Path) -> Self {
        Self { named: side.to_owned(), real: clauth_claude::real_path(disk, side) }
    }

    /// A link's target as it must read on the side `to`: what is inside this one becomes the same place inside the other,
    /// and a relative one that leads out is written out.
    pub(super) fn translated(&self, target: &Path, link: &Path, to: &Self) -> PathBuf {
        let is_relative = target.is_relative() && !target.has_root();
        let whole = self.end_of(target, link);
        let Some(inside) = self.relative(&whole).map(|inside| to.named.join(inside)) else {
            return if is_relative { whole } else { target.to_owned() };
        };
        // A relative one may come in again from outside, by a name that the other side does not have.
        let there = self.relative(link).and_then(Path::parent).map(|dir| lexical(&to.named.join(dir).join(target)));
        if is_relative && there.as_ref() == Some(&inside) { target.to_owned() } else { inside }
    }

    /// The place that a link means, as a path that is the same for both sides: what lies inside one is named as if it lay in
    /// the home.
    pub(super) fn meant(&self, target: &Path, link: &Path, home: &Self) -> PathBuf {
        let whole = self.end_of(target, link);
        self.relative(&whole).map(|inside| home.named.join(inside)).unwrap_or(whole)
    }

    /// Where a link leads. Of the directories below a side none is a link.
    fn end_of(&self, target: &Path, link: &Path) -> PathBuf {
        let dir = self.relative(link).and_then(Path::parent).unwrap_or(Path::new(""));
        lexical(&self.real.join(dir).join(target))
    }

    fn relative<'p>(&self, path: &'p Path) -> Option<&'p Path> {
        path.strip_prefix(&self.named).or_else(|_| path.strip_prefix(&self.real)).ok()
    }
}

/// A path without `.` and `..`, by its words alone.
fn lexical(path: &Path) -> PathBuf {
    use std::path::Component;
    path.components().fold(PathBuf::new(), |mut whole, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                whole.pop();
            }
            part => whole.push(part),
        }
        whole
    })
}

#[cfg(test)]
mod tests;
