//! Signals around the demonstration on Unix: which end it, and how its programs are kept from them. Installs no handler itself.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What ends the demonstration: what was ignored at its beginning (`nohup`) stays ignored, as with a child (0011).
pub(super) fn ending() -> Vec<i32> {
    let ignored = crate::child::ignored().unwrap_or(0);
    [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0).collect()
}

/// Keeps a program out of what the terminal sends, so that it ends only when the stage is cleared.
pub(super) fn apart(command: &mut Command) {
    command.process_group(0);
}
