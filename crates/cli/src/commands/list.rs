//! `clauth list`, also without any command.

use clauth_engine::{Account, Listing, LiveState, ProfileKind, State, Unfinished};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Call, time, usage, zone};
use crate::failure::Failure;
use crate::incidents;
use crate::readings::{self, Clockwork};
use crate::table::{Cell, fits, lay_out};
use crate::ui::{BAD, FAINT, GOOD, Ui, WARN};

/// Show the profiles, and whose login is live.
#[derive(clap::Args)]
#[command(after_help = "Opens no socket and changes nothing.\n\nExample: clauth list --json")]
pub(crate) struct Args {}

pub(super) fn run(call: &Call<'_>) -> Result<(), Failure> {
    let listing = call.engine.list()?;
    let now = call.engine.host.clock.now();
    if call.ui.json {
        return call.ui.document(&document(&listing, now));
    }
    if !listing.accounts.is_empty() {
        let (text, untold) = table(&listing.accounts, now, call.ui.width);
        call.ui.print(&text)?;
        untold.iter().for_each(|line| call.ui.say(line));
        readings_of(&listing, now, call)?;
    }
    beside(&listing, call);
    ends_soon(&listing.accounts, now, call.ui);
    if listing.incidents.as_ref().is_some_and(|incidents| !incidents.is_empty()) {
        let clock = Clockwork { now, zone: zone(call.engine) };
        incidents::lines(listing.incidents.as_deref(), &clock).iter().for_each(|line| call.ui.say(line));
    }
    Ok(())
}

/// How much is used, where anything is known of it.
fn readings_of(listing: &Listing, now: Timestamp, call: &Call<'_>) -> Result<(), Failure> {
    if listing.accounts.iter().all(|account| account.usage.is_none()) {
        return Ok(());
    }
    let clock = Clockwork { now, zone: zone(call.engine) };
    call.ui.print(&format!("\n{}", usage::table(&listing.accounts, &clock, call)))?;
    call.ui.say(&format!("times are in {}", clock.zone_name()));
    Ok(())
}

/// All profiles, and what is to be said beside them. Where there is no room for everything, the reasons of states are said in
/// full below, and then what tells least goes first: the state is why one looks.
fn table(accounts: &[Account], now: Timestamp, width: Option<usize>) -> (String, Vec<String>) {
    const TITLES: [&str; 6] = ["", "NAME", "ACCOUNT", "ORGANIZATION", "PLAN", "STATE"];
    let without = |(gone, reasons): (&[usize], bool)| {
        let mut rows: Vec<Vec<Cell>> = accounts.iter().map(|account| row(account, now, reasons)).collect();
        let mut titles = TITLES.to_vec();
        for at in gone {
            titles.remove(*at);
            rows.iter_mut().for_each(|row| drop(row.remove(*at)));
        }
        (titles, rows, reasons)
    };
    let mails: Vec<_> = accounts.iter().filter_map(|account| account.email.as_deref()).collect();
    let twice = mails.iter().any(|mail| mails.iter().filter(|other| *other == mail).count() > 1);
    // One e-mail may have several accounts, which the organization tells apart.
    let orders: [(&[usize], bool); 5] =
        [(&[], true), (&[], false), (if twice { &[4] } else { &[3] }, false), (&[4, 3], false), (&[4, 3, 2], false)];
    let fitting = orders.into_iter().map(without).find(|(titles, rows, _)| fits(titles, rows, width));
    let (titles, rows, reasons) = fitting.unwrap_or_else(|| without(orders[4]));
    let untold = |account: &Account| Some(format!("'{}' is {}: {}", account.name, word(account), reason(account)?));
    let untold = accounts.iter().filter(|_| !reasons).filter_map(untold).collect();
    (lay_out(&titles, rows, width), untold)
}

/// Why a login's state is what it is; of an endpoint that can be read it is told with its readings.
fn reason(account: &Account) -> Option<&str> {
    let told = account.kind == ProfileKind::Endpoint && account.state != State::Unreadable;
    account.reason.as_deref().filter(|_| !told)
}

/// A state for people.
fn word(account: &Account) -> &'static str {
    match account.state {
        State::NoLogin if account.kind == ProfileKind::Endpoint => "no key",
        State::Ok => "ok",
        State::Expired => "expired; renewed when used",
        State::SignedOut => "signed out",
        State::NoLogin => "no login",
        state => state.word(),
    }
}

fn row(account: &Account, now: Timestamp, reasons: bool) -> Vec<Cell> {
    let place = account.position.to_string();
    let place = if account.active { Cell::styled(&format!("*{place}"), GOOD) } else { Cell::from(format!(" {place}")) };
    let email = account.email.as_deref();
    let unproven = email.filter(|_| !account.proven).map(|email| format!("{email} (unproven)"));
    vec![
        place,
        Cell::styled(&account.name, if account.active { GOOD } else { anstyle::Style::new() }),
        Cell::known(unproven.as_deref().or(email).or(account.base_url.as_deref())),
        Cell::known(account.organization_name.as_deref()),
        Cell::known(account.plan.as_deref()),
        state(account, now, reasons),
    ]
}

