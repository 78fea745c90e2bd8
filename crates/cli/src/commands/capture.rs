//! `clauth capture`.

use serde_json::json;

use super::{Call, Done};
use crate::failure::Failure;
use crate::ui::plain;

/// Keep the login that Claude Code is signed in with as a profile.
#[derive(clap::Args)]
#[command(after_help = "Without NAME: bring the profile whose login it is up to date.\n\nExample: clauth capture work")]
pub(crate) struct Args {
    /// The profile, new or known
    name: Option<String>,
    /// Put another account's login in its place; the old one goes to the vault
    #[arg(long)]
    replace: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let captured = call.engine.capture(args.name.as_deref(), args.replace)?;
    let mut warnings = captured.warnings.clone();
    if !captured.proven {
        warnings.push("whose login it is was not confirmed: the profile endpoint did not answer".to_owned());
    }
    let account = match (&captured.email, &captured.organization) {
        (Some(email), Some(organization)) => format!("{email} in {organization}"),
        (Some(email), None) => email.clone(),
        (None, _) => "an account of unknown name".to_owned(),
    };
    let verb = if captured.created { "is now" } else { "is" };
    let sentence = format!("'{}' {verb} {}", captured.name, plain(&account));
    let own = json!({
        "captured": captured.name, "email": captured.email, "organization": captured.organization,
        "proven": captured.proven, "active": true, "created": captured.created,
    });
    let done =
        Done { command: "capture", profile: Some(&captured.name), changed: captured.changed, warnings: &warnings };
    call.answer(&done, &sentence, &own)
}
