//! Sessions on disk.

mod credential;
mod faults;
mod holder;
mod leaving;
mod lend;
mod machine;
mod odd;
mod reconcile;
mod stage;
mod tree;
