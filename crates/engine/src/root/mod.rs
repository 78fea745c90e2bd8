//! clauth's own root: the layout, and our settings.

mod layout;
mod settings;

pub use layout::{Entry, LAYOUT, Root};
pub(crate) use settings::Settings;
