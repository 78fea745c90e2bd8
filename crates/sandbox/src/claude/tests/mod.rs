//! The fake `claude` against `observed.md`: what the real one does, and what each variant breaks.

mod common;
mod files;
mod refresh;
mod turns;
