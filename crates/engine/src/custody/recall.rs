//! What an interrupted change had yet to tell the history: told once it turns out that the change stands. Else `undo` and
//! `switch -` would go by an earlier one (W9), and `why` could not say where a login went.

use super::{Desk, Snapshot, Unfinished, print};
use crate::history::{self, Event};
use crate::root::Era;
use crate::{Engine, Error};

impl Engine {
    /// Drafts the lines of `entry`'s change, where it stands and they are missing. Comes after everything else is settled.
    pub(super) fn recall(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let Some(change) = entry.events.last() else { return Ok(()) };
        // A history would tell that the tree is ours already.
        if snapshot.settings.era != Era::Ours || !stands(desk, snapshot, entry, change) {
            return Ok(());
        }
        let told = history::parse(&desk.draft.read(&self.root.history())?.unwrap_or_default());
        entry.events.iter().filter(|event| !told.contains(event)).for_each(|event| desk.record_event(event));
        Ok(())
    }
}

/// Whether an interrupted change came as far as to be true.
fn stands(desk: &Desk<'_>, snapshot: &Snapshot, entry: &Unfinished, change: &Event) -> bool {
    let listed = |name: &Option<String>| name.as_deref().is_some_and(|name| snapshot.record(name).is_some());
    match entry.done.as_str() {
        "switch" | "undo" | "renew" => {
            let live = snapshot.live.object.as_ref().and_then(|object| print(&object.account()));
            let moved = change.to.is_some() && change.from != change.to;
            live.is_some() && live == change.tokens.to || moved && desk.active() == change.to.as_deref()
        }
        "rename" => !listed(&entry.from) && listed(&entry.to),
        // A profile that is listed still is removed anew, with lines of its own.
        "remove" => !listed(&entry.to),
        _ => entry.creates && listed(&entry.to),
    }
}

/// What the journal of a recovery has to name, so that it can itself be interrupted: its own lines if it does the change
/// anew, else those of the change.
pub(super) fn carried(entry: &Unfinished, drafted: Vec<Event>) -> Vec<Event> {
    if drafted.iter().any(|event| event.event == entry.done) {
        return drafted.into_iter().filter(|event| event.event != "settle").collect();
    }
    entry.events.clone()
}
