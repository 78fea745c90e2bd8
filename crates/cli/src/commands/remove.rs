//! `clauth remove`.

use clauth_engine::Kind;
use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;

/// Remove a profile; its login goes to the vault.
#[derive(clap::Args)]
#[command(after_help = "Asks on a terminal; elsewhere it needs --yes. The live profile, or one with\n\
    sessions, also needs --force; Claude Code stays signed in.\n\nExample: clauth remove spare --yes")]
pub(crate) struct Args {
    /// The profile
    name: String,
    /// Also when it is live or has sessions
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    // What would be refused is not asked about first.
    let name = call.engine.removable(&args.name, args.force)?;
    let endpoint = call.engine.profile_config(&name).is_ok_and(|config| config.base_url().is_some());
    let fate = if endpoint { "Its key is kept nowhere else." } else { "Its login goes to the vault." };
    if !call.ui.confirms(&format!("Remove '{name}'? {fate}")) {
        let force = if args.force { " --force" } else { "" };
        let again = format!("clauth remove {name} --yes{force}");
        return Err(Failure::new(Kind::Protected, format!("'{name}' was not removed"), name, &[&again]));
    }
    let removed = call.engine.remove(&name, args.force)?;
    let done = Done { command: "remove", profile: Some(&removed.name), changed: true, warnings: &removed.warnings };
    let kept = match &removed.vault {
        Some(id) => format!("; its login is in the vault as {id}"),
        None => String::new(),
    };
    call.answer(&done, &format!("'{}' is removed{kept}", removed.name), &json!({"vault": removed.vault}))
}
