//! Whose login is this? (protocols §2.) A pure function of what was found and what is known: no files, no clock, no
//! network. Nothing is ever written into a slot without a proof that comes from here.

mod classify;
#[cfg(test)]
mod tests;

pub(crate) use classify::{Candidate, Doubt, Evidence, Hands, Owner, Proven, YOUNG, classify};
