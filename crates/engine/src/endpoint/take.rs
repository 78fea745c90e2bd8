//! `capture --endpoint`: what somebody wrote into `settings.json` by hand becomes a profile. Nothing of Claude Code's is
//! written; the key leaves that file with the next switch.

use clauth_claude::ClaudeHome;
use clauth_durable::{Document, Manner};
use clauth_host::Secret;
use toml_edit::{DocumentMut, value};

use super::add::check_key;
use super::{API_KEY, AUTH_TOKEN, Added, BASE_URL};
use crate::custody::{Desk, Operation};
use crate::error::Kind;
use crate::history::Event;
use crate::{Engine, Error};

/// An endpoint as it stands in a settings file.
pub(crate) struct ByHand {
    pub(crate) url: String,
    pub(crate) key: Secret,
    /// The variable that holds the key.
    variable: &'static str,
}

impl Engine {
    /// The endpoint that the home's `settings.json` holds by hand, if no profile has it: its host, for people.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn endpoint_by_hand(&self) -> Result<Option<String>, Error> {
        let snapshot = self.snapshot()?;
        if self.endpoint_live(&snapshot)?.is_some() {
            return Ok(None);
        }
        Ok(self.by_hand(&snapshot.home)?.map(|found| crate::text::shown(&found.url)))
    }

    fn by_hand(&self, home: &ClaudeHome) -> Result<Option<ByHand>, Error> {
        Ok(self.settings_of(home)?.as_ref().and_then(found_in))
    }

    /// Makes a profile of the endpoint that the home's `settings.json` holds.
    ///
    /// # Errors
    /// There is none, or as for [`Self::add`].
    pub fn capture_endpoint(&self, name: &str) -> Result<Added, Error> {
        self.recover()?;
        self.prepare()?;
        let before = self.snapshot()?;
        let held = self.lock_all(&before.home, &[name.to_owned()])?;
        let snapshot = self.snapshot()?;
        let Some(found) = self.by_hand(&snapshot.home)? else { return Err(nothing(&snapshot.home)) };
        if let Some(holder) = self.endpoint_live(&snapshot)? {
            let what = format!("the profile '{holder}' holds this endpoint already");
            return Err(Error::refused(Kind::Protected, what, name, &["clauth list"]));
        }
        let url = self.addable(name, &found.url)?;
        check_key(name, &found.key)?;
        let mut desk = Desk::new(self, &snapshot)?;
        let document = self.settings_of(&snapshot.home)?.unwrap_or_else(Document::empty);
        desk.draft.put(&self.root.config(name), Manner::Own, config_of(&url, &found).to_string().into_bytes())?;
        let mut record = self.applied()?.unwrap_or_default();
        record.profile = Some(name.to_owned());
        // What the profile holds now is not put back: it goes when the profile is left.
        record.take_over(&document, &[&["env", BASE_URL], &["env", found.variable]]);
        desk.draft.put(&self.root.applied(), Manner::Own, record.bytes())?;
        let settings = snapshot.settings.recording(&snapshot.home, &self.host, &self.disk);
        if snapshot.settings.home.is_none() {
            desk.draft.put(&self.root.settings(), Manner::Own, settings)?;
        }
        desk.edit_roster(|roster| {
            roster.names.push(name.to_owned());
            roster.active = Some(name.to_owned());
        })?;
        let mut event = Event::new(desk.now, "capture", format!("an endpoint, {url}")).about(name);
        event.to = Some(name.to_owned());
        desk.record_event(&event);
        let drafted = desk.finish()?;
        let operation = Operation { done: "capture", to: Some(name.to_owned()), creates: true, ..Operation::default() };
        self.apply(&operation, drafted.changes, &held)?.once()?;
        Ok(Added { name: name.to_owned(), base_url: url, warnings: drafted.warnings })
    }
}

fn found_in(document: &Document) -> Option<ByHand> {
    let text = |variable: &str| document.get::<String>(&["env", variable]).filter(|text| !text.trim().is_empty());
    let url = text(BASE_URL)?;
    let (variable, key) = [AUTH_TOKEN, API_KEY].into_iter().find_map(|variable| Some((variable, text(variable)?)))?;
    Some(ByHand { url, key: Secret::new(key.trim()), variable })
}

fn config_of(url: &str, found: &ByHand) -> DocumentMut {
    let mut document = DocumentMut::new();
    document["base_url"] = value(url);
    document["api_key"] = value(found.key.expose());
    document
}

fn nothing(home: &ClaudeHome) -> Error {
    let what = format!("there is no endpoint to capture: {BASE_URL} with {AUTH_TOKEN} or {API_KEY} in `env`");
    let place = home.settings().display().to_string();
    Error::refused(Kind::Nothing, what, place, &["clauth add NAME --base-url URL"])
}
