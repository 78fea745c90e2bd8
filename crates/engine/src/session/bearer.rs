//! `sessions.bearer = off`: no session works on a copy of a lent login that lacks its refresh token (protocols §7).

use clauth_claude::ClaudeHome;

use super::{Place, live};
use crate::custody::Snapshot;
use crate::error::Kind;
use crate::profile::Record;
use crate::{Engine, Error};

impl Engine {
    /// The refusal of a session of the live account. The caller has taken its place in the tree: a switch that lends the
    /// login from here on finds it there.
    pub(super) fn refuse_copy(&self, home: &ClaudeHome, name: &str) -> Result<(), Error> {
        if self.config()?.bearer()? {
            return Ok(());
        }
        let record = Record::read(&self.disk, &self.root, name);
        // A newer sign-in that waits in the slot is whole (S9).
        if !record.lent_to(&home.real(&self.disk)) || record.renewed().is_some() {
            return Ok(());
        }
        let start = format!("clauth start {name}");
        let away = format!("clauth switch ANOTHER-NAME, then: {start}");
        let what = format!("'{name}' is live, and its session would need a copy of its login: sessions.bearer is off");
        Err(Error::refused(Kind::Protected, what, name, &["claude (without clauth it is that account's)", &away]))
    }

    /// The refusal of a switch to a profile with sessions, which would be left with such a copy.
    pub(crate) fn refuse_copies(&self, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
        if self.config()?.bearer()? || snapshot.record(name).is_none_or(|record| record.lent_to(&snapshot.home_id)) {
            return Ok(());
        }
        let Some(process) = self.process_of_session(&snapshot.home, name) else { return Ok(()) };
        let what = format!(
            "a session of '{name}' is running{process}, and would need a copy of its login: sessions.bearer is off"
        );
        Err(Error::refused(Kind::Protected, what, name, &["end that session first"]))
    }

    /// Whether a profile's own sessions run, those of version 0.4.0 included (S1): what is said of the first of them.
    pub(crate) fn process_of_session(&self, home: &ClaudeHome, name: &str) -> Option<String> {
        let place = Place::of(&self.root, name);
        let running = clauth_claude::running(&self.host, &self.disk, home);
        let sessions = live(&self.disk, &place, &running);
        let session = sessions.first()?;
        Some(session.claude.or(session.holder).map_or_else(String::new, |pid| format!(" (process {pid})")))
    }
}
