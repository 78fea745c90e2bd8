//! Reading, replacing and removing files the plain way that Claude Code does it: temp and rename, no sync.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::platform;
use crate::entropy;
use crate::json::Object;

/// The JSON object in a file; nothing if there is no file.
pub(crate) fn object(path: &Path) -> io::Result<Option<Object>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(object)) => Ok(Some(object)),
        Ok(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "not a JSON object")),
        // The parser's own words could quote a token.
        Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "not JSON")),
    }
}

/// Replaces what stands at `path`, a link included, by a new file.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    replace_via(&path.with_file_name(format!("{name}.tmp.{}", entropy::hex(12))), path, bytes, mode)
}

/// [`replace`] with a chosen name for the temporary file.
pub(crate) fn replace_via(temp: &Path, path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let written = platform::create_new(temp, mode).and_then(|mut file| file.write_all(bytes));
    let moved = written.and_then(|()| platform::rename(temp, path));
    if moved.is_err() {
        let _ = fs::remove_file(temp);
    }
    moved
}

/// Overwrites a file where it stands, through links, making it if it is not there.
pub(crate) fn write_in_place(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    if !path.exists() {
        drop(platform::create_new(&referent(path), mode)?);
    }
    OpenOptions::new().write(true).truncate(true).open(path)?.write_all(bytes)
}

/// Adds to the end of a file.
pub(crate) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(bytes)
}

/// Where a chain of links ends, whether or not something is there.
pub(crate) fn referent(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    for _ in 0..40 {
        let Ok(target) = fs::read_link(&path) else { break };
        path = path.parent().map_or_else(|| target.clone(), |parent| parent.join(&target));
    }
    path
}

/// Makes a directory and its missing parents, each for the owner alone.
pub(crate) fn ensure_private_dir(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        ensure_private_dir(parent)?;
    }
    match platform::make_private_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Puts a program under another name.
pub(crate) fn program(program: &Path, name: &Path) -> io::Result<()> {
    platform::link_program(program, name)
}

/// Removes a directory with all that is in it; links are removed, not followed.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let _ = platform::unlock_dir(path);
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        // The entry's own type: a link to a directory is a link.
        if entry.file_type()?.is_dir() {
            remove_tree(&entry.path())?;
        } else if fs::remove_file(entry.path()).is_err() {
            fs::remove_dir(entry.path())?;
        }
    }
    fs::remove_dir(path)
}
