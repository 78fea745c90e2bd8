//! `cargo xtask cross`: building for Windows and type-checking for macOS on a Debian machine.
//!
//! A Rust toolchain often has the standard library of its own platform alone. Debian ships what is missing: a
//! compiler (`rustc-web`) with its library's source, and a MinGW linker; cargo then builds the library itself.
//! Results lie in `cross` inside the target folder, so the ordinary ones stay warm. Where the packages are not
//! to be had, each of these says `skipped: …` and succeeds.

mod args;
mod cargo;
mod packages;
mod report;
mod suite;
mod wine;

pub(crate) use args::{Args, run};
