//! Putting another login live: `switch`, and its way back, `undo`.

mod displaced;
mod plan;
mod renewed;
mod report;
mod run;
mod spared;
mod undo;
mod unseen;
mod verify;

pub use report::{Effect, Outgoing, Report, SessionEffect};
pub use run::{Options, Target};
