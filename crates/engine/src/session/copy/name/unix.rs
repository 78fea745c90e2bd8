//! Names are bytes.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// A path for the index.
pub(in super::super) fn to_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

/// A path from the index.
pub(in super::super) fn from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}

/// The beginning of a name, so that `room` more bytes fit behind it.
pub(in super::super) fn shorten(name: &OsStr, room: usize) -> OsString {
    let bytes = name.as_bytes();
    OsString::from_vec(bytes[..bytes.len().min(255 - room)].to_vec())
}
