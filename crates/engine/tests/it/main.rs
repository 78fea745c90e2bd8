//! The engine on a sandbox: whole commands in process, with faults at every effect on the disk.
#![expect(clippy::disallowed_methods, reason = "tests look at and restore a throw-away home directly")]

mod adopt;
mod adopt_faults;
mod clock;
mod custody;
mod endpoint;
mod endpoint_faults;
mod faults;
mod homes;
mod hostile;
mod house;
mod incidents;
mod integrations;
mod journey;
mod keychain;
mod later;
mod locks;
mod login;
mod lookups;
mod matrix;
mod odd;
mod old_tree;
mod outside;
mod polling;
mod providers;
mod races;
mod recalled;
mod refresh;
mod refresh_faults;
mod secure;
mod session_faults;
mod staying;
mod unnamed;
mod usage;
mod vault;
mod verify;
