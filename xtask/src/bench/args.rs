//! The words of `cargo xtask bench`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::bail;

use super::report::{self, Report};
use super::stage::Stage;
use super::topic::{Topic, Topics};
use super::{crowd, live, locks, poller, run as turns, sessions};
use crate::process;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Write the table into docs/measurements.md, with the build in it
    #[arg(long)]
    write: bool,
    /// Turns of each subject
    #[arg(long, default_value_t = 200)]
    turns: usize,
    /// What to measure, by name; without one all, but for the build
    #[arg(value_name = "ROW")]
    rows: Vec<Topic>,
}

/// Builds the release program, measures it and prints the table. Fails where a figure is over its budget.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    if args.write && !args.rows.is_empty() {
        bail!("docs/measurements.md shows all rows of one run: name none with --write");
    }
    let topics = if args.write { Topics::all() } else { Topics::of(&args.rows) };
    let program = release(root)?;
    let mut report = Report::default();
    if topics.has(Topic::Size) {
        report.push(report::size(&program)?);
    }
    let stage = Stage::set(&program)?;
    if topics.has(Topic::Start) {
        report.extend(sessions::start(&stage)?.into());
    }
    report.extend(turns::measure(&stage, args.turns, &topics)?);
    if topics.has(Topic::Crowd) {
        report.push(crowd::measure(&stage)?);
    }
    if topics.has(Topic::Live) {
        report.push(live::measure(&program)?);
    }
    if topics.has(Topic::Poller) {
        report.extend(poller::measure(&program)?);
    }
    if topics.has(Topic::Locks) {
        report.extend(locks::measure(&stage)?);
    }
    report.extend(sessions::measure(&stage, &topics)?);
    if topics.has(Topic::Build) {
        report.push(turns::clean_build(root)?);
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
    command.args(words).stdin(Stdio::null());
    Ok(command)
}
