//! Readings as people see them: bars, percent, resets by clock and by how long, and age.

use clauth_engine::{Account, Balance, Incident, Pace, Reading, Source, Spend, Trouble, Window};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::commands::time;
use crate::table::Cell;
use crate::ui::{BAD, FAINT, GOOD, WARN};

/// Cells of a bar.
const BAR: usize = 10;

/// From here on a window deserves a look, and from here on it is nearly used up.
const NEAR: [f64; 2] = [75.0, 90.0];

/// Now, and where the user's clock stands.
pub(crate) struct Clockwork {
    pub(crate) now: Timestamp,
    pub(crate) zone: TimeZone,
}

impl Clockwork {
    /// A moment on the user's clock: `15:00` today, else with its day.
    pub(crate) fn local(&self, at: Timestamp) -> String {
        let (then, now) = (at.to_zoned(self.zone.clone()), self.now.to_zoned(self.zone.clone()));
        let days = then.date().duration_since(now.date()).as_hours() / 24;
        match days {
            0 => then.strftime("%H:%M").to_string(),
            -300..=300 => then.strftime("%a %d %b %H:%M").to_string(),
            _ => then.strftime("%Y-%m-%d %H:%M").to_string(),
        }
    }

    /// The zone's name.
    pub(crate) fn zone_name(&self) -> String {
        let here = self.now.to_zoned(self.zone.clone());
        let short = here.strftime("%Z").to_string();
        match self.zone.iana_name() {
            Some(name) if name != short => format!("{name} ({short})"),
            Some(name) => name.to_owned(),
            None => short,
        }
    }

    /// When a window begins anew.
    pub(crate) fn reset(&self, window: &Window) -> String {
        match window.resets_at {
            None => "-".to_owned(),
            Some(at) if at <= self.now => format!("at {}; not known since", self.local(at)),
            Some(at) => format!("in {}, {}", span(at.duration_since(self.now)), self.local(at)),
        }
    }

    /// How old a figure is, and from where.
    pub(crate) fn age(&self, as_of: Option<Timestamp>, source: Source, stale: bool) -> String {
        let from = match source {
            Source::Statusline => " (status line)",
            Source::Api | Source::Provider => "",
        };
        let stale = if stale { ", stale" } else { "" };
        match as_of {
            None => format!("unknown{stale}"),
            Some(at) => format!("{}{from}{stale}", span(self.now.duration_since(at))),
        }
    }
}

/// A time in its two largest units: `12 s`, `5 min`, `2 h 10 min`, `5 d 1 h`.
pub(crate) fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs().max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// The look of a share: how close it is to being used up.
pub(crate) fn look(percent: f64) -> anstyle::Style {
    match percent {
        percent if percent >= NEAR[1] => BAD,
        percent if percent >= NEAR[0] => WARN,
        _ => GOOD,
    }
}

/// `████░░░░░░  42 %`. Nothing that is not used up looks as if it were.
pub(crate) fn bar(percent: f64) -> String {
    let whole = |percent: f64| (0..=100_u8).rev().find(|step| f64::from(*step) <= percent).unwrap_or(0);
    let filled = usize::from(whole(percent)) * BAR / 100;
    format!("{}{} {:>3} %", "█".repeat(filled), "░".repeat(BAR - filled), whole(percent))
}

/// How much is told of a window, by the room that there is. Its figure is always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// Everything.
    Ample,
    /// No bars, and no source of a figure.
    Less,
    /// Nor when a window begins anew by the clock.
    Little,
    /// One account below the other, with its name in a line of its own.
    Least,
}

impl Room {
    /// From most to least.
    pub(crate) const ALL: [Self; 4] = [Self::Ample, Self::Less, Self::Little, Self::Least];
}

/// The columns of readings.
pub(crate) const TITLES: [&str; 6] = ["", "NAME", "WINDOW", "USED", "RESETS", "AGE"];

/// No label needs more where there is little room.
const LABEL: usize = 14;

