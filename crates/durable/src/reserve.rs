//! A file whose room is taken beforehand, for bytes that must find a place even on a disk that has since become full.

use std::path::{Path, PathBuf};

use crate::disk::write_all;
use crate::vfs::Handle;
use crate::{Disk, Error};

/// A file of blanks, held open.
pub struct Reserve {
    file: Box<dyn Handle>,
    path: PathBuf,
}

impl Reserve {
    /// Makes the file, 0600, fills it with `size` blanks and makes it durable. What lay there goes.
    ///
    /// # Errors
    /// As the system says; then nothing is left of it.
    pub fn make(disk: &Disk, path: &Path, size: usize) -> Result<Self, Error> {
        disk.remove_file(path)?;
        let file = disk.vfs.create(path, 0o600).map_err(Error::io("create", path))?;
        let mut reserve = Self { file, path: path.to_owned() };
        let filled = write_all(reserve.file.as_mut(), &vec![b' '; size])
            .and_then(|()| reserve.file.sync())
            .map_err(Error::io("write", path))
            .and_then(|()| disk.sync_parent(path));
        if let Err(error) = filled {
            let _ = disk.remove_file(path);
            return Err(error);
        }
        Ok(reserve)
    }

    /// Writes `bytes` over the blanks, durable when this returns. After a failure it may be tried again.
    ///
    /// # Errors
    /// As the system says.
    pub fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written =
            self.file.rewind().and_then(|()| write_all(self.file.as_mut(), bytes)).and_then(|()| self.file.sync());
        written.map_err(Error::io("write", &self.path))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::testing::{Scratch, disk};
    use crate::vfs::{Errno, Fault, FaultyVfs, RealVfs};

    #[test]
    fn what_is_put_stands_before_the_blanks_and_can_be_put_again() {
        let scratch = Scratch::new("reserve");
        let path = scratch.write("stage", "an old one");
        let mut reserve = Reserve::make(&disk(), &path, 64).expect("room");
        assert_eq!(scratch.read("stage"), " ".repeat(64));
        for text in ["{\"a\":1}", "{\"b\":2}"] {
            reserve.put(text.as_bytes()).expect("room");
            assert_eq!(scratch.read("stage"), format!("{text}{}", " ".repeat(57)));
        }
    }

    #[test]
    fn without_room_nothing_is_left() {
        let scratch = Scratch::new("reserve-full");
        let path = scratch.path("stage");
        for at in 1..=5 {
            let vfs = FaultyVfs::failing(Arc::new(RealVfs), at, Fault::Error(Errno::NoSpace));
            let made = Reserve::make(&disk().with_vfs(Arc::new(vfs.clone())), &path, 64).map(drop);
            assert!(vfs.fired() && made.is_err() && scratch.picture().is_empty(), "{at}: {:?}", vfs.effects());
        }
    }
}
