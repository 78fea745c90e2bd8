//! Modes, links and directory times on Windows, where the profile directory's list of rights takes the place of modes.

use std::fs::{DirBuilder, File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// `FILE_FLAG_BACKUP_SEMANTICS`, without which a directory cannot be opened.
const BACKUP_SEMANTICS: u32 = 0x0200_0000;
/// `FILE_WRITE_ATTRIBUTES`.
const WRITE_ATTRIBUTES: u32 = 0x0100;

/// How often a file is given its name, and how long it is waited in between.
const TRIES: usize = 100;
const PAUSE: Duration = Duration::from_millis(10);

/// Stands for the permission bits: read-only or not.
pub(crate) fn mode(metadata: &Metadata) -> u32 {
    if metadata.permissions().readonly() { 0o400 } else { 0o600 }
}

/// Gives a file another name, whatever has that: again and again while another process has the file open for a moment, as
/// Claude Code does (facts §1.6).
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    for _ in 1..TRIES {
        match std::fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => std::thread::sleep(PAUSE),
            done => return done,
        }
    }
    std::fs::rename(from, to)
}

/// Makes a directory.
pub(super) fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().create(path)
}

/// Makes a new file; the mode has no meaning here.
pub(super) fn create_new(path: &Path, _mode: u32) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Nothing stands in the way of the owner.
pub(super) fn unlock_dir(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// Sets the modification time of a file or directory.
pub(crate) fn stamp(path: &Path, modified: SystemTime) -> io::Result<()> {
    let file = OpenOptions::new().access_mode(WRITE_ATTRIBUTES).custom_flags(BACKUP_SEMANTICS).open(path)?;
    file.set_times(FileTimes::new().set_modified(modified))
}

/// Puts a program under another name, by a copy: links need a privilege.
pub(super) fn link_program(program: &Path, name: &Path) -> io::Result<()> {
    std::fs::copy(program, name.with_extension("exe")).map(drop)
}
