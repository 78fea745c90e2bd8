//! Processes on systems that show no other process's environment.

use clauth_durable::Disk;
use clauth_host::Host;

use super::RunningClaude;
use crate::ClaudeHome;

/// Only registered processes are seen.
pub(super) const SEES_ALL: bool = false;

/// Whether a process lives. What its start is called differs from system to system, so that it is not compared.
pub(super) fn is_alive(_: &Disk, pid: u32, _: Option<&str>) -> bool {
    !clauth_durable::lock::process_is_gone(pid)
}

/// A process that is not registered is not seen.
pub(super) fn user_of(_: &Host, _: &Disk, _: &ClaudeHome) -> Option<u32> {
    None
}

/// Nothing more can be seen than what is registered.
pub(super) fn amend(_: &Host, _: &Disk, _: &mut Vec<RunningClaude>) {}
