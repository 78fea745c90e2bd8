//! Sessions on disk.

mod credential;
mod faults;
mod holder;
mod odd;
mod reconcile;
mod stage;
mod tree;
