//! `clauth demo`: the main job in a throw-away home, with three accounts and a fake `claude`. No network, no Claude Code.
//!
//! Each step shows the command that it runs, and checks afterwards that what it claims is so.

mod stage;
mod story;

use std::io::{self, Write};

/// Runs the walk-through and tells it on `out`. True if each step did what it says.
///
/// # Errors
/// The sandbox cannot be made, or `out` cannot be written.
pub(crate) fn run(out: &mut dyn Write) -> io::Result<bool> {
    let mut stage = stage::Stage::set(out)?;
    story::tell(&mut stage)?;
    stage.close()
}
