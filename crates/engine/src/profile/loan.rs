//! `loan.json`: the record that a login is lent to the live home, with its full pair (L2).

use std::path::{Path, PathBuf};

use clauth_claude::{AccountPart, Found};
use clauth_durable::{Document, path_text};
use clauth_host::Fingerprint;
use jiff::Timestamp;

use super::AccountKey;

/// A login that is lent out.
#[derive(Clone)]
pub(crate) struct Loan {
    /// The Claude Code home that it is lent to.
    pub(crate) home: PathBuf,
    /// It is in that home's Keychain item, not in a file.
    pub(crate) keychain: bool,
    /// When it was lent.
    pub(crate) at: Option<Timestamp>,
    /// The machine that lent it.
    pub(crate) machine: Option<Fingerprint>,
    /// The token of a newer sign-in of the same account that waits in the slot meanwhile (S9).
    pub(crate) renewed: Option<Fingerprint>,
    /// A switch put it live and left nobody named in the state file, where any sign-in would have named somebody (O5).
    pub(crate) unnamed: bool,
    /// It was renewed by us while another login stood in that home, so what stands there did not come of it (R5).
    pub(crate) aside: bool,
    /// The account that it is lent as, where that was known.
    pub(crate) key: Option<AccountKey>,
    /// The full login as last known.
    pub(crate) login: AccountPart,
}

impl Loan {
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        let login = AccountPart::parse(document.raw(&["login"])?.as_bytes().to_vec()).ok()?;
        let text = |key: &str| document.get::<String>(&[key]).filter(|text| !text.trim().is_empty());
        Some(Self {
            home: path_text::from_text(&document.get::<String>(&["home"])?),
            keychain: document.get::<String>(&["store"]).as_deref() == Some("keychain"),
            at: document.get::<String>(&["at"]).and_then(|text| text.parse().ok()),
            machine: document.get::<String>(&["machine"]).and_then(|text| Fingerprint::parse(&text)),
            renewed: document.get::<String>(&["renewed"]).and_then(|text| Fingerprint::parse(&text)),
            unnamed: document.get::<bool>(&["unnamed"]) == Some(true),
            aside: document.get::<bool>(&["aside"]) == Some(true),
            key: text("account_uuid").map(|account| AccountKey { account, organization: text("organization_uuid") }),
            login,
        })
    }

    /// The file's text.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let key = self.key.as_ref();
        let login = match self.login.login() {
            Found::Login(login) => Some(login),
            _ => None,
        };
        let login = login.as_ref();
        let mut head = serde_json::json!({
            "schema": 1, "home": path_text::to_text(&self.home), "store": if self.keychain { "keychain" } else { "file" },
            "account_uuid": key.map(|key| &key.account), "organization_uuid": key.and_then(|key| key.organization.as_ref()),
            "access": login.map(|login| login.access_print().full().to_owned()),
            "refresh": login.and_then(clauth_claude::Login::refresh_print).map(|print| print.full().to_owned()),
            "refresh_token_expires_at": login.and_then(|login| login.refresh_expires_at).map(|at| at.to_string()),
            "at": self.at.map(|at| at.to_string()),
            "machine": self.machine.as_ref().map(Fingerprint::full),
        });
        if let Some(renewed) = &self.renewed {
            head["renewed"] = renewed.full().into();
        }
        if self.unnamed {
            head["unnamed"] = true.into();
        }
        if self.aside {
            head["aside"] = true.into();
        }
        let text = String::from_utf8_lossy(self.login.bytes());
        crate::json::with_raw(&head, "login", text.trim())
    }

    pub(crate) fn names(&self, home: &Path) -> bool {
        self.home == home
    }
}
