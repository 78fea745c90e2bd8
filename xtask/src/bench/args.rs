//! The words of `cargo xtask bench`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::report::Report;
use super::run::{self, Plan};
use super::sessions;
use super::stage::Stage;
use crate::process;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the table into docs/measurements.md
    #[arg(long)]
    write: bool,
    /// Turns of each subject
    #[arg(long, default_value_t = 200)]
    turns: usize,
    /// Also time a clean debug build of the workspace
    #[arg(long)]
    build: bool,
}

/// Builds the release program, measures it and prints the table. Fails where a figure is over its budget.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let program = release(root)?;
    let mut report = Report::new(&program)?;
    let stage = Stage::set(&program)?;
    for row in run::measure(&Plan { stage: &stage, turns: args.turns })? {
        report.push(row);
    }
    for row in sessions::measure(&stage, &|_| true)? {
        report.push(row);
    }
    if args.build {
        report.push(run::clean_build(root)?);
    }
    print!("{}", report.table());
    if args.write {
        report.write(root)?;
    }
    Ok(if report.is_within() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn release(root: &Path) -> anyhow::Result<PathBuf> {
    process::run(process::cargo(root).args(["build", "--quiet", "--release", "--locked", "--package", "clauth"]))?;
    Ok(process::target(root).join("release").join(if cfg!(windows) { "clauth.exe" } else { "clauth" }))
}

/// This program, asked to do what a baseline does.
pub(super) fn ourselves(words: &[&str]) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words);
    Ok(command)
}
