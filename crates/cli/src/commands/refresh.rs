//! `clauth refresh`.

use std::time::Duration;

use clauth_engine::{Error, Kind, Need, Refreshed, Tried};
use serde_json::{Value, json};

use super::{Call, Done, time};
use crate::failure::Failure;

/// What `--all` leaves alone has more time left than this.
const ENOUGH: Duration = Duration::from_secs(15 * 60);

/// Renew a login that clauth keeps.
#[derive(clap::Args)]
#[command(after_help = "There is seldom a need: Claude Code renews what it uses. A login that a running\n\
    claude uses is left to it. --all renews what has less than 15 minutes left.\n\n\
    Example: clauth refresh --all")]
pub(crate) struct Args {
    /// The profile
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    name: Option<String>,
    /// Every profile whose login needs it
    #[arg(long)]
    all: bool,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let Some(name) = &args.name else { return all(call) };
    let what = format!("the server's answer about '{}'", clauth_engine::shown(name));
    let done = call.ui.waiting(&what, || call.engine.refresh(name, &Need::default()))?;
    let answer =
        Done { command: "refresh", profile: Some(&done.name), changed: done.renewed, warnings: &done.warnings };
    call.answer(&answer, &sentence(&done), &json!({"token_expires_at": time(done.expires_at)}))
}

fn sentence(done: &Refreshed) -> String {
    let what = if done.renewed { "is renewed" } else { "needs no renewal" };
    format!("the login of '{}' {what}", done.name)
}

/// One line a profile. A login that is Claude Code's to renew is as it should be; anything else that failed decides the exit
/// code, the first of them.
fn all(call: &Call<'_>) -> Result<(), Failure> {
    let need = Need { unless_left: Some(ENOUGH), ..Need::default() };
    let tried = call.ui.waiting("the server's answers", || call.engine.refresh_all(&need))?;
    let done = || tried.iter().filter_map(|one| one.result.as_ref().ok());
    let warnings: Vec<String> = done().flat_map(|done| done.warnings.clone()).collect();
    let changed = done().any(|done| done.renewed);
    let answer = Done { command: "refresh", profile: None, changed, warnings: &warnings };
    let lines: Vec<String> = tried.iter().map(line).collect();
    let text = if lines.is_empty() { "there is no login to renew".to_owned() } else { lines.join("\n") };
    let refreshed: Vec<Value> = tried.iter().map(document).collect();
    call.answer(&answer, &text, &json!({"refreshed": refreshed}))?;
    let failed = |error: &Error| error.kind() != Kind::Protected;
    match tried.into_iter().find_map(|one| one.result.err().filter(failed)) {
        Some(error) => Err(Failure::from(error).reported()),
        None => Ok(()),
    }
}

fn line(tried: &Tried) -> String {
    match &tried.result {
        Ok(done) => sentence(done),
        Err(error) => error.to_string(),
    }
}

fn document(tried: &Tried) -> Value {
    let done = tried.result.as_ref().ok();
    let error = tried.result.as_ref().err();
    json!({
        "profile": tried.name, "changed": done.is_some_and(|done| done.renewed),
        "token_expires_at": time(done.and_then(|done| done.expires_at)),
        "error": error.map(|error| json!({"kind": error.kind().word(), "message": error.to_string()})),
    })
}
