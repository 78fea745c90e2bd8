//! `GET /api/oauth/usage`: how much of each window is used (facts §4.1).
//!
//! The body is undocumented and tells the same thing in two vocabularies. `limits[]` is read first, the flat windows fill in
//! what it lacks. Whatever is not understood is passed over: one odd field must not hide the others.

mod money;

use std::time::Duration;

use clauth_host::Secret;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::http::With;
use crate::text::clean;
use crate::{Client, LookupError};

pub use money::Spend;

/// What the flat windows that belong to the whole account are called, and their ids (`contract.md`).
const FLAT: [(&str, &str); 2] = [("five_hour", "5h"), ("seven_day", "7d")];

/// Any flat window of seven days for one model or surface.
const SCOPED: &str = "seven_day_";

/// What is in trial at Anthropic is asked for with this (facts §4).
const BETA: [(&str, &str); 1] = [("anthropic-beta", "oauth-2025-04-20")];

/// More than any account has.
const MOST: usize = 24;

/// One window of a limit.
#[derive(Clone, Debug, PartialEq)]
pub struct UsageWindow {
    /// `5h`, `7d`, `7d:<model in lower case>`, or the server's own word for a kind that is not known.
    pub id: String,
    /// The same for people.
    pub label: String,
    /// How much is used: 0 to 100.
    pub percent: f64,
    /// When it begins anew, where the server says so.
    pub resets_at: Option<Timestamp>,
    /// It is what limits the account now.
    pub binding: bool,
}

/// What the server says of an account's use.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageAnswer {
    /// The windows that were reported. None at all does not mean that nothing is used.
    pub windows: Vec<UsageWindow>,
    /// What is paid beyond the plan, where the server says anything about it.
    pub spend: Option<Spend>,
}

impl Client<'_> {
    /// How much the account of `access` has used.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub fn usage(&self, access: &Secret, deadline: Duration) -> Result<UsageAnswer, LookupError> {
        let url = format!("{}/api/oauth/usage", self.endpoints().api);
        let with = With { secret: Some(access), headers: &BETA, ..With::default() };
        parse(&self.get(&url, with, deadline)?).ok_or(LookupError::Unparsable)
    }
}

/// A body is one object that says something of use; anything else is not an answer to what was asked.
fn parse(body: &[u8]) -> Option<UsageAnswer> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let body = body.as_object()?;
    let known = |key: &String| {
        FLAT.iter().any(|(flat, _)| key == flat)
            || key.starts_with(SCOPED)
            || matches!(key.as_str(), "limits" | "spend" | "extra_usage")
    };
    if !body.keys().any(known) {
        return None;
    }
    let mut windows = Vec::new();
    for limit in body.get("limits").and_then(Value::as_array).into_iter().flatten() {
        add_limit(&mut windows, of_limit(limit));
    }
    let has_scoped = windows.iter().any(|window| window.id.contains(':'));
    for (flat, id) in FLAT {
        add(&mut windows, body.get(flat).and_then(|value| of_flat(value, id, id)));
    }
    for (key, value) in body.iter().filter(|_| !has_scoped) {
        let Some(rest) = key.strip_prefix(SCOPED).map(clean).filter(|rest| !rest.is_empty()) else { continue };
        let (id, label) = (format!("7d:{}", rest.replace('_', " ").to_lowercase()), format!("7d {}", title(&rest)));
        add(&mut windows, of_flat(value, &id, &label));
    }
    windows.sort_by_key(|window| match window.id.as_str() {
        "5h" => 0,
        "7d" => 1,
        id if id.starts_with("7d:") => 2,
        _ => 3,
    });
    Some(UsageAnswer { windows, spend: money::of(body) })
}