/// The rows of an account: one a window, or one that says why there is none.
pub(crate) fn rows(account: &Account, clock: &Clockwork, room: Room) -> Vec<Vec<Cell>> {
    let place = if account.active { format!("*{}", account.position) } else { format!(" {}", account.position) };
    let style = if account.active { GOOD } else { anstyle::Style::new() };
    let mut told = facts(account, clock, room);
    if room == Room::Least {
        let name = Cell::styled(&format!("{place} {}", account.name), style).running_on();
        told.insert(0, vec![name, Cell::from(""), Cell::from(""), Cell::from("")]);
        return told;
    }
    for (at, row) in told.iter_mut().enumerate() {
        let head = if at == 0 { [place.as_str(), account.name.as_str()] } else { [""; 2] };
        row.splice(0..0, head.map(|text| Cell::styled(text, style)));
    }
    told
}

/// The same without the account's name.
pub(crate) fn facts(account: &Account, clock: &Clockwork, room: Room) -> Vec<Vec<Cell>> {
    let none = |why: &str| {
        let why = Cell::styled(why, FAINT).running_on();
        vec![vec![Cell::styled("-", FAINT), why, Cell::from(""), Cell::from("")]]
    };
    let Some(reading) = &account.usage else { return none(&without_reading(account)) };
    if reading.windows.is_empty() && reading.balances.is_empty() {
        return none(reading.error.map_or("no window reported", Trouble::sentence));
    }
    let windows = reading.windows.iter().map(|window| of_window(account, window, clock, room));
    let balances = reading.balances.iter().map(|balance| {
        let (amount, stale) = (self::balance(balance), reading.is_stale(clock.now));
        let amount = if balance.amount < 0.0 { Cell::styled(&amount, BAD) } else { Cell::from(amount) };
        let age = aged((reading.as_of, reading.source, stale), clock, room);
        vec![Cell::from(label(&balance.label, room)), amount, Cell::from("-"), age]
    });
    windows.chain(balances).collect()
}

fn of_window(account: &Account, window: &Window, clock: &Clockwork, room: Room) -> Vec<Cell> {
    let stale = window.is_stale(clock.now);
    let used = match window.value(clock.now) {
        Some(percent) => {
            let most = account.filling.get(&window.id).and_then(|filling| filling.at_most);
            let unknown = most.is_none() && account.usage.as_ref().is_some_and(Reading::is_frozen);
            let most = most.filter(|most| most.floor() > percent.floor());
            let more = if unknown { " or more" } else { "" };
            Cell::styled(&format!("{}{more}", used((percent, most, stale), room)), look(most.unwrap_or(percent)))
        }
        None => Cell::styled("was reset", FAINT),
    };
    let mark = if window.binding { " !" } else { "" };
    let label = format!("{}{mark}", label(&window.label, room));
    let reset = match (room, window.resets_at) {
        (Room::Ample | Room::Less, _) | (_, None) => clock.reset(window),
        (_, Some(at)) if at <= clock.now => format!("at {}", clock.local(at)),
        (_, Some(at)) => span(at.duration_since(clock.now)),
    };
    let age = aged((window.as_of, window.source, stale), clock, room);
    vec![Cell::from(label), used, Cell::from(reset), age]
}

/// How much of a window is used, and up to how much it may be by now. A stale figure has a sign where its age has no word.
fn used((percent, most, stale): (f64, Option<f64>, bool), room: Room) -> String {
    let whole = percent.floor();
    match (room, most) {
        (Room::Ample, None) => bar(percent),
        (Room::Ample, Some(most)) => format!("{}, by now up to {} %", bar(percent), most.floor()),
        (Room::Less | Room::Little, None) => format!("{whole:>3} %"),
        (Room::Less | Room::Little, Some(most)) => format!("{whole:>3} % to {} %", most.floor()),
        (Room::Least, most) => {
            let most = most.map_or_else(String::new, |most| format!("-{}", most.floor()));
            format!("{}{whole}{most} %", if stale { "~" } else { "" })
        }
    }
}

fn aged((as_of, source, stale): (Option<Timestamp>, Source, bool), clock: &Clockwork, room: Room) -> Cell {
    let source = if room == Room::Ample { source } else { Source::Api };
    let age = clock.age(as_of, source, stale && room != Room::Least);
    if stale { Cell::styled(&age, WARN) } else { Cell::from(age) }
}

