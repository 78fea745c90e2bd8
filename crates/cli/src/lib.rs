//! clauth's command line: words in, words out.
//!
//! Arguments become a call of `clauth-engine`; its answer, or its failure, becomes text or JSON and an exit code. What
//! clauth does is decided in the engine; how it sounds is decided here.

mod args;
mod child;
mod commands;
mod complete;
#[cfg(feature = "demo")]
mod demo;
mod entry;
mod failure;
mod hidden;
mod incidents;
mod overview;
mod own;
mod readings;
mod shell;
mod statusline;
mod table;
mod ui;

pub use args::command;
pub use clauth_engine::{doctor_page, settings_page};
pub use entry::{CRASH_AT, run};
