//! `cargo xtask tidy`: the house rules that no lint knows.
//!
//! A rule is a pure function from the checkout's files to problems, so each is tested on small inputs beside it.

mod attributes;
mod floors;
mod headers;
mod help;
mod length;
mod machine;
mod modules;
mod problem;
mod reference;
mod rules;
mod scan;

pub(crate) use rules::run;
