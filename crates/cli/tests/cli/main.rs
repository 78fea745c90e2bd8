//! The program as its users run it: words in, words and files out.
#![expect(clippy::disallowed_methods, reason = "tests arrange and inspect a throw-away home by hand")]

mod adopt;
mod bind;
mod completions;
mod config;
mod contract;
mod doctor;
mod endpoint;
mod files;
mod help;
mod hook;
mod hostile;
mod keychain;
mod locks;
mod login;
mod looking;
mod processes;
mod refreshing;
mod secrets;
mod sessions;
mod snapshots;
mod stage;
mod start;
mod start_auto;
mod start_end;
mod start_isolated;
mod start_points;
mod start_token;
mod statusline;
mod statusline_install;
mod storm;
mod streams;
mod trouble;
mod uninstall;
mod usage;
mod words;
