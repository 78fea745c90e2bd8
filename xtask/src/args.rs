//! The chores by name.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[cfg(unix)]
use crate::faults;
use crate::tree::Tree;
use crate::{bench, cross, docs, model, real, tidy};

/// Chores of the clauth checkout.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
pub(crate) struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Check the house rules that no lint knows
    Tidy,
    /// Write docs/commands.md and docs/man from the command line's definition
    Docs {
        /// Compare only; exit 1 where they differ
        #[arg(long)]
        check: bool,
    },
    /// Build for Windows or type-check for macOS on a Debian machine
    Cross(cross::Args),
    /// Measure the release program against its budgets
    Bench(bench::Args),
    /// Count the file operations of each command with strace, and kill it at each
    #[cfg(unix)]
    Faults(faults::Args),
    /// Play random programs against what must always hold
    Model(model::Args),
    /// Run the scenarios beside the unmodified Claude Code
    Real(real::Args),
    /// The part of `real` inside the closed network
    #[command(hide = true)]
    RealInside(real::InsideArgs),
    /// Replace and sync files: what `bench` measures a switch against
    #[command(hide = true)]
    BenchFiles(bench::FilesArgs),
}

impl Args {
    /// Runs the chosen chore and says how it ended.
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        let root = Tree::root();
        match self.chore {
            Chore::Tidy => tidy::run(&root),
            Chore::Docs { check } => docs::run(&root, check),
            Chore::Cross(args) => cross::run(&root, &args),
            Chore::Bench(args) => bench::run(&root, &args),
            #[cfg(unix)]
            Chore::Faults(args) => faults::run(&root, &args),
            Chore::Model(args) => model::run(&root, &args),
            Chore::Real(args) => real::run(&root, &args),
            Chore::RealInside(args) => real::run_inside(&args),
            Chore::BenchFiles(args) => bench::run_files(&args).map(|()| ExitCode::SUCCESS),
        }
    }
}