fn label(label: &str, room: Room) -> String {
    if room == Room::Ample { label.to_owned() } else { crate::table::cut(label, LABEL) }
}

/// `110.00 USD`.
fn balance(balance: &Balance) -> String {
    let currency = balance.currency.as_deref().unwrap_or("of an unnamed currency");
    format!("{:.2} {currency}", balance.amount)
}

/// Why nothing is known of an account's use.
pub(crate) fn without_reading(account: &Account) -> String {
    use clauth_engine::{ProfileKind, State};
    let why = match (account.kind, account.state) {
        (ProfileKind::Endpoint, State::NoLogin) => "no key",
        (ProfileKind::Endpoint, _) if account.provider.is_none() => {
            let url = account.base_url.as_deref().unwrap_or_default();
            let host = url.split_once("://").map_or(url, |(_, rest)| rest).split('/').next().unwrap_or_default();
            return format!("not asked: no known provider at {}", clauth_engine::shown(host));
        }
        (ProfileKind::Endpoint, _) => "no reading yet",
        (_, State::Ok | State::Expired | State::Unknown) => "no reading yet",
        (_, State::NoLogin) => "no login",
        (_, State::SignedOut) => "signed out",
        (_, State::Dead) => "its login is dead",
        (_, State::Lapsed) => "its login has ended",
        (_, State::Unreadable) => "its files cannot be read",
    };
    why.to_owned()
}

/// Why there is no newer reading, and when it is asked again.
pub(crate) fn trouble(reading: &Reading, clock: &Clockwork, incidents: Option<&[Incident]>) -> Option<String> {
    let error = reading.error?;
    let may_be_theirs = matches!(error, Trouble::Offline | Trouble::Server | Trouble::Throttled | Trouble::Unparsable);
    let theirs = incidents.filter(|_| may_be_theirs && reading.source != Source::Provider).and_then(<[_]>::first);
    let theirs = theirs.map_or_else(String::new, |one| format!("; status.claude.com tells of '{}'", one.name));
    let error = error.sentence();
    let since =
        reading.error_at.map_or_else(String::new, |at| format!(" ({} ago)", span(clock.now.duration_since(at))));
    let again = reading.retry_at.filter(|at| *at > clock.now);
    let again = again.map_or_else(String::new, |at| format!("; not asked again before {}", clock.local(at)));
    Some(format!("{error}{since}{again}{theirs}"))
}

/// `3.05 of 5.00 EUR (61 %)`.
pub(crate) fn spend(spend: &Spend) -> String {
    let currency = spend.currency.as_deref().unwrap_or("of an unnamed currency");
    let digits = spend.digits();
    let amount = |amount: f64| format!("{amount:.digits$}");
    let share = spend.percent.map_or_else(String::new, |percent| format!(" ({percent:.0} %)"));
    match (spend.enabled, spend.used, spend.limit) {
        (false, None | Some(0.0), _) => "off".to_owned(),
        // That there is no limit means no cap only while it is on (facts §4.1).
        (false, Some(used), _) => format!("off; {} {currency} was used", amount(used)),
        (_, Some(used), Some(limit)) => format!("{} of {} {currency}{share}", amount(used), amount(limit)),
        (_, Some(used), None) => format!("{} {currency}, no cap{share}", amount(used)),
        (_, None, Some(limit)) => format!("up to {} {currency}{share}", amount(limit)),
        (true, None, None) => format!("on, no cap{share}"),
    }
}

/// How a window fills: `ahead of an even spread (50 %), full at 17:20 at this rate`.
pub(crate) fn pace(pace: &Pace, clock: &Clockwork) -> String {
    let even = format!("an even spread ({} %)", pace.expected_percent.floor());
    let side = if pace.ahead { format!("ahead of {even}") } else { format!("within {even}") };
    let full = pace.full_at.map_or_else(String::new, |at| format!(", full at {} at this rate", clock.local(at)));
    format!("{side}{full}")
}

/// A figure that nobody needs more exactly.
fn tenths(figure: f64) -> f64 {
    (figure * 10.0).round() / 10.0
}

