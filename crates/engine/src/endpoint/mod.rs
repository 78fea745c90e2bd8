//! Endpoint profiles: a base URL and a key instead of a Claude login.

mod add;
mod guard;
mod helper;
mod presets;
mod take;
mod variables;

pub use add::Added;
pub use helper::KEY_COMMAND;
pub(crate) use helper::{no_key, same_host};
pub use presets::{PRESETS, Preset, preset};
pub(crate) use variables::{API_KEY, AUTH_TOKEN, BASE_URL, DECIDES, HELPER, STRONGER};
