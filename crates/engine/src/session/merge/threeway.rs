//! The three-way merge of the hub with one member: a pure function (S5).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::base::{Base, Entry, Flight};
use super::decide::{self, Sight, Stand, Verdict};
use super::side::{Side, Value};
use super::subject::{Own, Subject, Unit};

/// How many values a file may lose in one pass.
pub(super) const DELETIONS: usize = 3;

/// What a merge goes by.
#[derive(Clone, Copy)]
pub(super) struct Terms<'a> {
    pub(super) subject: Subject,
    pub(super) own: &'a Own,
    pub(super) now: Timestamp,
    /// The hub as it was read.
    pub(super) hub_read: &'a Side,
    /// Nothing was merged in this pass yet, so the hub has what somebody left there.
    pub(super) is_first: bool,
}

/// How far what was read of the hub and one member is believed, for a whole pass: what the pass itself makes of the hub says
/// nothing about either.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Belief {
    /// The member may add, but not delete or change.
    pub(super) adds_only: bool,
    /// The hub lost so much at once that its gaps are no deletions.
    pub(super) is_gutted: bool,
}

/// What is known of one side beside its values.
#[derive(Clone, Copy)]
pub(super) struct News {
    /// Somebody else wrote the member since it was last seen. Not asked of the hub, which other members share.
    pub(super) written: bool,
    /// How many values it may still lose in this pass.
    pub(super) deletions: usize,
}

/// A value that a side is to take; `None` for none.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) unit: Unit,
    pub(super) value: Option<Value>,
}

/// What a merge comes to.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) hub_edits: Vec<Edit>,
    pub(super) member_edits: Vec<Edit>,
    /// What the base says once the edits are made.
    pub(super) base: Base,
    /// When a write that was undone may be made again.
    pub(super) due: Option<Timestamp>,
}

impl Belief {
    /// In a hub and a member that have just been read.
    pub(super) fn of(own: &Own, base: Option<&Base>, hub: &Side, member: &Side) -> Self {
        Self { adds_only: adds_only(own, base, hub, member), is_gutted: is_gutted(own, base, hub) }
    }
}

/// Notes what the hub and a member have in common as they were read, before another member's values are in the hub: a gap in
/// both is not this member's deletion of what another one brings back.
pub(super) fn agree(own: &Own, base: &mut Base, hub: &Side, member: &Side) {
    let units: BTreeSet<Unit> = base.entries.keys().chain(hub.units()).cloned().collect();
    for unit in units {
        let both = hub.digest(&unit);
        let is_apart = hub.is_odd(&unit) || member.is_odd(&unit) || own.covers(&unit);
        let known = base.entries.get(&unit).and_then(|entry| entry.value.as_ref());
        if is_apart || member.digest(&unit) != both || known == both {
            continue;
        }
        match both {
            Some(value) => {
                base.entries.insert(unit, Entry { value: Some(value.clone()), ..Entry::default() });
            }
            None => drop(base.entries.remove(&unit)),
        }
    }
}

/// Merges one member with the hub.
pub(super) fn merge(
    terms: Terms<'_>,
    belief: Belief,
    base: Option<&Base>,
    (hub, hub_news): (&Side, News),
    (member, member_news): (&Side, News),
) -> Outcome {
    let mut outcome = Outcome { base: base.cloned().unwrap_or_default(), ..Outcome::default() };
    outcome.base.torn = false;
    let units: BTreeSet<Unit> = outcome.base.entries.keys().chain(hub.units()).chain(member.units()).cloned().collect();
    let mut merging = Merging {
        terms,
        hub: Party { side: hub, news: hub_news, adds_only: false, keeps: belief.is_gutted },
        member: Party { side: member, news: member_news, adds_only: belief.adds_only, keeps: false },
        outcome,
    };
    for unit in units {
        merging.settle(unit);
    }
    merging.outcome
}

/// Whether a member may add, but not delete or change.
fn adds_only(own: &Own, base: Option<&Base>, hub: &Side, member: &Side) -> bool {
    let Some(base) = base else { return true };
    let other_user = member.user_id().zip(hub.user_id()).is_some_and(|(member, hub)| member != hub);
    let (all, missing) = missing(own, base, member);
    let (keys, missing_keys) = missing_keys(own, base, member);
    base.torn || other_user || missing * 2 > all || missing_keys * 2 > keys
}

/// Whether the hub lost so much at once that it cannot have been meant: its gaps are filled and no deletions.
fn is_gutted(own: &Own, base: Option<&Base>, hub: &Side) -> bool {
    let (all, missing) = base.map_or((0, 0), |base| missing(own, base, hub));
    missing > DELETIONS && missing * 2 > all
}

/// How many values the base has, and how many of them are gone.
fn missing(own: &Own, base: &Base, side: &Side) -> (usize, usize) {
    let had = base.entries.iter().filter(|(unit, entry)| entry.value.is_some() && !own.covers(unit));
    had.fold((0, 0), |(all, missing), (unit, _)| (all + 1, missing + usize::from(side.get(unit).is_none())))
}

/// The same of top-level keys: many projects must not hide that all else is gone.
fn missing_keys(own: &Own, base: &Base, side: &Side) -> (usize, usize) {
    let had = base.entries.iter().filter(|(unit, entry)| entry.value.is_some() && !own.covers(unit));
    let had: BTreeSet<&str> = had.map(|(unit, _)| unit.key.as_str()).collect();
    let there: BTreeSet<&str> = side.units().map(|unit| unit.key.as_str()).collect();
    (had.len(), had.difference(&there).count())
}

