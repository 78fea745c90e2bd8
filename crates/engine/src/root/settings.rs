//! `settings.toml`: our own settings, and the live home that the first capture recorded (L8).

use std::path::PathBuf;

use clauth_durable::Disk;
use clauth_host::Fingerprint;
use toml_edit::{DocumentMut, value};

use crate::{Error, Root, toml};

/// Our settings.
pub(crate) struct Settings {
    document: DocumentMut,
    /// The live home of this root, once a capture recorded it.
    pub(crate) home: Option<PathBuf>,
    /// The machine that this root was made on (L7).
    pub(crate) machine: Option<Fingerprint>,
    /// Whether anything may be asked of a server.
    pub(crate) network: bool,
    /// Whether clauth may renew logins; otherwise all renewal is left to `claude` (R7).
    pub(crate) refresh: bool,
}

impl Settings {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let document = toml::read(disk, &root.settings())?;
        Ok(Self {
            home: toml::text(&document, "home").map(PathBuf::from),
            machine: toml::text(&document, "machine").and_then(|text| Fingerprint::parse(&text)),
            network: toml::text(&document, "network").as_deref() != Some("off"),
            refresh: toml::text(&document, "refresh").as_deref() != Some("off"),
            document,
        })
    }

    /// The file's text with the live home and this machine recorded. A home whose path is no text cannot be
    /// recorded in TOML and stays unrecorded.
    pub(crate) fn recording(&self, home: &std::path::Path, machine: Option<&Fingerprint>) -> Vec<u8> {
        let mut document = self.document.clone();
        document["format"] = value(1);
        if let Some(home) = home.to_str() {
            document["home"] = value(home);
        }
        if let Some(machine) = machine {
            document["machine"] = value(machine.full());
        }
        document.to_string().into_bytes()
    }
}
