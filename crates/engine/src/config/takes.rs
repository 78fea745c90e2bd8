//! What a setting takes: how a text becomes its value, and what of a file counts as one.

use std::time::Duration;

use toml_edit::Value;

/// The kinds of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Takes {
    /// `on` or `off`; `true` and `false` are understood.
    Switch,
    /// `true` or `false`, as version 0.4.0 writes it; `on` and `off` are understood.
    Flag,
    /// A number from the first to the second, both included.
    Number(f64, f64),
    /// The same; a file may hold a greater one, which version 0.4.0 takes for a last resort.
    Line5h(f64, f64),
    /// A time from the first to the second, in seconds, both included; written as `90s`, `5m` or `1h`.
    Time(u64, u64),
    /// One line of text, of so many characters at most.
    Line(usize),
    /// The address of an endpoint.
    Url,
    /// A time zone's name, or `local`.
    Zone,
    /// Never shown, and never taken from the command line.
    Key,
}

impl Takes {
    /// What is taken, for people.
    #[must_use]
    pub fn range(self) -> String {
        match self {
            Self::Switch => "on or off".into(),
            Self::Flag => "true or false".into(),
            Self::Number(from, to) | Self::Line5h(from, to) => format!("a number from {from} to {to}"),
            Self::Time(from, to) => format!("a time from {} to {}", time(from), time(to)),
            Self::Line(most) => format!("one line of at most {most} characters"),
            Self::Url => "an https address; http for this machine or a private network".into(),
            Self::Zone => "a time zone such as Europe/Berlin, or local".into(),
            Self::Key => "a key, from standard input or a hidden prompt".into(),
        }
    }

    /// The words that complete it, where there are few.
    #[must_use]
    pub fn words(self) -> &'static [&'static str] {
        match self {
            Self::Switch => &["on", "off"],
            Self::Flag => &["true", "false"],
            Self::Zone => &["local"],
            Self::Number(..) | Self::Line5h(..) | Self::Time(..) | Self::Line(_) | Self::Url | Self::Key => &[],
        }
    }

    /// The value that `text` means; `None` when it means none.
    pub(crate) fn parse(self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Self::Switch => Some(if switch(text)? { "on" } else { "off" }.into()),
            Self::Flag => Some(switch(text)?.into()),
            Self::Number(..) | Self::Line5h(..) => {
                let number: f64 = text.trim_end_matches('%').trim_end().parse().ok()?;
                self.accepts_number(number).then(|| number.into())
            }
            Self::Time(from, to) => {
                let seconds = seconds(text).filter(|seconds| (from..=to).contains(seconds))?;
                Some(time(seconds).into())
            }
            Self::Line(most) => is_line(text, most).then(|| text.into()),
            Self::Url => check_url(text).ok().map(Value::from),
            Self::Zone => is_zone(text).then(|| text.into()),
            Self::Key => is_key(text).then(|| text.into()),
        }
    }

    /// A value that stands in a file, as it would be written; `None` when it is not one of these.
    pub(crate) fn stands(self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Self::Flag | Self::Switch, Value::Boolean(on)) => self.parse(if *on.value() { "on" } else { "off" }),
            (Self::Line5h(_, to), Value::Integer(_) | Value::Float(_))
                if number(value).is_some_and(|number| number > to) =>
            {
                number(value).map(Value::from)
            }
            (Self::Number(..) | Self::Line5h(..), Value::Integer(number)) => self.parse(&number.value().to_string()),
            (Self::Number(..) | Self::Line5h(..), Value::Float(number)) => self.parse(&number.value().to_string()),
            (Self::Time(..), Value::Integer(seconds)) => self.parse(&seconds.value().to_string()),
            // In a file the two words are the two words.
            (Self::Switch | Self::Flag, Value::String(text)) if !["on", "off"].contains(&text.value().as_str()) => None,
            (_, Value::String(text)) => self.parse(text.value()),
            _ => None,
        }
    }

    fn accepts_number(self, number: f64) -> bool {
        matches!(self, Self::Number(from, to) | Self::Line5h(from, to) if number >= from && number <= to)
    }
}

