//! One file as the merge sees it: its units with their exact texts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use clauth_durable::{Document, DocumentError};

use super::canon::Digest;
use super::subject::{Subject, Unit};

/// A value, as it stands in one of the files.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Its exact text.
    pub(super) raw: Arc<str>,
    pub(super) digest: Digest,
    /// Its place among all that were read, so that what is added keeps its order.
    place: usize,
}

/// The units of one file. Account-bound keys are not among them.
#[derive(Clone, Debug, Default)]
pub(super) struct Side {
    units: BTreeMap<Unit, Value>,
    /// Keys whose members should be merged one by one, but which hold something else here: left alone.
    odd: BTreeSet<String>,
}

impl Side {
    pub(super) fn read(subject: Subject, document: &Document) -> Self {
        let mut side = Self::default();
        for (key, raw) in document.members(&[]).unwrap_or_default() {
            if subject.is_bound(&key) {
                continue;
            }
            if !subject.splits(&key) {
                side.push(Unit { key, member: None }, raw);
            } else if let Some(members) = document.members(&[&key]) {
                for (member, raw) in members {
                    side.push(Unit { key: key.clone(), member: Some(member) }, raw);
                }
            } else {
                side.odd.insert(key);
            }
        }
        side
    }

    fn push(&mut self, unit: Unit, raw: &str) {
        let place = self.units.len();
        self.units.insert(unit, Value { raw: raw.into(), digest: Digest::of_value(raw), place });
    }

    pub(super) fn get(&self, unit: &Unit) -> Option<&Value> {
        self.units.get(unit)
    }

    pub(super) fn digest(&self, unit: &Unit) -> Option<&Digest> {
        self.units.get(unit).map(|value| &value.digest)
    }

    pub(super) fn set(&mut self, unit: &Unit, value: Option<Value>) {
        match value {
            Some(value) => self.units.insert(unit.clone(), value),
            None => self.units.remove(unit),
        };
    }

    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.keys()
    }

    /// Whether the members of that key cannot be told here.
    pub(super) fn is_odd(&self, unit: &Unit) -> bool {
        self.odd.contains(&unit.key)
    }

    /// The installation's id.
    pub(super) fn user_id(&self) -> Option<&Digest> {
        self.digest(&Unit { key: "userID".into(), member: None })
    }

    /// Brings `document`, which `self` was read from, to `wanted`; answers whether that changed anything.
    ///
    /// # Errors
    /// A value nests too deeply for where it goes.
    pub(super) fn edit(&self, document: &mut Document, wanted: &Self) -> Result<bool, DocumentError> {
        let doomed: Vec<&Unit> = self.units().filter(|unit| !wanted.units.contains_key(*unit)).collect();
        for unit in &doomed {
            match &unit.member {
                Some(member) => document.remove(&[&unit.key, member]),
                None => document.remove(&[&unit.key]),
            };
        }
        let differs = |unit: &Unit, value: &Value| self.digest(unit) != Some(&value.digest);
        let mut set: Vec<(&Unit, &Value)> = wanted.units.iter().filter(|(unit, value)| differs(unit, value)).collect();
        set.sort_unstable_by_key(|(_, value)| value.place);
        let mut containers: Vec<Option<&str>> = set.iter().map(|(unit, _)| unit.container()).collect();
        containers.sort_unstable();
        containers.dedup();
        for container in containers {
            let path: Vec<&str> = container.into_iter().collect();
            let here = set.iter().filter(|(unit, _)| unit.container() == container);
            let values: Vec<(&str, &str)> = here.map(|(unit, value)| (unit.name(), &*value.raw)).collect();
            document.set_members(&path, &values)?;
        }
        Ok(!doomed.is_empty() || !set.is_empty())
    }
}

impl Unit {
    /// The map it is a member of; `None` for the document itself.
    fn container(&self) -> Option<&str> {
        self.member.is_some().then_some(self.key.as_str())
    }

    fn name(&self) -> &str {
        self.member.as_deref().unwrap_or(&self.key)
    }
}
