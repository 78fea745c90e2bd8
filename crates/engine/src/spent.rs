//! `spent.jsonl`: fingerprints of refresh tokens that are used up (L6). A token on it is never installed, harvested,
//! restored or presented.

use std::collections::BTreeMap;

use clauth_durable::Disk;
use clauth_host::Fingerprint;
use jiff::Timestamp;
use serde_json::Value;

use crate::{Error, Root, json};

/// The list, with the profile that each token was last seen with.
#[derive(Default)]
pub(crate) struct Spent(BTreeMap<Fingerprint, String>);

impl Spent {
    /// Reads the list. A line that cannot be understood is passed over: it proves nothing either way.
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let bytes = disk.read(&root.spent())?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        let entry = |line: &[u8]| {
            let line: Value = serde_json::from_slice(line).ok()?;
            Some((Fingerprint::parse(line.get("token")?.as_str()?)?, line.get("profile")?.as_str()?.to_owned()))
        };
        Ok(Self(lines.filter_map(entry).collect()))
    }

    /// The profile whose token this was, if it is spent.
    pub(crate) fn whose(&self, token: &Fingerprint) -> Option<&str> {
        self.0.get(token).map(String::as_str)
    }

    pub(crate) fn has(&self, token: &Fingerprint) -> bool {
        self.0.contains_key(token)
    }

    /// The spent tokens of a profile.
    pub(crate) fn of(&self, profile: &str) -> impl Iterator<Item = &Fingerprint> {
        self.0.iter().filter(move |(_, name)| *name == profile).map(|(token, _)| token)
    }

    #[cfg(test)]
    pub(crate) fn with(entries: &[(&Fingerprint, &str)]) -> Self {
        Self(entries.iter().map(|(token, name)| ((*token).clone(), (*name).to_owned())).collect())
    }
}

/// The line that records a token as spent; `sends` is how often clauth itself presented it.
pub(crate) fn line(token: &Fingerprint, profile: &str, why: &str, sends: u32, at: Timestamp) -> Vec<u8> {
    json::line(&serde_json::json!({
        "schema": 1, "token": token.full(), "profile": profile, "why": why, "sends": sends, "at": at.to_string(),
    }))
}
