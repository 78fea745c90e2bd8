//! Before a switch on a machine with a Keychain: what a running `claude` could still renew from memory is renewed first (S8).

use std::time::Duration;

use super::plan::Incoming;
use crate::custody::Snapshot;
use crate::refresh::Need;
use crate::{Engine, Error};

/// A login that ends within this is renewed before it leaves the place where a `claude` has read it (S8).
const SOON: Duration = Duration::from_secs(10 * 60);

impl Engine {
    /// Renews the logins that this switch takes away from a running `claude`, where they end soon. A `claude` goes on for half a
    /// minute with what it has read of an item (facts §1.5): one whose login ends meanwhile would send a refresh token that is
    /// in another place by then. That is why a switch renews here, though R7 has it renew nothing. What cannot be renewed now
    /// is told, and the switch goes on.
    pub(super) fn renew_what_leaves(&self, incoming: &Incoming) -> Result<(), Error> {
        if !self.root.has_items() {
            return Ok(());
        }
        let snapshot = self.snapshot()?;
        if !(snapshot.settings.network && snapshot.settings.refresh) {
            return Ok(());
        }
        for name in self.taken_away(&snapshot, incoming)? {
            let need = Need { unless_left: Some(SOON), bearer_dependents: true, ..Need::default() };
            if self.ends_before(&snapshot, &name, SOON)
                && let Err(error) = self.refresh(&name, &need)
            {
                (self.say)(&format!("the login of '{name}' ends soon and could not be renewed first: {error}"));
            }
        }
        Ok(())
    }

    /// The profiles whose login a `claude` is at work with that has it no more after the switch: the live one's in the home,
    /// and the incoming one's in its own sessions.
    fn taken_away(&self, snapshot: &Snapshot, incoming: &Incoming) -> Result<Vec<String>, Error> {
        let owner = self.owner(snapshot, None)?;
        let (from, to) = (owner.profile(), incoming.profile());
        if from == to {
            return Ok(Vec::new());
        }
        let from = from.filter(|_| self.runs_in(snapshot, &snapshot.home));
        let to = to.filter(|name| self.has_sessions(snapshot, name));
        Ok(from.into_iter().chain(to).map(str::to_owned).collect())
    }

    fn ends_before(&self, snapshot: &Snapshot, name: &str, soon: Duration) -> bool {
        let ends = snapshot.record(name).and_then(crate::profile::Record::login).and_then(|login| login.expires_at);
        let limit = self.host.clock.now().checked_add(soon);
        ends.zip(limit.ok()).is_none_or(|(ends, limit)| ends < limit)
    }
}
