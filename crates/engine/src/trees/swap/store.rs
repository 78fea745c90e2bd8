//! The other tool's store as it lies on disk, and the door to both it and an export.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Error as DiskError, Kind as FileKind};
use clauth_host::Host;
use serde_json::{Map, Value};

use super::row::{Said, decoded};
use super::{Row, export};
use crate::error::Kind;
use crate::{Engine, Error};

/// No file of the store, and no export, is anywhere near this large.
const LARGEST: u64 = 16 << 20;

/// What was read, each account understood or refused.
pub(super) struct Store {
    /// The store's directory, or the export.
    pub(super) place: PathBuf,
    pub(super) rows: Vec<Result<Row, String>>,
}

impl Engine {
    /// Reads an export, a store that was named, or the one that this machine has. Writes nothing.
    pub(super) fn read_swap(&self, named: Option<&Path>) -> Result<Store, Error> {
        let place = named.map_or_else(|| root(&self.host), Path::to_owned);
        let stat = self.disk.stat(&place)?;
        let rows = match stat.as_ref().map(|stat| stat.kind) {
            Some(FileKind::Dir) => read_store(&self.disk, &place)?,
            Some(FileKind::File) => export::read(&place, &read(&self.disk, &place)?.unwrap_or_default())?,
            Some(kind) => return Err(DiskError::NotRegular { path: place, kind }.into()),
            None => return Err(missing(&place, named.is_some())),
        };
        Ok(Store { place, rows })
    }
}

/// Where the tool keeps its store.
fn root(host: &Host) -> PathBuf {
    if cfg!(any(target_os = "macos", windows)) {
        return host.home.join(".claude-swap-backup");
    }
    let data = host.env.path("XDG_DATA_HOME").filter(|dir| dir.is_absolute());
    data.unwrap_or_else(|| host.home.join(".local").join("share")).join("claude-swap")
}

fn missing(place: &Path, named: bool) -> Error {
    let what = if named { "there is no such file" } else { "claude-swap has no store on this machine" };
    let next = ["clauth adopt --from claude-swap FILE, with an export of it"];
    Error::refused(Kind::Nothing, what, place.display().to_string(), &next)
}

fn read_store(disk: &Disk, place: &Path) -> Result<Vec<Result<Row, String>>, Error> {
    let list = place.join("sequence.json");
    let Some(bytes) = read(disk, &list)? else { return Err(missing(place, false)) };
    let document: Value = serde_json::from_slice(&bytes).map_err(|_| unreadable(&list))?;
    let accounts = document.get("accounts").and_then(Value::as_object).ok_or_else(|| unreadable(&list))?;
    let mut rows = Vec::new();
    for slot in in_order(&document, accounts) {
        rows.push(account(disk, place, slot, &accounts[slot])?);
    }
    Ok(rows)
}

/// The slots in the user's order; those that the order leaves out follow by number.
fn in_order<'v>(document: &'v Value, accounts: &'v Map<String, Value>) -> Vec<&'v str> {
    let named = document.get("sequence").and_then(Value::as_array).into_iter().flatten();
    let named: Vec<String> = named.map(|slot| slot.as_str().map_or_else(|| slot.to_string(), str::to_owned)).collect();
    let mut slots: Vec<&str> = accounts.keys().map(String::as_str).collect();
    let place = |slot: &str| named.iter().position(|named| named == slot).unwrap_or(usize::MAX);
    slots.sort_unstable_by_key(|slot| (place(slot), slot.parse::<u64>().unwrap_or(u64::MAX), *slot));
    slots
}

/// One account; the outer error is the disk's.
fn account(disk: &Disk, place: &Path, slot: &str, entry: &Value) -> Result<Result<Row, String>, Error> {
    let email = entry.get("email").and_then(Value::as_str).unwrap_or_default();
    // Both become parts of file names: what is no such part must not lead anywhere else.
    let is_part = |text: &str| !text.is_empty() && text.len() < 200 && !text.contains(['/', '\\', '\0', ':']);
    if !slot.bytes().all(|byte| byte.is_ascii_digit()) || !is_part(slot) || !is_part(email) {
        return Ok(Err(format!("account {}: its number or e-mail cannot be right", crate::text::shown(slot))));
    }
    let config = read(disk, &place.join("configs").join(format!(".claude-config-{slot}-{email}.json")))?;
    let sealed = read(disk, &place.join("credentials").join(format!(".creds-{slot}-{email}.enc")))?;
    let credential = match sealed.as_deref().map(decoded).transpose() {
        Ok(credential) => credential,
        Err(what) => return Ok(Err(format!("account {slot} ({}): {what}", crate::text::shown(email)))),
    };
    Ok(Row::of(Said { slot: slot.to_owned(), entry, config, credential }))
}

/// A file of a sane size.
fn read(disk: &Disk, path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match disk.stat(path)? {
        Some(stat) if stat.kind == FileKind::File && stat.len > LARGEST => {
            Err(DiskError::TooLarge { path: path.to_owned(), limit: LARGEST }.into())
        }
        _ => Ok(disk.read(path)?),
    }
}

pub(super) fn unreadable(path: &Path) -> Error {
    Error::Unreadable {
        what: "what claude-swap keeps there".into(),
        path: path.to_owned(),
        next: "make an export with claude-swap, then: clauth adopt --from claude-swap FILE".into(),
    }
}
