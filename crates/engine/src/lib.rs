//! What clauth does: profiles, loans, ownership, switching, vault, history.
//!
//! A command reads a snapshot of what stands, decides whose the live login is ([`owner`], a pure function), drafts every
//! change in the order of W6, and applies them as one, or not at all.

mod bind;
mod capture;
mod config;
mod custody;
mod doctor;
mod endpoint;
mod engine;
mod error;
mod find;
mod history;
mod integrations;
mod inward;
mod items;
mod json;
mod log;
mod login;
mod manage;
mod overlay;
mod owner;
mod profile;
mod purge;
mod refresh;
mod root;
mod session;
mod spent;
mod switch;
mod text;
mod toml;
mod trees;
mod trust;
mod uninstall;
mod usage;
mod vault;
mod view;

pub use clauth_anthropic::{Incident, Provider, Spend};

pub use bind::{Binding, Bound};
pub use capture::Captured;
pub use config::{
    Changed, Config, File as SettingFile, ProfileConfig, SETTINGS, Setting, Shown, Takes, check_url, is_variable,
    nearest_setting, setting, settings_page,
};
pub use custody::{Open, Planned, Unfinished};
pub use doctor::{ClaudeProgram, Examination, Facts, Finding, Mended, RULES, Rule, SHOWN_ON, Severity, doctor_page};
pub use endpoint::{Added, KEY_COMMAND, PRESETS, Preset, preset};
pub use engine::{Engine, Patience, Progress};
pub use error::{Error, Kind};
pub use history::{Event, Tokens};
pub use integrations::{Installed, Integration, Piece, Taken, What};
pub use login::LoggedIn;
pub use manage::Removed;
pub use profile::{AccountKey, ProfileKind, State, check_name, is_command_word};
pub use refresh::{Need, Refreshed, Tried};
pub use root::{Entry as LayoutEntry, LAYOUT, Root};
pub use session::{Roomiest, SessionHandle};
pub use switch::{Effect, Options, Outgoing, Report, SessionEffect, Target};
pub use text::{nearest, plain, seconds, shown};
pub use trees::{Adoptee, Adoption, Fate, Twin};
pub use uninstall::{Leaving, Left};
pub use usage::{
    Asked, AskedAbout, Asking, Balance, Budget, Filling, Handed, Pace, Reading, Source, Status, Trouble, Usage,
    Watching, Window,
};
pub use vault::Entry as VaultEntry;
pub use view::{Account, Copy, Custodian, Custody, Generation, Listing, LiveState, Session, Sessions, Via, Which};
