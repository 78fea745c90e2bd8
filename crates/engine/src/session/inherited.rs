//! A tree that another version left. Version 0.4.0 seeded its state file with whomever the home's named and never changed
//! that, so it proves nothing, neither for the tree's profile nor against it: fingerprints decide, and the server (0024). A login that
//! neither confirms never enters a slot, and the server is never asked under a lock (O2).

use clauth_claude::{AccountPart, Credentials, Found};

use super::merge::is_seeded;
use super::{Place, Tended};
use crate::custody::{Desk, Learned, MAY_BE_RENEWED, same_end};
use crate::owner::{Doubt, Owner, Proven};
use crate::profile::{Record, State};
use crate::{Engine, Error};

/// Why a login of such a tree is in the vault.
const LEFT: &str = "in a session's directory that another version of clauth left, unproven";

/// What the server said of the login in such a tree, and of the profile's stored one where nobody knows whose that is.
pub(super) struct Said {
    tree: Learned,
    stored: Option<Learned>,
}

impl Place {
    /// Whether another version made the tree: ours are seeded, and that is on record (S5).
    pub(crate) fn is_inherited(&self, disk: &clauth_durable::Disk) -> bool {
        let isolated = disk.lstat(&self.isolated).is_ok_and(|stat| stat.is_some());
        !isolated && !is_seeded(disk, self)
    }
}

impl Engine {
    /// Asks whose the login in such a tree is, before any lock (O2).
    pub(super) fn ask_inherited(&self, place: &Place, path: &std::path::Path) -> Result<Option<Said>, Error> {
        if !place.is_inherited(&self.disk) {
            return Ok(None);
        }
        let snapshot = self.snapshot()?;
        let object = self.disk.read(path)?.and_then(|bytes| Credentials::parse(bytes).ok());
        let Some(Found::Login(found)) = object.map(|object| object.login()) else { return Ok(None) };
        let holds = |login: clauth_claude::Login| login.access_print() == found.access_print();
        if snapshot.records.iter().filter_map(Record::login).any(holds) {
            return Ok(None);
        }
        let Some(tree) = self.whose_slot(&snapshot, &place.name, &found) else { return Ok(None) };
        let nameless = snapshot.record(&place.name).filter(|record| record.identity.is_none());
        let stored = nameless.and_then(|record| self.whose_slot(&snapshot, &record.name, &record.login()?));
        Ok(Some(Said { tree, stored }))
    }

    /// What becomes of a login in such a tree: the profile's by the server's word, else nobody's. `None` where the usual
    /// rules tell.
    pub(super) fn take_inherited(
        &self,
        desk: &mut Desk<'_>,
        place: &Place,
        (part, owner): (&AccountPart, &Owner),
        said: Option<&Said>,
    ) -> Result<Option<Tended>, Error> {
        let open = matches!(owner, Owner::Unknown(doubt) if !matches!(doubt, Doubt::Young | Doubt::NoRefresh));
        if !open || !place.is_inherited(&self.disk) {
            return Ok(None);
        }
        let name = place.name.as_str();
        let Found::Login(found) = part.login() else { return Ok(None) };
        let said = said.filter(|said| said.tree.access == found.access_print());
        if let Some(stored) = said.and_then(|said| said.stored.as_ref()) {
            desk.learn(stored)?;
        }
        let known = said.map(|said| &said.tree.known);
        if known.is_some_and(|known| desk.key(name) == Some(&known.key)) {
            let adopted = desk.adopt(name, part, Proven::Endpoint)?;
            return Ok(Some(if adopted { Tended::Adopted } else { Tended::Replaced }));
        }
        let new = !self.vault()?.iter().any(|entry| entry.login.bytes() == part.bytes());
        // Whose it is nobody knows; but whose session it was in is known, so that it may be restored to that one.
        desk.keep_in_use(part, LEFT, (Some(name).filter(|_| known.is_none()), known))?;
        let entry = desk.vaulted.as_ref().map(|entry| entry.id.clone()).unwrap_or_default();
        if let Some(known) = known {
            let whose = known.email.clone().unwrap_or_else(|| "an unknown account".to_owned());
            return Ok(Some(Tended::Foreign { entry, whose, new }));
        }
        doubt_stored(desk, name, part)?;
        Ok(Some(Tended::Unproven { entry, new }))
    }
}

/// L3: nobody can tell whether the stored login was renewed to this one.
fn doubt_stored(desk: &mut Desk<'_>, name: &str, part: &AccountPart) -> Result<(), Error> {
    let Some(held) = desk.holds(name).cloned() else { return Ok(()) };
    let (Found::Login(found), Found::Login(stored)) = (part.login(), held.login()) else { return Ok(()) };
    if found.expires_at >= stored.expires_at && same_end(&held, part) != Some(false) {
        desk.judge(name, State::Ok, MAY_BE_RENEWED)?;
    }
    Ok(())
}

/// What is said of a login that nobody can confirm.
pub(super) fn unproven(profile: &str, entry: &str) -> String {
    format!(
        "a session of '{profile}' that another version of clauth left had a login that nobody could confirm; it is in the \
         vault ({entry}); if it is that profile's: clauth vault restore {entry} --as {profile}"
    )
}
