//! Copying one file to where nothing is: by reference where the file system can, mode and time of modification kept.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::Error;
use crate::disk::Disk;
use crate::vfs::{Handle, Kind, Stat, stat_of};

/// What a copy is to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manners {
    /// Try to share the bytes with the source. Worth asking until a file system has said that it cannot.
    pub share: bool,
    /// Make the bytes durable before anybody can see the copy.
    pub sync: bool,
}

/// A copy that was made.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The source, as it was before its first byte was read.
    pub from: Stat,
    /// The copy, as the file system stored it.
    pub to: Stat,
    /// The source was written meanwhile: the copy is no state that it ever had.
    pub torn: bool,
    /// The bytes are shared.
    pub shared: bool,
}

impl Disk {
    /// Copies the regular file at `from`, never through a link, to where nothing is. What a failure leaves at `to` is
    /// the caller's to remove.
    ///
    /// # Errors
    /// `from` is no regular file, `to` exists, or as the system says; the path in the error tells which side refused.
    pub fn copy_new(&self, from: &Path, to: &Path, manners: Manners) -> Result<Copied, Error> {
        let source = self.vfs.open(from).map_err(Error::io("read", from))?;
        let before = stat_of(&source).map_err(Error::io("look at", from))?;
        if before.kind != Kind::File {
            return Err(Error::NotRegular { path: from.to_owned(), kind: before.kind });
        }
        let mut file = self.vfs.create(to, before.mode & 0o777).map_err(Error::io("create", to))?;
        let shared = manners.share && file.clone_from(&source).is_ok();
        if !shared {
            fill(file.as_mut(), &source, &before).map_err(|error| whose(error, &source, from, to))?;
        }
        let stored = finish(file.as_mut(), &before, manners.sync).map_err(Error::io("copy to", to))?;
        let after = stat_of(&source).map_err(Error::io("look at", from))?;
        let torn = (after.len, after.modified) != (before.len, before.modified) || stored.len != before.len;
        Ok(Copied { from: before, to: stored, torn, shared })
    }

    /// Adds `bytes` at the end of a file that exists, in one write where the system takes them at once, and makes them
    /// durable where asked; answers the file as it then is.
    ///
    /// # Errors
    /// As the system says; a part of `bytes` may then stand.
    pub fn append(&self, path: &Path, bytes: &[u8], sync: bool) -> Result<Stat, Error> {
        let mut file = self.vfs.append(path, 0o600).map_err(Error::io("append to", path))?;
        crate::disk::write_all(file.as_mut(), bytes).map_err(Error::io("append to", path))?;
        if sync {
            file.sync().map_err(Error::io("sync", path))?;
        }
        file.stat().map_err(Error::io("look at", path))
    }

    /// Takes away everything beyond the first `len` bytes of a file.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn cut(&self, path: &Path, len: u64) -> Result<(), Error> {
        let mut file = self.vfs.append(path, 0o600).map_err(Error::io("put back", path))?;
        file.truncate(len).and_then(|()| file.sync()).map_err(Error::io("put back", path))
    }
}

/// One call reads and writes: the side that refused is found by reading on.
fn whose(error: io::Error, mut source: &File, from: &Path, to: &Path) -> Error {
    match source.read(&mut [0]).err() {
        None => Error::io("copy to", to)(error),
        Some(error) => Error::io("read", from)(error),
    }
}

/// All bytes that the source had when it was opened; fewer when it was cut meanwhile.
fn fill(file: &mut dyn Handle, source: &File, before: &Stat) -> io::Result<()> {
    let mut left = before.len;
    while left > 0 {
        match file.copy_from(source, left) {
            Ok(0) => break,
            Ok(count) => left = left.saturating_sub(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The bytes stand: now the mode, as the umask may have narrowed it, and last the time, which every write moves.
fn finish(file: &mut dyn Handle, before: &Stat, sync: bool) -> io::Result<Stat> {
    if file.stat()?.mode != before.mode {
        file.set_mode(before.mode)?;
    }
    file.set_modified(before.modified)?;
    if sync {
        file.sync()?;
    }
    file.stat()
}
