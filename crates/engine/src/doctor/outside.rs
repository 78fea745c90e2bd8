//! What was put outside the root, and whether it still stands there.

use super::Finding;
use super::rules::OUTSIDE_GONE;
use crate::Engine;

pub(super) fn findings(engine: &Engine) -> Vec<Finding> {
    let all = engine.integrations().unwrap_or_default();
    let gone = all.iter().filter(|one| !engine.stands_outside(one));
    let finding = |one: &crate::Integration| {
        Finding::mendable(
            OUTSIDE_GONE,
            format!("what `{}` put into {} is not there as it was", one.by, one.file.display()),
        )
    };
    gone.map(finding).collect()
}
