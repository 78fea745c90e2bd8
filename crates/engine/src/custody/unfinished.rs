//! The journal's entry: names and fingerprints of the one change that is under way, never a token (W6).

use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::history::Event;
use crate::{Engine, Error};

/// A change that was begun and not closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Always 1.
    pub schema: u32,
    /// The command: `switch`, `capture`, …
    pub done: String,
    /// Whose login was live when it began.
    pub from: Option<String>,
    /// Whose login it puts live, or the profile that it is about.
    pub to: Option<String>,
    /// When it began.
    pub at: Timestamp,
    /// Full fingerprints of the refresh tokens that leave and enter the live home.
    pub tokens: Vec<String>,
    /// Temporary files that it may leave behind.
    #[serde(with = "clauth_durable::path_text::many")]
    pub temps: Vec<PathBuf>,
    /// Whether `to` did not exist before.
    #[serde(default)]
    pub creates: bool,
    /// A recovery of it was begun: what it had lent may be on its way back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovering: bool,
    /// What it tells the history at its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

/// A change that is not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// Its process is gone.
    Interrupted(Unfinished),
    /// A process of this id is at work on it.
    UnderWay(Unfinished, u32),
}

/// What may give a profile another account's name.
const NAMING: [&str; 4] = ["capture", "login", "restore", "adopt"];

/// What leaves the live login alone, or puts a later one of the same account in its place.
const STAYING: [&str; 16] = [
    "capture",
    "login",
    "restore",
    "adopt",
    "remove",
    "rename",
    "refresh",
    "renew",
    "order",
    "enable",
    "disable",
    "config",
    "add",
    "install",
    "uninstall",
    "purge",
];

/// What may put another login live, or let the state file name another account.
const MOVING: [&str; 4] = ["switch", "undo", "takeover", "recover"];

impl Unfinished {
    /// The command, as a recovery of it tells it on; of one that only a later version has, that it was recovered.
    pub(super) fn word(&self) -> &'static str {
        STAYING.into_iter().chain(MOVING).find(|word| *word == self.done).unwrap_or("recover")
    }

    /// The command with its article, for a sentence.
    #[must_use]
    pub fn phrase(&self) -> String {
        let article = if self.done.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
        format!("{article} {}", self.done)
    }

    /// Whether it may have put another profile's login live, or let the state file name another account: not so a switch to
    /// the profile that was live already, and not so what leaves the home to the account that has it.
    pub(crate) fn changes_hands(&self) -> bool {
        let stays = self.puts_live() && self.from.is_some() && self.from == self.to;
        !stays && !STAYING.contains(&self.done.as_str())
    }

    /// Whether it was to put another login, or an endpoint, live.
    pub(crate) fn puts_live(&self) -> bool {
        ["switch", "undo"].contains(&self.done.as_str())
    }

    /// Whether it may make a profile another account's: the displaced login is put into the vault first, then the profile
    /// bears the new name, then it gets the new login.
    pub(crate) fn replaces(&self) -> bool {
        NAMING.contains(&self.done.as_str())
    }
}

impl Engine {
    /// The change that is not closed, if there is one: under way, or interrupted and still to be finished. Writes nothing.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub fn unfinished(&self) -> Result<Option<Open>, Error> {
        let Some(entry) = self.journal().read::<Unfinished>()? else { return Ok(None) };
        // The journal is open only under the state lock, and who takes that is on record (0003).
        if let Some(process) = clauth_durable::lock::holder(&self.disk, &self.lock_records(), &self.state_lock_dir()) {
            return Ok(Some(Open::UnderWay(entry, process)));
        }
        // Whoever has come to the end since then has closed it first.
        Ok(self.journal().read()?.filter(|again| *again == entry).map(Open::Interrupted))
    }

    /// The change that was interrupted, if there is one.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) fn interrupted(&self) -> Result<Option<Unfinished>, Error> {
        Ok(self.unfinished()?.and_then(|open| match open {
            Open::Interrupted(entry) => Some(entry),
            Open::UnderWay(..) => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recovery_tells_on_every_command_but_one_that_it_does_not_know() {
        let of = |done: &str| {
            let entry = serde_json::json!({"schema": 1, "done": done, "from": null, "to": null, "tokens": [],
                "at": "2026-11-23T12:00:00Z", "temps": []});
            serde_json::from_value::<Unfinished>(entry).expect("an entry")
        };
        for done in STAYING.into_iter().chain(MOVING) {
            assert_eq!(of(done).word(), done);
            assert_eq!(of(done).changes_hands(), MOVING.contains(&done), "{done}");
        }
        assert_eq!(of("later").word(), "recover");
        assert_eq!(["undo", "switch"].map(|done| of(done).phrase()), ["an undo", "a switch"]);
    }
}
