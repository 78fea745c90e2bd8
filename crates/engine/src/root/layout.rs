//! The one list of what lies in the root: a purge goes by it, and SECURITY.md is tested against it.

use std::path::{Path, PathBuf};

/// A kind of file in the root.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Where, relative to the root.
    pub path: &'static str,
    /// What it holds.
    pub what: &'static str,
    /// Whether it may hold tokens or keys.
    pub secret: bool,
}

/// Everything that clauth keeps.
pub const LAYOUT: &[Entry] = &[
    Entry { path: ".lock", what: "the state lock, shared with version 0.4.0", secret: false },
    Entry { path: "locks/", what: "all other locks, and who holds what", secret: false },
    Entry { path: "profiles.toml", what: "order of the profiles, active marker", secret: false },
    Entry { path: "settings.toml", what: "our settings, the recorded Claude Code home", secret: false },
    Entry { path: "profiles/<name>/config.toml", what: "what a person edits, endpoint keys included", secret: true },
    Entry { path: "profiles/<name>/options.toml", what: "what a person edits", secret: false },
    Entry {
        path: "profiles/<name>/credentials.json",
        what: "the slot: the login, full or as a bearer copy",
        secret: true,
    },
    Entry { path: "profiles/<name>/loan.json", what: "the full login while it is lent to the live home", secret: true },
    Entry { path: "profiles/<name>/token.json", what: "a setup token", secret: true },
    Entry { path: "profiles/<name>/identity.json", what: "whose login it is, and by what proof", secret: false },
    Entry {
        path: "profiles/<name>/machine.json",
        what: "the machine that a login was signed in on anew, in a root that came from another",
        secret: false,
    },
    Entry { path: "profiles/<name>/verdict.json", what: "what is known against the present login", secret: false },
    Entry {
        path: "profiles/<name>/refresh/",
        what: "while a renewal is unfinished: its mark, and the new pair until it is in place",
        secret: true,
    },
    Entry { path: "renewed-<name>.json", what: "a new pair that found no other place", secret: true },
    Entry {
        path: "profiles/<name>/bound/",
        what: "Claude Code's account-bound files, and the API key in its state file, while parked",
        secret: true,
    },
    Entry {
        path: "profiles/<name>/base/",
        what: "how a session's settings, state, item and, in copy mode, files were when they were last in step",
        secret: false,
    },
    Entry {
        path: "profiles/<name>/runtime/",
        what: "the config directory that the profile's sessions share",
        secret: true,
    },
    Entry {
        path: "profiles/<name>/isolated/",
        what: "the config directories of isolated sessions, which use the login in runtime/",
        secret: true,
    },
    Entry { path: "profiles/<name>/sessions/", what: "who lives in it: a locked file for each", secret: false },
    Entry {
        path: "profiles/<name>/conflicts/",
        what: "what lost against something newer when a session's files came home",
        secret: true,
    },
    Entry { path: "profiles/<name>/usage_cache.json", what: "the last reading, with its age", secret: false },
    Entry { path: "profiles/<name>/usage_history.jsonl", what: "14 days of readings", secret: false },
    Entry {
        path: "profiles/<name>/usage_history.old.jsonl",
        what: "earlier readings, until they are compacted",
        secret: false,
    },
    Entry { path: "poll/", what: "requests made for each account, and who polls it", secret: false },
    Entry { path: "incidents.json", what: "what Anthropic's status page said last, and when", secret: false },
    Entry { path: "login/", what: "the private directory of a sign-in that is under way", secret: true },
    Entry {
        path: "applied.json",
        what: "what we set in Claude Code's settings, and what stood there, keys included",
        secret: true,
    },
    Entry { path: "bindings.toml", what: "directories bound to profiles", secret: false },
    Entry { path: "integrations.json", what: "everything that was put outside the root", secret: true },
    Entry { path: "spent.jsonl", what: "fingerprints of refresh tokens that are used up", secret: false },
    Entry { path: "vault/", what: "displaced logins with why, when and whose", secret: true },
    Entry { path: ".item.clauth-*", what: "what a Keychain item held, while it is being written", secret: true },
    Entry { path: "journal/", what: "the one unfinished change: names and fingerprints", secret: false },
    Entry { path: "history.jsonl", what: "one line a change of who is who", secret: false },
    Entry { path: "log/", what: "what went wrong while a session had the terminal", secret: false },
];

