//! `start --isolated`: a config directory with nothing of the user's in it, beside the tree whose login it uses. Transcripts go
//! home at the end.

mod clear;
mod keep;
mod make;

pub(super) use make::{make, path, refuse_home_itself};
