//! The other tool's export: one JSON document with everything in it.

use std::path::Path;

use clauth_host::Secret;
use serde_json::Value;

use super::Row;
use super::row::Said;
use super::store::unreadable;
use crate::Error;
use crate::error::Kind;

/// The accounts of an export.
pub(super) fn read(path: &Path, bytes: &[u8]) -> Result<Vec<Result<Row, String>>, Error> {
    let document: Value = serde_json::from_slice(bytes).map_err(|_| unreadable(path))?;
    let refuse =
        |what: String, next: &[&str]| Err(Error::refused(Kind::Unreadable, what, path.display().to_string(), next));
    if document.get("encrypted").is_some_and(|value| *value != Value::Bool(false)) {
        let next = ["make an export without encryption, and remove that file afterwards"];
        return refuse("this export is encrypted, which only claude-swap can undo".into(), &next);
    }
    match document.get("version") {
        Some(version) if version.as_u64() == Some(1) => {}
        Some(version) => {
            let version = crate::text::shown(&version.to_string());
            return refuse(
                format!("this export is of version {version}; only version 1 is known"),
                &["use the claude-swap that clauth's README names, or its store: clauth adopt --from claude-swap"],
            );
        }
        None => return Err(unreadable(path)),
    }
    let accounts = document.get("accounts").and_then(Value::as_array).ok_or_else(|| unreadable(path))?;
    Ok(accounts.iter().enumerate().map(|(at, entry)| account(at, entry)).collect())
}

fn account(at: usize, entry: &Value) -> Result<Row, String> {
    let slot = entry.get("number").map_or_else(
        || (at + 1).to_string(),
        |number| match number {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    );
    // An object, or the text of one.
    let text = |key: &str| match entry.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
    };
    let credential = text("credentials").map(|text| Secret::new(&text));
    Row::of(Said { slot, entry, config: text("config").map(String::into_bytes), credential })
}
