//! Claude Code's own files, locks, environment and processes, as they are on disk.
//!
//! Facts stand in the project's notes on Claude Code; what is assumed, and the version that showed it, in
//! `docs/decisions/assumptions.md`.

mod credentials;
mod error;
#[cfg(test)]
mod fixture;
mod home;
mod keychain;
mod overrides;
mod sessions;
mod state;
mod store;

pub use credentials::{AccountPart, Credentials, Found, KeyClass, Login, Renewal, class_of};
pub use error::Error;
pub use home::{ClaudeHome, HomeLocks, real_path, same_path};
pub use keychain::{Keychain, exported, item_of, printable};
pub use overrides::{OUTRANKING, Override, outranking, overrides};
pub use sessions::{RunningClaude, lock_owner, running, running_in};
pub use state::{ACCOUNT_KEYS, Identity, StateFile};
pub use store::{CredentialStore, FileStore, KeychainStore, Reading, Store};
