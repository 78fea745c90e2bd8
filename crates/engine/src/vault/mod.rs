//! The vault: logins that were displaced and are nobody's, kept with why, when and whose. No `claude` process reads it.

mod entry;
mod restore;

pub use entry::Entry;
pub(crate) use entry::{all, find, new_entry, torn};
