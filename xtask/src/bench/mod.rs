//! `cargo xtask bench [ROW…]`: what a command costs, measured beside the least that it could cost.
//!
//! All subjects of a table take turns in one loop, so whatever else the machine does falls on each alike. What counts is the
//! difference to a baseline that does the unavoidable: start a process, replace and sync as many files, ask a server once.

mod args;
mod baseline;
mod crowd;
mod effects;
mod live;
mod locks;
mod poller;
mod proc;
mod report;
mod run;
mod sessions;
mod stage;
mod stats;
mod topic;

pub(crate) use args::{Args, run};
pub(crate) use baseline::{Args as FilesArgs, run as run_files};
