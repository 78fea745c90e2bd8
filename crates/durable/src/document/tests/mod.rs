//! What an edit leaves alone, and what is no document.

mod many;
mod model;
mod place;
mod properties;
mod refusals;
mod styles;
