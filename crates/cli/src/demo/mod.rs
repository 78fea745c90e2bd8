//! `clauth demo`: the main job in a throw-away home, with three accounts and a fake `claude`. No network, no Claude Code.
//!
//! Each step shows the command that it runs, and checks afterwards that what it claims is so. A signal is looked for between
//! the steps and ends the story there: the fake `claude` and the home go, as at its end.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;
mod stage;
mod story;

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clauth_engine::Kind;
use clauth_sandbox::World;

use crate::failure::Failure;

/// How the demonstration ended.
pub(crate) enum End {
    /// Each step did what it says.
    Shown,
    /// A step did not.
    Failed,
    /// By a signal of this number.
    Signal(u8),
}

/// Runs the walk-through and tells it on `out`.
///
/// # Errors
/// The sandbox cannot be made, or `out` cannot be written.
pub(crate) fn run(out: &mut dyn Write) -> Result<End, Failure> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in platform::ending() {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), usize::try_from(number).unwrap_or(0))?;
    }
    let world = World::create("demo").map_err(|error| no_place(&error))?;
    let told = stage::Stage::set(out, world, Arc::clone(&signal)).and_then(|mut stage| {
        story::tell(&mut stage)?;
        stage.close()
    });
    match (u8::try_from(signal.load(Ordering::Relaxed)), told) {
        (Ok(signal @ 1..), _) => Ok(End::Signal(signal)),
        (_, told) => Ok(if told? { End::Shown } else { End::Failed }),
    }
}

fn no_place(error: &io::Error) -> Failure {
    let next = if cfg!(windows) {
        "name a directory that you may write to: set TEMP, then clauth demo"
    } else {
        "name a directory that you may write to: TMPDIR=DIRECTORY clauth demo"
    };
    let what = format!("the throw-away home cannot be made: {error}");
    Failure::new(Kind::Io, what, World::base().display().to_string(), &[next])
}
