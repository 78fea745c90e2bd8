//! `bind` and `unbind`.

use std::path::{Path, PathBuf};

use clauth_durable::{Kind as FileKind, Manner};

use super::{Binding, Bindings};
use crate::custody::{Desk, Draft, Operation};
use crate::error::Kind;
use crate::{Engine, Error};

/// What binding, or its end, came to.
#[derive(Debug)]
pub struct Bound {
    /// The directory, as the file names it.
    pub dir: PathBuf,
    /// The profile that it is bound to, or was.
    pub profile: Option<String>,
    /// The profile that it was bound to before.
    pub before: Option<String>,
    /// Whether anything was written.
    pub changed: bool,
}

impl Engine {
    /// Binds a directory, named by an absolute path, to a profile.
    ///
    /// # Errors
    /// No such profile or directory, or one whose name is no text.
    pub fn bind(&self, asked: &str, dir: &Path) -> Result<Bound, Error> {
        self.recover()?;
        let profile = self.find(asked)?;
        let text = self.nameable(dir)?;
        let held = self.lock_prepared()?;
        let mut bindings = Bindings::read(&self.disk, &self.root)?;
        let before = self.bound_as(&bindings, dir);
        // A directory has one binding, whatever its names.
        let dir = before.as_ref().map_or_else(|| dir.to_owned(), |binding| binding.dir.clone());
        bindings.set(before.as_ref().and_then(|binding| binding.dir.to_str()).unwrap_or(text), &profile);
        let before = before.map(|binding| binding.profile);
        let changed = self.save_bindings("bind", &bindings, &held)?;
        Ok(Bound { dir, profile: Some(profile), before, changed })
    }

    /// Ends the binding of a directory, named by an absolute path; it need not exist any more.
    ///
    /// # Errors
    /// `bindings.toml` cannot be read or written.
    pub fn unbind(&self, dir: &Path) -> Result<Bound, Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let mut bindings = Bindings::read(&self.disk, &self.root)?;
        let Some(Binding { dir, profile }) = self.bound_as(&bindings, dir) else {
            return Ok(Bound { dir: dir.to_owned(), profile: None, before: None, changed: false });
        };
        bindings.remove(&dir.to_string_lossy());
        let changed = self.save_bindings("unbind", &bindings, &held)?;
        Ok(Bound { dir, profile: None, before: Some(profile), changed })
    }

    /// Drafts that the bindings of a profile go with its new name, or go with it.
    pub(crate) fn draft_bindings(&self, desk: &mut Desk<'_>, old: &str, new: Option<&str>) -> Result<(), Error> {
        let mut bindings = Bindings::read(&self.disk, &self.root)?;
        match new {
            Some(new) => bindings.rename(old, new),
            None => bindings.forget(old),
        }
        let bytes = bindings.bytes();
        if bytes.is_empty() {
            return Ok(());
        }
        desk.draft.put(&self.root.bindings(), Manner::Own, bytes)
    }

    fn save_bindings(
        &self,
        done: &'static str,
        bindings: &Bindings,
        held: &clauth_durable::Held,
    ) -> Result<bool, Error> {
        let mut draft = Draft::new(&self.disk);
        draft.put(&self.root.bindings(), Manner::Document, bindings.bytes())?;
        let changes = draft.into_changes();
        let changed = !changes.is_empty();
        self.apply(&Operation { done, ..Operation::default() }, changes, held)?.once()?;
        Ok(changed)
    }

    /// The directory's name as TOML can hold it.
    fn nameable<'d>(&self, dir: &'d Path) -> Result<&'d str, Error> {
        let shown = dir.display().to_string();
        if !self.disk.stat(dir)?.is_some_and(|stat| stat.kind == FileKind::Dir) {
            return Err(Error::refused(
                Kind::NotFound,
                "there is no such directory",
                shown,
                &["name a directory that is there"],
            ));
        }
        dir.to_str().ok_or_else(|| {
            let next = ["bind a directory above it"];
            Error::refused(Kind::Usage, "this directory's name is no text, so it cannot be written down", shown, &next)
        })
    }
}