/// The `usage` object of `contract.md`.
pub(crate) fn document(account: &Account, now: Timestamp) -> Value {
    let Some(reading) = &account.usage else { return Value::Null };
    let windows: Vec<Value> = reading
        .windows
        .iter()
        .map(|window| {
            let filling = account.filling.get(&window.id);
            let pace = filling.and_then(|filling| filling.pace).map(|pace| {
                json!({"expected_percent": tenths(pace.expected_percent), "ahead": pace.ahead,
                    "full_at": time(pace.full_at), "percent_per_hour": pace.burn.map(tenths)})
            });
            let at_most = filling.and_then(|filling| filling.at_most).map(tenths);
            json!({
                "id": window.id, "label": window.label, "percent": window.value(now),
                "resets_at": time(window.resets_at), "binding": window.binding, "pace": pace, "at_most": at_most,
                "as_of": time(window.as_of), "stale": window.is_stale(now),
            })
        })
        .collect();
    let spend = reading.spend.as_ref().map(|spend| {
        json!({"used": spend.used, "limit": spend.limit, "currency": spend.currency, "percent": spend.percent,
            "enabled": spend.enabled})
    });
    let budget = account
        .budget
        .map(|budget| json!({"used": budget.used, "limit": budget.limit, "next_at": time(budget.next_at)}));
    let mut document = json!({
        "as_of": time(reading.as_of), "age_s": reading.as_of.map(|at| now.duration_since(at).as_secs().max(0)),
        "stale": reading.is_stale(now), "source": reading.source.word(),
        "error": reading.error.map(Trouble::word), "retry_at": time(reading.retry_at),
        "windows": windows, "spend": spend, "budget": budget, "subscription": reading.subscription,
    });
    if reading.source == Source::Provider {
        let balances = reading.balances.iter();
        let balances = balances.map(|b| json!({"label": b.label, "amount": b.amount, "currency": b.currency}));
        document["balances"] = balances.collect();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_full_when_all_is_used() {
        for (percent, expected) in [
            (0.0, "░░░░░░░░░░   0 %"),
            (42.9, "████░░░░░░  42 %"),
            (99.9, "█████████░  99 %"),
            (100.0, "██████████ 100 %"),
        ] {
            assert_eq!(bar(percent), expected);
        }
    }

    #[test]
    fn spans_show_two_units() {
        for (seconds, expected) in
            [(-5, "0 s"), (59, "59 s"), (3_540, "59 min"), (3_660, "1 h 01 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(SignedDuration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn a_moment_is_told_on_the_users_clock() {
        let now: Timestamp = "2026-11-20T12:50:00Z".parse().expect("a time");
        let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
        let clock = Clockwork { now, zone: berlin };
        for (at, expected) in [
            ("2026-11-20T15:00:00Z", "16:00"),
            ("2026-11-20T23:30:00Z", "Sat 21 Nov 00:30"),
            ("2028-01-01T00:00:00Z", "2028-01-01 01:00"),
        ] {
            assert_eq!(clock.local(at.parse().expect("a time")), expected);
        }
        assert_eq!(clock.zone_name(), "Europe/Berlin (CET)");
        assert_eq!(Clockwork { now, zone: TimeZone::UTC }.zone_name(), "UTC");
    }

    #[test]
    fn money_is_told_in_its_currency() {
        let of = |used, limit, currency: &str, enabled| Spend {
            used,
            limit,
            currency: Some(currency.into()),
            percent: None,
            enabled,
        };
        for (paid, expected) in [
            (of(Some(3.05), Some(5.0), "EUR", true), "3.05 of 5.00 EUR"),
            (of(Some(245.0), Some(2000.0), "JPY", true), "245 of 2000 JPY"),
            (of(Some(3.05), None, "USD", true), "3.05 USD, no cap"),
            (of(None, None, "USD", true), "on, no cap"),
            (of(None, None, "USD", false), "off"),
            (of(Some(3.05), None, "USD", false), "off; 3.05 USD was used"),
            (of(Some(3.05), Some(5.0), "USD", false), "off; 3.05 USD was used"),
            (of(Some(0.245), Some(2.0), "KWD", true), "0.245 of 2.000 KWD"),
            (of(Some(245.0), Some(2000.0), "ISK", true), "245 of 2000 ISK"),
        ] {
            assert_eq!(spend(&paid), expected);
        }
    }
}
