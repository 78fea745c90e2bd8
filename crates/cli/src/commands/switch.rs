//! `clauth switch`, also as `clauth NAME`.

use clauth_engine::{Options, Outgoing, Report, Target};
use serde_json::{Value, json};

use super::{Call, Done, diff, sessions};
use crate::failure::Failure;

/// Make a profile's login the one that Claude Code uses.
#[derive(clap::Args)]
#[command(after_help = "NAME may also be an e-mail or a number of `clauth list`; - goes back to the\n\
    profile before. `clauth NAME` is short for this.\n\n\
    --verify asks with the access token, never with the refresh token. Where the\n\
    server does not accept it, or it has ended, the exit code is 5; where nobody\n\
    could be asked, 6. Nothing is changed then. `clauth refresh NAME` tells more.\n\nExample: clauth switch home --dry-run")]
pub(crate) struct Args {
    /// The profile, or - for the one before
    #[arg(allow_hyphen_values = false)]
    name: String,
    /// Show what would change and change nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Also install a login that is known not to work
    #[arg(long)]
    force: bool,
    /// First ask the server whether it accepts the login
    #[arg(long, conflicts_with = "force")]
    verify: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let target = if args.name == "-" { Target::Previous } else { Target::Named(&args.name) };
    let options = Options { force: args.force, dry_run: args.dry_run, verify: args.verify };
    let change = || call.engine.switch(target, options);
    let report = match args.verify {
        true => call.ui.waiting(&format!("the server's answer about '{}'", clauth_engine::shown(&args.name)), change),
        false => change(),
    }?;
    tell(&report, "switch", args.dry_run, call)
}

/// Tells what a switch, or its way back, came to.
pub(super) fn tell(report: &Report, command: &'static str, dry_run: bool, call: &Call<'_>) -> Result<(), Failure> {
    let done = Done {
        command,
        profile: Some(report.to.as_str()).filter(|to| !to.is_empty()),
        changed: report.changed,
        warnings: &report.warnings,
    };
    if call.ui.json {
        return call.answer(&done, "", &document(report, dry_run));
    }
    if dry_run {
        call.ui.print(&diff::text(&report.planned))?;
    }
    call.answer(&done, &sentence(report, dry_run), &Value::Null)?;
    if !call.ui.json {
        beside(report, dry_run, call);
    }
    Ok(())
}

fn document(report: &Report, dry_run: bool) -> Value {
    let mut document = json!({
        "switched": report.switched, "from": report.from, "to": report.to,
        "outgoing": report.outgoing.map(Outgoing::word), "harvested_into": report.harvested_into,
        "sessions": sessions::documents(&report.sessions),
    });
    if report.verified {
        document["verified"] = true.into();
    }
    if dry_run {
        document["dry_run"] = true.into();
        document["files"] = diff::documents(&report.planned);
    }
    document
}

fn sentence(report: &Report, dry_run: bool) -> String {
    let to = if report.to.is_empty() { "the login out of the vault" } else { report.to.as_str() };
    let from = report.from.as_ref().map_or_else(String::new, |from| format!(" (was {from})"));
    // A newer sign-in that took the place of the same profile's earlier one.
    if report.switched && report.from.as_deref() == Some(to) {
        let tense = if dry_run { "would be live; nothing was changed" } else { "is live" };
        return format!("the newer login of {to} {tense}");
    }
    match (report.switched, dry_run) {
        (false, _) => format!("{to} is live already"),
        (true, false) => format!("{to} is live{from}"),
        (true, true) => format!("{to} would be live{from}; nothing was changed"),
    }
}

/// What a person should know beside the result.
fn beside(report: &Report, dry_run: bool, call: &Call<'_>) {
    if report.verified {
        call.ui.say(&format!("the server accepts the login of '{}'", report.to));
    }
    if let Some(name) = &report.harvested_into {
        let tense = if dry_run { "would be" } else { "was" };
        call.ui.say(&format!("the login of '{name}' had been renewed; the newer one {tense} taken home"));
    }
    if report.outgoing == Some(Outgoing::SignedOut) {
        call.ui.say("Claude Code was signed out");
    }
    if report.switched {
        sessions::tell(&report.sessions, call.ui);
    }
}
