//! A throw-away home, its picture before and after, and programs run inside it.

mod child;
mod files;
mod home;
mod old;
mod running;
mod snapshot;
mod swap;

#[cfg(test)]
mod tests;

pub use crate::claude::Dirs;
pub use crate::marker::refuse_unmarked;
pub use child::{DEADLINE, Output, run};
pub use home::World;
pub use old::OldSession;
pub use running::Running;
pub use snapshot::{Entry, Snapshot, changes, holders, snapshot};
pub use swap::encode;
