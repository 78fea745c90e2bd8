//! The line itself: a pure function of what is known, within the columns there are.

use anstyle::Style;
use clauth_engine::{Handed, Status, Window};
use clauth_host::Env;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use unicode_width::UnicodeWidthStr as _;

use crate::readings::look;
use crate::ui::{FAINT, paint, plain};

/// A model's own week is worth a place from here on.
const SCOPED: f64 = 75.0;

/// What is shown where nothing else was asked for, the fullest that fits.
const FORMATS: [&str; 4] = [
    "{account}  {5h}  {7d}  {model-weeks}",
    "{account}  {5h.short}  {7d.short}",
    "{5h.short} {7d.short}",
    "{5h.percent}",
];

/// How a line may look.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    colors: bool,
    columns: Option<usize>,
    now: Timestamp,
    /// Where the clock stands that times of day are told by.
    zone: TimeZone,
}

impl Look {
    /// As the environment says. Claude Code shows colours, though what it reads is no terminal.
    pub(crate) fn of(env: &Env) -> Self {
        let columns = env.text("COLUMNS").and_then(|text| text.parse().ok()).filter(|columns| *columns > 0);
        Self { colors: env.get("NO_COLOR").is_none(), columns, now: Timestamp::UNIX_EPOCH, zone: TimeZone::UTC }
    }

    pub(crate) fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    pub(crate) fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }
}

/// One line, without its end.
pub(super) fn line(status: &Status, handed: &Handed, format: Option<&str>, look: &Look) -> String {
    let fits = |text: &String| look.columns.is_none_or(|columns| width(text) <= columns);
    let expanded = |format: &str| tidy(&expand(format, status, handed, look));
    let text = match format {
        Some(format) => expanded(format),
        None => {
            let mut all = FORMATS.iter().map(|format| expanded(format));
            all.find(fits).unwrap_or_else(|| expanded(FORMATS[FORMATS.len() - 1]))
        }
    };
    if fits(&text) { text } else { cut(&text, look.columns.unwrap_or(usize::MAX)) }
}

/// Puts in what stands in braces; a word that is not known stays as it is.
fn expand(format: &str, status: &Status, handed: &Handed, look: &Look) -> String {
    let mut text = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(&plain(before));
        let Some((word, behind)) = after.split_once('}') else {
            text.push_str(&plain(&rest[before.len()..]));
            return text;
        };
        match value(word, status, handed, look) {
            Some(value) => text.push_str(&value),
            None => text.push_str(&plain(&format!("{{{word}}}"))),
        }
        rest = behind;
    }
    text + &plain(rest)
}

/// What a word stands for; `None` for none that is known, and nothing where nothing is known of it.
fn value(word: &str, status: &Status, handed: &Handed, look: &Look) -> Option<String> {
    let some = |text: Option<&str>| Some(text.map(plain).unwrap_or_default());
    let windows = status.reading.as_ref().map(|reading| reading.windows.as_slice()).unwrap_or_default();
    let (name, part) = word.split_once('.').unwrap_or((word, ""));
    let window = |id: &str| windows.iter().find(|window| window.id == id);
    match (name, part) {
        ("account", "") => Some(bold(&some(status.profile.as_deref())?, look)),
        ("email", "") => some(status.email.as_deref()),
        ("plan", "") => some(status.plan.as_deref()),
        ("model", "") => some(handed.model.as_deref()),
        ("dir", "") => some(handed.dir.as_deref().and_then(std::path::Path::file_name).and_then(|name| name.to_str())),
        ("5h" | "7d", part) => {
            let known = ["", "short", "percent", "reset", "left"].contains(&part);
            known.then(|| window(name).map_or_else(String::new, |window| shown(window, part, look)))
        }
        ("worst", part) => {
            let reading = status.reading.as_ref();
            let worst = reading.and_then(|reading| reading.worst(look.now));
            Some(worst.map_or_else(String::new, |window| shown(window, part, look)))
        }
        ("model-weeks", "") => {
            let close = |window: &&Window| {
                window.id.starts_with("7d:") && window.value(look.now).is_some_and(|percent| percent >= SCOPED)
            };
            let all: Vec<String> = windows.iter().filter(close).map(|window| shown(window, "", look)).collect();
            Some(all.join("  "))
        }
        _ => None,
    }
}

