//! What another version wrote into the slot of a profile whose login is lent out: there, nothing but a bearer copy or a
//! sign-in that the loan names should be.

use clauth_claude::{AccountPart, Found};

use crate::Error;
use crate::custody::{Desk, MAY_BE_RENEWED, Snapshot, same_end};
use crate::owner::Proven;
use crate::profile::{Record, State, token_of};

/// A full login in the slot of a profile whose login is lent to this home.
pub(super) struct Stray<'s> {
    pub(super) record: &'s Record,
    pub(super) part: &'s AccountPart,
}

/// All of them.
pub(super) fn of(snapshot: &Snapshot) -> Vec<Stray<'_>> {
    snapshot.lent().filter_map(in_slot).collect()
}

/// The stray in the slot of one profile.
pub(super) fn in_slot(record: &Record) -> Option<Stray<'_>> {
    record.loan.get()?;
    let part = record.slot.get().filter(|part| matches!(part.login(), Found::Login(_)) && !part.is_bearer())?;
    record.renewed().is_none().then_some(Stray { record, part })
}

impl Snapshot {
    /// The profiles in whose slot such a login stands.
    pub(crate) fn full_slots(&self) -> Vec<&str> {
        of(self).into_iter().map(|stray| stray.record.name.as_str()).collect()
    }
}

impl Desk<'_> {
    /// Drafts what becomes of one. The pair that is lent needs no second copy; a later one of the same sign-in, by its end or
    /// by the server (`proven`), becomes the profile's; any other goes to the vault.
    pub(super) fn settle_stray(&mut self, stray: &Stray<'_>, proven: bool) -> Result<(), Error> {
        let name = &stray.record.name;
        let (Found::Login(found), Some(lent)) = (stray.part.login(), self.holds(name).cloned()) else { return Ok(()) };
        let Found::Login(held) = lent.login() else { return Ok(()) };
        let token = token_of(&found);
        if token == token_of(&held) || self.is_spent(&token) {
            return self.put_slot(name, &lent.bearer());
        }
        let family = same_end(&lent, stray.part) == Some(true);
        let later = found.expires_at > held.expires_at;
        if (family || proven) && later {
            let proof = if family { Proven::SameEnd } else { Proven::Endpoint };
            self.supersede(name, &lent, stray.part, proof)?;
            return self.lend(name, stray.part.clone());
        }
        // L3: it stood in the profile's own slot, so it may be what the lent one was renewed to; nobody can tell.
        if found.expires_at >= held.expires_at && same_end(&lent, stray.part) != Some(false) {
            self.warnings.push(format!("the login of '{name}' {MAY_BE_RENEWED}; if it fails, sign in again"));
            self.judge(name, State::Ok, MAY_BE_RENEWED)?;
        }
        self.keep_beside(name, stray.part, "written into its slot by another version of clauth, unproven")?;
        self.put_slot(name, &lent.bearer())
    }
}
