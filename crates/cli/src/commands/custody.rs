//! `clauth custody`.

use std::path::Path;

use clauth_engine::{Copy, Custody, Generation};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Call, time};
use crate::failure::Failure;
use crate::ui::{FAINT, TITLE, WARN, paint, plain};

/// Show where each login is, and who may renew it.
#[derive(clap::Args)]
#[command(after_help = "Tokens are shown by the first eight digits of their SHA-256.\n\nExample: clauth custody")]
pub(crate) struct Args {
    /// Only this profile's
    name: Option<String>,
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    let custody = call.engine.custody(args.name.as_deref())?;
    if call.ui.json {
        let list: Vec<Value> = custody.iter().map(document).collect();
        return call.ui.document(&json!({"schema": 1, "custody": list}));
    }
    if custody.is_empty() {
        call.ui.say("there are no logins yet; sign in with `claude auth login`, then: clauth capture NAME");
    }
    let now = call.engine.host.clock.now();
    let text: String = custody.iter().map(|custody| text(custody, &call.engine.host.home, now)).collect();
    call.ui.print(&text)?;
    custody.iter().filter_map(|one| one.ends_soon(now)).for_each(|line| call.ui.warn(&line));
    Ok(())
}

fn text(custody: &Custody, home: &Path, now: Timestamp) -> String {
    let whose = custody.profile.as_deref().unwrap_or("no profile's");
    let keeper = match custody.custodian.map(clauth_engine::Custodian::word) {
        Some("live") => "lent to Claude Code, which renews it",
        Some("session") => "in a session, which renews it",
        Some(_) if is_bare(custody) => "without a refresh token; nothing can renew it",
        Some(_) => "parked; nothing else may renew it",
        None if custody.endpoint => "an endpoint; its key is in its config.toml",
        None if custody.generations.is_empty() => "no login",
        None => "kept",
    };
    let mut text = format!("{}  {keeper}\n", paint(TITLE, &plain(whose)));
    for generation in &custody.generations {
        text.push_str(&heading(generation, now));
        generation.copies.iter().for_each(|copy| text.push_str(&line(copy, home)));
    }
    if !custody.spent.is_empty() {
        let line = format!("used up: {}", custody.spent.join(" "));
        text.extend(["  ", &paint(FAINT, &line), "\n"]);
    }
    text
}

/// Whether the slot has a bearer copy that no loan explains.
fn is_bare(custody: &Custody) -> bool {
    let mut copies = custody.generations.iter().flat_map(|generation| &generation.copies);
    copies.clone().all(|copy| copy.place != "loan") && copies.any(|copy| copy.place == "slot" && !copy.full)
}

fn heading(generation: &Generation, now: Timestamp) -> String {
    let refresh = generation.refresh.as_deref().unwrap_or("none");
    let spent = if generation.spent { paint(WARN, "  used up") } else { String::new() };
    let end = generation.login_expires_at.filter(|_| !generation.spent);
    let end = end.map_or_else(String::new, |at| {
        let tense = if at > now { "ends" } else { "ended" };
        paint(FAINT, &format!("  login {tense} {}", clauth_engine::seconds(at)))
    });
    format!("  access {}  refresh {refresh}{spent}{end}\n", generation.access)
}

fn line(copy: &Copy, home: &Path) -> String {
    let what = if copy.full { "with refresh token" } else { "bearer copy" };
    let read = if copy.read_by_claude { ", read by claude" } else { "" };
    let path = match copy.path.strip_prefix(home) {
        Ok(below) => Path::new("~").join(below).display().to_string(),
        Err(_) => copy.path.display().to_string(),
    };
    format!("    {:<6} {}  {}\n", copy.place, plain(&path), paint(FAINT, &format!("{what}{read}")))
}

fn document(custody: &Custody) -> Value {
    let generations: Vec<Value> = custody.generations.iter().map(generation).collect();
    json!({
        "profile": custody.profile, "custodian": custody.custodian.map(clauth_engine::Custodian::word),
        "generations": generations, "spent": custody.spent,
    })
}

fn generation(generation: &Generation) -> Value {
    let copy = |copy: &Copy| {
        json!({
            "path": copy.path.display().to_string(), "place": copy.place, "full": copy.full,
            "read_by_claude": copy.read_by_claude,
        })
    };
    json!({
        "access": generation.access, "refresh": generation.refresh, "spent": generation.spent,
        "token_expires_at": time(generation.expires_at), "login_expires_at": time(generation.login_expires_at),
        "copies": generation.copies.iter().map(copy).collect::<Vec<_>>(),
    })
}
