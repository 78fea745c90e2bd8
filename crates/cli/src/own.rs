//! The path of this program that others are to call it by: one that outlives an update.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_host::Env;

/// The path as it was called, or as it is found on `PATH`; the file itself may lie in a place that bears its version
/// (Homebrew, Nix), so that it is gone with the next one.
pub(crate) fn program(called: Option<&OsStr>, env: &Env) -> PathBuf {
    let Ok(us) = std::env::current_exe() else { return "clauth".into() };
    let real = std::fs::canonicalize(&us).unwrap_or_else(|_| us.clone());
    let is_us = |path: &PathBuf| path.is_absolute() && std::fs::canonicalize(path).is_ok_and(|path| path == real);
    let called = called.map(Path::new).map(Path::to_owned).filter(is_us);
    let name = us.file_name().map(OsStr::to_owned).unwrap_or_default();
    let on_path = || std::env::split_paths(env.get("PATH")?).map(|dir| dir.join(&name)).find(is_us);
    called.or_else(on_path).unwrap_or(us)
}