struct Party<'a> {
    side: &'a Side,
    news: News,
    adds_only: bool,
    /// No absence that was read here is a deletion.
    keeps: bool,
}

struct Merging<'a> {
    terms: Terms<'a>,
    hub: Party<'a>,
    member: Party<'a>,
    outcome: Outcome,
}

impl Merging<'_> {
    fn settle(&mut self, unit: Unit) {
        let mut entry = self.outcome.base.entries.remove(&unit).unwrap_or_default();
        if self.hub.side.is_odd(&unit) || self.member.side.is_odd(&unit) {
            self.keep(unit, entry);
        } else if self.terms.own.covers(&unit) {
            // It crosses neither way. What is there now is no change of the user's should it cease to be an override.
            let value = self.member.side.digest(&unit).cloned();
            self.keep(unit, Entry { value, ..Entry::default() });
        } else {
            self.acknowledge(&unit, &mut entry);
            self.judge(unit, entry);
        }
    }

    fn keep(&mut self, unit: Unit, entry: Entry) {
        if entry != Entry::default() {
            self.outcome.base.entries.insert(unit, entry);
        }
    }

    fn acknowledge(&self, unit: &Unit, entry: &mut Entry) {
        let carried = self.member.news.written && self.member.side.digest(unit) == entry.value.as_ref();
        entry.member = entry.member.take().filter(|_| !carried);
        if let Some(flight) = &mut entry.hub
            && self.terms.is_first
            && self.terms.hub_read.digest(unit) == entry.value.as_ref()
        {
            flight.confirm(self.terms.now);
        }
        entry.hub = entry.hub.take().filter(|flight| !flight.is_over(self.terms.now));
    }

    fn judge(&mut self, unit: Unit, mut entry: Entry) {
        let kept = self.terms.subject.is_kept(&unit);
        let was_read = self.terms.hub_read.digest(&unit).is_some();
        let (mine, theirs) = (self.member.side.digest(&unit), self.hub.side.digest(&unit));
        let sight = |party: &Party<'_>, value, flight| Sight {
            value,
            flight,
            keeps: kept || (party.keeps && !was_read),
            adds_only: party.adds_only,
        };
        let member = sight(&self.member, mine, entry.member.as_ref()).stand(&entry, theirs);
        let hub = sight(&self.hub, theirs, entry.hub.as_ref()).stand(&entry, mine);
        match decide::verdict(member, hub, (mine, theirs)) {
            Verdict::Agreed => {
                if entry.value.as_ref() != theirs {
                    entry = Entry { value: theirs.cloned(), ..Entry::default() };
                }
            }
            Verdict::ToHub if self.is_withheld(&unit, &entry) => entry.withheld = mine.cloned(),
            Verdict::ToHub => {
                let value = self.member.side.get(&unit).cloned();
                if self.write(Way::ToHub, &unit, &mut entry, hub) {
                    entry.member = entry.member.take().filter(|_| member == Stand::Same);
                    entry.value = value.as_ref().map(|value| value.digest.clone());
                    self.outcome.hub_edits.push(Edit { unit: unit.clone(), value });
                }
            }
            Verdict::ToMember => {
                let value = self.hub.side.get(&unit).cloned();
                if self.write(Way::ToMember, &unit, &mut entry, member) {
                    entry.hub = entry.hub.take().filter(|_| hub == Stand::Same);
                    entry.value = value.as_ref().map(|value| value.digest.clone());
                    self.outcome.member_edits.push(Edit { unit: unit.clone(), value });
                }
            }
        }
        self.keep(unit, entry);
    }

    fn is_withheld(&self, unit: &Unit, entry: &Entry) -> bool {
        let unknown = self.member.adds_only && self.terms.subject.outranks(unit);
        unknown || (entry.withheld.is_some() && entry.withheld.as_ref() == self.member.side.digest(unit))
    }

    /// Puts a write on record in `entry`, unless it has to wait.
    fn write(&mut self, way: Way, unit: &Unit, entry: &mut Entry, stand: Stand) -> bool {
        let now = self.terms.now;
        let (from, to, flight) = match way {
            Way::ToHub => (&self.member, &mut self.hub, &mut entry.hub),
            Way::ToMember => (&self.hub, &mut self.member, &mut entry.member),
        };
        if let Some(flight) = flight.as_mut().filter(|_| stand == Stand::Echo) {
            flight.undo();
            if let Some(due) = flight.waits(now) {
                self.outcome.due = Some(self.outcome.due.map_or(due, |other| other.min(due)));
                return false;
            }
        }
        let there = to.side.digest(unit);
        if from.side.get(unit).is_none() && there.is_some() {
            let Some(left) = to.news.deletions.checked_sub(1) else { return false };
            to.news.deletions = left;
        }
        let undone = flight.as_ref().filter(|_| stand == Stand::Echo).map_or(0, |flight| flight.undone);
        let next = Flight::after(flight.as_ref(), [entry.value.as_ref(), there], undone, now);
        *flight = Some(Flight { stands: way == Way::ToMember, ..next });
        true
    }
}

/// Who takes a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    ToHub,
    ToMember,
}
