//! A model of the whole: random programs of everything that can happen to four accounts, one home and two session
//! directories, each step followed by what must always hold. `cargo xtask model` runs it by the thousand.
#![expect(clippy::disallowed_methods, reason = "a witness looks at a throw-away home by its own hands")]
#![cfg(unix)]

mod acts;
mod clock;
mod disk;
mod generate;
mod laws;
mod ledger;
mod named;
mod others;
mod play;
mod real;
mod rest;
mod run;
mod shrink;
mod stage;
mod state_file;
mod step;
mod witness;
