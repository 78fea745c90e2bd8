//! `history.jsonl`: one line for every change of who is who; `why` shows it, `undo` walks it back.

use clauth_durable::{Change, Disk};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Error, Root};

/// One change (`contract.md`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Always 1.
    pub schema: u32,
    /// When.
    pub at: Timestamp,
    /// What: `switch`, `undo`, `harvest`, `vault`, `capture`, `remove`, …
    pub event: String,
    /// The profile it is about.
    pub profile: Option<String>,
    /// Whose login was live before.
    pub from: Option<String>,
    /// Whose login is live after.
    pub to: Option<String>,
    /// Who did it: `user`, `auto` or `settle`.
    pub by: String,
    /// Why, in words for a person.
    pub reason: String,
    /// First eight digits of the fingerprints of the tokens concerned.
    pub tokens: Tokens,
    /// The vault entry that was made or used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault: Option<String>,
}

/// The tokens that a change left behind and brought in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Left behind.
    pub from: Option<String>,
    /// Brought in.
    pub to: Option<String>,
}

impl Event {
    pub(crate) fn new(at: Timestamp, event: &str, reason: impl Into<String>) -> Self {
        Self {
            schema: 1,
            at,
            event: event.to_owned(),
            profile: None,
            from: None,
            to: None,
            by: "user".to_owned(),
            reason: reason.into(),
            tokens: Tokens::default(),
            vault: None,
        }
    }

    pub(crate) fn about(mut self, profile: &str) -> Self {
        self.profile = Some(profile.to_owned());
        self
    }

    pub(crate) fn by(mut self, who: &str) -> Self {
        who.clone_into(&mut self.by);
        self
    }

    pub(crate) fn line(&self) -> Vec<u8> {
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}

/// All events, oldest first. A line that cannot be understood (of a later version, or torn) is passed over.
pub(crate) fn read(disk: &Disk, root: &Root) -> Result<Vec<Event>, Error> {
    Ok(parse(&disk.read(&root.history())?.unwrap_or_default()))
}

/// The events in some lines.
pub(crate) fn parse(lines: &[u8]) -> Vec<Event> {
    lines.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

/// The events that some changes add.
pub(crate) fn added(root: &Root, changes: &[Change]) -> Vec<Event> {
    let path = root.history();
    let gained = |change: &Change| {
        let (before, after) = (change.before.as_deref().unwrap_or_default(), change.after.as_deref()?);
        after.strip_prefix(before).map(parse)
    };
    changes.iter().filter(|change| change.path == path).filter_map(gained).flatten().collect()
}

/// The events with the names that profiles bear today: a later `rename` carries the earlier events with it. What an earlier
/// `rename` did stays told in the names of its time.
pub(crate) fn renamed(mut events: Vec<Event>) -> Vec<Event> {
    for at in 0..events.len() {
        if events[at].event != "rename" {
            continue;
        }
        let (Some(old), Some(new)) = (events[at].from.clone(), events[at].to.clone()) else { continue };
        for event in &mut events[..at] {
            let sides = if event.event == "rename" { [None, None] } else { [event.from.as_mut(), event.to.as_mut()] };
            for name in sides.into_iter().flatten().chain(event.profile.as_mut()) {
                if *name == old {
                    name.clone_from(&new);
                }
            }
        }
    }
    events
}

/// The switches that can still be taken back, oldest first: each `undo` takes away the newest (W9).
pub(crate) fn undoable(events: &[Event]) -> Vec<&Event> {
    let mut stack = Vec::new();
    for event in events {
        match event.event.as_str() {
            "switch" => stack.push(event),
            "undo" => drop(stack.pop()),
            _ => {}
        }
    }
    stack
}

/// The last change of who is live: `switch -` goes to the profile that was before it.
pub(crate) fn last_switch(events: &[Event]) -> Option<&Event> {
    events.iter().rev().find(|event| matches!(event.event.as_str(), "switch" | "undo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(word: &str, from: &str, to: &str) -> Event {
        let mut event = Event::new(Timestamp::UNIX_EPOCH, word, "test");
        (event.from, event.to) = (Some(from.into()), Some(to.into()));
        event
    }

    #[test]
    fn undo_twice_goes_two_back() {
        let mut events = vec![event("switch", "a", "b"), event("capture", "b", "b"), event("switch", "b", "c")];
        assert_eq!(undoable(&events).last().and_then(|e| e.from.as_deref()), Some("b"));
        events.push(event("undo", "c", "b"));
        assert_eq!(undoable(&events).last().and_then(|e| e.from.as_deref()), Some("a"));
        assert_eq!(last_switch(&events).and_then(|event| event.from.as_deref()), Some("c"));
        events.push(event("undo", "b", "a"));
        assert!(undoable(&events).is_empty());
    }

    #[test]
    fn a_rename_carries_earlier_events_with_it() {
        let events = renamed(vec![event("switch", "a", "b"), event("rename", "a", "z"), event("switch", "b", "a")]);
        assert_eq!(events[0].from.as_deref(), Some("z"));
        assert_eq!(events[2].to.as_deref(), Some("a"));
    }

    #[test]
    fn a_renames_own_line_stays_what_happened() {
        let named = |old: &str, new: &str| event("rename", old, new).about(new);
        let events = renamed(vec![event("switch", "c", "b"), named("b", "bb"), named("bb", "a")]);
        let told: Vec<_> = events.iter().map(|event| (event.from.as_deref(), event.to.as_deref())).collect();
        assert_eq!(told, [(Some("c"), Some("a")), (Some("b"), Some("bb")), (Some("bb"), Some("a"))]);
        assert_eq!(events[1].profile.as_deref(), Some("a"), "by its name of today it is found");
    }

    #[test]
    fn a_line_reads_back_and_torn_ones_are_passed_over() {
        let event = event("switch", "a", "b");
        let read: Event = serde_json::from_slice(&event.line()).expect("JSON");
        assert_eq!(read, event);
        assert!(serde_json::from_slice::<Event>(b"{\"schema\":1,\"at").is_err());
    }
}
