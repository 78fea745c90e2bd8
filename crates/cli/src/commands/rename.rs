//! `clauth rename`.

use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;

/// Give a profile another name.
#[derive(clap::Args)]
#[command(after_help = "Everything that bears the name goes with it. Refused while its sessions run.\n\n\
    Example: clauth rename work office")]
pub(crate) struct Args {
    /// The profile
    old: String,
    /// Its new name
    new: String,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let (old, changed) = call.engine.rename(&args.old, &args.new)?;
    let new = &args.new;
    let done = Done { command: "rename", profile: Some(new), changed, warnings: &[] };
    let sentence =
        if changed { format!("'{old}' is called '{new}' now") } else { format!("'{old}' is called so already") };
    call.answer(&done, &sentence, &json!({"from": old, "to": new}))
}
