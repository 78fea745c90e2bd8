//! A fake Anthropic and a fake `claude`: the independent witness.
//!
//! It uses no other crate of the house. Locks, writes and refreshes are written here a second time, from what is known
//! of Claude Code, so that a misreading of ours cannot prove itself right. Three parts:
//!
//! - [`world`]: a throw-away home, its before-and-after picture, and a runner for programs inside it;
//! - [`server`]: Anthropic on a loopback port, with single-use refresh tokens and scripted trouble;
//! - [`claude`]: the program `claude`, as a value for tests and as a `main` for the binary linked under that name.
//!
//! Every token is an obvious fake that tells its family and generation: `sk-ant-oat01-FAKE-A2` is A's second.
#![expect(clippy::disallowed_methods, reason = "an independent witness: it does its own I/O on purpose")]

mod account;
mod disk;
mod entropy;
mod json;
mod login;
mod marker;
mod sweep;
mod time;

pub mod claude;
pub mod server;
pub mod world;

pub use account::Account;
pub use claude::{Claude, Refreshed, Variant};
pub use login::{Login, Pair, describe, fingerprint};
pub use server::{Reply, Route, Server};
pub use sweep::{cases, is_wine, swept};
pub use time::{ahead_ms, let_pass, now_ms, set_right, set_wrong, true_ms};
pub use world::{Output, Running, Snapshot, World};
