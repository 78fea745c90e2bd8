//! `cargo xtask model`: random programs of everything that can happen to four accounts, played until a law breaks.
//!
//! The model itself is the test `model` of the engine; this chooses the seeds and runs several at once, since the
//! sandbox has one clock a process.

use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

/// What is run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The first program's seed; each further program has the next
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many programs
    #[arg(long, default_value_t = 1000)]
    programs: u64,
    /// Begin no program after so many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// How many at once
    #[arg(long, default_value_t = 2)]
    jobs: u64,
}

/// Builds the model and runs it; fails where a law was broken.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let clauth = build(root)?;
    let jobs = args.jobs.clamp(1, args.programs.max(1));
    let share = args.programs.div_ceil(jobs);
    let mut running = Vec::new();
    for job in 0..jobs {
        let first = args.seed + job * share;
        let count = share.min((args.seed + args.programs).saturating_sub(first));
        let mut command = crate::process::cargo(root);
        command.args(["test", "--quiet", "--package", "clauth-engine", "--test", "model", "--"]);
        command.args(["--ignored", "--exact", "run::programs", "--nocapture"]);
        command.env("MODEL_SEED", first.to_string()).env("MODEL_PROGRAMS", count.to_string());
        command.env("MODEL_CLAUTH", &clauth).env_remove("MODEL_SECONDS");
        if let Some(seconds) = args.seconds {
            command.env("MODEL_SECONDS", seconds.to_string());
        }
        running.push(command.spawn().context("cargo test cannot be started")?);
    }
    let mut lawful = true;
    for mut child in running {
        lawful &= child.wait().context("cargo test was not waited for")?.success();
    }
    Ok(if lawful { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the model, and the program for the part that is played by real processes.
fn build(root: &Path) -> anyhow::Result<std::path::PathBuf> {
    let cargo = |words: &[&str]| crate::process::cargo(root).args(words).status();
    let tests = cargo(&["test", "--quiet", "--package", "clauth-engine", "--test", "model", "--no-run"])?;
    let program = cargo(&["build", "--quiet", "--package", "clauth"])?;
    ensure!(tests.success() && program.success(), "the model cannot be built");
    Ok(crate::process::target(root).join("debug").join("clauth"))
}
