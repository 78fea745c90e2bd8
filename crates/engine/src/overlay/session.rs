//! What of the home's settings is not the home's own, and so stays out of sessions; and what a profile's own sessions get.

use std::collections::BTreeMap;
use std::path::Path;

use clauth_claude::{ClaudeHome, Override};
use serde_json::Value;

use super::Wanted;
use crate::endpoint::{DECIDES, HELPER, STRONGER};
use crate::{Engine, Error};

/// Paths in `settings.json` with what stands there instead in a session; `None` for nothing.
pub(crate) type Hidden = Vec<(Vec<String>, Option<Value>)>;

impl Engine {
    /// What a session of `name` has in its `settings.json` in the place of what stands in the home's: the profile's own,
    /// and what the home has but for the sake of the profile that is active there.
    pub(crate) fn session_settings(&self, name: &str, home: &ClaudeHome) -> Result<(Hidden, Vec<String>), Error> {
        let mut all: BTreeMap<Vec<String>, Option<Value>> = BTreeMap::new();
        let document = self.settings_of(home)?;
        for key in self.applied()?.unwrap_or_default().keys {
            // A key that was edited since is the user's, here too.
            if document.as_ref().is_some_and(|document| key.is_ours(document)) {
                all.insert(key.path.clone(), key.before.as_deref().and_then(value));
            }
        }
        let Wanted { pieces, warnings } = self.wanted(name, name)?;
        for piece in pieces {
            all.insert(piece.path, piece.value.as_deref().and_then(value));
        }
        Ok((all.into_iter().collect(), warnings))
    }

    /// What in the settings of the session that is given `dir` outranks its login (facts §2.1), but for what is its profile's
    /// own; each key once.
    pub(crate) fn session_overrides(&self, name: &str, dir: &Path) -> Vec<String> {
        let home = ClaudeHome::at(dir, &self.host, &self.disk);
        let own: Vec<String> = self.wanted(name, name).map_or_else(
            |_| Vec::new(),
            |wanted| wanted.pieces.into_iter().map(|piece| piece.path.join(".")).collect(),
        );
        let mut told: Vec<String> = Vec::new();
        let mut names = Vec::new();
        for over in clauth_claude::overrides(&self.host, &self.disk, &home, self.here.as_deref()) {
            let Override::Setting { file, key, .. } = &over else { continue };
            if told.contains(key) || (*file == home.settings() && own.contains(key)) {
                continue;
            }
            told.push(key.clone());
            names.push(over.name());
        }
        names
    }

    /// The paths that never cross between the home and a session, whoever is active: which login is used, and where it
    /// goes, is each one's own matter.
    pub(crate) fn never_merged(&self) -> Vec<Vec<String>> {
        let of = |path: &[&str]| path.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>();
        let mut all = vec![of(&[HELPER])];
        all.extend(DECIDES.iter().chain(STRONGER).map(|variable| of(&["env", variable])));
        all.extend(self.applied().ok().flatten().unwrap_or_default().keys.into_iter().map(|key| key.path));
        all
    }
}

fn value(raw: &str) -> Option<Value> {
    serde_json::from_str(raw).ok()
}
