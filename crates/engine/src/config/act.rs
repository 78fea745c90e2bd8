//! `config`: showing settings, and changing one.

use std::path::PathBuf;

use clauth_durable::Manner;
use clauth_host::Secret;
use toml_edit::{DocumentMut, Value};

use super::read::stands;
use super::table::{self, Setting};
use super::takes::{HIDDEN, is_secret};
use super::{Config, File, ProfileConfig, SETTINGS, Takes, edit, nearest_setting};
use crate::custody::{Draft, Operation};
use crate::error::Kind;
use crate::profile::{ProfileKind, Record};
use crate::{Engine, Error, toml};

/// A setting as it stands.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Its name.
    pub key: String,
    /// Its row of the table.
    pub setting: &'static Setting,
    /// What the file says; of a key its fingerprint, of a variable that bears a secret only that it is set. `None` when it says nothing.
    pub value: Option<serde_json::Value>,
    /// What holds otherwise.
    pub default: Option<serde_json::Value>,
    /// What is wrong with what the file says, where its setting does not take that.
    pub fault: Option<String>,
}

/// What a change came to.
pub struct Changed {
    /// The setting.
    pub key: String,
    /// Whose it is.
    pub profile: Option<String>,
    /// Whether the file says something else now.
    pub changed: bool,
    /// What is to be told beside it.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Every setting of clauth's, or of a profile. A value that its setting does not take hides no other.
    ///
    /// # Errors
    /// No such profile, or a file that is no TOML.
    pub fn settings(&self, profile: Option<&str>) -> Result<Vec<Shown>, Error> {
        let files = self.files(profile)?;
        let mut all = Vec::new();
        for row in SETTINGS.iter().filter(|row| row.of_profile() == profile.is_some()) {
            let (document, _) = files.of(row.file);
            match row.key.split_once(".<") {
                None => all.push(files.shown_or_told(row, row.key)),
                Some((name, _)) => {
                    let members = edit::members(document, name).into_iter();
                    all.extend(members.map(|(key, _)| files.shown_or_told(row, &format!("{name}.{key}"))));
                }
            }
        }
        Ok(all)
    }

    /// What no setting of clauth's, or of the profile exactly so called, takes: the file, the key, and what is wrong. What is
    /// empty is as good as not there, and a variable's value is passed on as it is.
    pub(crate) fn faults(&self, profile: Option<&str>) -> Vec<(PathBuf, String, String)> {
        let told = |shown: Shown, path: PathBuf| Some((path, shown.key, shown.fault?));
        let files = match profile {
            None => self.files(None),
            Some(name) => self.profile_config(name).map(|config| Files::Profile(name.to_owned(), Box::new(config))),
        };
        let Ok(files) = files else { return Vec::new() };
        let rows = SETTINGS.iter().filter(|row| row.of_profile() == profile.is_some());
        let mut faults = Vec::new();
        for row in rows {
            let (document, path) = files.of(row.file);
            let keys = match row.key.split_once(".<") {
                None => vec![row.key.to_owned()],
                Some((name, _)) => {
                    let members = edit::members(document, name).into_iter().filter(|(_, value)| !value.is_str());
                    members.map(|(key, _)| format!("{name}.{key}")).collect()
                }
            };
            let is_said = |key: &String| edit::get(document, key).is_some_and(|value| value.as_str() != Some(""));
            let keys = keys.into_iter().filter(is_said);
            faults.extend(keys.filter_map(|key| told(files.shown_or_told(row, &key), path.to_owned())));
        }
        faults
    }

    /// One setting.
    ///
    /// # Errors
    /// No such setting or profile, or a file that cannot be understood.
    pub fn setting(&self, key: &str, profile: Option<&str>) -> Result<Shown, Error> {
        let row = named(key, profile)?;
        self.files(profile)?.shown(row, key)
    }

    /// The files that hold the settings of clauth, or of a profile.
    ///
    /// # Errors
    /// No such profile.
    pub fn settings_files(&self, profile: Option<&str>) -> Result<Vec<PathBuf>, Error> {
        Ok(match profile {
            None => vec![self.root.settings()],
            Some(asked) => {
                let name = self.find(asked)?;
                vec![self.root.config(&name), self.root.options(&name)]
            }
        })
    }

