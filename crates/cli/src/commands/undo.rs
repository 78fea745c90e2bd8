//! `clauth undo`.

use super::{Call, switch};
use crate::failure::Failure;

/// Take the last switch back; again, the one before it.
#[derive(clap::Args)]
#[command(after_help = "Refused when the live login is no longer the one that the switch put there.\n\n\
    Example: clauth undo --dry-run")]
pub(crate) struct Args {
    /// Show what would change and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let report = call.engine.undo(args.dry_run)?;
    switch::tell(&report, "undo", args.dry_run, call)
}
