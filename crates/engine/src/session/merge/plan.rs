//! Bringing the hub and all members to rest in memory: what each file is to become, before anything is written.

use std::collections::BTreeSet;

use clauth_durable::{Document, DocumentError};
use jiff::Timestamp;

use super::base::Base;
use super::canon::Digest;
use super::side::Side;
use super::subject::{Own, Subject, Unit};
use super::threeway::{Belief, DELETIONS, Edit, News, Terms, agree, merge};

/// More rounds than rest can take: after the first the hub has everything, after the second so have the members.
const ROUNDS: usize = 4;

/// One file, as it was read.
pub(super) struct Reading {
    /// `None` for a missing file, which counts as `{}`.
    pub(super) bytes: Option<Vec<u8>>,
    document: Document,
    side: Side,
    digest: Digest,
}

/// One member.
pub(super) struct Member<'a> {
    pub(super) reading: &'a Reading,
    pub(super) own: &'a Own,
    pub(super) base: Option<&'a Base>,
}

/// What the files are to become.
pub(super) struct Plan {
    /// The hub's new bytes, if it changes.
    pub(super) hub: Option<Vec<u8>>,
    /// What of it members changed there.
    pub(super) hub_units: BTreeSet<Unit>,
    /// The same of each member, with its new base.
    pub(super) members: Vec<(Option<Vec<u8>>, Base)>,
    /// When to look again although no file changed.
    pub(super) due: Option<Timestamp>,
}

impl Reading {
    /// # Errors
    /// The bytes are torn, or no JSON object.
    pub(super) fn of(subject: Subject, bytes: Option<Vec<u8>>) -> Result<Self, DocumentError> {
        let document = match &bytes {
            Some(bytes) => Document::parse(bytes.clone())?,
            None => Document::empty(),
        };
        let side = Side::read(subject, &document);
        let digest = Digest::of_bytes(bytes.as_deref().unwrap_or_default());
        Ok(Self { bytes, document, side, digest })
    }

    /// The bytes with which the file says what `wanted` does; `None` when it does already.
    fn bytes_for(&self, wanted: &Side) -> Result<Option<Vec<u8>>, DocumentError> {
        let mut document = if self.bytes.is_some() { self.document.clone() } else { spread()? };
        let changed = self.side.edit(&mut document, wanted)?;
        if changed && self.bytes.is_none() {
            document.remove(&[PLACEHOLDER]);
        }
        Ok(changed.then(|| document.into_bytes()))
    }
}

const PLACEHOLDER: &str = "$placeholder";

/// A new document that is laid out over several lines: what is added is spaced like the placeholder.
fn spread() -> Result<Document, DocumentError> {
    Document::parse(format!("{{\n  \"{PLACEHOLDER}\": null\n}}\n").into_bytes())
}

/// One member on its way to rest.
struct Moving<'a> {
    member: &'a Member<'a>,
    side: Side,
    base: Option<Base>,
    belief: Belief,
    news: News,
}

impl<'a> Moving<'a> {
    fn of(member: &'a Member<'a>, hub: &Side, is_gone: bool) -> Self {
        let (side, mut base) = (member.reading.side.clone(), member.base.cloned());
        let mut belief = Belief::of(member.own, member.base, hub, &side);
        belief.is_gutted |= is_gone;
        let written = member.base.and_then(|base| base.seen.as_ref()) != Some(&member.reading.digest);
        if let Some(base) = &mut base {
            agree(member.own, base, hub, &side);
        }
        Self { member, side, base, belief, news: News { written, deletions: DELETIONS } }
    }
}

/// Plans a pass.
///
/// # Errors
/// A value nests too deeply for where it goes.
pub(super) fn plan(
    subject: Subject,
    hub: &Reading,
    members: &[Member<'_>],
    now: Timestamp,
) -> Result<Plan, DocumentError> {
    let mut hub_side = hub.side.clone();
    let mut hub_deletions = DELETIONS;
    let mut hub_units = BTreeSet::new();
    let mut due: Option<Timestamp> = None;
    // Nobody deletes values by removing a whole state file, however few they were: the members' are all there is of it.
    let is_gone = subject == Subject::State && hub.bytes.is_none();
    let moving = members.iter().map(|member| Moving::of(member, &hub.side, is_gone));
    let mut moving: Vec<Moving<'_>> = moving.collect();
    for round in 0..ROUNDS {
        let mut rests = true;
        for at in 0..moving.len() {
            let one = &mut moving[at];
            let terms = Terms { subject, own: one.member.own, now, hub_read: &hub.side, is_first: round == 0 };
            let hub_news = News { written: false, deletions: hub_deletions };
            let sides = ((&hub_side, hub_news), (&one.side, one.news));
            let outcome = merge(terms, one.belief, one.base.as_ref(), sides.0, sides.1);
            rests &= outcome.hub_edits.is_empty() && outcome.member_edits.is_empty();
            hub_deletions -= apply(&mut hub_side, &outcome.hub_edits);
            one.news.deletions -= apply(&mut one.side, &outcome.member_edits);
            one.news.written = false;
            one.base = Some(outcome.base);
            due = [due, outcome.due].into_iter().flatten().min();
            let units: BTreeSet<Unit> = outcome.hub_edits.into_iter().map(|edit| edit.unit).collect();
            for (_, other) in moving.iter_mut().enumerate().filter(|(other, _)| *other != at) {
                other.base.as_mut().map(|base| base.superseded(&units));
            }
            hub_units.extend(units);
        }
        if rests {
            break;
        }
    }
    let new_hub = hub.bytes_for(&hub_side)?;
    let finish = |moving: Moving<'_>| {
        let reading = moving.member.reading;
        let bytes = reading.bytes_for(&moving.side)?;
        let seen = bytes.as_deref().map_or_else(|| reading.digest.clone(), Digest::of_bytes);
        let base = Base { seen: Some(seen), ..moving.base.unwrap_or_default() };
        Ok((bytes, base))
    };
    let members = moving.into_iter().map(finish).collect::<Result<Vec<_>, DocumentError>>()?;
    Ok(Plan { hub: new_hub, hub_units, members, due })
}

/// Makes edits in memory; answers how many were deletions.
fn apply(side: &mut Side, edits: &[Edit]) -> usize {
    let mut deletions = 0;
    for edit in edits {
        deletions += usize::from(edit.value.is_none() && side.get(&edit.unit).is_some());
        side.set(&edit.unit, edit.value.clone());
    }
    deletions
}
