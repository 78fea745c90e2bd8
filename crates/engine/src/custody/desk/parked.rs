//! Where a profile's sessions meet its custody: the slot, the copy of it in a tree, and what Claude Code wrote there.

use clauth_claude::{AccountPart, Credentials, Found};
use clauth_durable::{Change, Manner};
use jiff::Timestamp;

use super::renewed::Whose;
use super::{Desk, print};
use crate::custody::same_end;
use crate::history::{Event, Tokens};
use crate::owner::Proven;
use crate::session::Place;
use crate::{Error, spent};

impl Desk<'_> {
    /// Drafts what the slot holds, and with it the mirror of it that a tree may have (L4). Machine keys that a session left
    /// in the slot stay there.
    pub(crate) fn put_slot(&mut self, name: &str, part: &AccountPart) -> Result<(), Error> {
        let slot = self.root.slot(name);
        let stands = self.draft.read(&slot)?.and_then(|bytes| Credentials::parse(bytes).ok());
        let spliced = stands.as_ref().and_then(|object| object.with_account(part).ok());
        let bytes = spliced.map_or_else(|| part.bytes().to_vec(), |object| object.bytes().to_vec());
        self.draft.put(&slot, Manner::Own, bytes)?;
        match stands {
            Some(stands) => self.put_mirror(name, &stands.account(), part),
            None => Ok(()),
        }
    }

    /// Machine keys that Claude Code wrote beside the login in a tree: they belong to no account (W4), and the slot is where
    /// the profile's sessions find them again. With `exactly` those that the tree has no more go; without, as when the tree
    /// holds an earlier or another account's login, the slot gets only what it has not.
    pub(crate) fn keep_machine(&mut self, name: &str, tree: &Credentials, exactly: bool) -> Result<(), Error> {
        let slot = self.root.slot(name);
        let Some(stands) = self.draft.read(&slot)?.and_then(|bytes| Credentials::parse(bytes).ok()) else {
            return Ok(());
        };
        let kept = if exactly { stands.with_machine_of(tree) } else { stands.with_more_machine_of(tree) };
        match kept {
            Ok(kept) => self.draft.put(&slot, Manner::Own, kept.bytes().to_vec()),
            Err(_) => Ok(()),
        }
    }

    /// Drafts the mirrors, where there is one that says what the slot said; another account's login in it stays.
    fn put_mirror(&mut self, name: &str, before: &AccountPart, after: &AccountPart) -> Result<(), Error> {
        let place = Place::of(self.root, name);
        for path in place.own_copies(self.disk) {
            let Some(bytes) = self.draft.read(&path)? else { continue };
            let Ok(object) = Credentials::parse(bytes.clone()) else { continue };
            if place.mirror_in(&path, &object, before).as_ref() != Some(&bytes) {
                continue;
            }
            let after = place.mirror_in(&path, &object, after).filter(|after| *after != bytes);
            if after.is_some() {
                self.draft.push(Change { path, before: Some(bytes), after, manner: Manner::Credential });
            }
        }
        Ok(())
    }

    /// S2, S3: a later login that Claude Code wrote in a session becomes the profile's. Answers whether it did: one that
    /// does not end later than the stored one is kept in the vault instead.
    pub(crate) fn adopt(&mut self, name: &str, part: &AccountPart, proof: Proven) -> Result<bool, Error> {
        let known = self.known(name).cloned();
        let lent = self.snapshot.record(name).is_some_and(|record| record.loan.get().is_some());
        let before = self.holds(name).cloned();
        if lent {
            // What waited in the slot may be what this one was renewed from.
            if let Some(waiting) = self.take_renewed(name) {
                self.supersede_in_tree(name, (&waiting, part), proof)?;
            }
            self.renew(name, part, Whose::AsBefore)?;
        } else {
            if let Some(before) = &before {
                let (stored, found) = (ends(before), ends(part));
                if stored == found || stored > found && !self.only_the_tree_changed(name, before) {
                    self.put_away(part, "older than the stored login", Some(name), known.as_ref())?;
                    return Ok(false);
                }
                self.supersede_in_tree(name, (before, part), proof)?;
            }
            self.put_slot(name, part)?;
            self.hold(name, part.clone());
        }
        let reason = match proof {
            Proven::SameRefresh | Proven::SameEnd | Proven::EndAlone => "renewed by Claude Code in a session",
            Proven::StateFile => "renewed or signed in by Claude Code in a session, by its state file",
            Proven::Untouched => "renewed by Claude Code in a session, since nobody has signed in there",
            Proven::Endpoint => "signed in in a session, by the profile endpoint",
        };
        let mut event = Event::new(self.now, "adopt", reason).about(name).by("settle");
        event.tokens = Tokens { from: before.as_ref().and_then(print), to: print(part) };
        self.record_event(&event);
        Ok(true)
    }

    /// S3 is for logins that both sides changed. Where the stored one stands as the session found it, the session's is the
    /// later one, whatever their dates say: a clock may have been set back in between.
    fn only_the_tree_changed(&self, name: &str, stored: &AccountPart) -> bool {
        self.is_given(name, stored)
    }

    /// Whether it is the login that the sessions of a profile were given last.
    pub(super) fn is_given(&self, name: &str, login: &AccountPart) -> bool {
        let Found::Login(login) = login.login() else { return false };
        Place::of(self.root, name).was_given(self.disk, &login.access_print())
    }

    /// The stored login that a session's displaces: used up if they are one family, else kept.
    fn supersede_in_tree(
        &mut self,
        name: &str,
        (before, after): (&AccountPart, &AccountPart),
        proof: Proven,
    ) -> Result<(), Error> {
        let (Found::Login(old), Found::Login(new)) = (before.login(), after.login()) else { return Ok(()) };
        let Some(spent) = old.refresh_print().filter(|token| Some(token) != new.refresh_print().as_ref()) else {
            return Ok(());
        };
        let organization = before.organization_uuid();
        let unsaid = organization.is_none() || organization != after.organization_uuid();
        // A file that somebody copied there names nobody either (0012).
        let copied = proof == Proven::Untouched && unsaid;
        // Where no end tells, it is the one that the session was given which was gone on with there.
        let apart = !same_end(before, after).unwrap_or_else(|| self.is_given(name, before));
        if proof == Proven::EndAlone || apart || copied {
            let known = self.known(name).cloned();
            let why = if copied { "renewed, as it seems" } else { "displaced by a newer sign-in in a session" };
            return self.keep_in_use(before, why, (Some(name), known.as_ref()));
        }
        self.spent.extend(spent::line(&spent, name, "superseded", 0, self.now));
        Ok(())
    }
}

/// When a login's access token ends; a login that does not say counts as ended (S3).
fn ends(part: &AccountPart) -> Timestamp {
    match part.login() {
        Found::Login(login) => login.expires_at.unwrap_or(Timestamp::UNIX_EPOCH),
        Found::Blank | Found::Absent | Found::Malformed => Timestamp::UNIX_EPOCH,
    }
}
