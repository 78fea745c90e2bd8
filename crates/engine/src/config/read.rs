//! What the code asks for: settings as values, by name. Whatever cannot be understood is an error that names file and key,
//! never a guess.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clauth_durable::Disk;
use clauth_host::Secret;
use toml_edit::{DocumentMut, Value};

use super::table::{Setting, setting};
use super::takes::{HIDDEN, duration, is_secret, is_variable, number, switch};
use super::{File, edit};
use crate::profile::Roster;
use crate::{Engine, Error, Root, toml};

/// clauth's own settings.
pub struct Config {
    document: DocumentMut,
    path: PathBuf,
}

/// A profile's settings.
pub struct ProfileConfig {
    config: (DocumentMut, PathBuf),
    options: (DocumentMut, PathBuf),
}

impl Engine {
    /// clauth's own settings as they stand.
    ///
    /// # Errors
    /// `settings.toml` is no TOML.
    pub fn config(&self) -> Result<Config, Error> {
        Config::read(&self.disk, &self.root)
    }

    /// The settings of the profile `name`, exactly so called.
    ///
    /// # Errors
    /// No such profile, or a file of it that is no TOML.
    pub fn profile_config(&self, name: &str) -> Result<ProfileConfig, Error> {
        let roster = Roster::read(&self.disk, &self.root)?;
        if !roster.names.iter().any(|known| known == name) {
            return Err(roster.missing(name));
        }
        ProfileConfig::read(&self.disk, &self.root, name)
    }
}

impl Config {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let path = root.settings();
        Ok(Self { document: toml::read(disk, &path)?, path })
    }

    /// Whether a server may be asked anything.
    ///
    /// # Errors
    /// The value is neither on nor off.
    pub fn network(&self) -> Result<bool, Error> {
        is_on(&self.document, &self.path, "network")
    }

    /// Whether clauth may renew logins (R7).
    ///
    /// # Errors
    /// The value is neither on nor off.
    pub fn refresh(&self) -> Result<bool, Error> {
        is_on(&self.document, &self.path, "refresh")
    }

    /// Whether sessions may work on a copy of a lent login without its refresh token (protocols §7).
    ///
    /// # Errors
    /// The value is neither on nor off.
    pub fn bearer(&self) -> Result<bool, Error> {
        is_on(&self.document, &self.path, "sessions.bearer")
    }

    /// How often the live account's usage is asked for.
    ///
    /// # Errors
    /// The value is no time in its range.
    pub fn poll_active(&self) -> Result<Duration, Error> {
        time(&self.document, &self.path, "poll.active")
    }

    /// How often the usage of other accounts is asked for.
    ///
    /// # Errors
    /// The value is no time in its range.
    pub fn poll_parked(&self) -> Result<Duration, Error> {
        time(&self.document, &self.path, "poll.parked")
    }

    /// What the status line shows, where a person has said so.
    ///
    /// # Errors
    /// The value is no line of text.
    pub fn statusline_format(&self) -> Result<Option<String>, Error> {
        Ok(value(&self.document, &self.path, "statusline.format")?.and_then(|value| value.as_str().map(str::to_owned)))
    }

    /// The zone that times are shown in; `None` for the machine's own.
    ///
    /// # Errors
    /// The value is no time zone.
    pub fn zone(&self) -> Result<Option<jiff::tz::TimeZone>, Error> {
        let name = value(&self.document, &self.path, "time.zone")?;
        let name = name.as_ref().and_then(Value::as_str).filter(|name| *name != "local");
        Ok(name.and_then(|name| jiff::tz::TimeZone::get(name).ok()))
    }
}

impl ProfileConfig {
    pub(crate) fn read(disk: &Disk, root: &Root, name: &str) -> Result<Self, Error> {
        let open = |path: PathBuf| Ok::<_, Error>((toml::read(disk, &path)?, path));
        Ok(Self { config: open(root.config(name))?, options: open(root.options(name))? })
    }

    /// The endpoint, which makes a profile an endpoint profile.
    #[must_use]
    pub fn base_url(&self) -> Option<String> {
        toml::text(&self.config.0, "base_url").filter(|url| !url.trim().is_empty())
    }

    /// The endpoint's key.
    #[must_use]
    pub fn api_key(&self) -> Option<Secret> {
        toml::text(&self.config.0, "api_key").filter(|key| !key.is_empty()).map(|key| Secret::new(&key))
    }

    /// The percentage of the 5-hour window at which the chain leaves.
    ///
    /// # Errors
    /// The value is no percentage.
    pub fn line_5h(&self) -> Result<f64, Error> {
        // A line beyond 100 is a last resort as well.
        Ok(percent(&self.config, "fallback_threshold")?.min(100.0))
    }

