//! `clauth capture`.

use clauth_engine::{Error, Kind};
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
    /// Take the endpoint that settings.json holds instead of the login
    #[arg(long, requires = "name", conflicts_with = "replace")]
    endpoint: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    if let Some(name) = args.name.as_deref().filter(|_| args.endpoint) {
        return endpoint(name, call);
    }
    let by_hand = call.engine.endpoint_by_hand()?;
    let captured = match (call.engine.capture(args.name.as_deref(), args.replace), &by_hand, &args.name) {
        (Err(error), Some(url), Some(name)) if matches!(error.kind(), Kind::Nothing | Kind::DeadLogin) => {
            return offer(error, url, name, call);
        }
        (captured, ..) => captured?,
    };
    let mut warnings = captured.warnings.clone();
    if let Some(url) = by_hand {
        warnings
            .push(format!("settings.json holds the endpoint {url}; to keep it too: clauth capture NAME --endpoint"));
    }
    if !captured.proven {
        warnings.push(call.unproven());
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

/// Without a login, an endpoint that somebody wrote into `settings.json` is offered.
fn offer(error: Error, url: &str, name: &str, call: &Call<'_>) -> Result<(), Failure> {
    if call
        .ui
        .confirms(&format!("There is no login, but settings.json holds the endpoint {url}. Keep that as '{name}'?"))
    {
        return endpoint(name, call);
    }
    let hint = format!("to keep the endpoint {url} that settings.json holds: clauth capture {name} --endpoint");
    Err(Failure::from(error).hint_first(hint))
}

fn endpoint(name: &str, call: &Call<'_>) -> Result<(), Failure> {
    let added = call.engine.capture_endpoint(name)?;
    let name = &added.name;
    let own = json!({
        "captured": name, "base_url": added.base_url, "email": null, "organization": null, "proven": true,
        "active": true, "created": true,
    });
    let done = Done { command: "capture", profile: Some(name), changed: true, warnings: &added.warnings };
    let sentence = format!(
        "'{name}' is now the endpoint {}; to take its key out of settings.json: clauth switch {name}",
        added.base_url
    );
    call.answer(&done, &sentence, &own)
}