fn state(account: &Account, now: Timestamp, reasons: bool) -> Cell {
    let mut words = match (account.state, account.token_expires_at) {
        (State::Ok, Some(end)) => format!("ok, {} left", span(now, end)),
        _ => word(account).to_owned(),
    };
    if let Some(reason) = reason(account).filter(|_| reasons) {
        words = format!("{words}: {reason}");
    }
    let ends = account.ends_soon(now).and(account.login_expires_at);
    if let Some(end) = ends {
        words = format!("{words}, login ends in {}", span(now, end));
    }
    if !account.enabled {
        words.push_str(", disabled");
    }
    let style = match account.state {
        State::Ok | State::Expired if ends.is_some() => WARN,
        State::Ok => anstyle::Style::new(),
        State::Expired => FAINT,
        State::Unknown => WARN,
        State::SignedOut | State::Dead | State::Lapsed | State::NoLogin | State::Unreadable => BAD,
    };
    Cell::styled(&words, style)
}

/// How long from `now` to `end`, in the two largest units.
fn span(now: Timestamp, end: Timestamp) -> String {
    let minutes = end.duration_since(now).as_mins().max(0);
    let (days, hours, minutes) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn beside(listing: &Listing, call: &Call<'_>) {
    let ui = call.ui;
    if listing.accounts.is_empty() {
        super::none_yet(call);
    }
    if let Some(name) = &listing.rewound {
        ui.say(&format!(
            "the live login is a used-up one of '{name}'; to put its newest in the place: clauth switch {name}"
        ));
    }
    let live = match listing.live {
        LiveState::Own => None,
        LiveState::Unknown if listing.rewound.is_some() => None,
        LiveState::Unknown => Some("the live login is no profile's; to keep it: clauth capture NAME"),
        LiveState::SignedOut => Some("Claude Code is signed out"),
        LiveState::Missing => Some("Claude Code has no login").filter(|_| !listing.accounts.is_empty()),
        LiveState::Unreadable if listing.barred => {
            Some("the live login may not be read at present, so nobody can tell whose it is; nothing speaks against it")
        }
        LiveState::Unreadable => Some("the live login cannot be read; sign in again with `claude auth login`"),
    };
    live.into_iter().for_each(|line| ui.say(line));
    for name in &listing.overrides {
        ui.warn(&format!("{name} outranks the saved login"));
    }
    listing.notices.iter().for_each(|notice| ui.say(notice));
}

/// Warns of logins that end soon.
pub(super) fn ends_soon(accounts: &[Account], now: Timestamp, ui: &Ui) {
    accounts.iter().filter_map(|account| account.ends_soon(now)).for_each(|line| ui.warn(&line));
}

fn document(listing: &Listing, now: Timestamp) -> Value {
    let accounts: Vec<Value> = listing.accounts.iter().map(|one| account(one, now)).collect();
    json!({
        "schema": 1, "active": listing.active, "marker": listing.marker,
        "live": {"owner": listing.active, "state": listing.live.word()},
        "unfinished": listing.unfinished.as_ref().map(unfinished),
        "overrides": listing.overrides,
        "incidents": incidents::document(listing.incidents.as_deref()),
        "accounts": accounts,
    })
}

fn unfinished(entry: &Unfinished) -> Value {
    json!({"done": entry.done, "from": entry.from, "to": entry.to, "at": entry.at.to_string()})
}

/// The account object of `contract.md`.
pub(super) fn account(account: &Account, now: Timestamp) -> Value {
    let organization =
        account.key.as_ref().map(|key| json!({"uuid": key.organization, "name": account.organization_name}));
    json!({
        "name": account.name, "kind": account.kind.word(), "email": account.email,
        "account_uuid": account.key.as_ref().map(|key| &key.account), "organization": organization,
        "plan": account.plan, "active": account.active, "enabled": account.enabled, "position": account.position,
        "state": account.state.word(), "reason": account.reason, "proven": account.proven,
        "custodian": account.custodian.map(clauth_engine::Custodian::word), "sessions": account.sessions,
        "auto_start": account.auto_start, "base_url": account.base_url, "provider": account.provider, "chain": null,
        "token_expires_at": time(account.token_expires_at), "login_expires_at": time(account.login_expires_at),
        "login_ends_soon": account.ends_soon(now).is_some(),
        "usage": readings::document(account, now),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_show_two_units() {
        let now = Timestamp::UNIX_EPOCH;
        for (seconds, expected) in
            [(-5, "0 min"), (59, "0 min"), (3_540, "59 min"), (3_660, "1 h 01 min"), (90_000, "1 d 1 h")]
        {
            let end = Timestamp::from_second(seconds).expect("a time");
            assert_eq!(span(now, end), expected);
        }
    }
}
