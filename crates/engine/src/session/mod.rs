//! Sessions: an unmodified `claude` that runs as one profile in a config directory of its own (S1–S9).

mod place;

pub(crate) use place::Place;