    /// Sets a setting to the value that `text` means.
    ///
    /// # Errors
    /// No such setting or profile, a value that it does not take (then nothing is written), or a disk that refuses.
    pub fn set(&self, key: &str, text: &str, profile: Option<&str>) -> Result<Changed, Error> {
        let row = named(key, profile)?;
        if row.takes == Takes::Key {
            let what = format!("{key} is never taken from the command line, which other programs can see");
            let next = format!("clauth config set {}{key} < FILE", flag(profile));
            return Err(Error::refused(Kind::Usage, what, key, &[&next]));
        }
        if let Some(why) = forbidden(key) {
            return Err(Error::refused(
                Kind::Usage,
                format!("{key} cannot be set: {why}"),
                key,
                &["clauth add --help"],
            ));
        }
        let value = row.takes.parse(text).ok_or_else(|| refuse(row, key, text))?;
        self.change(row, key, profile, Some(value))
    }

    /// Sets a key, as it came from standard input or a prompt. What was given is never repeated.
    ///
    /// # Errors
    /// As for [`Self::set`].
    pub fn set_key(&self, key: &str, secret: &Secret, profile: Option<&str>) -> Result<Changed, Error> {
        let row = named(key, profile)?;
        let value = Takes::Key.parse(secret.expose()).filter(|_| row.takes == Takes::Key);
        let what = || format!("what was given for {key} is no key: one word of printable characters");
        let value = value.ok_or_else(|| Error::refused(Kind::Usage, what(), key, &["give the key alone"]))?;
        self.change(row, key, profile, Some(value))
    }

    /// Lets the default hold again.
    ///
    /// # Errors
    /// No such setting or profile, or a disk that refuses.
    pub fn unset(&self, key: &str, profile: Option<&str>) -> Result<Changed, Error> {
        let row = named(key, profile)?;
        self.change(row, key, profile, None)
    }

    fn files(&self, profile: Option<&str>) -> Result<Files, Error> {
        match profile {
            None => {
                let path = self.root.settings();
                Ok(Files::Ours(toml::read(&self.disk, &path)?, path))
            }
            Some(asked) => {
                let name = self.find(asked)?;
                Ok(Files::Profile(name.clone(), Box::new(ProfileConfig::read(&self.disk, &self.root, &name)?)))
            }
        }
    }

    fn change(
        &self,
        row: &'static Setting,
        key: &str,
        profile: Option<&str>,
        value: Option<Value>,
    ) -> Result<Changed, Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let files = self.files(profile)?;
        files.allows(self, key, value.is_some())?;
        let (document, path) = files.of(row.file);
        let mut after = document.clone();
        match value {
            Some(value) => edit::set(&mut after, key, value, path)?,
            None => edit::unset(&mut after, key),
        }
        let mut draft = Draft::new(&self.disk);
        let bytes = after.to_string().into_bytes();
        if !bytes.is_empty() || self.disk.read(path)?.is_some() {
            draft.put(path, Manner::Document, bytes)?;
        }
        let changes = draft.into_changes();
        let changed = !changes.is_empty();
        let name = files.name();
        self.apply(&Operation { done: "config", to: name.clone(), ..Operation::default() }, changes, &held)?.once()?;
        drop(held);
        let mut done = Changed { key: key.to_owned(), profile: name, changed, warnings: Vec::new() };
        if row.reaches_claude() && changed {
            self.take_effect(&mut done);
        }
        Ok(done)
    }

    /// What the active profile sets in Claude Code's settings follows at once; a switch does it otherwise.
    fn take_effect(&self, done: &mut Changed) {
        let Some(name) = &done.profile else { return };
        let brought = match self.list().map(|listing| listing.active.as_ref() == Some(name)) {
            Ok(true) => {
                self.switch(crate::Target::Named(name), crate::Options::default()).map(|report| report.warnings)
            }
            Ok(false) => return,
            Err(error) => Err(error),
        };
        match brought {
            Ok(warnings) => done.warnings.extend(warnings),
            Err(error) => done.warnings.push(format!("it is not in Claude Code's settings yet: {error}")),
        }
    }
}

/// The files that a call is about.
enum Files {
    Ours(DocumentMut, PathBuf),
    Profile(String, Box<ProfileConfig>),
}

impl Files {
    fn of(&self, file: File) -> (&DocumentMut, &std::path::Path) {
        match self {
            Self::Ours(document, path) => (document, path),
            Self::Profile(_, both) => {
                let (document, path) = both.of(file);
                (document, path)
            }
        }
    }

