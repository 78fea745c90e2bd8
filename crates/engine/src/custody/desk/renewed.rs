//! A login that was signed in anew while the one before it is lent out (S9): a full slot beside the standing loan. The loan
//! names the token that is in the slot, so that no other content of the slot is ever taken for one.

use clauth_claude::{AccountPart, Credentials, Found};
use clauth_durable::Manner;
use clauth_host::Fingerprint;

use super::Desk;
use crate::Error;
use crate::profile::{Known, Loan, token_of};
use crate::vault::{self, Entry};

/// Why a login that a newer sign-in took the place of is in the vault.
const DISPLACED: &str = "displaced by a newer sign-in";

/// Whose account a profile is after a sign-in.
#[derive(Clone, Copy)]
pub(crate) enum Whose<'a> {
    /// What is known of it stays.
    AsBefore,
    /// This one's.
    Known(&'a Known),
    /// Nobody knows: another one's than before.
    Nobodys,
}

impl Desk<'_> {
    /// Takes a new sign-in into a profile: into its slot, whether the login before is lent out or not. What it displaces
    /// goes to the vault, before the profile becomes another account's.
    pub(crate) fn renew(&mut self, name: &str, part: &AccountPart, whose: Whose<'_>) -> Result<(), Error> {
        if let Some(earlier) = self.take_renewed(name) {
            self.keep_beside(name, &earlier, DISPLACED)?;
        }
        self.confirm_machine(name, part)?;
        self.set_torn_loan_aside(name)?;
        let standing = self.snapshot.record(name).and_then(|record| record.loan.get());
        let displaced = self.holds(name).filter(|before| standing.is_none() && before.bytes() != part.bytes()).cloned();
        if let Some(before) = displaced {
            self.keep_beside(name, &before, DISPLACED)?;
        }
        match whose {
            Whose::Known(known) => self.introduce(name, known)?,
            Whose::Nobodys => self.forget_identity(name)?,
            Whose::AsBefore => {}
        }
        match standing {
            // The loan first: a full slot that no loan names would be overwritten by the pair that comes back.
            Some(loan) => self.rewrite_loan(name, &Loan { renewed: token(part), ..loan.clone() })?,
            None => self.hold(name, part.clone()),
        }
        self.put_slot(name, part)
    }

    /// After an interruption of what was to give a profile another account's login: while the profile holds the one that it
    /// had, that one was not displaced, and it is its account's.
    pub(crate) fn take_back_displaced(&mut self, name: Option<&str>) -> Result<(), Error> {
        let Some(record) = name.and_then(|name| self.snapshot.record(name)) else { return Ok(()) };
        let Some(held) = record.part() else { return Ok(()) };
        let of = |kept: &&Entry| kept.profile.as_deref() == Some(record.name.as_str());
        let all = vault::all(self.disk, self.root)?;
        for kept in all.iter().filter(of).filter(|kept| kept.login.bytes() == held.bytes()) {
            match &kept.known {
                Some(known) => self.introduce(&record.name, known)?,
                None => self.forget_identity(&record.name)?,
            }
            self.draft.delete(&kept.path(self.root), Manner::Own)?;
        }
        Ok(())
    }

    /// After an interruption between the steps that put a waiting login live: if the earlier login is live still, it is lent
    /// again, and the other one waits again. Answers whether that was so.
    pub(crate) fn take_back_renewal(&mut self, name: Option<&str>) -> Result<bool, Error> {
        let Some(name) = name else { return Ok(false) };
        let Ok(live) = self.live_object().map(Credentials::account) else { return Ok(false) };
        let kept = vault::all(self.disk, self.root)?;
        let kept = kept.iter().find(|kept| kept.profile.as_deref() == Some(name) && kept.login.bytes() == live.bytes());
        let Some(kept) = kept else { return Ok(false) };
        let loan = self.snapshot.record(name).and_then(|record| record.loan.get());
        if let Some(loan) = loan.filter(|loan| loan.login.bytes() != live.bytes()) {
            let waiting = loan.login.clone();
            self.rewrite_loan(name, &Loan { renewed: token(&waiting), login: live, ..loan.clone() })?;
            self.put_slot(name, &waiting)?;
        }
        self.draft.delete(&kept.path(self.root), Manner::Own)?;
        self.settle_identity(name)?;
        self.mark(Some(name))?;
        Ok(true)
    }

    /// The login that waits in the slot of a profile whose earlier one is lent out.
    pub(crate) fn renewed(&self, name: &str) -> Option<&AccountPart> {
        self.renewed.iter().find(|(holder, _)| holder == name).map(|(_, part)| part)
    }

    /// The same, which is from now on dealt with.
    pub(super) fn take_renewed(&mut self, name: &str) -> Option<AccountPart> {
        let at = self.renewed.iter().position(|(holder, _)| holder == name)?;
        Some(self.renewed.remove(at).1)
    }

    /// Before `part` is lent: answers the waiting login if it stays in the slot. It does not when it is what is lent now,
    /// nor when the profile becomes another account's.
    pub(super) fn stays_renewed(&mut self, name: &str, part: &AccountPart) -> Result<Option<Fingerprint>, Error> {
        let Some(waiting) = self.take_renewed(name) else { return Ok(None) };
        if token(&waiting) == token(part) {
            if let Some(before) = self.holds(name).cloned() {
                self.keep_beside(name, &before, DISPLACED)?;
            }
            return Ok(None);
        }
        let recorded = self.snapshot.record(name).and_then(|record| record.identity.as_ref());
        if self.known(name).map(|known| &known.key) != recorded.map(|known| &known.key) {
            self.keep_beside(name, &waiting, "its profile became another account's")?;
            return Ok(None);
        }
        let names = token(&waiting);
        self.renewed.push((name.to_owned(), waiting));
        Ok(names)
    }

    /// A lent login comes back to a profile that has a newer sign-in: it goes to the vault, not over it. Answers whether
    /// that was so.
    pub(super) fn came_back_late(&mut self, name: &str, part: &AccountPart) -> Result<bool, Error> {
        let Some(waiting) = self.take_renewed(name) else { return Ok(false) };
        self.keep_beside(name, part, "it came back after a newer sign-in")?;
        self.draft.delete(&self.root.loan(name), Manner::Own)?;
        self.hold(name, waiting);
        Ok(true)
    }

    /// Puts a profile's own login into the vault. It is not the one that was live and is nobody's.
    pub(crate) fn keep_beside(&mut self, name: &str, part: &AccountPart, why: &str) -> Result<(), Error> {
        let vaulted = self.vaulted.take();
        let known = self.snapshot.record(name).and_then(|record| record.identity.as_ref());
        let kept = self.put_away(part, why, Some(name), known);
        self.vaulted = vaulted;
        kept
    }

    fn rewrite_loan(&mut self, name: &str, loan: &Loan) -> Result<(), Error> {
        let loan = Loan { key: self.key(name).cloned(), ..loan.clone() };
        self.draft.put(&self.root.loan(name), Manner::Own, loan.bytes())
    }
}

fn token(part: &AccountPart) -> Option<Fingerprint> {
    match part.login() {
        Found::Login(login) => Some(token_of(&login)),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}
