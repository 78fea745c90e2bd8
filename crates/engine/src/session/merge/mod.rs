//! Merges of `.claude.json` and `settings.json` between the home and the trees (S5), and the trees' first copies of them.
//!
//! [`threeway`] is a pure function of one base, the hub and one member. [`plan`] brings any number of members to rest in
//! memory. [`Converger`] reads, plans and writes.

mod apply;
mod base;
mod canon;
mod converge;
mod decide;
mod lock;
mod plan;
mod seed;
mod side;
mod subject;
#[cfg(test)]
mod tests;
mod threeway;

pub(crate) use base::{forget, is_in_step, is_seeded, knows_own};
pub(crate) use converge::Converger;
#[cfg(test)]
pub(crate) use seed::seed;
pub(crate) use seed::seed_with;
pub(crate) use subject::Own;
