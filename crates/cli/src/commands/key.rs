//! The hidden command that Claude Code runs for an endpoint's key (`apiKeyHelper`): it prints the key and nothing else, or
//! says why not and fails.

use std::path::PathBuf;

use clauth_engine::Root;

use super::Call;
use crate::failure::Failure;

/// Print the key of an endpoint profile, for Claude Code.
#[derive(clap::Args)]
#[command(hide = true, after_help = "Example: clauth list")]
pub(crate) struct Args {
    /// clauth's root
    root: PathBuf,
    /// The profile
    name: String,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let mut engine = call.engine.clone();
    // The environment of that `claude` may name another root.
    engine.root = Root::new(args.root.clone());
    let key = engine.endpoint_key(&args.name)?;
    call.ui.print(&format!("{}\n", key.expose()))
}
