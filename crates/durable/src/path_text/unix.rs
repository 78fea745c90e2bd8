//! Paths are bytes.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

pub(super) fn to_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

#[expect(clippy::unnecessary_wraps, reason = "one surface with Windows, where not every sequence of bytes is a path")]
pub(super) fn from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    Some(PathBuf::from(OsString::from_vec(bytes.to_vec())))
}
