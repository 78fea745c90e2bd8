//! Copy mode as a whole: tables for each sentence of S6, odd files, faults, a simulation.
#![expect(clippy::disallowed_methods, reason = "a test's own hands must not be the code that is tested")]

#[cfg(target_os = "linux")]
mod cost;
mod fault;
mod filling;
mod odd;
mod simulation;
mod stage;
mod tables;
mod watching;

use stage::{Stage, everything};
