//! TOML files that people edit too: comments and unknown keys survive every save.

use std::path::Path;

use clauth_durable::Disk;
use toml_edit::DocumentMut;

use crate::Error;

/// Reads a TOML document; a missing file is an empty one.
pub(crate) fn read(disk: &Disk, path: &Path) -> Result<DocumentMut, Error> {
    let Some(bytes) = disk.read(path)? else { return Ok(DocumentMut::new()) };
    parse(bytes).ok_or_else(|| unreadable(path))
}

/// The document in some bytes.
pub(crate) fn parse(bytes: Vec<u8>) -> Option<DocumentMut> {
    String::from_utf8(bytes).ok()?.parse().ok()
}

/// The refusal of a file that is not what it should be.
pub(crate) fn unreadable(path: &Path) -> Error {
    let name = path.file_name().map_or_else(|| "a settings file".into(), |name| name.to_string_lossy().into_owned());
    Error::Unreadable { what: name, path: path.to_owned(), next: "mend or move the file away; it is TOML".into() }
}

/// A text value.
pub(crate) fn text(document: &DocumentMut, key: &str) -> Option<String> {
    document.get(key)?.as_str().map(str::to_owned)
}

/// An array of texts.
pub(crate) fn texts(document: &DocumentMut, key: &str) -> Vec<String> {
    let array = document.get(key).and_then(toml_edit::Item::as_array);
    array.map_or_else(Vec::new, |array| array.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect())
}

/// Sets an array of texts, keeping the comments of entries that stay.
pub(crate) fn set_texts(document: &mut DocumentMut, key: &str, values: &[String]) {
    if texts(document, key) == values {
        return;
    }
    let mut array = toml_edit::Array::new();
    array.extend(values.iter().map(String::as_str));
    document[key] = toml_edit::value(array);
}
