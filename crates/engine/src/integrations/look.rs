//! Claude Code's settings, as they stand before something is put into them.

use std::path::{Path, PathBuf};

use clauth_durable::Document;
use serde_json::Value;

use super::act::torn;
use crate::{Engine, Error};

impl Engine {
    /// The user's settings of the live home.
    ///
    /// # Errors
    /// Our own files, or the home, cannot be read.
    pub fn settings_file(&self) -> Result<PathBuf, Error> {
        Ok(self.snapshot_to_show()?.home.settings())
    }

    /// What a file of settings has under a key.
    ///
    /// # Errors
    /// It cannot be read, or is no JSON object.
    pub fn setting_of(&self, file: &Path, key: &str) -> Result<Option<Value>, Error> {
        let Some(bytes) = self.disk.read(file)?.filter(|bytes| !bytes.trim_ascii().is_empty()) else { return Ok(None) };
        Ok(Document::parse(bytes).map_err(|source| torn(file, source))?.get(&[key]))
    }
}
