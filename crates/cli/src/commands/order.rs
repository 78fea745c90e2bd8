//! `clauth order`.

use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;

/// Show the order of the profiles, or move one.
#[derive(clap::Args)]
#[command(after_help = "Example: clauth order home 1")]
pub(crate) struct Args {
    /// The profile to move
    #[arg(requires = "position")]
    pub(super) name: Option<String>,
    /// Its new place, from 1
    position: Option<usize>,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let (Some(name), Some(position)) = (&args.name, args.position) else { return show(call) };
    let (name, changed) = call.engine.order(name, position)?;
    let done = Done { command: "order", profile: Some(&name), changed, warnings: &[] };
    let already = if changed { "now" } else { "already" };
    call.answer(&done, &format!("'{name}' is {already} number {position}"), &json!({"position": position}))
}

fn show(call: &Call<'_>) -> Result<(), Failure> {
    let names = call.engine.names()?;
    if call.ui.json {
        return call.ui.document(&json!({"schema": 1, "order": names}));
    }
    if names.is_empty() {
        super::none_yet(call);
    }
    let lines = names.iter().enumerate().map(|(at, name)| format!("{} {name}\n", at + 1));
    call.ui.print(&lines.collect::<String>())
}