/// What is shown in the place of a secret.
pub(super) const HIDDEN: &str = "(not shown)";

/// Whether a variable's name says that its value is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let name = key.strip_prefix("env.").map(str::to_ascii_uppercase).unwrap_or_default();
    ["KEY", "TOKEN", "SECRET", "PASSWORD"].iter().any(|word| name.contains(word))
}

/// The number that a value of a file is.
pub(super) fn number(value: &Value) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a percentage is far below what a float counts exactly")]
    value.as_float().or_else(|| value.as_integer().map(|number| number as f64))
}

/// The switch position that a text means.
pub(crate) fn switch(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" => Some(true),
        "off" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// The time that a stored value means.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    seconds(text).map(Duration::from_secs)
}

/// `90`, `90s`, `5m`, `1h` as seconds.
fn seconds(text: &str) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number: u64 = text[..end].parse().ok()?;
    let unit = match text[end..].trim() {
        "" | "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        _ => return None,
    };
    number.checked_mul(unit)
}

/// The shortest way to write a time.
fn time(seconds: u64) -> String {
    match seconds {
        0 => "0s".into(),
        whole if whole.is_multiple_of(3600) => format!("{}h", whole / 3600),
        whole if whole.is_multiple_of(60) => format!("{}m", whole / 60),
        other => format!("{other}s"),
    }
}

fn is_line(text: &str, most: usize) -> bool {
    !text.is_empty() && text.chars().count() <= most && crate::text::plain(text) == text
}

fn is_zone(text: &str) -> bool {
    text == "local" || jiff::tz::TimeZone::get(text).is_ok()
}

/// What `apiKeyHelper` may print: one printable ASCII word of at most 16,384 characters (facts §2.1).
pub(crate) fn is_key(text: &str) -> bool {
    !text.is_empty() && text.len() <= 16_384 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether `name` can be a variable of the environment.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name.starts_with(letter) && name.chars().all(|c| letter(c) || c.is_ascii_digit())
}

/// The address of an endpoint, as it is kept. A key is sent there, so the way has to be protected: https, or http within
/// this machine or a private network.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.len() > 2048 || text.chars().any(|c| !c.is_ascii_graphic() || "\"'`\\<>{}|^".contains(c)) {
        return Err("it holds what no address holds");
    }
    let (scheme, rest) = text.split_once("://").ok_or("it does not begin with https://")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it holds a user or password; the key is given apart from it");
    }
    if rest.contains(['?', '#']) {
        return Err("it holds a query or fragment, to which Claude Code could not add its path");
    }
    let host = host_of(authority).ok_or("it names no host")?;
    match scheme.to_ascii_lowercase().as_str() {
        "https" => Ok(text.trim_end_matches('/').to_owned()),
        "http" if is_near(host) => Ok(text.trim_end_matches('/').to_owned()),
        "http" => Err("http would send the key unprotected; only this machine and private networks may"),
        _ => Err("it does not begin with https://"),
    }
}

/// The host of `host`, `host:port` or `[v6]:port`.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let ported = port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let named = host.contains(':') || host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    (!host.is_empty() && !host.starts_with(['.', '-']) && ported && named).then_some(host)
}

