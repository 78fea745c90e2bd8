//! The words of `cargo xtask faults`.

use std::path::Path;
use std::process::ExitCode;

use super::cases::CASES;
use super::sweep::sweep;
use crate::process;

/// What to sweep.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the cases whose name contains this
    only: Option<String>,
}

/// Sweeps every case and prints what each did.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    if process::find("strace").is_none() {
        println!("skipped: faults: strace is not installed");
        return Ok(ExitCode::SUCCESS);
    }
    process::run(process::cargo(root).args(["build", "--quiet", "--package", "clauth"]))?;
    let program = process::target(root).join("debug/clauth");
    let only = args.only.as_deref().unwrap_or_default();
    let mut failed = 0;
    for case in CASES.iter().filter(|case| case.name.contains(only)) {
        let outcome = sweep(&program, case)?;
        println!("{}: {} operations, killed at each", case.name, outcome.operations);
        for problem in &outcome.problems {
            println!("  {problem}");
        }
        failed += outcome.problems.len();
    }
    println!("{failed} problem(s)");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
