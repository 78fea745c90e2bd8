//! Readings: how much of each account is used, from where that is known, and how old it is (design §5).

mod ask;
mod budget;
mod cache;
mod carried;
mod gather;
mod handed;
mod line;
mod look;
mod permit;
mod policy;
mod reading;
mod statusline;
mod target;

pub use ask::{Asked, Tried as AskedAbout};
pub use gather::{Asking, Usage};
pub use handed::Handed;
pub(crate) use look::Shelf;
pub use reading::{Balance, Budget, Reading, Source, Trouble, Window};
pub use statusline::Status;
