//! What the server says of the logins that another version left: asked before any lock (O2), and changing only what is
//! proven.

use clauth_claude::Login;

use super::strays;
use crate::custody::{Learned, Snapshot};
use crate::owner::Owner;
use crate::profile::Known;
use crate::root::Era;
use crate::{Engine, Error};

/// What was answered.
pub(super) struct Answers {
    /// Of the live login.
    pub(super) live: Option<Known>,
    /// Of logins in slots.
    pub(super) slots: Vec<Learned>,
}

impl Engine {
    /// Asks whose the live login is where no fingerprint tells, and whose it is that a slot holds where that would tell.
    pub(super) fn ask_around(&self, snapshot: &Snapshot) -> Result<Answers, Error> {
        let owner = self.owner(snapshot, None)?;
        let unknown = matches!(owner, Owner::Unknown(_));
        let record = owner.profile().and_then(|name| snapshot.record(name));
        let nameless = snapshot.settings.era != Era::Ours && record.is_some_and(|record| record.identity.is_none());
        let live = if unknown || nameless { self.identify(snapshot)? } else { None };
        let active = snapshot.roster.active.as_deref().filter(|_| unknown && live.is_some());
        let mut slots: Vec<Learned> = active
            .and_then(|name| snapshot.record(name))
            .filter(|record| record.identity.is_none())
            .and_then(|record| self.whose_slot(snapshot, &record.name, &record.login()?))
            .into_iter()
            .collect();
        for stray in strays::of(snapshot) {
            if let clauth_claude::Found::Login(login) = stray.part.login() {
                slots.extend(self.whose_slot(snapshot, &stray.record.name, &login));
            }
        }
        Ok(Answers { live, slots })
    }

    /// Whose `login` is, which a profile has or may have.
    pub(crate) fn whose_slot(&self, snapshot: &Snapshot, name: &str, login: &Login) -> Option<Learned> {
        let answer = self.whose(snapshot, &login.access, None)?;
        let known = Known::of_answer(&answer, None);
        Some(Learned { name: name.to_owned(), access: login.access_print(), known })
    }
}

impl Answers {
    /// Whether the server said that a stray is its profile's.
    pub(super) fn proves(&self, stray: &strays::Stray<'_>) -> bool {
        let clauth_claude::Found::Login(login) = stray.part.login() else { return false };
        let key = stray.record.identity.as_ref().map(|known| &known.key);
        let said = self.slots.iter().find(|said| said.access == login.access_print());
        key.is_some() && said.map(|said| &said.known.key) == key
    }

    /// Takes into a snapshot what was said of logins that still stand there.
    pub(super) fn enter(&self, snapshot: &mut Snapshot, same_live: bool) {
        for said in &self.slots {
            let record = snapshot.records.iter_mut().find(|record| record.name == said.name);
            let stands = |record: &&mut crate::profile::Record| {
                record.identity.is_none() && record.login().is_some_and(|login| login.access_print() == said.access)
            };
            if let Some(record) = record.filter(stands) {
                record.identity = Some(said.known.clone());
            }
        }
        snapshot.answer = self.live.clone().filter(|_| same_live);
    }
}
