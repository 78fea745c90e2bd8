//! `cargo xtask docs`: the command reference and the man pages, made from the command line's definition.

mod commands;
mod pages;
mod tree;

pub(crate) use commands::run;
pub(crate) use pages::{Page, is_generated, pages};
pub(crate) use tree::{WIDTH, command, entries};
