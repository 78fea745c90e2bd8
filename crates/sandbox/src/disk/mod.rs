//! Files of the sandbox, on every platform.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;
#[cfg(unix)]
use unix as platform;
#[cfg(windows)]
use windows as platform;

mod files;

pub(crate) use files::{
    append, ensure_private_dir, object, program, referent, remove_tree, replace, replace_via, write_in_place,
};
pub(crate) use platform::{mode, stamp};