/// Directories of a profile that belong to its sessions: large, at work in a session that outlives its profile, and with
/// files of the user's in them. What is a login in them is looked after by [`crate::session`], as in a copied tree.
pub(crate) const TREES: [&str; 5] = ["runtime", "sessions", "isolated", "base", "conflicts"];

/// The root directory and the paths in it, and whether credentials are Keychain items on this machine.
#[derive(Clone, Debug)]
pub struct Root(PathBuf, bool);

impl Root {
    /// The root at `path`.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path, false)
    }

    /// The same on a machine where credentials are Keychain items.
    #[must_use]
    pub fn with_items(mut self, items: bool) -> Self {
        self.1 = items;
        self
    }

    /// Whether credentials are Keychain items on this machine.
    #[must_use]
    pub fn has_items(&self) -> bool {
        self.1
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn state_lock(&self) -> PathBuf {
        self.0.join(".lock")
    }

    pub(crate) fn locks(&self) -> PathBuf {
        self.0.join("locks")
    }

    pub(crate) fn roster(&self) -> PathBuf {
        self.0.join("profiles.toml")
    }

    pub(crate) fn settings(&self) -> PathBuf {
        self.0.join("settings.toml")
    }

    pub(crate) fn profiles(&self) -> PathBuf {
        self.0.join("profiles")
    }

    /// A profile's directory.
    #[must_use]
    pub fn profile(&self, name: &str) -> PathBuf {
        self.profiles().join(name)
    }

    /// A profile's slot.
    #[must_use]
    pub fn slot(&self, name: &str) -> PathBuf {
        self.profile(name).join("credentials.json")
    }

    /// A profile's loan.
    #[must_use]
    pub fn loan(&self, name: &str) -> PathBuf {
        self.profile(name).join("loan.json")
    }

    /// A profile's setup token.
    #[must_use]
    pub fn token(&self, name: &str) -> PathBuf {
        self.profile(name).join("token.json")
    }

    /// Where sign-ins that are under way have their directories.
    pub(crate) fn login(&self) -> PathBuf {
        self.0.join("login")
    }

    pub(crate) fn identity(&self, name: &str) -> PathBuf {
        self.profile(name).join("identity.json")
    }

    pub(crate) fn usage(&self, name: &str) -> PathBuf {
        self.profile(name).join("usage_cache.json")
    }

    pub(crate) fn usage_history(&self, name: &str) -> PathBuf {
        self.profile(name).join("usage_history.jsonl")
    }

    /// Readings that were put aside, where nobody compacted them.
    pub(crate) fn usage_history_before(&self, name: &str) -> PathBuf {
        self.profile(name).join("usage_history.old.jsonl")
    }

    /// The requests made for an account.
    pub(crate) fn polls(&self) -> PathBuf {
        self.0.join("poll")
    }

    pub(crate) fn poll(&self, account: &str) -> PathBuf {
        self.polls().join(format!("{account}.json"))
    }

    pub(crate) fn incidents(&self) -> PathBuf {
        self.0.join("incidents.json")
    }

    pub(crate) fn verdict(&self, name: &str) -> PathBuf {
        self.profile(name).join("verdict.json")
    }

    /// On which machine the login was confirmed (L7).
    pub(crate) fn machine(&self, name: &str) -> PathBuf {
        self.profile(name).join("machine.json")
    }

    pub(crate) fn bound(&self, name: &str) -> PathBuf {
        self.profile(name).join("bound")
    }

    /// Where the mark and the staged pair of a renewal lie (R4, R5).
    pub(crate) fn refresh(&self, name: &str) -> PathBuf {
        self.profile(name).join("refresh")
    }

    pub(crate) fn config(&self, name: &str) -> PathBuf {
        self.profile(name).join("config.toml")
    }

    pub(crate) fn options(&self, name: &str) -> PathBuf {
        self.profile(name).join("options.toml")
    }

    pub(crate) fn applied(&self) -> PathBuf {
        self.0.join("applied.json")
    }

    pub(crate) fn bindings(&self) -> PathBuf {
        self.0.join("bindings.toml")
    }

    /// What was put outside the root.
    pub(crate) fn integrations(&self) -> PathBuf {
        self.0.join("integrations.json")
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.0.join("vault")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("journal").join("open.json")
    }

    pub(crate) fn spent(&self) -> PathBuf {
        self.0.join("spent.jsonl")
    }

    /// What nobody could be told.
    pub(crate) fn log(&self) -> PathBuf {
        self.0.join("log").join("clauth.log")
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.0.join("history.jsonl")
    }
}
