//! One kept login.

use std::path::PathBuf;

use clauth_claude::{AccountPart, Found};
use clauth_durable::{Disk, Document};
use clauth_host::Fingerprint;
use jiff::Timestamp;

use crate::profile::Known;
use crate::{Error, Root, text};

/// A login in the vault.
#[derive(Clone)]
pub struct Entry {
    /// Its id: when, and the first digits of what.
    pub id: String,
    /// When it was put here.
    pub at: Timestamp,
    /// Why.
    pub why: String,
    /// The profile it belonged to, where that is known.
    pub profile: Option<String>,
    /// The account's e-mail, where that is known.
    pub email: Option<String>,
    /// It was still live when it was put here, so the live home may have renewed it since.
    pub lent: bool,
    /// The account, where it is known: so that a profile made of the login knows who it is.
    pub(crate) known: Option<Known>,
    pub(crate) login: AccountPart,
}

impl Entry {
    /// What tells the login from others: its refresh token's fingerprint, else its access token's.
    #[must_use]
    pub fn token(&self) -> Option<Fingerprint> {
        match self.login.login() {
            Found::Login(login) => Some(crate::profile::token_of(&login)),
            Found::Blank | Found::Absent | Found::Malformed => None,
        }
    }

    pub(crate) fn path(&self, root: &Root) -> PathBuf {
        root.vault().join(format!("{}.json", self.id))
    }

    /// Where the account-bound files that left with the login are (S4).
    pub(crate) fn bound(&self, root: &Root) -> PathBuf {
        root.vault().join(format!("{}.bound", self.id))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let head = serde_json::json!({
            "schema": 1, "id": self.id, "at": self.at.to_string(), "why": self.why, "profile": self.profile,
            "email": self.email, "lent": self.lent,
        });
        let login = String::from_utf8_lossy(self.login.bytes());
        let known = self.known.as_ref().map_or_else(|| b"null".to_vec(), Known::bytes);
        let known = String::from_utf8_lossy(&known);
        crate::json::with_raws(&head, &[("identity", known.trim()), ("login", login.trim())])
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        Some(Self {
            id: document.get(&["id"])?,
            at: document.get::<String>(&["at"])?.parse().ok()?,
            why: document.get(&["why"])?,
            profile: document.get(&["profile"]),
            email: document.get(&["email"]),
            lent: document.get(&["lent"]).unwrap_or(false),
            known: document.raw(&["identity"]).and_then(|raw| Known::read(raw.as_bytes())),
            login: AccountPart::parse(document.raw(&["login"])?.as_bytes().to_vec()).ok()?,
        })
    }
}

/// A new entry for `login`. The id is made of the time and the login, so the same login put away twice in one second is
/// one entry.
pub(crate) fn new_entry(
    login: &AccountPart,
    why: &str,
    profile: Option<&str>,
    known: Option<&Known>,
    at: Timestamp,
) -> Entry {
    let stamp = at.strftime("%Y%m%d-%H%M%S");
    let print = Fingerprint::of(login.bytes());
    Entry {
        id: format!("{stamp}-{}", print.short()),
        at,
        why: why.to_owned(),
        profile: profile.map(str::to_owned),
        email: known.and_then(|known| known.email.clone()),
        lent: false,
        known: known.cloned(),
        login: login.clone(),
    }
}

/// All entries, oldest first. A file that cannot be understood is passed over here and left where it is.
pub(crate) fn all(disk: &Disk, root: &Root) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    for name in disk.list(&root.vault())? {
        let path = root.vault().join(&name);
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(bytes) = disk.read(&path)?
        {
            entries.extend(Entry::read(bytes));
        }
    }
    entries.sort_unstable_by(|a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    Ok(entries)
}

/// The files of entries that cannot be understood.
pub(crate) fn torn(disk: &Disk, root: &Root) -> Result<Vec<PathBuf>, Error> {
    let paths = disk.list(&root.vault())?.into_iter().map(|name| root.vault().join(name));
    let is_entry = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "json");
    let fits =
        |path: &PathBuf| disk.read(path).is_ok_and(|bytes| bytes.is_none_or(|bytes| Entry::read(bytes).is_some()));
    Ok(paths.filter(|path| is_entry(path) && !fits(path)).collect())
}

/// Finds an entry by its id or a unique beginning or ending of it.
pub(crate) fn find(entries: Vec<Entry>, asked: &str) -> Result<Entry, Error> {
    let fits = |entry: &Entry| entry.id == asked || entry.id.starts_with(asked) || entry.id.ends_with(asked);
    let mut fitting: Vec<Entry> = entries.into_iter().filter(|entry| !asked.is_empty() && fits(entry)).collect();
    match fitting.len() {
        1 => Ok(fitting.remove(0)),
        0 => Err(Error::refused(
            crate::Kind::NotFound,
            format!("the vault has no entry '{}'", text::shown(asked)),
            "vault",
            &["clauth vault list"],
        )),
        _ => Err(Error::Ambiguous {
            name: text::shown(asked),
            candidates: fitting.into_iter().map(|entry| entry.id).collect(),
        }),
    }
}
