//! What is known of an account without asking anybody: the last answer, and what a status line has handed over since.

use std::collections::BTreeMap;

use clauth_durable::Disk;
use clauth_host::Fingerprint;
use jiff::Timestamp;

use super::cache::Cache;
use super::handed::WINDOWS;
use super::line::{self, Line};
use super::{Pace, Reading, Source, Window, pace, policy};
use crate::Root;
use crate::profile::{Known, ProfileKind, Record};

/// How a window fills.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filling {
    /// Against an even spread, and when it is full.
    pub pace: Option<Pace>,
    /// Up to how much may be used by now, where a throttle froze the figure.
    pub at_most: Option<f64>,
}

/// A profile's place for readings.
pub(crate) struct Shelf<'a> {
    pub(crate) disk: &'a Disk,
    pub(crate) root: &'a Root,
    pub(crate) name: &'a str,
    /// Whose readings count.
    pub(crate) account: String,
    /// When the login ends that would be asked with, where somebody is about to ask.
    pub(crate) login_ends: Option<Timestamp>,
}

/// What tells the accounts of readings apart, safe as a file's name: by UUIDs where they are known, else by the profile.
pub(crate) fn account_id(known: Option<&Known>, profile: &str) -> String {
    let text = match known {
        Some(known) => format!("{}/{}", known.key.account, known.key.organization.as_deref().unwrap_or_default()),
        None => format!("profile {profile}"),
    };
    short(&text)
}

/// The same for a profile. An endpoint's is its key at its address: with another key its figures are another account's.
pub(crate) fn account_of(record: &Record) -> String {
    match (record.kind, &record.base_url, &record.key) {
        (ProfileKind::Endpoint, Some(url), Some(key)) => short(&format!("key {} {url}", key.fingerprint().full())),
        _ => account_id(record.identity.as_ref(), &record.name),
    }
}

fn short(text: &str) -> String {
    Fingerprint::of(text.as_bytes()).full()[..16].to_owned()
}

impl<'a> Shelf<'a> {
    pub(crate) fn of(disk: &'a Disk, root: &'a Root, record: &'a Record) -> Self {
        Self { disk, root, name: &record.name, account: account_of(record), login_ends: None }
    }

    /// The last answer, if it is this account's. A file of 0.4.0 does not say whose it is; it has no age either.
    pub(crate) fn cache(&self) -> Option<Cache> {
        let mut cache = Cache::read(self.disk, &self.root.usage(self.name))?;
        cache.failed = cache.failed.filter(|failed| !failed.is_over(self.login_ends));
        cache.account.as_ref().is_none_or(|account| *account == self.account).then_some(cache)
    }

    /// What the status line handed over last, and before it of the windows that are missing there (facts §5.1); the newest first.
    pub(crate) fn statusline(&self) -> Vec<Line> {
        let path = self.root.usage_history(self.name);
        let ours = |line: &Line| line.source == Source::Statusline && line.account.as_ref() == Some(&self.account);
        let Some(last) = line::last(self.disk, &path, ours) else { return Vec::new() };
        let missing = WINDOWS.iter().filter(|(_, id)| !last.has(id));
        let only = |id: &str, mut line: Line| {
            line.windows.retain(|(known, ..)| known == id);
            line
        };
        let earlier = missing.filter_map(|(_, id)| {
            line::last_lately(self.disk, &path, |line| ours(line) && line.has(id)).map(|line| only(id, line))
        });
        let earlier: Vec<Line> = earlier.collect();
        [vec![last], earlier].concat()
    }

    /// How each window fills, and up to how much may be used where a throttle froze the figure.
    pub(crate) fn paces(&self, reading: &Reading, now: Timestamp) -> BTreeMap<String, Filling> {
        let is_frozen = reading.is_frozen();
        let told = |window: &&Window| window.value(now).is_some() && (is_frozen || !window.is_stale(now));
        if !reading.windows.iter().any(|window| told(&window)) {
            return BTreeMap::new();
        }
        let mut lines = line::tail(self.disk, &self.root.usage_history(self.name));
        lines.retain(|line| line.account.as_ref() == Some(&self.account));
        let earlier = reading.windows.iter().filter(told).filter_map(|window| self.first_lately(window, &lines));
        lines.extend(earlier.collect::<Vec<_>>());
        let filling = |window: &Window| {
            let burn = pace::burn(window, &lines, now);
            let at_most = pace::bounds(window, burn, now).filter(|_| is_frozen).map(|(_, most)| most);
            (window.id.clone(), Filling { pace: pace::pace(window, &lines, now), at_most })
        };
        reading.windows.iter().filter(told).map(filling).collect()
    }

