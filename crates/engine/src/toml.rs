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

/// `after` with the line ends of `before`, where that has but one kind: a document is written with line feeds alone (W3).
pub(crate) fn ended_as(before: &[u8], after: &[u8]) -> Vec<u8> {
    let feeds = before.iter().filter(|byte| **byte == b'\n').count();
    let pairs = before.windows(2).filter(|pair| pair == b"\r\n").count();
    if feeds == 0 || pairs != feeds {
        return after.to_vec();
    }
    let mut bytes = Vec::with_capacity(after.len() + feeds);
    for byte in after {
        if *byte == b'\n' && bytes.last() != Some(&b'\r') {
            bytes.push(b'\r');
        }
        bytes.push(*byte);
    }
    bytes
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_stay_as_they_were() {
        for (name, before, after, expected) in [
            ("pairs", "a = 1\r\nb = 2\r\n", "a = 1\nb = 3\n", "a = 1\r\nb = 3\r\n"),
            ("feeds", "a = 1\n", "a = 1\nb = 3\n", "a = 1\nb = 3\n"),
            ("both", "a = 1\r\nb = 2\n", "a = 1\nb = 3\n", "a = 1\nb = 3\n"),
            ("pairs stay pairs", "a = 1\r\n", "a = 1\r\nb = 3\n", "a = 1\r\nb = 3\r\n"),
            ("none", "", "a = 1\n", "a = 1\n"),
        ] {
            assert_eq!(ended_as(before.as_bytes(), after.as_bytes()), expected.as_bytes(), "{name}");
        }
    }
}
