//! What faults are made of: files, modes and links that are not as they should be.
#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

/// Something that lives as long as its fault.
pub(crate) type Alive = Option<Box<dyn std::any::Any>>;

/// A directory as clauth makes them.
pub(crate) fn dir(path: &Path) {
    std::fs::create_dir_all(path).expect("a directory");
    mode(path, 0o700);
}

/// A file with that text.
pub(crate) fn write(path: &Path, text: &str) -> Alive {
    std::fs::write(path, text).expect("a file");
    None
}

/// Another mode of what stands there.
pub(crate) fn mode(path: &Path, mode: u32) -> Alive {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    None
}

/// A link.
pub(crate) fn link(to: &Path, at: &Path) -> Alive {
    symlink(to, at).expect("a link");
    None
}

/// A part of a file, replaced.
pub(crate) fn edit(path: &Path, from: &str, to: &str) -> Alive {
    let text = std::fs::read_to_string(path).expect("a file");
    assert!(text.contains(from), "{text}");
    write(path, &text.replace(from, to))
}

/// Long enough ago to say something by itself.
pub(crate) fn age(path: &Path) {
    let at = SystemTime::now() - Duration::from_secs(600);
    let file = std::fs::File::open(path).expect("a file");
    file.set_modified(at).expect("a time");
}
