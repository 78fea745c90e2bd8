//! How much of what is much a test does: all of it, or what Wine manages.

use std::iter::StepBy;

/// A prime: not in step with what a command does again and again, so that each kind of effect is met somewhere.
const STRIDE: usize = 7;

/// The places that a sweep over a command's effects puts its faults at: all of them; under Wine, where each takes many times
/// as long, every seventh.
#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
pub fn swept<I: Iterator>(all: I) -> StepBy<I> {
    let wine = is_wine();
    if wine {
        println!("skipped: under Wine: all but every {STRIDE}th place of this sweep, since each takes so long there");
    }
    all.step_by(if wine { STRIDE } else { 1 })
}

/// How many of so many random cases are tried: all of them; under Wine, a seventh.
#[must_use]
#[expect(clippy::print_stdout, reason = "a test that leaves something out says so")]
pub fn cases(all: u32) -> u32 {
    if !is_wine() {
        return all;
    }
    let some = all / u32::try_from(STRIDE).unwrap_or(1);
    println!("skipped: under Wine: {} of {all} random cases, since each takes so long there", all - some);
    some
}

/// Whether `cargo xtask cross windows --test` runs us. A real system leaves nothing out, whatever stands in its environment.
#[must_use]
pub fn is_wine() -> bool {
    cfg!(windows) && std::env::var_os("XTASK_WINE").is_some()
}
