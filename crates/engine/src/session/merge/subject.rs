//! The two files that are merged, how finely, and what of them stays where it is.

use std::path::PathBuf;

use clauth_claude::{ACCOUNT_KEYS, ClaudeHome, OUTRANKING};

/// A file that the home and each tree has a copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    /// `.claude.json`.
    State,
    /// `settings.json`.
    Settings,
}

/// The paths of a profile's own overrides in `settings.json`: they never reach the home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Own(pub(crate) Vec<Vec<String>>);

/// What is merged as one value: a top-level key, or one member of a map whose members are merged one by one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Unit {
    pub(super) key: String,
    pub(super) member: Option<String>,
}

impl Subject {
    pub(super) const ALL: [Self; 2] = [Self::State, Self::Settings];

    /// The file in a home or tree.
    pub(super) fn file(self, home: &ClaudeHome) -> PathBuf {
        match self {
            Self::State => home.state.clone(),
            Self::Settings => home.settings(),
        }
    }

    /// The base's file name (S5).
    pub(super) fn base(self) -> &'static str {
        match self {
            Self::State => "claude.json",
            Self::Settings => "settings.json",
        }
    }

    /// Whether the members of `key` are merged one by one: maps by name, whose entries have nothing to do with each
    /// other. All else is one value.
    pub(super) fn splits(self, key: &str) -> bool {
        match self {
            Self::State => ["projects", "mcpServers"].contains(&key),
            // `permissions` holds a mode and lists by name (facts §1.3); a list is a value.
            Self::Settings => {
                ["env", "permissions", "hooks", "enabledPlugins", "extraKnownMarketplaces"].contains(&key)
            }
        }
    }

    /// Whether it belongs to the account that is signed in there: such a key is not even looked at.
    pub(super) fn is_bound(self, key: &str) -> bool {
        self == Self::State && ACCOUNT_KEYS.contains(&key)
    }

    /// Whether its absence destroys something: without a period Claude Code deletes transcripts after thirty days.
    pub(super) fn is_kept(self, unit: &Unit) -> bool {
        self == Self::Settings && unit.key == "cleanupPeriodDays"
    }

    /// Whether it decides which login is used, or where it is sent (facts §2.1). A tree that we know nothing of must not
    /// bring such a thing into the home.
    pub(super) fn outranks(self, unit: &Unit) -> bool {
        let names = |member: &String| OUTRANKING.contains(&member.as_str());
        self == Self::Settings
            && (unit.key == "apiKeyHelper" || (unit.key == "env" && unit.member.as_ref().is_some_and(names)))
    }
}

impl Own {
    /// These and more paths.
    pub(super) fn with(&self, more: &[Vec<String>]) -> Self {
        Self(self.0.iter().chain(more).cloned().collect())
    }

    /// Whether a unit is an override, holds one, or is part of one.
    pub(super) fn covers(&self, unit: &Unit) -> bool {
        let parts = unit.parts();
        self.0.iter().any(|path| path.iter().zip(&parts).all(|(own, part)| own == part))
    }
}

impl Unit {
    fn parts(&self) -> Vec<&str> {
        [Some(self.key.as_str()), self.member.as_deref()].into_iter().flatten().collect()
    }
}
