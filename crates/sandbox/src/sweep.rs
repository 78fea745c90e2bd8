//! Where a sweep puts its faults.

use std::iter::StepBy;

/// A prime: not in step with what a command does again and again, so that each kind of effect is met somewhere.
const STRIDE: usize = 7;

/// The places that a sweep over a command's effects puts its faults at: all of them; under Wine, where each takes many times
/// as long, every seventh.
pub fn swept<I: Iterator>(all: I) -> StepBy<I> {
    // What `cargo xtask cross windows --test` sets. Real systems leave nothing out, whatever stands in an environment.
    let wine = cfg!(windows) && std::env::var_os("XTASK_WINE").is_some();
    if wine {
        tell();
    }
    all.step_by(if wine { STRIDE } else { 1 })
}

#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
fn tell() {
    println!("skipped: under Wine: all but every {STRIDE}th place of this sweep, since each takes so long there");
}
