//! What a profile wants in `settings.json`: a pure function of its settings.

use serde_json::Value;

use crate::Error;
use crate::config::ProfileConfig;
use crate::endpoint::{BASE_URL, DECIDES, HELPER, STRONGER};

/// The tiers of `[models]`, and where each goes.
const MODELS: [(&str, &[&str]); 6] = [
    ("default", &["model"]),
    ("opus", &["env", "ANTHROPIC_DEFAULT_OPUS_MODEL"]),
    ("sonnet", &["env", "ANTHROPIC_DEFAULT_SONNET_MODEL"]),
    ("haiku", &["env", "ANTHROPIC_DEFAULT_HAIKU_MODEL"]),
    ("fable", &["env", "ANTHROPIC_DEFAULT_FABLE_MODEL"]),
    ("subagent", &["env", "CLAUDE_CODE_SUBAGENT_MODEL"]),
];

/// One key of `settings.json`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it is.
    pub(crate) path: Vec<String>,
    /// Its text; `None` for a key that must not be there.
    pub(crate) value: Option<String>,
}

/// Everything that a profile wants there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) pieces: Vec<Piece>,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

impl Wanted {
    /// Of the profile `name`. `helper` is the command that prints its key.
    ///
    /// # Errors
    /// A setting that cannot be understood.
    pub(crate) fn of(name: &str, config: &ProfileConfig, helper: &str) -> Result<Self, Error> {
        let mut wanted = Self::default();
        let url = config.base_url();
        if let Some(url) = &url {
            wanted.put(&[HELPER], helper);
            wanted.put(&["env", BASE_URL], url);
            // Each of these would be used instead of the key, or send it elsewhere (facts §2.1).
            for variable in STRONGER {
                wanted.pieces.push(Piece { path: owned(&["env", variable]), value: None });
            }
        }
        for (tier, path) in MODELS {
            if let Some(model) = config.model(tier)? {
                wanted.put(path, &model);
            }
        }
        for (variable, value) in config.env()? {
            if !DECIDES.contains(&variable.as_str()) {
                wanted.put(&["env", &variable], &value);
                continue;
            }
            // Version 0.4.0 wrote the endpoint's own variables there.
            let same_url = variable == BASE_URL && url.as_ref() == Some(&value);
            let same_key = config.api_key().is_some_and(|key| key.expose() == value);
            if !(same_url || same_key) {
                wanted.warnings.push(format!(
                    "{variable} in [env] of '{name}' was not set: it would decide which login is used, or where it goes"
                ));
            }
        }
        Ok(wanted)
    }

    fn put(&mut self, path: &[&str], value: &str) {
        let path = owned(path);
        self.pieces.retain(|piece| piece.path != path);
        self.pieces.push(Piece { path, value: Some(Value::from(value).to_string()) });
    }
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|part| (*part).to_owned()).collect()
}
