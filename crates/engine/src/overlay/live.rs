//! Whether an endpoint is what Claude Code uses: by the settings that it reads, as a login is told by the credential.

use clauth_claude::Override;
use clauth_durable::Document;

use super::Applied;
use super::record::same;
use crate::config::ProfileConfig;
use crate::custody::Snapshot;
use crate::endpoint::{API_KEY, AUTH_TOKEN, BASE_URL, HELPER, same_host};
use crate::profile::{ProfileKind, Record, Roster};
use crate::root::{Era, Settings};
use crate::{Engine, Error};

impl Engine {
    /// The endpoint profile that Claude Code uses in the home of `snapshot`, if it does.
    pub(crate) fn endpoint_live(&self, snapshot: &Snapshot) -> Result<Option<String>, Error> {
        let mut endpoints = snapshot.records.iter().filter(|record| record.kind == ProfileKind::Endpoint).peekable();
        if endpoints.peek().is_none() {
            return Ok(None);
        }
        let Some(document) = self.settings_of(&snapshot.home)? else { return Ok(None) };
        if document.raw(&["env", BASE_URL]).is_none() {
            return Ok(None);
        }
        // One that cannot be understood stops what acts on it; here the values themselves tell.
        let applied = self.applied().ok().flatten();
        for record in endpoints {
            let Ok(config) = ProfileConfig::read(&self.disk, &self.root, &record.name) else { continue };
            if self.uses(&document, applied.as_ref(), (&record.name, &config)) {
                return Ok(Some(record.name.clone()));
            }
        }
        Ok(None)
    }

    fn uses(&self, document: &Document, applied: Option<&Applied>, (name, config): (&str, &ProfileConfig)) -> bool {
        let ours = applied.filter(|applied| applied.profile.as_deref() == Some(name));
        let holds = |path: &[&str]| ours.is_some_and(|applied| applied.holds(document, path));
        let stands = |path: &[&str]| document.get::<String>(path);
        let url = stands(&["env", BASE_URL]);
        // Whatever the path: the key is for the host, and so is what would be sent there in its stead.
        let own = config.base_url();
        let to_its_host = url.as_deref().zip(own.as_deref()).is_some_and(|(url, own)| same_host(url, own));
        let to_it = to_its_host || holds(&["env", BASE_URL]);
        let helped = holds(&[HELPER]) || stands(&[HELPER]).is_some_and(|command| self.is_helper(&command, name));
        // By hand, or by version 0.4.0.
        let key = config.api_key();
        let keyed = [AUTH_TOKEN, API_KEY].into_iter().any(|variable| {
            let value = stands(&["env", variable]);
            value.is_some() && value.as_deref() == key.as_ref().map(clauth_host::Secret::expose)
        });
        to_it && (helped || keyed)
    }

    /// The home's settings; `None` where there are none that can be understood.
    pub(crate) fn settings_of(&self, home: &clauth_claude::ClaudeHome) -> Result<Option<Document>, Error> {
        let bytes = self.disk.read(&home.settings())?;
        Ok(bytes.and_then(|bytes| Document::parse(bytes).ok()))
    }

    /// What we set in the settings of `home`, which may be a session's.
    pub(crate) fn set_in(&self, home: &clauth_claude::ClaudeHome) -> Result<Option<Applied>, Error> {
        let name = home.dir.parent().and_then(|dir| dir.strip_prefix(self.root.profiles()).ok()?.to_str());
        match name.filter(|name| !name.is_empty() && crate::session::Place::of(&self.root, name).tree == home.dir) {
            Some(name) => Ok(Some(Applied::of_session(self.wanted(name, name)?))),
            None => {
                let applied = match self.applied()? {
                    Some(applied) => Some(applied),
                    None => self.equal_to_active(home)?,
                };
                Ok(applied.map(|applied| self.without_decisions(applied)))
            }
        }
    }

    /// What stands in the home's settings and equals what the marked profile sets, where there is no record.
    fn equal_to_active(&self, home: &clauth_claude::ClaudeHome) -> Result<Option<Applied>, Error> {
        let active = Roster::read(&self.disk, &self.root)?.active;
        let old = Settings::read(&self.disk, &self.root)?.era != Era::Ours;
        let endpoint = |name: &String| Record::read(&self.disk, &self.root, name).kind == ProfileKind::Endpoint;
        let active = active.filter(|name| old || endpoint(name));
        let document = self.settings_of(home)?;
        Ok(active.zip(document).map(|(name, document)| self.equal_to(&name, &document, old)))
    }

    /// Beside a login what decides which one is used outranks it, also where version 0.4.0 set it for that profile.
    fn without_decisions(&self, mut applied: Applied) -> Applied {
        let endpoint = |name: &str| Record::read(&self.disk, &self.root, name).kind == ProfileKind::Endpoint;
        if !applied.profile.as_deref().is_some_and(endpoint) {
            applied.keys.retain(|key| !key.decides());
        }
        applied
    }

    /// What we set in the home's settings; `None` where we never did.
    ///
    /// # Errors
    /// A record that cannot be understood: what would be taken for the user's could be an endpoint's address (W6).
    pub(crate) fn applied(&self) -> Result<Option<Applied>, Error> {
        self.read_applied(self.disk.read(&self.root.applied())?)
    }

    /// The same of bytes that were read.
    pub(super) fn read_applied(&self, bytes: Option<Vec<u8>>) -> Result<Option<Applied>, Error> {
        let torn = || Error::Unreadable {
            what: "the record of what clauth set in Claude Code's settings".into(),
            path: self.root.applied(),
            next: "mend it, or move it away: all but an endpoint's address and key then counts as your own".into(),
        };
        bytes.map(|bytes| Applied::parse(&bytes).ok_or_else(torn)).transpose()
    }
}

/// Whether an override is what we set ourselves for the profile that is active.
pub(crate) fn ours_in(document: &Document, applied: &Applied, over: &Override) -> bool {
    let Override::Setting { label, key, .. } = over else { return false };
    let path: Vec<&str> = key.splitn(2, '.').collect();
    let known = applied.keys.iter().find(|known| known.path == path);
    let stands = known.is_some_and(|known| known.set.iter().any(|set| same(document.raw(&path), set.as_deref())));
    label == "settings.json" && stands
}
