//! Whether a process that wrote its id down is still that one.

use std::path::Path;

use crate::Disk;

/// When a process began, in the system's own words; `None` where the system does not tell, or there is none.
#[must_use]
pub fn process_start(disk: &Disk, pid: u32) -> Option<String> {
    stat(disk, pid).map(|(_, start)| start)
}

/// Whether a process lives and, where its start was recorded and the system tells starts, is still the same one. True
/// where the system cannot tell.
#[must_use]
pub fn process_lives(disk: &Disk, pid: u32, start: Option<&str>) -> bool {
    if process_is_gone(pid) {
        return false;
    }
    match stat(disk, pid) {
        // Ended, and only not yet asked for its exit code.
        Some((state, _)) if matches!(state.as_str(), "Z" | "X" | "x") => false,
        Some((_, now)) => start.is_none_or(|start| start == now),
        None => true,
    }
}

/// A process's state and start; proc(5), fields 3 and 22 of `stat`.
fn stat(disk: &Disk, pid: u32) -> Option<(String, String)> {
    let bytes = disk.vfs.read(Path::new(&format!("/proc/{pid}/stat")), 4096).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // The command's name, in parentheses, may hold anything; the fields that count follow the last one.
    let (_, fields) = text.rsplit_once(") ")?;
    let mut fields = fields.split(' ');
    Some((fields.next()?.to_owned(), fields.nth(18)?.to_owned()))
}

/// Whether no process has this id; false where the system cannot tell.
#[cfg(unix)]
#[must_use]
pub fn process_is_gone(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return true };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
}

/// Whether no process has this id; false where the system cannot tell.
#[cfg(not(unix))]
#[must_use]
pub fn process_is_gone(_: u32) -> bool {
    false
}
