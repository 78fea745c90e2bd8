//! A fake Anthropic on a loopback port: single-use refresh tokens, profiles, usage, status, scripted trouble, a log.

mod bodies;
mod handle;
mod http;
mod providers;
mod routes;
mod script;
mod state;

#[cfg(test)]
mod tests;

pub use handle::Server;
pub use script::{Gate, Reply, Route};
pub use state::{Options, Request};
