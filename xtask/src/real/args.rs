//! The words of `cargo xtask real`.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::outside;

/// What to do with the real client.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only the scenarios whose name contains this
    only: Option<String>,
}

#[derive(Subcommand)]
enum Action {
    /// Install the client (380 MB, from npm) and a throw-away CA into the target folder
    Setup {
        /// The client's version
        #[arg(long, default_value = outside::VERSION)]
        version: String,
    },
}

/// Sets the bench up, or runs the scenarios.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.action {
        Some(Action::Setup { version }) => outside::setup(root, version),
        None => outside::run(root, args.only.as_deref()),
    }
}
