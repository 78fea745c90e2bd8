//! The child on Windows: one console for both, whose Ctrl-C reaches both.

use std::io;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::SIGINT;

use super::Turn;

/// What the program is called: its own installer's, then the shims that npm makes.
pub(super) const NAMES: &[&str] = &["claude.exe", "claude.cmd", "claude.bat"];

/// Whether a file may be run by us; its name tells.
pub(super) fn may_run(_: &Path) -> bool {
    true
}

/// Runs a command to its end.
pub(super) fn run(mut command: Command, told: &mut dyn FnMut(Turn)) -> io::Result<u8> {
    // A handler outlives Ctrl-C; that of the child is its own.
    let interrupted = signal_hook::flag::register(SIGINT, Arc::new(AtomicBool::new(false)))?;
    let ended = command.spawn().and_then(|mut child| {
        told(Turn::Started(child.id()));
        child.wait()
    });
    signal_hook::low_level::unregister(interrupted);
    // Windows' exit codes are wider than the eight bits that other systems have.
    Ok(ended?.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