    /// The first reading that tells how fast a window fills of late, where the last ones do not go back so far.
    fn first_lately(&self, window: &Window, last: &[Line]) -> Option<Line> {
        let from = pace::lately(window)?;
        if last.first().is_some_and(|line| line.at <= from) {
            return None;
        }
        line::first_since(self.disk, &self.root.usage_history(self.name), (from, &window.id), |line| {
            line.account.as_ref() == Some(&self.account) && pace::tells_of(line, window)
        })
    }

    /// All that is known.
    pub(crate) fn reading(&self) -> Option<Reading> {
        merged(self.cache().as_ref(), &self.statusline())
    }
}

/// The answer, with the newer figures of status lines in the places of its own.
pub(crate) fn merged(cache: Option<&Cache>, handed: &[Line]) -> Option<Reading> {
    if cache.is_none() && handed.is_empty() {
        return None;
    }
    let of_answer = cache.map(of_cache);
    let mut reading = of_answer.unwrap_or_else(|| Reading {
        as_of: None,
        source: Source::Statusline,
        windows: Vec::new(),
        spend: None,
        balances: Vec::new(),
        error: None,
        error_at: None,
        retry_at: None,
        subscription: None,
        plan: None,
        every: policy::ACTIVE,
    });
    for line in handed {
        for (id, percent, resets_at) in &line.windows {
            put(&mut reading.windows, id, (*percent, *resets_at), line.at);
        }
        if reading.as_of.is_none_or(|at| at < line.at) && !line.windows.is_empty() {
            (reading.as_of, reading.source) = (Some(line.at), Source::Statusline);
            reading.every = reading.every.max(policy::ACTIVE);
        }
    }
    Some(reading)
}

fn put(windows: &mut Vec<Window>, id: &str, (percent, resets_at): (f64, Option<Timestamp>), at: Timestamp) {
    let handed = |binding| Window {
        id: id.to_owned(),
        label: id.to_owned(),
        percent,
        resets_at,
        binding,
        as_of: Some(at),
        every: policy::ACTIVE,
        source: Source::Statusline,
    };
    match windows.iter_mut().find(|window| window.id == id) {
        Some(window) if window.as_of.is_some_and(|as_of| as_of >= at) => {}
        Some(window) => *window = handed(window.binding),
        None => {
            windows.push(handed(false));
            windows.sort_by_key(|window| match window.id.as_str() {
                "5h" => 0,
                "7d" => 1,
                _ => 2,
            });
        }
    }
}

