//! Another account's login that was made inside a session (S2): it stays in the tree, so it is what every session of the
//! profile uses until the last of them has ended.

use clauth_claude::{ClaudeHome, Credentials, Found};

use super::{Place, live};
use crate::error::Kind;
use crate::owner::{Doubt, Owner};
use crate::profile::Known;
use crate::{Engine, Error};

impl Engine {
    /// The refusal of one more session where the tree is signed in as somebody else: it would be that account without a word.
    /// The caller has a place in the tree, in which nobody else lives if it is `fresh`: then a left-over item is written over.
    pub(super) fn refuse_another(&self, home: &ClaudeHome, place: &Place, fresh: bool) -> Result<(), Error> {
        if fresh && place.item.is_some() || !self.holds_another(place)? {
            return Ok(());
        }
        let name = &place.name;
        let whose = self.named_other(place)?.and_then(|known| known.email);
        let whose = whose.map_or_else(|| "an unknown account".to_owned(), |email| crate::text::shown(&email));
        let process = self.other_session(home, place).map_or_else(String::new, |pid| format!(" (process {pid})"));
        let what = format!("a session of '{name}'{process} is signed in as {whose}, and another one would be too");
        let again = format!("end that session, then: clauth start {name}");
        let next = [&again, "clauth login ANOTHER-NAME (makes a profile of that account)", "clauth sessions"];
        Err(Error::refused(Kind::Protected, what, place.tree.display().to_string(), &next))
    }

    /// The process of a session that is not the one which begins just now.
    fn other_session(&self, home: &ClaudeHome, place: &Place) -> Option<u32> {
        let running = clauth_claude::running(&self.host, &self.disk, home);
        let own = Some(std::process::id());
        let others = live(&self.disk, place, &running).into_iter().filter(|live| live.holder != own);
        others.filter_map(|live| live.claude.or(live.holder)).next()
    }

    /// Whether a tree holds a login that is not its profile's. Of a profile whose account nobody knows it cannot be told, as
    /// long as no other profile holds that login.
    fn holds_another(&self, place: &Place) -> Result<bool, Error> {
        let copies = place.own_copies(&self.disk);
        if copies.is_empty() {
            return Ok(false);
        }
        let snapshot = self.snapshot()?;
        let name = place.name.as_str();
        let is_known = snapshot.record(name).is_some_and(|record| record.identity.is_some());
        let tree = ClaudeHome::at(&place.tree, &self.host, &self.disk);
        for path in copies {
            let Some(reading) = self.reading(&path)? else { continue };
            let Ok(object) = Credentials::parse(reading.bytes.clone()) else { continue };
            if !matches!(object.login(), Found::Login(_)) {
                continue;
            }
            let another = match self.owner_in_tree(&snapshot, (name, false), &tree, (&object, &reading))? {
                Owner::Unknown(Doubt::Young) => false,
                Owner::Unknown(_) => is_known,
                owner => owner.profile().is_some_and(|owner| owner != name),
            };
            if another {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whom the state files name where a tree's login is used, if that is another account than the profile's and the tree has
    /// a login of its own.
    pub(crate) fn named_other(&self, place: &Place) -> Result<Option<Known>, Error> {
        let record = crate::profile::Record::read(&self.disk, &self.root, &place.name);
        let has_own = !place.own_copies(&self.disk).is_empty() && !place.is_inherited(&self.disk);
        let Some(own) = record.identity.filter(|_| has_own) else { return Ok(None) };
        let isolated = self.isolated(place)?;
        for dir in std::iter::once(&place.tree).chain(&isolated) {
            let named = self.named_by(&ClaudeHome::at(dir, &self.host, &self.disk))?;
            if let Some(named) = named.filter(|named| !named.key.agrees(&own.key)) {
                return Ok(Some(named));
            }
        }
        Ok(None)
    }
}
