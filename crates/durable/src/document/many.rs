//! Reading, setting and removing many members of one object in one walk: large documents are merged member by member.

use std::collections::HashMap;

use super::{Document, DocumentError, edit, fits, scan, syntax};

impl Document {
    /// The members of the object at `path`, in order, each with the exact text of its value; `None` when no object is
    /// there. Of a key that stands twice the last value counts; a key that is no text is left out.
    #[must_use]
    pub fn members(&self, path: &[&str]) -> Option<Vec<(String, &str)>> {
        let object = self.object(path)?;
        let mut members: Vec<(String, &str)> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for member in scan::members(&self.text, object) {
            let Some(name) = member.text_name(&self.text) else { continue };
            let value = &self.text[member.value];
            match places.get(&name) {
                Some(&place) => members[place].1 = value,
                None => {
                    places.insert(name.clone(), members.len());
                    members.push((name, value));
                }
            }
        }
        Some(members)
    }

    /// Sets members of the object at `path` to exact texts, as [`Document::set_raw`] would one by one; a missing object
    /// is made.
    ///
    /// # Errors
    /// A text is no JSON value or nests too deeply, or something on the path is no object; then nothing is changed.
    pub fn set_members(&mut self, path: &[&str], values: &[(&str, &str)]) -> Result<(), DocumentError> {
        let deeper = [path, &[""]].concat();
        for (_, json) in values {
            serde_json::from_str::<serde::de::IgnoredAny>(json).map_err(|error| syntax(&error))?;
            fits(&deeper, json)?;
        }
        let Some((name, first)) = values.first() else { return Ok(()) };
        // The first one makes what is missing, and gives the others a neighbour to be spaced like.
        edit::set(&mut self.text, &[path, &[name]].concat(), first)?;
        let Some(object) = self.object(path) else { return Err(DocumentError::NotAnObject) };
        edit::set_members(&mut self.text, object, &values[1..]);
        Ok(())
    }

    /// Removes these keys of the object itself with their values, as [`Document::remove`] would one by one; answers whether
    /// any was there.
    pub fn remove_members(&mut self, keys: &[&str]) -> bool {
        let object = self.start();
        edit::remove_members(&mut self.text, object, keys) > 0
    }

    fn object(&self, path: &[&str]) -> Option<usize> {
        let start = match path {
            [] => self.start(),
            _ => scan::find(&self.text, self.start(), path)?.value.start,
        };
        (self.text.as_bytes()[start] == b'{').then_some(start)
    }
}
