//! JSON documents that are edited and never rewritten (W3).
//!
//! What is not edited stays byte for byte: key order, unknown keys, the text of numbers, indentation, line ends and byte
//! order mark.

mod edit;
mod many;
mod scan;
#[cfg(test)]
mod tests;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// One JSON object, as text.
#[derive(Clone, PartialEq, Eq)]
pub struct Document {
    text: String,
}

/// Why bytes are no document. Never carries any of their text, which may hold tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// There is nothing in it.
    #[error("it is empty")]
    Empty,
    /// It is no text.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// It, or a value on the way, is no object.
    #[error("it is not a JSON object")]
    NotAnObject,
    /// Values in values in values, deeper than anything that is meant.
    #[error("it is nested deeper than {limit} levels")]
    TooDeep {
        /// The bound.
        limit: usize,
    },
    /// It is no JSON, or more than one document.
    #[error("it is not one JSON document (line {line}, column {column})")]
    Syntax {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
}

impl Document {
    /// Takes a document in: UTF-8, an optional byte order mark, exactly one JSON object.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let text = String::from_utf8(bytes).map_err(|_| DocumentError::NotUtf8)?;
        let body = text.strip_prefix(BOM).unwrap_or(&text);
        if body.trim().is_empty() {
            return Err(DocumentError::Empty);
        }
        if !body.trim_start_matches([' ', '\t', '\r', '\n']).starts_with('{') {
            return match serde_json::from_str::<serde::de::IgnoredAny>(body) {
                Ok(_) => Err(DocumentError::NotAnObject),
                Err(error) => Err(syntax(&error)),
            };
        }
        // `Value` and not `IgnoredAny`: only the former bounds the nesting, and the scanner recurses no deeper.
        serde_json::from_str::<&serde_json::value::RawValue>(body).map_err(|error| syntax(&error))?;
        scan::depth_within(body, scan::DEPTH).then_some(()).ok_or(DocumentError::TooDeep { limit: scan::DEPTH })?;
        Ok(Self { text })
    }

    /// `{}`.
    #[must_use]
    pub fn empty() -> Self {
        Self { text: "{}".into() }
    }

    /// The whole text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// The whole text.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// The keys of the object itself, in order; a key that stands twice is named once.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = Vec::new();
        for member in scan::members(&self.text, self.start()) {
            let key = member.name(&self.text);
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The exact text of a value. Of a key that stands twice the last counts, as in JavaScript.
    #[must_use]
    pub fn raw(&self, path: &[&str]) -> Option<&str> {
        let span = scan::find(&self.text, self.start(), path)?;
        Some(&self.text[span.value])
    }

    /// A value; `None` when it is absent or of another type.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Option<T> {
        serde_json::from_str(self.raw(path)?).ok()
    }

    /// Sets a value to an exact text; a new key becomes the last one, in the document's own style.
    ///
    /// # Errors
    /// The text is no JSON value or nests too deeply, or something on the path is no object.
    pub fn set_raw(&mut self, path: &[&str], json: &str) -> Result<(), DocumentError> {
        serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|error| syntax(&error))?;
        fits(path, json)?;
        edit::set(&mut self.text, path, json)
    }

    /// Sets a value, laid out in the document's own style.
    ///
    /// # Errors
    /// The value cannot be written as JSON or nests too deeply, or something on the path is no object.
    pub fn set<T: Serialize>(&mut self, path: &[&str], value: &T) -> Result<(), DocumentError> {
        let value = serde_json::to_value(value).map_err(|error| syntax(&error))?;
        let json = edit::laid_out(&self.text, path.len(), &value);
        fits(path, &json)?;
        edit::set(&mut self.text, path, &json)
    }

    /// Sets a value to an exact text; a new key is put before the key `next` of the same object, where that one is there,
    /// and else becomes the last one.
    ///
    /// # Errors
    /// As for [`Self::set_raw`].
    pub fn insert_raw(&mut self, path: &[&str], json: &str, next: Option<&str>) -> Result<(), DocumentError> {
        let next = next.filter(|_| self.raw(path).is_none());
        match (path.split_last(), next) {
            (Some((name, parents)), Some(next)) if self.raw(&[parents, &[next]].concat()).is_some() => {
                serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|error| syntax(&error))?;
                fits(path, json)?;
                edit::insert_before(&mut self.text, parents, (name, json), next);
                Ok(())
            }
            _ => self.set_raw(path, json),
        }
    }

    /// The key that stands behind the one at `path` in its object.
    #[must_use]
    pub fn follower(&self, path: &[&str]) -> Option<String> {
        let (name, parents) = path.split_last()?;
        let members = self.members(parents)?;
        let at = members.iter().position(|(key, _)| key == name)?;
        members.get(at + 1).map(|(key, _)| key.clone())
    }

    /// Removes a key with its value; answers whether it was there.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        edit::remove(&mut self.text, path)
    }

    fn start(&self) -> usize {
        edit::start(&self.text)
    }
}

/// The byte order mark.
const BOM: char = '\u{feff}';

/// What nests too deeply where it is put would make a document that cannot be parsed again.
fn fits(path: &[&str], json: &str) -> Result<(), DocumentError> {
    let room = scan::DEPTH.checked_sub(path.len());
    let fits = room.is_some_and(|room| scan::depth_within(json, room));
    fits.then_some(()).ok_or(DocumentError::TooDeep { limit: scan::DEPTH })
}

fn syntax(error: &serde_json::Error) -> DocumentError {
    DocumentError::Syntax { line: error.line().max(1), column: error.column().max(1) }
}
