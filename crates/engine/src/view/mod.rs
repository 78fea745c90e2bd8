//! Looking: what stands, without writing anything or asking anybody (W8).

mod custody;
mod list;
mod names;
mod sessions;
mod which;
mod why;

pub use custody::{Copy, Custody, Generation};
pub use list::{Account, Custodian, Listing, LiveState};
pub use sessions::{Session, Sessions};
pub use which::{Via, Which};
