//! clauth's own root: the layout, and our settings.

mod era;
mod layout;
mod settings;
mod tighten;

pub(crate) use era::Era;
pub(crate) use layout::TREES;
pub use layout::{Entry, LAYOUT, Root};
pub(crate) use settings::Settings;
pub(crate) use tighten::tighten;
