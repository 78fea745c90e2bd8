//! Links, modes and what is no file.
