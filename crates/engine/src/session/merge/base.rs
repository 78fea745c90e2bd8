//! What a member and the hub last had in common, and which of our writes are not yet known to have lasted (S5).
//!
//! Kept in `profiles/<name>/base/`, private. It holds names and digests of values, never a value: all that a merge asks is
//! whether a value is still the same, every value that it writes stands in one of the files, and so a base is small and
//! tells no secret.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clauth_claude::ClaudeHome;
use clauth_durable::{Disk, Document, Mode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::canon::Digest;
use super::side::Side;
use super::subject::{Subject, Unit};
use crate::Error;
use crate::session::Place;
use crate::session::record::write_quickly;

/// The format of the file.
const SCHEMA: u32 = 1;
/// How many former values of one unit are remembered as echoes.
const ECHOES: usize = 4;
/// How long a write into the hub is watched for an echo.
const HUB: SignedDuration = SignedDuration::from_secs(10);
/// The longest pause before a write that was undone is made again.
const LONGEST: i64 = 60;

/// One unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The value that both sides have, or are to have; `None` for absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<Digest>,
    /// Our write of it into the member, while no later write by somebody else has carried it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) member: Option<Flight>,
    /// Our write of it into the hub, for as long as an echo may come back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) hub: Option<Flight>,
    /// A value of the member's that is not to reach the hub: it would decide which login is used there, and came from a
    /// tree that nothing was known of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) withheld: Option<Digest>,
}

/// A write of ours that nobody has acknowledged yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flight {
    /// What stood there before: to see it again is an echo. `None` for absent.
    pub(super) was: Vec<Option<Digest>>,
    /// How often it was undone.
    pub(super) undone: u32,
    /// It was made, and has not been undone since. One of the hub's is only believed when it was seen there: should we be
    /// killed before it is made, the old value is none that somebody set back.
    pub(super) stands: bool,
    /// When it was last written.
    pub(super) at: Timestamp,
}

/// One member's base.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Base {
    pub(super) entries: BTreeMap<Unit, Entry>,
    /// The member's bytes as they were last seen, or written by us: any others are somebody else's write.
    pub(super) seen: Option<Digest>,
    /// The paths that were the profile's own overrides when its tree was last furnished: they stay out of the home also when
    /// the profile is gone, and with it the word on what was its own.
    pub(super) own: Vec<Vec<String>>,
    /// The member was torn when it was last looked at: what it has come back with is not yet believed.
    pub(super) torn: bool,
}

#[derive(Serialize, Deserialize)]
struct Row {
    key: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<String>,
    base: Entry,
}

#[derive(Serialize, Deserialize)]
struct File {
    schema: u32,
    seen: Option<Digest>,
    torn: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    own: Vec<Vec<String>>,
    entries: Vec<Row>,
}

impl Flight {
    /// Whether it has to wait before it is made again, and until when.
    pub(super) fn waits(&self, now: Timestamp) -> Option<Timestamp> {
        let pause = match self.undone {
            0 | 1 => 0,
            times => (1_i64 << (times - 2).min(6)).min(LONGEST),
        };
        let due = self.at + SignedDuration::from_secs(pause);
        // A clock that was set back must not make it wait for long.
        (self.at <= now && now < due).then_some(due)
    }

    /// Whether a write into the hub is too long ago for its old value to be an echo. Unlike a tree, the home is where
    /// people edit by hand, and to set a value back there is no mistake. A lost update comes soon: who writes a state
    /// file had its lock since it read it, and that goes stale as fast.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.stands && (now > self.at + HUB || now < self.at - HUB)
    }

    /// It was seen where it was written.
    pub(super) fn confirm(&mut self, now: Timestamp) {
        if !self.stands {
            (self.stands, self.at) = (true, now);
        }
    }

    /// Counts that it was undone: once, however often the old value is written again.
    pub(super) fn undo(&mut self) {
        self.undone = self.undone.saturating_add(u32::from(self.stands));
        self.stands = false;
    }

    /// The write that follows `former`, over what stood there.
    pub(super) fn after(former: Option<&Self>, was: [Option<&Digest>; 2], undone: u32, at: Timestamp) -> Self {
        let mut all: Vec<Option<Digest>> = former.map(|flight| flight.was.clone()).unwrap_or_default();
        all.extend(was.map(Option::<&Digest>::cloned));
        let mut kept: Vec<Option<Digest>> = Vec::new();
        for value in all.into_iter().rev() {
            if kept.len() < ECHOES && !kept.contains(&value) {
                kept.push(value);
            }
        }
        kept.reverse();
        Self { was: kept, undone, stands: true, at }
    }
}

impl Base {
    /// The base of a file that we have just written whole from the hub.
    pub(super) fn of_copy(side: &Side, bytes: &[u8]) -> Self {
        let entry = |unit: &Unit| Entry { value: side.digest(unit).cloned(), ..Entry::default() };
        Self {
            entries: side.units().map(|unit| (unit.clone(), entry(unit))).collect(),
            seen: Some(Digest::of_bytes(bytes)),
            ..Self::default()
        }
    }

    /// Whether it is worth writing: that a file was merely seen again is not.
    pub(super) fn says_other_than(&self, other: &Self) -> bool {
        self.entries != other.entries || self.torn != other.torn
    }

