//! Running `claude` processes, each with the home that it really uses.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod platform;
mod registered;

use std::path::{Path, PathBuf};

use clauth_durable::lock::LockOwner;
use clauth_durable::{Disk, Document};
use clauth_host::Host;
use jiff::Timestamp;

use crate::ClaudeHome;

/// A running `claude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunningClaude {
    /// Its process id.
    pub pid: u32,
    /// The config directory that it uses, as it was named to it.
    pub config_dir: PathBuf,
    /// `busy`, `idle`, `waiting`; where it is registered.
    pub status: Option<String>,
    /// `interactive`, `bg`, …; where it is registered.
    pub kind: Option<String>,
    /// Its working directory.
    pub cwd: Option<PathBuf>,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// The variables in its own environment that outrank a saved login.
    pub overrides: Vec<&'static str>,
}

/// Every running `claude` of this user that can be seen: those registered in `home`, and on Linux those in `/proc`.
///
/// A registration does not tell the home, since several homes may share one `sessions/` folder: where the system shows a
/// process's environment, that decides.
#[must_use]
pub fn running(host: &Host, disk: &Disk, home: &ClaudeHome) -> Vec<RunningClaude> {
    running_in(host, disk, std::slice::from_ref(home))
}

/// The same with the registrations of several homes, each process once. Homes that share one folder are told apart only
/// where the system shows a process's environment; elsewhere the first of them is named.
#[must_use]
pub fn running_in(host: &Host, disk: &Disk, homes: &[ClaudeHome]) -> Vec<RunningClaude> {
    let mut found: Vec<RunningClaude> = Vec::new();
    for claude in homes.iter().flat_map(|home| registered::all(disk, home)) {
        if found.iter().all(|known| known.pid != claude.pid) {
            found.push(claude);
        }
    }
    platform::amend(host, disk, &mut found);
    found.sort_unstable_by_key(|claude| claude.pid);
    found
}

/// Whether a process that could hold one of `home`'s locks is alive (K5).
#[must_use]
pub fn lock_owner(host: &Host, disk: &Disk, home: &ClaudeHome, lock: &Path) -> LockOwner {
    let mut owner = lock.as_os_str().to_owned();
    owner.push(".owner");
    if let Some(pid) = named_owner(disk, Path::new(&owner)) {
        return LockOwner::Alive(format!("claude (process {pid})"));
    }
    let registered = registered::all(disk, home).first().map(|claude| claude.pid);
    if let Some(pid) = registered.or_else(|| platform::user_of(host, disk, home)) {
        return LockOwner::Alive(format!("claude (process {pid})"));
    }
    if platform::SEES_ALL { LockOwner::Dead } else { LockOwner::Unknown }
}

/// The live process that Claude Code's owner file beside a lock names.
fn named_owner(disk: &Disk, path: &Path) -> Option<u32> {
    let document = Document::parse(disk.read(path).ok()??).ok()?;
    let pid = document.get::<u32>(&["pid"])?;
    let start = document.get::<String>(&["procStart"]);
    platform::is_alive(disk, pid, start.as_deref()).then_some(pid)
}

#[cfg(test)]
mod tests;