    /// What makes a profile an endpoint's, or keeps it one, is decided when it is added.
    fn allows(&self, engine: &Engine, key: &str, sets: bool) -> Result<(), Error> {
        let Self::Profile(name, _) = self else { return Ok(()) };
        if !["base_url", "api_key"].contains(&key) {
            return Ok(());
        }
        let kind = Record::read(&engine.disk, &engine.root, name).kind;
        let refuse = |what: String, next: &str| Err(Error::refused(Kind::Protected, what, name.clone(), &[next]));
        if kind != ProfileKind::Endpoint {
            let what = format!("'{name}' is no endpoint profile, and {key} would send its login elsewhere");
            return refuse(what, "clauth add OTHER --base-url URL");
        }
        if key == "base_url" && !sets {
            return refuse(format!("without its address '{name}' would be no endpoint profile"), "clauth remove NAME");
        }
        Ok(())
    }

    fn name(&self) -> Option<String> {
        match self {
            Self::Ours(..) => None,
            Self::Profile(name, _) => Some(name.clone()),
        }
    }

    fn shown(&self, row: &'static Setting, key: &str) -> Result<Shown, Error> {
        let (document, path) = self.of(row.file);
        let value = stands(document, path, (row, key))?;
        let value = value.map(|value| match (row.takes, value.as_str()) {
            (Takes::Key, Some(text)) => Secret::new(text).fingerprint().short().into(),
            _ if is_secret(key) => format!("set {HIDDEN}").into(),
            _ => json(&value),
        });
        let default = row.default.and_then(|default| row.takes.parse(default)).map(|value| json(&value));
        Ok(Shown { key: key.to_owned(), setting: row, value, default, fault: None })
    }

    /// The same; of what the setting does not take, as it stands, with what is wrong.
    fn shown_or_told(&self, row: &'static Setting, key: &str) -> Shown {
        self.shown(row, key).unwrap_or_else(|error| {
            let (document, path) = self.of(row.file);
            let value = edit::get(document, key).filter(|_| row.takes != Takes::Key && !is_secret(key)).map(json);
            let default = row.default.and_then(|default| row.takes.parse(default)).map(|value| json(&value));
            let takes = error.hints().join("; ");
            let fault = format!("{key} in {} is not understood: {takes}", path.display());
            Shown { key: key.to_owned(), setting: row, value, default, fault: Some(fault) }
        })
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Boolean(on) => (*on.value()).into(),
        Value::Integer(number) => (*number.value()).into(),
        Value::Float(number) => (*number.value()).into(),
        Value::String(text) => text.value().as_str().into(),
        other => other.to_string().into(),
    }
}

/// The row of a key, for clauth's own settings or a profile's.
fn named(key: &str, profile: Option<&str>) -> Result<&'static Setting, Error> {
    let Some(row) = table::setting(key) else {
        let meant = nearest_setting(key).map(|near| format!("did you mean: {near}"));
        let list = format!("clauth config list{}", profile.map_or(String::new(), |_| " --profile NAME".into()));
        let next: Vec<&str> = meant.iter().map(String::as_str).chain([list.as_str()]).collect();
        let shown = crate::text::shown(key);
        return Err(Error::refused(Kind::Usage, format!("there is no setting '{shown}'"), shown, &next));
    };
    match (row.of_profile(), profile) {
        (true, None) => {
            let next = format!("clauth config get --profile NAME {key}");
            Err(Error::refused(Kind::Usage, format!("{key} is a profile's setting"), key, &[&next]))
        }
        (false, Some(_)) => {
            let next = format!("clauth config get {key}");
            Err(Error::refused(Kind::Usage, format!("{key} is not a profile's setting, but clauth's"), key, &[&next]))
        }
        _ => Ok(row),
    }
}

fn flag(profile: Option<&str>) -> String {
    profile.map_or_else(String::new, |name| format!("--profile {name} "))
}

/// Variables of which each is a login or a place to send one to; a profile's own endpoint and key are what they are for.
fn forbidden(key: &str) -> Option<&'static str> {
    let name = key.strip_prefix("env.")?;
    crate::endpoint::DECIDES
        .contains(&name)
        .then_some("it would decide which login is used, or where it is sent; that is what an endpoint profile is for")
}

fn refuse(row: &Setting, key: &str, text: &str) -> Error {
    let why = match row.takes {
        Takes::Url => super::check_url(text).err().map(|why| format!(": {why}")),
        _ => None,
    };
    let text = if is_secret(key) { HIDDEN.into() } else { crate::text::shown(text) };
    let what = format!("{key} does not take '{text}'{}", why.unwrap_or_default());
    let next = format!("{key} takes {}", row.takes.range());
    Error::refused(Kind::Usage, what, key, &[&next])
}

/// The settings that every command reads first.
impl Config {
    pub(crate) fn switches(document: &DocumentMut, path: &std::path::Path) -> Result<(bool, bool), Error> {
        Ok((super::read::is_on(document, path, "network")?, super::read::is_on(document, path, "refresh")?))
    }
}