    /// Another member wrote these into the hub: what stands there now is that member's word, and no echo of what was there
    /// before this one's. Answers whether anything was in flight.
    pub(super) fn superseded(&mut self, units: &BTreeSet<Unit>) -> bool {
        let flights = units.iter().filter_map(|unit| self.entries.get_mut(unit)?.hub.take());
        flights.count() > 0
    }

    fn path(place: &Place, subject: Subject) -> PathBuf {
        place.base.join(subject.base())
    }

    /// A base that is missing or cannot be understood is none: its member may then add, but not delete or change.
    pub(super) fn load(disk: &Disk, place: &Place, subject: Subject) -> Result<Option<Self>, Error> {
        let Some(bytes) = disk.read(&Self::path(place, subject))? else { return Ok(None) };
        let file = serde_json::from_slice::<File>(&bytes).ok().filter(|file| file.schema == SCHEMA);
        Ok(file.map(|file| Self {
            entries: file
                .entries
                .into_iter()
                .map(|row| (Unit { key: row.key, member: row.member }, row.base))
                .collect(),
            seen: file.seen,
            own: file.own,
            torn: file.torn,
        }))
    }

    pub(super) fn remove(disk: &Disk, place: &Place, subject: Subject) -> Result<(), Error> {
        disk.remove_file(&Self::path(place, subject))?;
        Ok(())
    }

    pub(super) fn save(&self, disk: &Disk, place: &Place, subject: Subject) -> Result<(), Error> {
        disk.ensure_dir(&place.base)?;
        Ok(disk.replace(&Self::path(place, subject), &self.to_bytes(), Mode::Private)?)
    }

    /// The same without waiting for the disk: for a file that holds nothing yet but what the home does.
    pub(super) fn save_quickly(&self, disk: &Disk, place: &Place, subject: Subject) -> Result<(), Error> {
        disk.ensure_dir(&place.base)?;
        write_quickly(disk, &Self::path(place, subject), &self.to_bytes())
    }

    fn to_bytes(&self) -> Vec<u8> {
        let row = |(unit, base): (&Unit, &Entry)| Row {
            key: unit.key.clone(),
            member: unit.member.clone(),
            base: base.clone(),
        };
        let file = File {
            schema: SCHEMA,
            seen: self.seen.clone(),
            own: self.own.clone(),
            torn: self.torn,
            entries: self.entries.iter().map(row).collect(),
        };
        // Names and digests always make a document; an empty one would be read as no base.
        serde_json::to_vec(&file).unwrap_or_default()
    }

    /// Whether a member with these bytes, which say `side`, has nothing that the hub is still to get: they are what was last
    /// seen, all of it is what both sides had, and no write into the hub waits to be seen there.
    pub(super) fn is_in_step_with(&self, bytes: &[u8], side: &Side) -> bool {
        let is_known =
            |(unit, entry): (&Unit, &Entry)| entry.hub.is_none() && side.digest(unit) == entry.value.as_ref();
        !self.torn
            && self.seen.as_ref() == Some(&Digest::of_bytes(bytes))
            && self.entries.iter().all(is_known)
            && side.units().all(|unit| self.entries.contains_key(unit))
    }
}

/// Drops a profile's bases: together with the tree whose files they speak of.
///
/// # Errors
/// As the system says.
pub(crate) fn forget(disk: &Disk, place: &Place) -> Result<(), Error> {
    for subject in Subject::ALL {
        Base::remove(disk, place, subject)?;
    }
    Ok(())
}

/// Whether a tree's settings and state file hold nothing that is not in the home as well: nobody wrote them since they were
/// last merged. Their contents tell, not their dates. What the home has no more, or has torn, is the only one there is.
///
/// # Errors
/// As the system says.
pub(crate) fn is_in_step(disk: &Disk, home: &ClaudeHome, place: &Place, tree: &ClaudeHome) -> Result<bool, Error> {
    if disk.stat(&home.state)?.is_none() && disk.stat(&tree.state)?.is_some() {
        return Ok(false);
    }
    for subject in Subject::ALL {
        let bytes = disk.read(&subject.file(tree))?;
        let home_has = disk.read(&subject.file(home))?.is_none_or(|bytes| Document::parse(bytes).is_ok());
        if bytes.is_some() && !home_has {
            return Ok(false);
        }
        let same = match (&bytes, Base::load(disk, place, subject)?) {
            (None, None) => true,
            (Some(bytes), Some(base)) => Document::parse(bytes.clone())
                .is_ok_and(|document| base.is_in_step_with(bytes, &Side::read(subject, &document))),
            _ => false,
        };
        if !same {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether it is known which of a tree's settings are its profile's own: the profile tells while there is one, and the base
/// after it is gone.
///
/// # Errors
/// As the system says.
pub(crate) fn knows_own(disk: &Disk, place: &Place) -> Result<bool, Error> {
    Ok(Base::load(disk, place, Subject::Settings)?.is_some())
}

/// Whether a tree was seeded by us, or merged since: what we made has a base, of its settings at least.
pub(crate) fn is_seeded(disk: &Disk, place: &Place) -> bool {
    let stands = |subject: &Subject| disk.lstat(&place.base.join(subject.base())).is_ok_and(|stat| stat.is_some());
    Subject::ALL.iter().any(stands)
}
