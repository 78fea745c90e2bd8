//! Whether a process that wrote its id down is still that one.

use std::sync::OnceLock;

use crate::Disk;

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

/// When a process began, in the system's own words; `None` where the system does not tell, or there is none.
#[must_use]
pub fn process_start(disk: &Disk, pid: u32) -> Option<String> {
    platform::start(disk, pid)
}

/// When this process began. It is asked for once: every lock is recorded with it, and it does not change.
pub(super) fn own_start(disk: &Disk) -> Option<String> {
    static START: OnceLock<Option<String>> = OnceLock::new();
    START.get_or_init(|| process_start(disk, std::process::id())).clone()
}

/// Whether a process lives and, where its start was recorded and the system tells starts, is still the same one. True
/// where the system cannot tell.
#[must_use]
pub fn process_lives(disk: &Disk, pid: u32, start: Option<&str>) -> bool {
    if process_is_gone(pid) || platform::is_zombie(disk, pid) {
        return false;
    }
    match (start, process_start(disk, pid)) {
        (Some(recorded), Some(now)) => recorded == now,
        _ => true,
    }
}

/// Whether no process has this id; false where the system cannot tell.
#[must_use]
pub fn process_is_gone(pid: u32) -> bool {
    platform::is_gone(pid)
}