/// Several limits of one name, as those of a model and of the same model on one surface, are one window: what binds must not
/// vanish behind what does not, nor the fuller one behind the emptier.
fn add_limit(windows: &mut Vec<UsageWindow>, limit: Option<UsageWindow>) {
    let known = limit.as_ref().and_then(|limit| windows.iter_mut().find(|known| known.id == limit.id));
    match (known, limit) {
        (Some(known), Some(limit)) => {
            if (limit.binding, limit.percent) > (known.binding, known.percent) {
                *known = limit;
            }
        }
        (_, limit) => add(windows, limit),
    }
}

/// The first that speaks of a window is believed.
fn add(windows: &mut Vec<UsageWindow>, window: Option<UsageWindow>) {
    let Some(window) = window else { return };
    if windows.len() < MOST && windows.iter().all(|known| known.id != window.id) {
        windows.push(window);
    }
}

fn of_limit(limit: &Value) -> Option<UsageWindow> {
    let kind = limit.get("kind").and_then(Value::as_str).map(clean).filter(|kind| !kind.is_empty())?;
    let (id, label) = match (kind.as_str(), scope(limit)) {
        ("session", _) => ("5h".to_owned(), "5h".to_owned()),
        ("weekly_all", _) => ("7d".to_owned(), "7d".to_owned()),
        ("weekly_scoped", Some(name)) => (format!("7d:{}", name.to_lowercase()), format!("7d {name}")),
        (other, Some(name)) => (format!("{other}:{}", name.to_lowercase()), format!("{} {name}", words(other))),
        (other, None) => (other.to_owned(), words(other)),
    };
    Some(UsageWindow {
        id,
        label,
        percent: percent(limit.get("percent")?)?,
        resets_at: limit.get("resets_at").and_then(time),
        binding: limit.get("is_active").and_then(Value::as_bool) == Some(true),
    })
}

/// The model, else the surface, that a window is about. Matched by its name, since new ones appear without notice.
fn scope(limit: &Value) -> Option<String> {
    let scope = limit.get("scope")?;
    let name = |value: &Value| {
        let named = ["display_name", "name", "id"].iter().find_map(|key| value.get(key)?.as_str());
        value.as_str().or(named).map(clean).filter(|name| !name.is_empty())
    };
    scope.get("model").and_then(name).or_else(|| scope.get("surface").and_then(name)).or_else(|| name(scope))
}

fn of_flat(value: &Value, id: &str, label: &str) -> Option<UsageWindow> {
    Some(UsageWindow {
        id: id.to_owned(),
        label: label.to_owned(),
        percent: percent(value.get("utilization")?)?,
        resets_at: value.get("resets_at").and_then(time),
        binding: false,
    })
}

/// A share in percent, also as a text; more than all is all, and what is no number is not known.
pub(crate) fn percent(value: &Value) -> Option<f64> {
    // Nothing less than nothing is nothing, and has no sign.
    number(value).map(|percent| percent.clamp(0.0, 100.0) + 0.0)
}

/// A finite number, also as a text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().trim_end_matches('%').trim().parse().ok())?;
    number.is_finite().then_some(number)
}

/// A moment: ISO 8601, without an offset in UTC, or seconds or milliseconds since 1970, also as a text. Without it a window
/// would seem never to begin anew.
pub(crate) fn time(value: &Value) -> Option<Timestamp> {
    if let Some(number) = number(value) {
        let milliseconds = if number.abs() < 100_000_000_000.0 { number * 1000.0 } else { number };
        let since = jiff::SignedDuration::try_from_secs_f64(milliseconds / 1000.0).ok()?;
        return Timestamp::UNIX_EPOCH.checked_add(since).ok();
    }
    let text = value.as_str()?.trim();
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

/// `weekly_pooled` in words.
fn words(kind: &str) -> String {
    kind.replace('_', " ")
}

/// `oauth_apps` as a heading has it.
fn title(name: &str) -> String {
    let upper = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').filter(|word| !word.is_empty()).map(upper).collect::<Vec<_>>().join(" ")
}

/// What `key` of an object holds, unless it is null.
fn field<'v>(object: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    object.get(key).filter(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
