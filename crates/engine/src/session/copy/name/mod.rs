//! Names in a tree: which are somebody's half-finished work, and how a path is written into the index.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_durable::Kind;

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

/// A link's target as it must read on the other side: inside the one side it becomes the same place inside the other,
/// and a relative one that leads out is written out.
pub(super) fn translated(target: &Path, link: &Path, (from, to): (&Path, &Path)) -> PathBuf {
    let inside = |path: &Path| path.strip_prefix(from).map(|rest| to.join(rest)).ok();
    if target.is_absolute() || target.has_root() {
        return inside(target).unwrap_or_else(|| target.to_owned());
    }
    let whole = lexical(&link.parent().unwrap_or(from).join(target));
    if whole.starts_with(from) { target.to_owned() } else { whole }
}

/// The place that a link means, as a path that is the same for both sides: what lies inside one is named as if it lay in
/// the home.
pub(super) fn meant(target: &Path, link: &Path, (root, home): (&Path, &Path)) -> PathBuf {
    let whole = lexical(&link.parent().unwrap_or(root).join(target));
    whole.strip_prefix(root).map(|rest| home.join(rest)).unwrap_or(whole)
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
