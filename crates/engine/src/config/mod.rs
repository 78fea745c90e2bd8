//! The settings: one table of what there is, and what is read, checked and written by it.

mod act;
mod edit;
mod read;
mod table;
mod takes;

pub use act::{Changed, Shown};
pub use read::{Config, ProfileConfig};
pub use table::{File, SETTINGS, Setting, nearest_setting, setting, settings_page};
pub use takes::{Takes, check_url, is_variable};
