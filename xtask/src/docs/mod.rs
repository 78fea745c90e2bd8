//! `cargo xtask docs`: the command reference, the man pages and the settings' page, made from their definitions.

mod commands;
mod pages;
mod tree;

pub(crate) use commands::run;
pub(crate) use pages::{Page, is_generated, pages};
pub(crate) use tree::{WIDTH, command, entries};
