//! Processes by their handles.

use winsafe::guard::CloseHandleGuard;
use winsafe::{HPROCESS, SysResult, co};

use crate::Disk;

/// The exit code of a process that has not ended.
const STILL_ACTIVE: u32 = 259;

/// When it was created, in steps of 100 ns since 1601.
pub(super) fn start(_: &Disk, pid: u32) -> Option<String> {
    let (created, ..) = open(pid).ok()?.GetProcessTimes().ok()?;
    Some(format!("{}", u64::from(created.dwHighDateTime) << 32 | u64::from(created.dwLowDateTime)))
}

/// A process that somebody still has a handle of is told by its exit code.
pub(super) fn is_zombie(_: &Disk, _: u32) -> bool {
    false
}

/// Another user's process may not be opened; it lives for all that is known.
pub(super) fn is_gone(pid: u32) -> bool {
    match open(pid) {
        Ok(process) => process.GetExitCodeProcess().is_ok_and(|code| code != STILL_ACTIVE),
        Err(error) => error == co::ERROR::INVALID_PARAMETER,
    }
}

fn open(pid: u32) -> SysResult<CloseHandleGuard<HPROCESS>> {
    HPROCESS::OpenProcess(co::PROCESS::QUERY_LIMITED_INFORMATION, false, pid)
}
