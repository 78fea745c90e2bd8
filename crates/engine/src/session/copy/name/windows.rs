//! Names are 16-bit units, which need not be Unicode.

use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// A path for the index.
pub(in super::super) fn to_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().encode_wide().flat_map(u16::to_le_bytes).collect()
}

/// A path from the index.
pub(in super::super) fn from_bytes(bytes: &[u8]) -> Option<PathBuf> {
    if bytes.len() % 2 != 0 {
        return None;
    }
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(PathBuf::from(OsString::from_wide(&units)))
}

/// The beginning of a name, so that `room` more units fit behind it.
pub(in super::super) fn shorten(name: &OsStr, room: usize) -> OsString {
    let units: Vec<u16> = name.encode_wide().take(255 - room).collect();
    OsString::from_wide(&units)
}
