//! Edits leave everything else as it was.
