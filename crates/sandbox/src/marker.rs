//! The file that tells a throw-away home from a real one.

use std::path::Path;

/// Its name. It also counts the sign-ins made in the home.
pub(crate) const MARKER: &str = ".sandbox";

/// Whether `home` is a throw-away home.
pub(crate) fn is_marked(home: &Path) -> bool {
    std::fs::symlink_metadata(home.join(MARKER)).is_ok_and(|found| found.is_file())
}

/// Ends the test unless `home` is a throw-away home.
///
/// # Panics
/// `home` has no marker file.
pub fn refuse_unmarked(home: &Path) {
    assert!(is_marked(home), "{} is no sandbox: it has no file {MARKER}", home.display());
}
