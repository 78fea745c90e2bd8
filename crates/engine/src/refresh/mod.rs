//! Renewing a login that is ours to renew (R1–R7).
//!
//! Under the profile's refresh lock: a mark says that the refresh token was sent, a stage file with its room taken
//! beforehand waits for the answer, and what came is put where the sent token still is. A kill at any moment leaves the
//! mark, the staged pair, or both, and the next acting command lands what is there.

mod keep;
mod land;
mod left;
mod mark;
mod policy;
mod run;
mod send;
mod staged;

pub(crate) use mark::Mark;
pub use policy::Need;
pub use run::{Refreshed, Tried};