/// Whether a host is this machine or in a network that the internet does not reach.
fn is_near(host: &str) -> bool {
    let lower = host.to_ascii_lowercase();
    if let Ok(address) = lower.parse::<std::net::Ipv4Addr>() {
        return address.is_loopback() || address.is_private() || address.is_link_local();
    }
    if let Ok(address) = lower.parse::<std::net::Ipv6Addr>() {
        return address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local();
    }
    let ending = [".localhost", ".local", ".lan", ".internal", ".home.arpa"];
    lower == "localhost" || !lower.contains('.') || ending.iter().any(|end| lower.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(takes: Takes, text: &str) -> Option<String> {
        takes.parse(text).map(|value| value.to_string().trim().trim_matches('"').to_owned())
    }

    #[test]
    fn a_text_becomes_the_value_or_is_refused() {
        let percent = Takes::Number(0.0, 100.0);
        let poll = Takes::Time(180, 3600);
        let rows: [(&str, Takes, &str, Option<&str>); 24] = [
            ("on", Takes::Switch, "on", Some("on")),
            ("true is on", Takes::Switch, "true", Some("on")),
            ("any case", Takes::Switch, "OFF", Some("off")),
            ("neither", Takes::Switch, "maybe", None),
            ("a number is no switch", Takes::Switch, "1", None),
            ("flag", Takes::Flag, "off", Some("false")),
            ("whole", percent, "90", Some("90.0")),
            ("percent", percent, "90.5 %", Some("90.5")),
            ("too much", percent, "100.1", None),
            ("negative", percent, "-1", None),
            ("no number", percent, "NaN", None),
            ("endless", percent, "inf", None),
            ("bare seconds", poll, "300", Some("5m")),
            ("minutes", poll, "10m", Some("10m")),
            ("an hour", poll, "60m", Some("1h")),
            ("too short", poll, "3s", None),
            ("too long", poll, "2h", None),
            ("overflow", poll, "99999999999999999999h", None),
            ("line", Takes::Line(5), " abc ", Some("abc")),
            ("long line", Takes::Line(5), "abcdef", None),
            ("no line", Takes::Line(5), "", None),
            ("escape", Takes::Line(9), "a\u{1b}[31m", None),
            ("local", Takes::Zone, "local", Some("local")),
            ("nowhere", Takes::Zone, "Moon/Base", None),
        ];
        for (name, takes, text, expected) in rows {
            assert_eq!(stored(takes, text).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn what_a_hand_wrote_is_understood_or_is_not() {
        let rows: [(&str, Takes, &str, bool); 7] = [
            ("in other letters", Takes::Switch, "\"Off\"", false),
            ("a truth value", Takes::Switch, "false", true),
            ("an integer", Takes::Number(0.0, 100.0), "90", true),
            ("text for a number", Takes::Number(0.0, 100.0), "\"90\"", true),
            ("seconds", Takes::Time(60, 600), "120", true),
            ("a list", Takes::Switch, "[\"on\"]", false),
            ("another word", Takes::Switch, "\"perhaps\"", false),
        ];
        for (name, takes, text, expected) in rows {
            let value: Value = text.parse().expect("TOML");
            assert_eq!(takes.stands(&value).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn an_address_is_protected_or_near() {
        let rows: [(&str, &str, bool); 18] = [
            ("plain", "https://api.deepseek.com/anthropic", true),
            ("trailing slash", "https://api.z.ai/api/anthropic/", true),
            ("port", "https://gateway.example.com:8443", true),
            ("loopback", "http://127.0.0.1:4000", true),
            ("localhost", "http://localhost:4000/v1", true),
            ("v6 loopback", "http://[::1]:4000", true),
            ("private", "http://10.0.0.5:4000", true),
            ("a name of the network", "http://gateway:4000", true),
            ("unprotected", "http://api.deepseek.com", false),
            ("near only by its beginning", "http://127.0.0.1.example.com", false),
            ("no scheme", "api.deepseek.com", false),
            ("other scheme", "ftp://api.deepseek.com", false),
            ("password in it", "https://user:pass@example.com", false),
            ("query", "https://example.com/?key=1", false),
            ("no host", "https:///x", false),
            ("no port", "https://example.com:x", false),
            ("quote", "https://example.com/'", false),
            ("space", "https://exa mple.com", false),
        ];
        for (name, url, expected) in rows {
            assert_eq!(check_url(url).is_ok(), expected, "{name}: {:?}", check_url(url));
        }
    }

    #[test]
    fn a_key_is_one_word_that_a_helper_may_print() {
        for (name, key, expected) in [
            ("key", "sk-FAKE-0123", true),
            ("empty", "", false),
            ("two words", "sk FAKE", false),
            ("newline", "sk\nFAKE", false),
            ("letters of elsewhere", "sk-ä", false),
        ] {
            assert_eq!(is_key(key), expected, "{name}");
        }
        assert!(is_variable("HTTP_PROXY") && !is_variable("1A") && !is_variable("A-B") && !is_variable(""));
    }
}
