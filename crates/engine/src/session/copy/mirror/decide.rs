//! What is to be done about a path: a function of what stands there and what is known.

use super::super::index::{Entry, Known};
use super::super::side::{Side, Two};
use super::look::Seen;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Neither side has it.
    Forget,
    /// Directories, or links to the same place, on both: remember it.
    Agree,
    /// Bring it to this side, which has nothing there.
    Bring(Side),
    /// This side has nothing there: that is a deletion, and it stands.
    Deleted(Side),
    /// As the last time.
    Rest,
    /// Files on both, not both as they were.
    Compare,
    /// Things of different kinds.
    Differ,
    /// Nothing that can be shared.
    Ignore,
}

/// One file on one side that was touched after a deletion on the other still counts as touched, whatever its bytes.
pub(super) fn decide(seen: &Two<Seen>, known: Option<&Entry>) -> Step {
    match (&seen.home, &seen.tree) {
        (Seen::Nothing, Seen::Nothing) => Step::Forget,
        (Seen::Other, _) | (_, Seen::Other) => Step::Ignore,
        (_, Seen::Nothing) => one_sided(Side::Tree, seen, known),
        (Seen::Nothing, _) => one_sided(Side::Home, seen, known),
        (Seen::Dir(_), Seen::Dir(_)) => Step::Agree,
        (Seen::Link(home), Seen::Link(tree)) if home == tree => Step::Agree,
        (Seen::File(home), Seen::File(tree)) => match known {
            Some(Two { home: Known::File(h), tree: Known::File(t) })
                if seen.home.is(&Known::File(*h))
                    && seen.tree.is(&Known::File(*t))
                    && (home.mode, tree.mode) == (h.mode, t.mode) =>
            {
                Step::Rest
            }
            _ => Step::Compare,
        },
        _ => Step::Differ,
    }
}

fn one_sided(missing: Side, seen: &Two<Seen>, known: Option<&Entry>) -> Step {
    let there = missing.other();
    match known {
        Some(known) if seen.at(there).is(known.at(there)) => {
            if *known.at(missing) == Known::Gone {
                Step::Rest
            } else {
                Step::Deleted(missing)
            }
        }
        _ => Step::Bring(missing),
    }
}

#[cfg(test)]
mod tests;
