//! `settings.toml`: our own settings, and the live home that the first capture recorded (L8).

use std::path::PathBuf;

use clauth_claude::{ClaudeHome, same_path};
use clauth_durable::{Disk, item_name, item_path, path_text};
use clauth_host::{Fingerprint, Host};
use toml_edit::{DocumentMut, value};

use super::Era;
use crate::config::Config;
use crate::error::Kind;
use crate::{Error, Root, toml};

/// The format that this version writes.
const FORMAT: i64 = 1;

/// Our settings.
pub(crate) struct Settings {
    document: DocumentMut,
    path: PathBuf,
    /// The live home of this root, once a capture recorded it.
    pub(crate) home: Option<PathBuf>,
    /// The machine that this root was made on (L7).
    pub(crate) machine: Option<Fingerprint>,
    /// Which version's tree this is.
    pub(crate) era: Era,
    /// Whether anything may be asked of a server.
    pub(crate) network: bool,
    /// Whether clauth may renew logins; otherwise all renewal is left to `claude` (R7).
    pub(crate) refresh: bool,
}

impl Settings {
    pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Self, Error> {
        let path = root.settings();
        let document = toml::read(disk, &path)?;
        let (network, refresh) = Config::switches(&document, &path)?;
        Ok(Self {
            home: toml::text(&document, "home").map(|text| path_text::from_text(&text)),
            machine: toml::text(&document, "machine").and_then(|text| Fingerprint::parse(&text)),
            network,
            refresh,
            era: Era::of(disk, root, &document)?,
            path,
            document,
        })
    }

    /// The refusal to write into a root of a later format; looking at it does no harm.
    pub(crate) fn writable(&self) -> Result<(), Error> {
        let Some(format) = self.document.get("format") else { return Ok(()) };
        if format.as_integer().is_some_and(|format| (0..=FORMAT).contains(&format)) {
            return Ok(());
        }
        let what = format!("this root is in format {}, of a later clauth", format.to_string().trim());
        let place = self.path.display().to_string();
        Err(Error::refused(Kind::Protected, what, place, &["use the newer clauth here; this one may only look"]))
    }

    /// The recorded live home as it was when it was recorded.
    pub(crate) fn recorded(&self, host: &Host, disk: &Disk) -> Option<ClaudeHome> {
        let Some(dir) = &self.home else {
            // The other versions know the default home alone.
            return (self.era != Era::Ours).then(|| ClaudeHome::default_of(host, disk));
        };
        let named = self.document.get("home_named").and_then(toml_edit::Item::as_bool) == Some(true);
        let plain = ClaudeHome::default_of(host, disk);
        let mut home = match (named, same_path(disk, dir, &plain.dir)) {
            (false, true) => plain,
            _ => ClaudeHome::named_at(dir, host, disk),
        };
        if let Some(store) = toml::text(&self.document, "home_store") {
            home.secure = path_text::from_text(&store);
        }
        if let Some(item) = toml::text(&self.document, "home_item") {
            home.item = Some(item_path(&item));
        }
        Some(home)
    }

    /// The file's text with the live home and this machine recorded.
    pub(crate) fn recording(&self, home: &ClaudeHome, host: &Host, disk: &Disk) -> Vec<u8> {
        let mut document = self.document.clone();
        document["format"] = value(FORMAT);
        document["home"] = value(path_text::to_text(&home.dir));
        // What the directory does not tell by itself (facts §1.1).
        let plain = ClaudeHome::default_of(host, disk);
        if home.named && same_path(disk, &home.dir, &plain.dir) {
            document["home_named"] = value(true);
        }
        // Its name comes from the very text of a variable, which the path does not tell.
        if let Some(item) = home.item.as_deref().and_then(item_name) {
            document["home_item"] = value(item);
        }
        if home.secure != home.dir {
            document["home_store"] = value(path_text::to_text(&home.secure));
        }
        if let Some(machine) = &host.machine {
            document["machine"] = value(machine.full());
        }
        document.to_string().into_bytes()
    }
}