/// `5h 42% 2h10m`, or the part of it that is asked for.
fn shown(window: &Window, part: &str, look: &Look) -> String {
    let left = window.resets_at.filter(|at| *at > look.now).map(|at| at.duration_since(look.now));
    let figure = figure(window, look);
    let time = left.map_or_else(String::new, short);
    match part {
        "percent" => figure,
        "left" => time,
        "reset" => window.resets_at.map_or_else(String::new, |at| clock(at, look)),
        "short" => format!("{} {figure}", plain(&window.label)),
        _ => format!("{} {figure} {}", plain(&window.label), styled(FAINT, &time, look)).trim_end().to_owned(),
    }
}

/// `18:10` today, else `Thu 18:10`.
fn clock(at: Timestamp, look: &Look) -> String {
    let (then, now) = (at.to_zoned(look.zone.clone()), look.now.to_zoned(look.zone.clone()));
    then.strftime(if then.date() == now.date() { "%H:%M" } else { "%a %H:%M" }).to_string()
}

/// The percentage, marked by how close it is: by colour, and by signs where there is none. What is stale has a sign too, and
/// what was reset has no value.
fn figure(window: &Window, at: &Look) -> String {
    let Some(percent) = window.value(at.now) else { return "-".to_owned() };
    let stale = if window.is_stale(at.now) { "~" } else { "" };
    let near = match percent {
        percent if at.colors || percent < 75.0 => "",
        percent if percent < 90.0 => "!",
        _ => "!!",
    };
    styled(look(percent), &format!("{stale}{}%{near}", percent.floor()), at)
}

/// `2h10m`, `5d1h`, `12m`.
fn short(time: SignedDuration) -> String {
    let minutes = time.as_mins().max(1);
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes}m"),
        (0, hours, minutes) => format!("{hours}h{minutes:02}m"),
        (days, hours, _) => format!("{days}d{hours}h"),
    }
}

fn bold(text: &str, look: &Look) -> String {
    styled(Style::new().bold(), text, look)
}

fn styled(style: Style, text: &str, look: &Look) -> String {
    if look.colors && !text.is_empty() { paint(style, text) } else { text.to_owned() }
}

/// Without the gaps that words without a value leave.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for part in text.split("  ").map(str::trim).filter(|part| !part.is_empty()) {
        if !tidy.is_empty() {
            tidy.push_str("  ");
        }
        tidy.push_str(part);
    }
    tidy
}

/// Columns that a text takes, without what steers colours.
fn width(text: &str) -> usize {
    anstream::adapter::strip_str(text).to_string().width()
}

