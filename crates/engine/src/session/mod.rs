//! Sessions: an unmodified `claude` that runs as one profile in a config directory of its own (S1–S9).

mod another;
mod bearer;
mod copy;
mod credential;
mod gate;
mod holder;
mod inherited;
mod isolated;
mod item;
mod links;
mod merge;
mod moving;
mod orphan;
mod pick;
mod place;
mod reconcile;
mod record;
mod shared;
mod start;
mod teller;
#[cfg(test)]
mod tests;
mod tree;
mod visit;
mod watch;

pub(crate) use credential::Tended;
pub(crate) use holder::{Holder, live, prune};
pub(crate) use links::{LinkMode, not_as_asked, probe};
#[cfg(test)]
pub(crate) use merge::seed;
pub(crate) use merge::{Converger, Own, forget, is_in_step, knows_own, seed_with};
pub use pick::Roomiest;
pub(crate) use place::Place;
pub(crate) use reconcile::{Cleared, clear, keep_aside, reconcile};
pub(crate) use record::{Process, write_quickly};
pub(crate) use shared::is_shared;
pub use start::SessionHandle;
pub(crate) use tree::build;
