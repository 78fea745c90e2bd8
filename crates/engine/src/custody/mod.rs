//! Where each login is, and how one is moved: what stands on disk is read into a [`Snapshot`], a [`Desk`] drafts every
//! change in the order of W6, and [`apply`](apply::apply) makes them real as one, or not at all.

mod apply;
mod below;
mod bound;
mod claim;
mod desk;
mod draft;
mod hands;
mod home;
mod leftovers;
mod lock;
mod put_back;
mod recall;
mod recover;
mod snapshot;
mod unfinished;

pub(crate) use apply::{Applied, Check, Operation};
pub(crate) use below::{below, is_dir};
pub(crate) use claim::{Claim, Fit, same_end, used_up};
pub(crate) use desk::{Desk, Drafted, Learned, MAY_BE_RENEWED, Whose, elsewhere, print};
pub use draft::Planned;
pub(crate) use draft::{Draft, planned};
pub(crate) use home::live_home;
pub(crate) use recover::ATTEMPTS;
pub(crate) use snapshot::{Snapshot, not_readable};
pub use unfinished::{Open, Unfinished};
