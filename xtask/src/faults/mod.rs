//! `cargo xtask faults`: the fault sweep from outside.
//!
//! `cargo test` sweeps faults inside the process, through the file layer's own door. This does the same to real
//! processes with strace: it counts the calls that change a file, and kills the program at each of them. That both
//! count the same shows that nothing goes past the door.

mod args;
mod cases;
mod play;
mod sweep;
mod trace;

pub(crate) use args::{Args, run};
