//! `doctor`: proves instead of guessing. Each topic looks once, and then judges what it saw by pure functions; without
//! `--fix` nothing is written, nobody is asked and no program is run.

mod around;
mod examine;
mod facts;
mod files;
mod fix;
mod home;
mod locks;
mod logins;
mod moved;
mod outside;
mod root;
mod rules;
mod trees;

pub use examine::{Examination, Finding};
pub use facts::{ClaudeProgram, Facts, SHOWN_ON};
pub use fix::Mended;
pub use rules::{RULES, Rule, Severity, doctor_page};
