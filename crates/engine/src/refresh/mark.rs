//! `profiles/<name>/refresh/mark.json`: that a refresh token was sent, raised and synced before each send (R4).

use std::path::PathBuf;

use clauth_durable::{Disk, Document, Mode};
use clauth_host::Fingerprint;
use jiff::Timestamp;

use crate::profile::{Record, token_of};
use crate::{Error, Root};

/// What came instead of an answer that tells what became of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// This status.
    Status(u16),
    /// A success that cannot be understood.
    Unparsable,
}

/// What is known of sending one refresh token. A mark about another token than the stored one says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The token.
    pub(crate) token: Fingerprint,
    /// When it was raised last.
    pub(crate) at: Timestamp,
    /// How often it was sent without an answer that tells what became of it.
    pub(crate) sends: u32,
    /// How often of these no answer came at all.
    pub(crate) lost: u32,
    /// What came for the last of these; `None` where nothing did.
    pub(crate) came: Option<Came>,
    /// How often in a row there was no pair.
    pub(crate) failures: u32,
    /// Not to be sent before.
    pub(crate) retry_at: Option<Timestamp>,
}

impl Mark {
    pub(crate) fn of(token: Fingerprint, at: Timestamp) -> Self {
        Self { token, at, sends: 0, lost: 0, came: None, failures: 0, retry_at: None }
    }

    pub(crate) fn path(root: &Root, name: &str) -> PathBuf {
        root.refresh(name).join("mark.json")
    }

    /// The mark of a profile. One that cannot be understood counts as raised for whatever is stored: it was written
    /// before a send.
    pub(crate) fn read(disk: &Disk, root: &Root, name: &str, stored: &Fingerprint) -> Result<Option<Self>, Error> {
        let Some(bytes) = disk.read(&Self::path(root, name))? else { return Ok(None) };
        let unclear = || Self { sends: 2, lost: 2, ..Self::of(stored.clone(), Timestamp::UNIX_EPOCH) };
        Ok(Some(Self::parse(bytes).unwrap_or_else(unclear)).filter(|mark| mark.token == *stored))
    }

    /// The mark of a profile whose present token was sent without an answer that tells what became of it.
    pub(crate) fn raised(disk: &Disk, root: &Root, record: &Record) -> Result<Option<Self>, Error> {
        let Some(token) = record.login().map(|login| token_of(&login)) else { return Ok(None) };
        Ok(Self::read(disk, root, &record.name, &token)?.filter(|mark| mark.sends > 0))
    }

    /// It is about to be sent once more: until something comes, nothing came.
    pub(super) fn raise(&self, now: Timestamp) -> Self {
        Self { sends: self.sends + 1, lost: self.lost + 1, came: None, at: now, retry_at: None, ..self.clone() }
    }

    /// What is in doubt, for a person.
    pub(crate) fn doubt(&self) -> String {
        match self.came {
            None => "a renewal was sent and its answer never came".to_owned(),
            Some(Came::Status(status)) => {
                format!("a renewal was answered with status {status}, which leaves open whether it was made")
            }
            Some(Came::Unparsable) => {
                "a renewal was answered with something that cannot be understood, which leaves open whether it was made"
                    .to_owned()
            }
        }
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        let time = |key: &str| document.get::<String>(&[key])?.parse().ok();
        Some(Self {
            token: Fingerprint::parse(&document.get::<String>(&["token"])?)?,
            at: time("at")?,
            sends: document.get(&["sends"])?,
            // A mark without it is older, and counted every send as lost.
            lost: document.get(&["lost"]).map_or_else(|| document.get(&["sends"]), Some)?,
            came: came(&document),
            failures: document.get(&["failures"]).unwrap_or(0),
            retry_at: time("retry_at"),
        })
    }

    /// Writes it, durable when this returns; one that says nothing is taken away instead.
    pub(crate) fn write(&self, disk: &Disk, root: &Root, name: &str) -> Result<(), Error> {
        let path = Self::path(root, name);
        if self.sends == 0 && self.failures == 0 {
            disk.remove_file(&path)?;
            return Ok(());
        }
        let bytes = crate::json::bytes(&serde_json::json!({
            "schema": 1, "token": self.token.full(), "at": self.at.to_string(), "sends": self.sends,
            "lost": self.lost, "came": self.came.map(Came::word), "failures": self.failures,
            "retry_at": self.retry_at.map(|at| at.to_string()),
        }));
        Ok(disk.replace(&path, &bytes, Mode::Private)?)
    }
}

impl Came {
    fn word(self) -> String {
        match self {
            Self::Status(status) => status.to_string(),
            Self::Unparsable => "unparsable".to_owned(),
        }
    }
}

fn came(document: &Document) -> Option<Came> {
    let word = document.get::<String>(&["came"])?;
    word.parse().map(Came::Status).ok().or_else(|| (word == "unparsable").then_some(Came::Unparsable))
}
