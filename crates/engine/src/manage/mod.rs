//! Changes to the profiles themselves, beside their logins.

mod order;
mod relist;
mod remove;
mod rename;

pub use remove::Removed;
