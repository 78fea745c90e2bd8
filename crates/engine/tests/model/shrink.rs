//! The shortest program that breaks the same law.

use std::collections::BTreeMap;

use crate::play::{Failure, play};
use crate::step::Step;

/// So many programs are tried at most.
const TRIES: usize = 400;

/// Drops steps as long as what is left still breaks the law that was broken.
pub(crate) fn shrink(seed: u64, program: &[Step], failure: Failure) -> (Vec<Step>, Failure) {
    let mut best = (program[..failure.steps].to_vec(), failure);
    let mut tries = 0;
    let mut size = best.0.len().div_ceil(2);
    while size > 0 {
        let (mut at, mut dropped) = (0, false);
        while at < best.0.len() && tries < TRIES {
            let mut shorter = best.0.clone();
            shorter.drain(at..(at + size).min(best.0.len()));
            tries += 1;
            match play(seed, &shorter, &mut BTreeMap::new()) {
                Err(failure) if failure.breach.law == best.1.breach.law => {
                    shorter.truncate(failure.steps);
                    (best, dropped) = ((shorter, failure), true);
                }
                _ => at += size,
            }
        }
        if !(size == 1 && dropped) {
            size /= 2;
        }
    }
    // Faults that do not matter go, too.
    for at in 0..best.0.len() {
        let Some(act) = best.0[at].act().filter(|_| !matches!(best.0[at], Step::Do(_))) else { continue };
        let mut plainer = best.0.clone();
        plainer[at] = Step::Do(act.clone());
        if let Err(failure) = play(seed, &plainer, &mut BTreeMap::new())
            && failure.breach.law == best.1.breach.law
            && failure.steps == plainer.len()
        {
            best = (plainer, failure);
        }
    }
    best
}
