//! What is in a file.

use std::io::Read as _;
use std::path::Path;

use clauth_durable::{Disk, Kind, Stat, vfs};
use sha2::{Digest as _, Sha256};

use super::super::index::{Hash, Stamp, cut};

type Error = clauth_durable::Error;

/// A file that was read whole.
pub(super) struct Digest {
    pub(super) hash: Hash,
    pub(super) stat: Stat,
}

/// Opens a regular file, never through a link.
pub(super) fn open(disk: &Disk, path: &Path) -> Result<(std::fs::File, Stat), Error> {
    let io = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let file = disk.vfs.open(path).map_err(io)?;
    let stat = vfs::stat_of(&file).map_err(io)?;
    if stat.kind != Kind::File {
        return Err(Error::NotRegular { path: path.to_owned(), kind: stat.kind });
    }
    Ok((file, stat))
}

/// Reads a file that rests: what is written meanwhile has no one content.
pub(super) fn digest(disk: &Disk, path: &Path) -> Result<Digest, Error> {
    let io = |source| Error::Io { doing: "read", path: path.to_owned(), source };
    let (mut file, stat) = open(disk, path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        match file.read(&mut buffer).map_err(io)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let after = vfs::stat_of(&file).map_err(io)?;
    if Stamp::of(&after) != Stamp::of(&stat) {
        return Err(Error::Moved { path: path.to_owned() });
    }
    Ok(Digest { hash: cut(hasher.finalize().as_slice()), stat })
}

/// Whether the file holds nothing, or no JSON where it should.
pub(super) fn is_broken(disk: &Disk, path: &Path) -> Result<bool, Error> {
    let bytes = disk.read(path)?.unwrap_or_default();
    let json = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(serde_json::from_slice::<serde::de::IgnoredAny>(json).is_err())
}
