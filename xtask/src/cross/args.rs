//! The words of `cargo xtask cross`.

use std::path::Path;
use std::process::ExitCode;

use clap::Subcommand;

use super::cargo::{self, Platform};
use super::{packages, suite, wine};

/// What to do for another platform.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Install the Debian packages (as root); with --wine, also what runs Windows programs
    Setup {
        /// Also Wine, and a prefix for it in the target folder
        #[arg(long)]
        wine: bool,
    },
    /// Run cargo for x86_64-pc-windows-gnu (default: build --workspace)
    Windows {
        /// Run the tests of CRATE (`durable`, `claude`, `engine`, `engine:it`, `cli`; all of them) under Wine, those whose
        /// name holds FILTER
        #[arg(long)]
        test: bool,
        /// Arguments of cargo, e.g. `build -p clauth`; with --test: `[CRATE] [FILTER]`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// Run cargo for aarch64-apple-darwin (default: check --workspace); nothing is linked
    Macos {
        /// Arguments of cargo, e.g. `check -p clauth-host`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        cargo: Vec<String>,
    },
    /// Run a Windows program with a cleared environment and a home of its own
    Wine {
        /// The program and its arguments
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<String>,
    },
}

/// Runs the chosen action for the checkout at `root`.
pub(crate) fn run(root: &Path, args: &Args) -> anyhow::Result<ExitCode> {
    let skipped = match &args.action {
        Action::Setup { wine } => packages::install(root, *wine)?,
        Action::Windows { test: true, words } => {
            let (which, filter) = (words.first().map(String::as_str), words.get(1).map(String::as_str));
            return suite::run(root, which, filter);
        }
        Action::Windows { test: false, words } => cargo::run(root, Platform::Windows, words)?,
        Action::Macos { cargo } => cargo::run(root, Platform::MacOs, cargo)?,
        Action::Wine { words } => return wine::run(root, words),
    };
    if let Some(reason) = skipped {
        println!("skipped: {reason}");
    }
    Ok(ExitCode::SUCCESS)
}
