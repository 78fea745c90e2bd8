//! What becomes of one unit: a pure function of what both sides have and what the base says.

use super::base::{Entry, Flight};
use super::canon::Digest;

/// How a side's value relates to the base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// It is what both sides have agreed on.
    Same,
    /// It is from before our last write, or lost by a stale write, or not to be believed: it loses.
    Echo,
    /// Somebody changed it.
    Changed,
}

/// Who takes the other's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Both have the same.
    Agreed,
    /// The hub takes the member's.
    ToHub,
    /// The member takes the hub's.
    ToMember,
}

/// One side's value of a unit, and how far it is believed.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) value: Option<&'a Digest>,
    pub(super) flight: Option<&'a Flight>,
    /// Its absence is no deletion.
    pub(super) keeps: bool,
    /// It may add, but not change.
    pub(super) adds_only: bool,
}

impl Sight<'_> {
    pub(super) fn stand(&self, entry: &Entry, other: Option<&Digest>) -> Stand {
        if self.value == entry.value.as_ref() {
            return Stand::Same;
        }
        let lost = self.value.is_none() && (self.keeps || self.flight.is_some());
        let echo = self.flight.is_some_and(|flight| flight.was.iter().any(|was| was.as_ref() == self.value));
        let overruled = self.adds_only && other.is_some();
        if lost || echo || overruled { Stand::Echo } else { Stand::Changed }
    }
}

/// Where both sides changed, or neither is to be believed, a value is not deleted, and the home's wins: it is the hub.
pub(super) fn verdict(member: Stand, hub: Stand, values: (Option<&Digest>, Option<&Digest>)) -> Verdict {
    use Stand::{Changed, Echo, Same};
    if values.0 == values.1 {
        return Verdict::Agreed;
    }
    match (member, hub) {
        // Both equal to the base and different from each other cannot be.
        (Same, Same) => Verdict::Agreed,
        (Changed, Same | Echo) | (Same, Echo) => Verdict::ToHub,
        (Same | Echo, Changed) | (Echo, Same) => Verdict::ToMember,
        (Changed, Changed) | (Echo, Echo) if values.1.is_none() => Verdict::ToHub,
        (Changed, Changed) | (Echo, Echo) => Verdict::ToMember,
    }
}
