//! Moving files and directories without overwriting, losing or following anything, within a file system and across.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clauth_durable::vfs::Handle;
use clauth_durable::{Disk, Error as DiskError, Kind, Stat};

use crate::Error;

/// How much is read at once.
const CHUNK: usize = 64 << 10;

/// Moves a file, directory or link to where nothing is; false when something is there.
pub(super) fn into_vacant(disk: &Disk, from: &Path, to: &Path) -> Result<bool, Error> {
    match disk.vfs.rename_new(from, to) {
        Ok(()) => Ok(true),
        Err(error) if is_there(&error) => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => across(disk, from, to),
        Err(error) => Err(Error::io("move", from)(error)),
    }
}

/// The same to another file system: copied, compared, and only then removed. What is interrupted has moved a part, each
/// file of it whole.
fn across(disk: &Disk, from: &Path, to: &Path) -> Result<bool, Error> {
    let stat = disk.vfs.lstat(from).map_err(Error::io("look at", from))?;
    match stat.kind {
        Kind::File => {
            if !copy(disk, from, to)? {
                return Ok(false);
            }
            if disk.lstat(from)?.as_ref() != Some(&stat) {
                return Err(DiskError::Moved { path: from.to_owned() }.into());
            }
        }
        Kind::Link => {
            let target = disk.vfs.read_link(from).map_err(Error::io("read the link", from))?;
            match disk.vfs.symlink(&target, to) {
                Ok(()) => {}
                Err(error) if is_there(&error) => return Ok(false),
                Err(error) => return Err(Error::io("make the link", to)(error)),
            }
        }
        Kind::Dir => return directory_across(disk, (from, &stat), to),
        // A pipe or socket of a process that is gone.
        Kind::Other => {}
    }
    disk.remove_file(from)?;
    Ok(true)
}

fn directory_across(disk: &Disk, (from, stat): (&Path, &Stat), to: &Path) -> Result<bool, Error> {
    match disk.vfs.create_dir(to, 0o700) {
        Ok(()) => {}
        Err(error) if is_there(&error) => return Ok(false),
        Err(error) => return Err(Error::io("create", to)(error)),
    }
    for name in disk.list(from)? {
        if !across(disk, &from.join(&name), &to.join(&name))? {
            return Err(DiskError::Moved { path: to.join(name) }.into());
        }
    }
    if stat.mode != 0o700 {
        disk.vfs.set_mode(to, stat.mode | 0o700).map_err(Error::io("set the mode of", to))?;
    }
    disk.vfs.remove_dir(from).map_err(Error::io("remove", from))?;
    Ok(true)
}

/// Copies a file to where nothing is, with its mode and time; false when something is there.
pub(super) fn copy(disk: &Disk, from: &Path, to: &Path) -> Result<bool, Error> {
    let temp = stage(disk, from, to)?;
    match disk.vfs.rename_new(&temp, to) {
        Ok(()) => {
            sync_parent(disk, to)?;
            Ok(true)
        }
        Err(error) => {
            let _ = disk.vfs.remove_file(&temp);
            if is_there(&error) { Ok(false) } else { Err(Error::io("create", to)(error)) }
        }
    }
}

/// Puts a copy of a file in the place of another one. Answers where what stood there is now, on systems that can exchange,
/// so that whatever it has become meanwhile is not lost; elsewhere it is overwritten if it is still as `before`.
pub(super) fn put(disk: &Disk, from: &Path, (to, before): (&Path, &Stat)) -> Result<Option<PathBuf>, Error> {
    let temp = stage(disk, from, to)?;
    match put_staged(disk, &temp, (to, before)) {
        Ok(exchanged) => {
            sync_parent(disk, to)?;
            Ok(exchanged.then_some(temp))
        }
        Err(error) => {
            let _ = disk.vfs.remove_file(&temp);
            Err(error)
        }
    }
}

fn put_staged(disk: &Disk, temp: &Path, (to, before): (&Path, &Stat)) -> Result<bool, Error> {
    match disk.vfs.exchange(temp, to) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
        Err(error) => return Err(Error::io("replace", to)(error)),
    }
    if disk.lstat(to)?.as_ref() != Some(before) {
        return Err(DiskError::Moved { path: to.to_owned() }.into());
    }
    disk.vfs.rename(temp, to).map_err(Error::io("replace", to))?;
    Ok(false)
}

/// Copies a file beside `to`, synced and compared. The temporary name is short, since `to`'s may be as long as names get.
fn stage(disk: &Disk, from: &Path, to: &Path) -> Result<PathBuf, Error> {
    let temp = to.with_file_name(format!(".clauth-{}", disk.random.name()));
    let staged = write_copy(disk, from, &temp).and_then(|()| {
        if equal(disk, from, &temp)? { Ok(()) } else { Err(DiskError::Moved { path: from.to_owned() }.into()) }
    });
    if let Err(error) = staged {
        let _ = disk.vfs.remove_file(&temp);
        return Err(error);
    }
    Ok(temp)
}

fn write_copy(disk: &Disk, from: &Path, temp: &Path) -> Result<(), Error> {
    let stat = disk.vfs.lstat(from).map_err(Error::io("look at", from))?;
    let mut source = disk.vfs.open(from).map_err(Error::io("read", from))?;
    let mut file = disk.vfs.create(temp, 0o600).map_err(Error::io("create", temp))?;
    let mut chunk = vec![0; CHUNK];
    loop {
        match source.read(&mut chunk).map_err(Error::io("read", from))? {
            0 => break,
            count => write_all(file.as_mut(), &chunk[..count]).map_err(Error::io("write", temp))?,
        }
    }
    if stat.mode != 0o600 {
        disk.vfs.set_mode(temp, stat.mode).map_err(Error::io("set the mode of", temp))?;
    }
    file.set_modified(stat.modified).map_err(Error::io("stamp", temp))?;
    file.sync().map_err(Error::io("sync", temp))
}

fn write_all(file: &mut dyn Handle, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether two files hold the same bytes. Neither is read whole: a transcript may be larger than the memory.
pub(super) fn equal(disk: &Disk, a: &Path, b: &Path) -> Result<bool, Error> {
    let open = |path: &Path| disk.vfs.open(path).map_err(Error::io("read", path));
    let (mut left, mut right) = (open(a)?, open(b)?);
    let (mut left_chunk, mut right_chunk) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let count = fill(&mut left, &mut left_chunk).map_err(Error::io("read", a))?;
        let other = fill(&mut right, &mut right_chunk).map_err(Error::io("read", b))?;
        if left_chunk[..count] != right_chunk[..other] {
            return Ok(false);
        }
        if count == 0 {
            return Ok(true);
        }
    }
}

/// Reads until the chunk is full or the file ends.
fn fill(file: &mut std::fs::File, chunk: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < chunk.len() {
        match file.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn sync_parent(disk: &Disk, path: &Path) -> Result<(), Error> {
    let parent = path.parent().unwrap_or(path);
    disk.vfs.sync_dir(parent).map_err(Error::io("sync", parent))
}

/// Whether a system refuses since something stands there; a directory that is not empty is told in its own words.
fn is_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}