/// As much as fits, without colours: half a colour would run on.
fn cut(text: &str, columns: usize) -> String {
    let text = anstream::adapter::strip_str(text).to_string();
    if text.width() <= columns {
        return text;
    }
    let mut kept = String::new();
    for letter in text.chars() {
        if kept.width() + letter.to_string().width() + 1 > columns {
            break;
        }
        kept.push(letter);
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clauth_engine::{Reading, Source};

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_190_400).expect("a time")
    }

    fn window(id: &str, percent: f64, reset: i64, age: i64) -> Window {
        Window {
            id: id.into(),
            label: id.replace("7d:fable", "7d Fable"),
            percent,
            resets_at: Some(now() + SignedDuration::from_secs(reset)),
            binding: false,
            as_of: Some(now() - SignedDuration::from_secs(age)),
            every: Duration::from_secs(300),
            source: Source::Statusline,
        }
    }

    fn status(windows: Vec<Window>) -> Status {
        let reading = Reading {
            as_of: Some(now()),
            source: Source::Statusline,
            windows,
            spend: None,
            balances: Vec::new(),
            error: None,
            error_at: None,
            retry_at: None,
            subscription: None,
            plan: None,
            every: Duration::from_secs(300),
        };
        Status {
            profile: Some("work".into()),
            plan: Some("Max 5x".into()),
            email: None,
            reading: Some(reading),
            dropped: false,
        }
    }

    fn in_colours(colors: bool, columns: Option<usize>) -> Look {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        Look { colors, columns, now: now(), zone }
    }

    fn plainly(status: &Status, format: Option<&str>, columns: Option<usize>) -> String {
        let handed = Handed::parse(br#"{"model":{"display_name":"Opus"}}"#);
        line(status, &handed, format, &in_colours(false, columns))
    }

    #[test]
    fn the_line_says_who_and_how_much_row_by_row() {
        let usual = || vec![window("5h", 42.9, 7_800, 5), window("7d", 12.0, 435_600, 5)];
        let more = |window| [usual(), vec![window]].concat();
        for (name, windows, expected) in [
            ("usual", usual(), "work  5h 42% 2h10m  7d 12% 5d1h"),
            ("nothing known", vec![], "work"),
            ("one window", vec![window("7d", 12.0, 59, 5)], "work  7d 12% 1m"),
            ("near", vec![window("5h", 76.0, 7_800, 5)], "work  5h 76%! 2h10m"),
            ("nearly all", vec![window("5h", 99.9, 7_800, 5)], "work  5h 99%!! 2h10m"),
            ("stale", vec![window("5h", 42.0, 7_800, 900)], "work  5h ~42% 2h10m"),
            ("reset since", vec![window("5h", 42.0, -5, 900)], "work  5h -"),
            ("a model's week far", more(window("7d:fable", 20.0, 9_000, 5)), "work  5h 42% 2h10m  7d 12% 5d1h"),
            (
                "a model's week close",
                more(window("7d:fable", 88.0, 9_000, 5)),
                "work  5h 42% 2h10m  7d 12% 5d1h  7d Fable 88%! 2h30m",
            ),
        ] {
            assert_eq!(plainly(&status(windows), None, None), expected, "{name}");
        }
        let nobody = Status { profile: None, ..status(usual()) };
        assert_eq!(plainly(&nobody, None, None), "5h 42% 2h10m  7d 12% 5d1h");
    }

    #[test]
    fn it_stays_within_the_columns() {
        let status = status(vec![window("5h", 42.9, 7_800, 5), window("7d", 12.0, 435_600, 5)]);
        for (columns, expected) in [
            (80, "work  5h 42% 2h10m  7d 12% 5d1h"),
            (31, "work  5h 42% 2h10m  7d 12% 5d1h"),
            (30, "work  5h 42%  7d 12%"),
            (19, "5h 42% 7d 12%"),
            (12, "42%"),
            (2, "4…"),
            (1, "…"),
        ] {
            assert_eq!(plainly(&status, None, Some(columns)), expected, "{columns}");
        }
        for columns in 1..40 {
            let format = "{account} {5h} 日本 {7d} {model}";
            assert!(plainly(&status, Some(format), Some(columns)).width() <= columns, "{columns}");
        }
    }

    #[test]
    fn a_format_of_ones_own_is_followed() {
        let status = status(vec![window("5h", 42.9, 7_800, 5), window("7d", 1.0, 435_600, 5)]);
        for (format, expected) in [
            ("{model} on {account} ({plan}): {5h.percent}, {5h.left} left", "Opus on work (Max 5x): 42%, 2h10m left"),
            ("{worst}", "5h 42% 2h10m"),
            ("{5h} until {5h.reset}", "5h 42% 2h10m until 20:10"),
            ("until {7d.reset}", "until Wed 19:00"),
            ("[{model-weeks}] {email}x", "[] x"),
            ("{nobody} {5h.nothing}", "{nobody} {5h.nothing}"),
            ("100% {5h", "100% {5h"),
            ("a\u{1b}[31mb", "a[31mb"),
            ("", ""),
        ] {
            assert_eq!(plainly(&status, Some(format), None), expected, "{format}");
        }
    }

    #[test]
    fn colours_say_how_close_it_is() {
        let status = status(vec![window("5h", 95.0, 7_800, 5)]);
        let look = in_colours(true, Some(80));
        let text = line(&status, &Handed::default(), None, &look);
        assert!(text.contains("\u{1b}[31m95%"), "{text:?}");
        assert_eq!(width(&text), "work  5h 95% 2h10m".len());
    }
}
