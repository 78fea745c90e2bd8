//! The chores of this checkout: house rules, generated files, cross builds, measurements.
//!
//! `cargo xtask CHORE` runs from anywhere inside the checkout. Nothing here is part of clauth; no chore touches
//! a home that it did not make itself.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a chore talks to the person who runs it")]
#![expect(clippy::disallowed_methods, reason = "a chore works on the checkout, not on anybody's logins")]

mod args;
mod bench;
mod cross;
mod docs;
#[cfg(unix)]
mod faults;
mod model;
mod process;
mod real;
mod tidy;
mod tree;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match args::Args::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
