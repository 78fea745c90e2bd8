//! Where something is made, whose it becomes, and that its owner may use it (W1).
//!
//! What root makes in the home of somebody else (`sudo` that keeps HOME, a container on a mounted home) would be root's,
//! and lock its user out. So it is given to whom its directory belongs. All goes by the open directory: a home's owner can
//! put links in the place of what a path names, and must not be given what lies elsewhere.
//!
//! A umask that takes the owner's own permissions away (`umask 777`) would make a login that nobody can read: what it takes
//! is given back at once. Under any other one nothing is asked of the system for that.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;

use rustix::fs::{self as sys, CWD, Gid, Mode, OFlags, Uid};

use super::bits;

/// The bit by which everybody may write.
const EVERYBODY: sys::RawMode = 0o002;

/// The bits of whoever owns a file.
const OWNER: sys::RawMode = 0o700;

/// Where something is to be made.
pub(super) struct Place<'a> {
    path: &'a Path,
    other: Option<Other>,
}

/// Somebody else's directory, to root.
struct Other {
    directory: OwnedFd,
    uid: Uid,
    gid: Gid,
}

impl<'a> Place<'a> {
    pub(super) fn of(path: &'a Path) -> Self {
        if let (true, Some(name), Some(above)) = (is_root(), path.file_name(), path.parent())
            && let Some(other) = Other::of(if above.as_os_str().is_empty() { Path::new(".") } else { above })
        {
            return Self { path: Path::new(name), other: Some(other) };
        }
        Self { path, other: None }
    }

    fn from(&self) -> BorrowedFd<'_> {
        self.other.as_ref().map_or(CWD, |other| other.directory.as_fd())
    }

    /// Opens a file with flags that make it when it is missing.
    pub(super) fn create(&self, flags: OFlags, mode: u32) -> io::Result<File> {
        let (mode, withheld) = under_mask(mode);
        let open = |flags| sys::openat(self.from(), self.path, flags | OFlags::CLOEXEC, mode);
        if self.other.is_none() && !withheld {
            return Ok(File::from(open(flags)?));
        }
        match open(flags | OFlags::EXCL) {
            Ok(made) => {
                if withheld {
                    sys::fchmod(&made, mode)?;
                }
                self.other.iter().for_each(|other| other.give(made.as_fd()));
                Ok(File::from(made))
            }
            // What was there before stays whose and as it is.
            Err(rustix::io::Errno::EXIST) if !flags.contains(OFlags::EXCL) => Ok(File::from(open(flags)?)),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn create_dir(&self, mode: u32) -> io::Result<()> {
        let (mode, withheld) = under_mask(mode);
        sys::mkdirat(self.from(), self.path, mode)?;
        match &self.other {
            Some(other) => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY;
                other.give_what_stands_at(self.path, flags, withheld.then_some(mode));
            }
            None if withheld => sys::chmodat(CWD, self.path, mode, sys::AtFlags::empty())?,
            None => {}
        }
        Ok(())
    }

    pub(super) fn symlink(&self, target: &Path) -> io::Result<()> {
        sys::symlinkat(target, self.from(), self.path)?;
        // Elsewhere no descriptor speaks of a link itself; its owner matters to nobody who owns the directory.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if let Some(other) = &self.other {
            other.give_what_stands_at(self.path, OFlags::PATH, None);
        }
        Ok(())
    }
}

impl Other {
    /// `None` where the directory is root's, or one like `/tmp`, whose owner says nothing of whose things lie there.
    fn of(directory: &Path) -> Option<Self> {
        let theirs = |stat: &sys::Stat| stat.st_uid != 0 && stat.st_mode & EVERYBODY == 0;
        if !theirs(&sys::stat(directory).ok()?) {
            return None;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = sys::open(directory, flags, Mode::empty()).ok()?;
        let stat = sys::fstat(&directory).ok().filter(theirs)?;
        Some(Self { directory, uid: Uid::from_raw(stat.st_uid), gid: Gid::from_raw(stat.st_gid) })
    }

    /// File systems and user namespaces that refuse leave it root's, as everything in them.
    fn give(&self, made: BorrowedFd<'_>) {
        let _ = sys::fchown(made, Some(self.uid), Some(self.gid));
    }

    fn give_what_stands_at(&self, name: &Path, flags: OFlags, mode: Option<Mode>) {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(made) = sys::openat(&self.directory, name, flags, Mode::empty()) else { return };
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if flags.contains(OFlags::PATH) {
            if sys::fstat(&made).is_ok_and(|stat| sys::FileType::from_raw_mode(stat.st_mode).is_symlink()) {
                let _ = sys::chownat(&made, "", Some(self.uid), Some(self.gid), sys::AtFlags::EMPTY_PATH);
            }
            return;
        }
        if let Some(mode) = mode {
            let _ = sys::fchmod(&made, mode);
        }
        self.give(made.as_fd());
    }
}

fn is_root() -> bool {
    static ROOT: OnceLock<bool> = OnceLock::new();
    *ROOT.get_or_init(|| rustix::process::geteuid().is_root())
}

/// `mode` as the umask leaves it to others, whole for the owner, and whether the umask would withhold some of that. It is
/// looked at once, by setting it: no system has another way for all.
fn under_mask(mode: u32) -> (Mode, bool) {
    static MASK: OnceLock<sys::RawMode> = OnceLock::new();
    let mask = *MASK.get_or_init(|| {
        let mask = rustix::process::umask(Mode::RWXG | Mode::RWXO);
        rustix::process::umask(mask);
        mask.as_raw_mode()
    });
    let mode = bits(mode);
    (Mode::from_raw_mode(mode & !(mask & !OWNER)), mode & mask & OWNER != 0)
}
