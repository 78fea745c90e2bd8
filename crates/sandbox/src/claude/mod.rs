//! A fake `claude`, faithful to what was seen of the real client 2.1.330.
//!
//! [`Claude`] is one process as a value, for tests that stay in their own process; [`main`] is the program, for a binary
//! linked under the name `claude`. Assumptions about the real one can be broken one by one: [`Variant`].

mod cli;
pub(crate) mod client;
mod credentials;
mod locks;
mod paths;
mod process;
mod refresh;
mod session;
mod sign;
mod state;
mod transcript;
mod turn;
mod variant;

#[cfg(test)]
mod tests;

pub use cli::{VERSION, main};
pub use credentials::Trouble;
pub use locks::{LEGACY_STALE, Lock, LockError, Patience, REFRESH_STALE, STATE_STALE, STORAGE_STALE};
pub use paths::Dirs;
pub(crate) use paths::KEYCHAIN;
pub use process::Claude;
pub use refresh::Refreshed;
pub use session::run as run_session;
pub use turn::{Stop, Turn};
pub use variant::Variant;
