//! Processes by signal 0 and, on Linux, by proc(5).

use std::path::Path;

use crate::Disk;

pub(super) fn start(disk: &Disk, pid: u32) -> Option<String> {
    stat(disk, pid).map(|(_, start)| start)
}

/// Whether a process has ended, and was only not yet asked for its exit code.
pub(super) fn is_zombie(disk: &Disk, pid: u32) -> bool {
    stat(disk, pid).is_some_and(|(state, _)| matches!(state.as_str(), "Z" | "X" | "x"))
}

pub(super) fn is_gone(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw) else { return true };
    rustix::process::test_kill_process(pid) == Err(rustix::io::Errno::SRCH)
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
