//! Signals around the demonstration on Windows: which end it, and how its programs are kept from them. Installs no handler itself.

use std::os::windows::process::CommandExt as _;
use std::process::Command;

use signal_hook::consts::{SIGINT, SIGTERM};

/// `CREATE_NEW_PROCESS_GROUP`: Ctrl-C does not reach it.
const OWN_GROUP: u32 = 0x200;

/// What ends the demonstration.
pub(super) fn ending() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// Keeps a program out of what the console sends, so that it ends only when the stage is cleared.
pub(super) fn apart(command: &mut Command) {
    command.creation_flags(OWN_GROUP);
}
