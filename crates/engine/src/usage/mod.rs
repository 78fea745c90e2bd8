//! Readings: how much of each account is used, from where that is known, and how old it is (design §5).

mod ask;
mod budget;
mod cache;
mod gather;
mod line;
mod look;
mod permit;
mod policy;
mod reading;
mod target;

pub use ask::{Asked, Tried as AskedAbout};
pub use gather::{Asking, Usage};
pub(crate) use look::Shelf;
pub use reading::{Balance, Budget, Reading, Source, Trouble, Window};
