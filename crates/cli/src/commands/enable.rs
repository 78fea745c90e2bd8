//! `clauth enable` and `clauth disable`.

use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;

/// Let automatic choices consider a profile again.
#[derive(clap::Args)]
#[command(after_help = "Example: clauth enable home")]
pub(crate) struct Args {
    /// The profile
    pub(super) name: String,
}

/// Keep automatic choices away from a profile.
#[derive(clap::Args)]
#[command(after_help = "Switching to it by hand still works.\n\nExample: clauth disable home")]
pub(crate) struct DisableArgs {
    /// The profile
    pub(super) name: String,
}

pub(super) fn run(name: &str, enabled: bool, call: &Call<'_>) -> Result<(), Failure> {
    let (name, changed) = call.engine.set_enabled(name, enabled)?;
    let (command, word) = if enabled { ("enable", "enabled") } else { ("disable", "disabled") };
    let done = Done { command, profile: Some(&name), changed, warnings: &[] };
    let already = if changed { "" } else { " already" };
    call.answer(&done, &format!("'{name}' is {word}{already}"), &json!({"enabled": enabled}))
}
