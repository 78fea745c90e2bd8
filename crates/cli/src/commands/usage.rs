//! `clauth usage`.

mod watch;

use clauth_engine::{Account, Asked, AskedAbout, Asking, Incident, Kind, Trouble, Usage};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Call, list, zone};
use crate::failure::Failure;
use crate::incidents;
use crate::readings::{self, Clockwork, Room, TITLES};
use crate::table::{Cell, fits, lay_out, lay_out_beside, wrap};
use crate::ui::{TITLE, paint, plain};

/// Show how much of each account's limits is used.
#[derive(clap::Args)]
#[command(after_help = "Asks only for readings that are stale, and at most 20 times an hour an account.\n\
    What cannot be read anew is shown with its age and the reason.\n\n\
    Example: clauth usage --offline")]
pub(crate) struct Args {
    /// The profile; without it all of them
    name: Option<String>,
    /// Ask for all of them now
    #[arg(long, conflicts_with = "offline")]
    refresh: bool,
    /// Ask nobody: show what is known
    #[arg(long)]
    offline: bool,
    /// Go on showing them, anew whenever one changes
    #[arg(long, conflicts_with = "refresh")]
    watch: bool,
}

impl Args {
    fn asking(&self) -> Asking {
        match (self.refresh, self.offline) {
            (true, _) => Asking::Everybody,
            (_, true) => Asking::Nobody,
            _ => Asking::Stale,
        }
    }
}

pub(super) fn run(args: &Args, call: &Call<'_>) -> Result<(), Failure> {
    if args.watch {
        return watch::run(args, call);
    }
    let read = || call.engine.usage(args.name.as_deref(), args.asking());
    let usage = match args.asking() {
        Asking::Nobody => read(),
        _ => call.ui.waiting("answers about what is used", read),
    }?;
    let clock = clockwork(call);
    if call.ui.json {
        call.ui.document(&document(&usage, &clock))?;
    } else {
        call.ui.print(&text(args, &usage, &clock, call))?;
        beside(&usage, &clock, args, call);
    }
    match failure(&usage.tried) {
        Some(failure) if args.refresh => Err(failure),
        _ => Ok(()),
    }
}

fn clockwork(call: &Call<'_>) -> Clockwork {
    Clockwork { now: call.engine.host.clock.now(), zone: zone(call.engine) }
}

/// One account in full, or all of them.
fn text(args: &Args, usage: &Usage, clock: &Clockwork, call: &Call<'_>) -> String {
    match (&args.name, usage.listing.accounts.as_slice()) {
        (Some(_), [account]) => full(account, (clock, usage.listing.incidents.as_deref()), call),
        (_, accounts) => table(accounts, clock, call),
    }
}

fn document(usage: &Usage, clock: &Clockwork) -> Value {
    let accounts: Vec<Value> = usage.listing.accounts.iter().map(|account| list::account(account, clock.now)).collect();
    json!({"schema": 1, "incidents": incidents::document(usage.listing.incidents.as_deref()), "accounts": accounts})
}

/// All accounts, one row a window.
pub(super) fn table(accounts: &[Account], clock: &Clockwork, call: &Call<'_>) -> String {
    if accounts.is_empty() {
        return String::new();
    }
    in_room(&|room| accounts.iter().flat_map(|account| readings::rows(account, clock, room)).collect(), call)
}

/// Readings with as much of each as there is room for. Where there is no room at all, labels and figures stay whole.
fn in_room(rows: &dyn Fn(Room) -> Vec<Vec<Cell>>, call: &Call<'_>) -> String {
    let width = call.ui.width;
    for room in Room::ALL {
        let rows = rows(room);
        // One account needs no name beside its windows.
        let titles = &TITLES[TITLES.len() - rows.first().map_or(0, Vec::len)..];
        if fits(titles, &rows, width) {
            return lay_out(titles, rows, width);
        }
    }
    lay_out_beside(2, &TITLES[2..], rows(Room::Least), width)
}

