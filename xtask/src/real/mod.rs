//! `cargo xtask real`: clauth beside the unmodified Claude Code, in a network that leads nowhere.
//!
//! The client talks to the sandbox's fake Anthropic, so this also tells where the fake is wrong. It runs in a throw-away
//! home with invented tokens; nothing of it is copied, changed or taken apart, and nothing of it enters the project.
//! Skipped, with a message, where `cargo xtask real setup` has not been run. What is seen here belongs into
//! `docs/decisions/assumptions.md`, with the client's version.

mod args;
mod bench;
mod endpoint;
mod inside;
mod outside;
mod scenarios;
mod session;
mod sessions;

pub(crate) use args::{Args, run};
pub(crate) use inside::{Args as InsideArgs, run as run_inside};
