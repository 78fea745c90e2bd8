//! `applied.json`: what we set in `settings.json`, and what stood there.

use clauth_durable::Document;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::endpoint::{DECIDES, HELPER};

/// One key that we set or took out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Where it is.
    pub(crate) path: Vec<String>,
    /// The texts of which each is ours; `None` for a key that we took out. During a change there are two.
    pub(crate) set: Vec<Option<String>>,
    /// The exact text that stood there.
    pub(crate) before: Option<String>,
    /// The key before which it stood.
    pub(crate) next: Option<String>,
}

/// Everything that is set there by us.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Always 1.
    #[serde(default)]
    pub(crate) schema: u32,
    /// For which profile.
    pub(crate) profile: Option<String>,
    /// The file was not there.
    #[serde(default)]
    pub(crate) made_file: bool,
    /// There was no `env` in it.
    #[serde(default)]
    pub(crate) made_env: bool,
    pub(crate) keys: Vec<Key>,
    /// The endpoint that was left for nobody while a `claude` ran under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left: Option<LeftEndpoint>,
}

/// An endpoint that is in the settings no more, and in the memory of processes still: a login that comes back could be sent
/// there (W6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LeftEndpoint {
    /// The profile, which may be removed by now.
    pub(crate) name: String,
    pub(crate) at: Timestamp,
    /// The processes that ran in the home.
    pub(crate) claudes: Vec<u32>,
}

impl Record {
    /// Whether it tells only of an endpoint that was left, and nothing of what stands in the settings.
    pub(crate) fn only_left(&self) -> bool {
        self.left.is_some() && self.keys.is_empty()
    }

    /// What the file says, if it can be understood.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(Self { schema: 1, ..self.clone() }).unwrap_or_default();
        crate::json::bytes(&value)
    }

    /// What the settings of a session are that has all of `wanted`.
    pub(crate) fn of_session(wanted: super::Wanted) -> Self {
        let key =
            |piece: super::wanted::Piece| Key { path: piece.path, set: vec![piece.value], before: None, next: None };
        Self { keys: wanted.pieces.into_iter().map(key).collect(), ..Self::default() }
    }

    /// Takes what stands at `paths` for ours, which is not put back.
    pub(crate) fn take_over(&mut self, document: &Document, paths: &[&[&str]]) {
        for path in paths {
            let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
            let mut key = Key { path, set: Vec::new(), before: None, next: None };
            key.set.push(document.raw(&key.path()).map(str::to_owned));
            self.keys.retain(|other| other.path != key.path);
            self.keys.push(key);
        }
    }

    /// Whether what stands at `path` in `document` is what we set there.
    pub(crate) fn holds(&self, document: &Document, path: &[&str]) -> bool {
        let key = self.keys.iter().find(|key| key.path == path);
        key.is_some_and(|key| key.is_ours(document))
    }
}

impl Key {
    pub(crate) fn path(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    /// Whether it is a login, or a place to send one to.
    pub(crate) fn decides(&self) -> bool {
        matches!(self.path(), path if path == [HELPER] || matches!(path[..], ["env", variable] if DECIDES.contains(&variable)))
    }

    /// Whether what stands there is what we set. Claude Code may have printed it anew, so values are compared, not texts.
    pub(crate) fn is_ours(&self, document: &Document) -> bool {
        let stands = document.raw(&self.path());
        self.set.iter().any(|set| same(stands, set.as_deref()))
    }
}

/// Whether two texts are one value.
pub(super) fn same(one: Option<&str>, other: Option<&str>) -> bool {
    let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one == other || value(one).is_some_and(|one| Some(one) == value(other)),
        _ => false,
    }
}
