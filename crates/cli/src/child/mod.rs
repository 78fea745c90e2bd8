//! `claude` as a child: which program it is, what it is given, and how this process stands beside it until it ends.
//!
//! It has to behave as if it had been started directly (S of the sessions, point 12): same terminal, same process group,
//! same words, same end.

mod environment;
mod find;
#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;
#[cfg(all(test, unix))]
mod tests;

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use clauth_engine::Kind;

pub(crate) use environment::{Environment, Given, SECURE};
pub(crate) use find::find;
#[cfg(unix)]
pub(crate) use platform::ignored;

use crate::failure::Failure;

/// The exit code when `claude` is there and cannot be run, as shells have it.
const CANNOT_RUN: u8 = 126;
/// The exit code when there is no `claude`, as shells have it.
const NOT_FOUND: u8 = 127;

/// What to run.
pub(crate) struct Spec {
    /// The program, as [`find`] answers it.
    pub(crate) program: PathBuf,
    /// Its words, exactly as it is to see them.
    pub(crate) args: Vec<OsString>,
    /// Its whole environment.
    pub(crate) environment: Environment,
    /// Its standard output is talk beside our own result, so it goes to standard error.
    pub(crate) aside: bool,
}

/// What happens to the child, told to who runs it.
pub(crate) enum Turn {
    /// It runs, by this process id.
    Started(u32),
    /// It has stopped, as by Ctrl-Z, and this process is about to.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no job control"))]
    Stopped,
    /// This process was continued.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no job control"))]
    Continued,
}

/// A program that shares our terminal until it ends.
pub(crate) struct Child;

impl Child {
    /// Runs it to its end and answers its exit code, 128 + n when signal n ended it. `told` is told of its turns.
    ///
    /// While it lives this process outlives SIGINT and SIGQUIT, which the terminal sends to both; passes on what another
    /// process sends to this one; and stops and continues with it. Afterwards those signals no longer end this process, so
    /// that what remains to be done is done.
    pub(crate) fn run(spec: &Spec, told: &mut dyn FnMut(Turn)) -> Result<u8, Failure> {
        let mut command = Command::new(&spec.program);
        command.args(&spec.args).env_clear().envs(spec.environment.iter());
        if spec.aside {
            command.stdout(Stdio::from(io::stderr()));
        }
        platform::run(command, told).map_err(|error| cannot_run(&spec.program, &error))
    }
}

fn cannot_run(program: &std::path::Path, error: &io::Error) -> Failure {
    let message = format!("claude cannot be run: {error}");
    let next = ["see whether it starts by itself: claude --version", "another one: CLAUTH_CLAUDE=/path/to/claude"];
    Failure::new(Kind::NotInstalled, message, program.display().to_string(), &next).exits(CANNOT_RUN)
}
