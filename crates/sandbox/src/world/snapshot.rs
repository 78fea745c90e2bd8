//! A picture of a directory: names, modes, contents, link targets.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk;

/// What stands at one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A directory and its permission bits.
    Dir(u32),
    /// A file, its permission bits and bytes.
    File(u32, Vec<u8>),
    /// A link and where it leads.
    Link(PathBuf),
    /// A FIFO, socket or device: never opened.
    Other,
}

/// Paths below the directory, with `/`, and what stands there.
pub type Snapshot = BTreeMap<String, Entry>;

/// Takes a picture; links are not followed.
///
/// # Errors
/// A directory or file that cannot be read.
pub fn snapshot(directory: &Path) -> io::Result<Snapshot> {
    let mut picture = Snapshot::new();
    visit(directory, "", &mut picture)?;
    Ok(picture)
}

fn visit(directory: &Path, prefix: &str, picture: &mut Snapshot) -> io::Result<()> {
    for found in std::fs::read_dir(directory)? {
        let found = found?;
        let (path, name) = (found.path(), format!("{prefix}{}", found.file_name().to_string_lossy()));
        let metadata = found.metadata()?;
        let entry = if metadata.is_symlink() {
            Entry::Link(std::fs::read_link(&path)?)
        } else if metadata.is_dir() {
            visit(&path, &format!("{name}/"), picture)?;
            Entry::Dir(disk::mode(&metadata))
        } else if metadata.is_file() {
            Entry::File(disk::mode(&metadata), std::fs::read(&path)?)
        } else {
            Entry::Other
        };
        picture.insert(name, entry);
    }
    Ok(())
}

/// What differs between two pictures: `+ path` came, `- path` went, `~ path` changed.
#[must_use]
pub fn changes(before: &Snapshot, after: &Snapshot) -> Vec<String> {
    let mut names: Vec<_> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let told = names.into_iter().filter_map(|name| match (before.get(name), after.get(name)) {
        (Some(old), Some(new)) if old == new => None,
        (Some(_), Some(_)) => Some(format!("~ {name}")),
        (None, _) => Some(format!("+ {name}")),
        (_, None) => Some(format!("- {name}")),
    });
    told.collect()
}

/// The files that hold `text`, which must not be the beginning of a longer word there: `FAKE-A1` is not in `FAKE-A12`.
#[must_use]
pub fn holders(picture: &Snapshot, text: &str) -> Vec<String> {
    let holds = |bytes: &[u8]| {
        let ends = |at: usize| bytes.get(at + text.len()).is_none_or(|next| !next.is_ascii_alphanumeric());
        bytes.windows(text.len().max(1)).enumerate().any(|(at, window)| window == text.as_bytes() && ends(at))
    };
    let holding = picture.iter().filter(|(_, entry)| matches!(entry, Entry::File(_, bytes) if holds(bytes)));
    holding.map(|(name, _)| name.clone()).collect()
}