/// One account, with everything that is known of it.
fn full(account: &Account, (clock, incidents): (&Clockwork, Option<&[Incident]>), call: &Call<'_>) -> String {
    let known = [account.email.as_deref(), account.organization_name.as_deref(), account.plan.as_deref()];
    let title: Vec<&str> = std::iter::once(account.name.as_str()).chain(known.into_iter().flatten()).collect();
    let mut text = lay_out(&[&title.join(", ")], Vec::new(), call.ui.width);
    text.push_str(&in_room(&|room| readings::facts(account, clock, room), call));
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |label: &str, value: Option<String>| facts.extend(value.map(|value| (plain(label), plain(&value))));
    if let Some(reading) = &account.usage {
        for window in &reading.windows {
            let pace = account.filling.get(&window.id).and_then(|filling| filling.pace);
            fact(&window.label, pace.map(|pace| readings::pace(&pace, clock)));
        }
        fact("paid use", reading.spend.as_ref().map(readings::spend));
        fact("subscription", reading.subscription.clone());
        fact("source", Some(reading.source.word().to_owned()));
        fact("no newer", readings::trouble(reading, clock, incidents));
    }
    fact("login ends", account.login_expires_at.map(|at| clock.local(at)));
    fact(
        "requests",
        account.budget.map(|budget| {
            let next = budget.next_at.map_or_else(String::new, |at| format!("; the next at {}", clock.local(at)));
            format!("{} of {} in the last hour{next}", budget.used, budget.limit)
        }),
    );
    text + &listed(&facts, call.ui.width)
}

/// What is known, each with its label before it. A sentence that is too long is broken and not cut: its end is why it is told.
fn listed(facts: &[(String, String)], width: Option<usize>) -> String {
    let indent = facts.iter().map(|(label, _)| label.width()).max().map_or(0, |widest| widest + 2);
    let line = |(label, value): &(String, String)| {
        let gap = " ".repeat(indent - label.width());
        format!("{}{gap}{}\n", paint(TITLE, label), wrap(value, indent, width))
    };
    let lines: String = facts.iter().map(line).collect();
    if lines.is_empty() { lines } else { format!("\n{lines}") }
}

/// What the table does not say: the zone, why something was not read, and when it is asked again.
fn beside(usage: &Usage, clock: &Clockwork, args: &Args, call: &Call<'_>) {
    let accounts = &usage.listing.accounts;
    if accounts.is_empty() {
        super::none_yet(call);
    }
    if accounts.iter().any(|account| account.usage.as_ref().is_some_and(|reading| !reading.windows.is_empty())) {
        call.ui.say(&format!("times are in {}", clock.zone_name()));
    }
    for account in accounts.iter().filter(|_| args.name.is_none()) {
        let shown =
            account.usage.as_ref().filter(|reading| !reading.windows.is_empty() || !reading.balances.is_empty());
        let trouble = |reading| readings::trouble(reading, clock, usage.listing.incidents.as_deref());
        if let Some(trouble) = shown.and_then(trouble) {
            call.ui.say(&format!("'{}': {trouble}", account.name));
        }
    }
    list::ends_soon(accounts, clock.now, call.ui);
    incidents::lines(usage.listing.incidents.as_deref(), clock).iter().for_each(|line| call.ui.say(line));
    for tried in &usage.tried {
        match &tried.asked {
            Asked::Held(until) => call.ui.say(&format!(
                "'{}' is not asked now; the next time is {} (in {})",
                tried.name,
                clock.local(*until),
                readings::span(until.duration_since(clock.now))
            )),
            Asked::Off if args.refresh => {
                call.ui.say(&format!("'{}' is not asked: the network is turned off", tried.name));
            }
            _ => {}
        }
        if tried.unsaved.is_some() {
            call.ui.warn(&format!("the reading of '{}' could not be stored", tried.name));
        }
    }
}

/// Nobody could be read, though all were asked for.
fn failure(tried: &[AskedAbout]) -> Option<Failure> {
    if tried.iter().any(|tried| matches!(tried.asked, Asked::Answered | Asked::Held(_))) {
        return None;
    }
    let unreached = [Trouble::Offline, Trouble::Proxy, Trouble::Untrusted];
    let offline = |tried: &AskedAbout| match tried.asked {
        Asked::Off => true,
        Asked::Failed(trouble) => unreached.contains(&trouble),
        _ => false,
    };
    let failed = |tried: &&AskedAbout| matches!(tried.asked, Asked::Off | Asked::Failed(_));
    tried.iter().find(failed)?;
    let kind = if tried.iter().any(offline) { Kind::Offline } else { Kind::Server };
    Some(Failure::new(kind, "no account could be read", "usage", &["clauth usage --offline"]).reported())
}
