//! Inside the closed network: each scenario on a bench of its own, and the verdict.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::bench::Bench;
use super::{scenarios, sessions};

/// Where things are; filled in by the call from outside.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The client, its CA and the server's certificate
    #[arg(long)]
    pub(super) folder: PathBuf,
    /// The TLS front
    #[arg(long)]
    pub(super) front: PathBuf,
    /// The clauth to run
    #[arg(long)]
    pub(super) program: PathBuf,
    /// Only scenarios whose name contains this
    only: Option<String>,
}

/// Runs the scenarios and prints how each ended.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let only = args.only.as_deref().unwrap_or_default();
    let (mut passed, mut failed) = (0, 0);
    let all = scenarios::SCENARIOS.iter().chain(&sessions::SCENARIOS);
    for (name, scenario) in all.filter(|(name, _)| name.contains(only)) {
        let began = Instant::now();
        let open = || Bench::open(args);
        let outcome = scenario(&open);
        let seconds = began.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => passed += 1,
            Err(_) => failed += 1,
        }
        match outcome {
            Ok(()) => println!("ok      {name} ({seconds:.1} s)"),
            Err(error) => println!("FAILED  {name} ({seconds:.1} s): {error:#}"),
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
