//! Links, modes, faults, and what is no file.

#[cfg(unix)]
mod modes;
#[cfg(unix)]
mod read;
#[cfg(unix)]
mod remove;
mod replace;
