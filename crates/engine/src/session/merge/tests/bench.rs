//! A hub and members in memory, merged pass by pass.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::session::merge::base::Base;
use crate::session::merge::plan::{Member, Plan, Reading, plan};
use crate::session::merge::subject::{Own, Subject};

/// The files, and what is remembered of them.
pub(super) struct Bench {
    pub(super) subject: Subject,
    pub(super) own: Own,
    pub(super) hub: String,
    pub(super) members: Vec<String>,
    pub(super) bases: Vec<Option<Base>>,
    pub(super) now: Timestamp,
    /// A write that was undone is to be made again later.
    pub(super) waits: bool,
}

impl Bench {
    /// Members that have just been merged for the first time and have acknowledged it.
    pub(super) fn settled(subject: Subject, text: &str, members: usize) -> Self {
        let mut bench = Self::new(subject, text, &vec![text; members]);
        bench.rest();
        bench
    }

    pub(super) fn new(subject: Subject, hub: &str, members: &[&str]) -> Self {
        Self {
            subject,
            own: Own::default(),
            hub: hub.to_owned(),
            members: members.iter().map(|text| (*text).to_owned()).collect(),
            bases: members.iter().map(|_| None).collect(),
            now: "2026-11-23T12:00:00Z".parse().expect("a time"),
            waits: false,
        }
    }

    /// One pass; answers whether it wrote anything.
    pub(super) fn pass(&mut self) -> bool {
        let Ok(hub) = Reading::of(self.subject, Some(self.hub.clone().into_bytes())) else { return false };
        let mut readings = Vec::new();
        for (at, text) in self.members.iter().enumerate() {
            match Reading::of(self.subject, Some(text.clone().into_bytes())) {
                Ok(reading) => readings.push((at, reading)),
                Err(_) => {
                    if let Some(base) = &mut self.bases[at] {
                        base.torn = true;
                    }
                }
            }
        }
        let members: Vec<Member<'_>> = readings
            .iter()
            .map(|(at, reading)| Member { reading, own: &self.own, base: self.bases[*at].as_ref() })
            .collect();
        let Plan { hub, members, due, .. } = plan(self.subject, &hub, &members, self.now).expect("a plan");
        self.waits = due.is_some();
        let mut wrote = hub.is_some();
        self.hub = hub.map_or_else(|| self.hub.clone(), text);
        let places: Vec<usize> = readings.iter().map(|(at, _)| *at).collect();
        for (at, (bytes, base)) in places.into_iter().zip(members) {
            wrote |= bytes.is_some();
            self.members[at] = bytes.map_or_else(|| self.members[at].clone(), text);
            self.bases[at] = Some(base);
        }
        wrote
    }

    /// A pass that is killed before its first write: only what it put on record is there.
    pub(super) fn killed_pass(&mut self) {
        let (hub, members) = (self.hub.clone(), self.members.clone());
        self.pass();
        (self.hub, self.members) = (hub, members);
    }

    /// Passes until nothing is written any more.
    pub(super) fn rest(&mut self) {
        for _ in 0..200 {
            if !self.pass() {
                return;
            }
        }
        panic!("it never rests: {} {:?}", self.hub, self.members);
    }

    pub(super) fn wait(&mut self, seconds: i64) {
        self.now += SignedDuration::from_secs(seconds);
    }

    /// A whole write by somebody else that carries everything that stands there: what acknowledges our writes.
    pub(super) fn touch(&mut self, member: usize) {
        self.members[member].push('\n');
    }

    pub(super) fn hub_value(&self) -> Value {
        value(&self.hub)
    }

    pub(super) fn member_value(&self, member: usize) -> Value {
        value(&self.members[member])
    }
}

pub(super) fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("a document")
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("a text")
}
