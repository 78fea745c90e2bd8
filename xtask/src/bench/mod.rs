//! `cargo xtask bench`: what a command costs, measured beside the least that it could cost.
//!
//! All subjects take turns in one loop, so whatever else the machine does falls on each alike. What counts is the
//! difference to a baseline that does the unavoidable: start a process, or replace and sync as many files.

mod args;
mod baseline;
mod effects;
mod locks;
mod report;
mod run;
mod sessions;
mod stage;
mod stats;

pub(crate) use args::{Args, run};
pub(crate) use baseline::{Args as FilesArgs, run as run_files};
