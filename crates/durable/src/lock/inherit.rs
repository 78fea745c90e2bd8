//! A lock that outlives its taker: its descriptor goes to a child, and the lock is held until both have closed it (S1).

use std::fs::File;
use std::io;

/// A second descriptor of a locked file. A child that is started while it lives gets it, and then holds the same lock.
///
/// On Windows it does nothing for children: a byte-range lock belongs to the process that took it and is not passed on
/// with a handle. Who holds what is told there by the record of the child alone.
///
/// # Errors
/// As the system says.
pub fn heir(file: &File) -> io::Result<File> {
    let heir = file.try_clone()?;
    let_children_have(&heir)?;
    Ok(heir)
}

#[cfg(unix)]
fn let_children_have(file: &File) -> io::Result<()> {
    use rustix::io::{FdFlags, fcntl_setfd};
    Ok(fcntl_setfd(file, FdFlags::empty())?)
}

#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "one surface on every system")]
fn let_children_have(_: &File) -> io::Result<()> {
    Ok(())
}
