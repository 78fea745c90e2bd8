//! `adopt --from claude-swap`: accounts out of another tool's store, or out of its export. Nothing of that tool's is changed.

mod export;
mod names;
mod row;
mod store;
mod take;
#[cfg(test)]
mod tests;

use row::{Held, Row};
