//! `clauth why`.

use clauth_engine::Event;
use jiff::tz::TimeZone;

use super::{Call, zone};
use crate::failure::Failure;
use crate::table::{Cell, lay_out};
use crate::ui::FAINT;

/// Tell what happened to the logins, oldest first.
#[derive(clap::Args)]
#[command(after_help = "With --json: one document a line.\n\nExample: clauth why --last 5")]
pub(crate) struct Args {
    /// Only what concerns this profile
    name: Option<String>,
    /// How many changes
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = at_least_one)]
    last: usize,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let events = call.engine.why(args.name.as_deref(), args.last)?;
    if call.ui.json {
        let lines: Vec<String> = events.iter().filter_map(|event| serde_json::to_string(event).ok()).collect();
        return call.ui.print(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    }
    if events.is_empty() {
        call.ui.say("nothing has happened yet");
        return Ok(());
    }
    let zone = zone(call.engine);
    let rows = events.iter().map(|event| row(event, &zone)).collect();
    call.ui.print(&lay_out(&["WHEN", "WHAT", "WHO", "TOKENS", "WHY"], rows, call.ui.width))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "it is no number from 1".to_owned())
}

fn row(event: &Event, zone: &TimeZone) -> Vec<Cell> {
    let who = match (&event.from, &event.to, &event.profile) {
        (Some(from), Some(to), _) if from != to => format!("{from} -> {to}"),
        (None, Some(to), _) if event.event == "switch" || event.event == "undo" => format!("-> {to}"),
        (_, _, Some(profile)) => profile.clone(),
        (Some(name), _, _) | (_, Some(name), _) => name.clone(),
        (None, None, None) => "-".to_owned(),
    };
    let tokens = match (&event.tokens.from, &event.tokens.to) {
        (Some(from), Some(to)) if from != to => format!("{from} -> {to}"),
        (Some(token), _) | (_, Some(token)) => token.clone(),
        (None, None) => "-".to_owned(),
    };
    let by = if event.by == "user" { String::new() } else { format!(" (by {})", event.by) };
    vec![
        Cell::from(event.at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()),
        Cell::from(&event.event),
        Cell::from(who),
        Cell::styled(&tokens, FAINT),
        Cell::from(format!("{}{by}", event.reason)),
    ]
}
