//! Readings: how much of each account is used, from where that is known, and how old it is (design §5).

mod ask;
mod budget;
mod cache;
mod carried;
mod compact;
mod gather;
mod handed;
mod incidents;
mod line;
mod look;
mod pace;
mod permit;
mod policy;
mod poller;
mod prove;
mod reading;
mod schedule;
mod statusline;
mod target;
mod watching;
mod whose;

pub use ask::{Asked, Tried as AskedAbout};
pub use gather::{Asking, Usage};
pub use handed::Handed;
pub use look::Filling;
pub(crate) use look::{Shelf, account_id};
pub use pace::Pace;
pub use reading::{Balance, Budget, Reading, Source, Trouble, Window};
pub use statusline::Status;
pub use watching::Watching;