pub(crate) fn of_cache(cache: &Cache) -> Reading {
    let windows = cache.answer.windows.iter().map(|window| Window {
        id: window.id.clone(),
        label: window.label.clone(),
        percent: window.percent,
        resets_at: window.resets_at,
        binding: window.binding,
        as_of: cache.as_of,
        every: cache.every,
        source: cache.source,
    });
    let failed = cache.failed.as_ref();
    let looked = cache.looked_up.as_ref();
    Reading {
        as_of: cache.as_of,
        source: cache.source,
        windows: windows.collect(),
        spend: cache.answer.spend.clone(),
        balances: cache.balances.clone(),
        error: failed.map(|failed| failed.error),
        error_at: failed.map(|failed| failed.at),
        retry_at: failed.and_then(|failed| failed.retry_at),
        subscription: looked.and_then(|looked| looked.subscription.clone()),
        plan: looked.and_then(|looked| looked.plan.clone()),
        every: cache.every,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clauth_anthropic::{UsageAnswer, UsageWindow};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_190_400 + seconds).expect("a time")
    }

    fn cache(as_of: Option<i64>) -> Cache {
        let window = |id: &str, binding| UsageWindow {
            id: id.into(),
            label: id.into(),
            percent: 10.0,
            resets_at: Some(at(9_000)),
            binding,
        };
        let answer = UsageAnswer { windows: vec![window("5h", true), window("7d:fable", false)], spend: None };
        let mut cache = Cache::default();
        (cache.as_of, cache.every, cache.answer) = (as_of.map(at), Duration::from_secs(300), answer);
        cache
    }

    fn handed(seconds: i64) -> Line {
        let windows = vec![("5h".into(), 20.0, Some(at(9_000))), ("7d".into(), 30.0, None)];
        Line { at: at(seconds), source: Source::Statusline, account: None, windows }
    }

    fn shown(reading: &Reading) -> Vec<String> {
        let star = |binding| if binding { " *" } else { "" };
        let windows = reading.windows.iter();
        windows.map(|w| format!("{} {} {}{}", w.id, w.percent, w.source.word(), star(w.binding))).collect()
    }

    #[test]
    fn the_newer_figure_of_each_window_counts() {
        type Row<'a> = (&'a str, Option<Cache>, Option<Line>, &'a [&'a str], Source, Option<i64>);
        let rows: [Row<'_>; 5] = [
            ("an answer alone", Some(cache(Some(0))), None, &["5h 10 api *", "7d:fable 10 api"], Source::Api, Some(0)),
            (
                "a status line alone",
                None,
                Some(handed(5)),
                &["5h 20 statusline", "7d 30 statusline"],
                Source::Statusline,
                Some(5),
            ),
            (
                "a newer status line",
                Some(cache(Some(0))),
                Some(handed(5)),
                &["5h 20 statusline *", "7d 30 statusline", "7d:fable 10 api"],
                Source::Statusline,
                Some(5),
            ),
            (
                "an older status line",
                Some(cache(Some(9))),
                Some(handed(5)),
                &["5h 10 api *", "7d 30 statusline", "7d:fable 10 api"],
                Source::Api,
                Some(9),
            ),
            (
                "an answer without an age",
                Some(cache(None)),
                Some(handed(5)),
                &["5h 20 statusline *", "7d 30 statusline", "7d:fable 10 api"],
                Source::Statusline,
                Some(5),
            ),
        ];
        for (name, cache, line, expected, source, as_of) in rows {
            let reading = merged(cache.as_ref(), line.as_slice()).expect("a reading");
            assert_eq!(shown(&reading), expected, "{name}");
            assert_eq!((reading.source, reading.as_of), (source, as_of.map(at)), "{name}");
        }
        assert_eq!(merged(None, &[]), None);
    }

    /// A week fills by what was read days ago, which a thousand newer lines stand behind.
    #[test]
    fn a_rate_goes_back_as_far_as_it_counts() {
        let disk = Disk::new(clauth_host::Clock::system(), clauth_host::Random::system());
        let world = clauth_sandbox::World::new("look");
        let root = Root::new(world.root());
        disk.ensure_dir(&root.profile("a")).expect("a profile");
        let (hour, reset) = (3_600, at(24 * 3_600));
        // 60 % in the first four days, and half a percent an hour in the last two.
        let percent = |seconds: i64| if seconds < -48 * hour { 60.0 } else { 84.0 + 0.5 * seconds as f64 / 3_600.0 };
        let line = |seconds: i64| {
            let windows = vec![("7d".into(), percent(seconds), Some(reset))];
            Line { at: at(seconds), source: Source::Api, account: Some("x".into()), windows }
        };
        let bytes: Vec<u8> = (1..3_000).rev().flat_map(|count| line(count * -120).bytes()).collect();
        disk.replace(&root.usage_history("a"), &bytes, clauth_durable::Mode::Private).expect("written");
        let mut cache = cache(Some(0));
        cache.answer.windows = vec![UsageWindow {
            id: "7d".into(),
            label: "7d".into(),
            percent: percent(0),
            resets_at: Some(reset),
            binding: false,
        }];
        let shelf = Shelf { disk: &disk, root: &root, name: "a", account: "x".into(), login_ends: None };
        let pace = shelf.paces(&of_cache(&cache), at(0))["7d"].pace.expect("a pace");
        let burn = pace.burn.expect("a rate");
        assert!((burn - 0.5).abs() < 0.01, "since it began it would be 0.58: {burn}");
    }
}
