//! Paths in our own JSON and TOML: as text where they are text, else as the bytes that they are, so that a home whose name
//! is not Unicode is a home like any other.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(windows)]
#[path = "windows.rs"]
mod platform;

use std::path::{Path, PathBuf};

use serde::{Deserialize as _, Deserializer, Serializer};

/// What stands before the digits; no absolute path begins so.
const BYTES: &str = "bytes:";

/// A path as text that [`from_text`] reads back exactly.
#[must_use]
pub fn to_text(path: &Path) -> String {
    if let Some(text) = path.to_str().filter(|text| !text.starts_with(BYTES)) {
        return text.to_owned();
    }
    let digits: Vec<String> = platform::to_bytes(path).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{BYTES}{}", digits.concat())
}

/// The path that [`to_text`] wrote; any other text is a path by itself.
#[must_use]
pub fn from_text(text: &str) -> PathBuf {
    let bytes = text.strip_prefix(BYTES).and_then(digits);
    bytes.and_then(|bytes| platform::from_bytes(&bytes)).unwrap_or_else(|| PathBuf::from(text))
}

fn digits(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// For `#[serde(with)]` of several paths.
pub mod many {
    use super::{Deserializer, PathBuf, Serializer, from_text, to_text};

    /// Writes them.
    ///
    /// # Errors
    /// As the format says.
    pub fn serialize<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(paths.iter().map(|path| to_text(path)))
    }

    /// Reads them.
    ///
    /// # Errors
    /// As the format says.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
        let texts = super::texts(deserializer)?;
        Ok(texts.iter().map(|text| from_text(text)).collect())
    }
}

fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Vec::<String>::deserialize(deserializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_reads_back_exactly() {
        for path in ["/home/u/.claude", "/home/ü ñ/x", "", "bytes:2f", "C:\\Users\\u"] {
            assert_eq!(from_text(&to_text(Path::new(path))), Path::new(path), "{path}");
        }
        for text in ["bytes:2", "bytes:zz", "bytes:\u{e9}\u{e9}"] {
            assert_eq!(from_text(text), Path::new(text), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_no_text_is_written_as_bytes() {
        use std::os::unix::ffi::OsStrExt as _;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/h\xff/\xe9"));
        assert_eq!(to_text(path), "bytes:2f68ff2fe9");
        assert_eq!(from_text("bytes:2f68ff2fe9"), path);
    }
}