    /// The percentage of the weekly window at which the chain leaves.
    ///
    /// # Errors
    /// The value is no percentage.
    pub fn line_week(&self) -> Result<f64, Error> {
        percent(&self.options, "line_week")
    }

    /// Whether the profile is taken only when no other has room.
    ///
    /// # Errors
    /// The line is no percentage.
    pub fn last_resort(&self) -> Result<bool, Error> {
        Ok(self.line_5h()? >= 100.0)
    }

    /// Version 0.4.0's wish to open a usage window early, also by its older name.
    ///
    /// # Errors
    /// The value is neither true nor false.
    pub fn auto_start(&self) -> Result<bool, Error> {
        is_on(&self.config.0, &self.config.1, "auto_start")
    }

    /// Whether automatic choices consider the profile.
    ///
    /// # Errors
    /// The value is neither true nor false.
    pub fn enabled(&self) -> Result<bool, Error> {
        is_on(&self.options.0, &self.options.1, "enabled")
    }

    /// The variables of `[env]`, in the file's order.
    ///
    /// # Errors
    /// A value that is no text, or a name that no variable has.
    pub fn env(&self) -> Result<Vec<(String, String)>, Error> {
        let members = edit::members(&self.config.0, "env").into_iter();
        members
            .map(|(name, value)| {
                let text = value.as_str().filter(|_| is_variable(name));
                let text = text.ok_or_else(|| wrong(&format!("env.{name}"), value, &self.config.1))?;
                Ok((name.to_owned(), text.to_owned()))
            })
            .collect()
    }

    /// The model of a tier of `[models]`, where one is named.
    ///
    /// # Errors
    /// The value is no name.
    pub fn model(&self, tier: &str) -> Result<Option<String>, Error> {
        let value = value(&self.options.0, &self.options.1, &format!("models.{tier}"))?;
        Ok(value.and_then(|value| value.as_str().map(str::to_owned)))
    }

    pub(super) fn of(&self, file: File) -> &(DocumentMut, PathBuf) {
        if file == File::Options { &self.options } else { &self.config }
    }
}

/// The value of a setting as it stands or by default.
fn value(document: &DocumentMut, path: &Path, key: &str) -> Result<Option<Value>, Error> {
    let Some(setting) = setting(key) else { return Ok(None) };
    match edit::get(document, key) {
        Some(stands) => setting.takes.stands(stands).map(Some).ok_or_else(|| wrong(key, stands, path)),
        None => Ok(setting.default.and_then(|default| setting.takes.parse(default))),
    }
}

/// What stands in `document` for `setting`, if it can be understood.
pub(super) fn stands(
    document: &DocumentMut,
    path: &Path,
    (setting, key): (&Setting, &str),
) -> Result<Option<Value>, Error> {
    let Some(stands) = edit::get(document, key) else { return Ok(None) };
    setting.takes.stands(stands).map(Some).ok_or_else(|| wrong(key, stands, path))
}

pub(crate) fn is_on(document: &DocumentMut, path: &Path, key: &str) -> Result<bool, Error> {
    let value = value(document, path, key)?;
    let text = value.as_ref().and_then(Value::as_str).and_then(switch);
    Ok(text.or_else(|| value.as_ref().and_then(Value::as_bool)).unwrap_or(true))
}

fn time(document: &DocumentMut, path: &Path, key: &str) -> Result<Duration, Error> {
    let value = value(document, path, key)?;
    Ok(value.as_ref().and_then(Value::as_str).and_then(duration).unwrap_or_default())
}

fn percent((document, path): &(DocumentMut, PathBuf), key: &str) -> Result<f64, Error> {
    Ok(value(document, path, key)?.as_ref().and_then(number).unwrap_or(100.0))
}

/// Anything else than what a setting takes is never taken for one value or another.
fn wrong(key: &str, value: &Value, path: &Path) -> Error {
    let takes = setting(key).map(|setting| setting.takes);
    let shown = match takes {
        Some(super::Takes::Key) => HIDDEN.to_owned(),
        _ if is_secret(key) => HIDDEN.to_owned(),
        _ => crate::text::shown(value.to_string().trim()),
    };
    Error::Unreadable {
        what: format!("the setting {key} = {shown}"),
        path: path.to_owned(),
        next: match takes {
            Some(takes) => format!("{key} takes {}", takes.range()),
            None => format!("{} takes a text in quotes", edit::quoted(key)),
        },
    }
}
