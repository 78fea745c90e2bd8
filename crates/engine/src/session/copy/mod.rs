//! Copy mode (S6): where the system denies links, a session's tree is a copy of the home, kept in step both ways.
//!
//! [`populate`](populate::populate) makes the copy, [`Mirror`] keeps it in step, [`Watcher`] says when.

mod fence;
mod index;
mod mirror;
mod name;
mod populate;
mod problem;
mod side;
mod store;
#[cfg(test)]
mod tests;
mod watch;

pub(crate) use mirror::Mirror;
#[cfg(test)]
pub(crate) use mirror::{Report, Shared};
#[cfg(test)]
pub(crate) use populate::Filled;
pub(crate) use populate::{Plan, Progress, populate};
pub(crate) use problem::{Problem, Trouble};
pub(crate) use side::Pair;
pub(crate) use store::{discard, is_filled};
pub(crate) use watch::Watcher;
