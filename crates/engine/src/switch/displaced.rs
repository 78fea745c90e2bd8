//! Bringing home a lent login that another sign-in has displaced in the live home (L3), with nothing else switched: while its
//! loan stands nobody may renew it, and a session's bearer copy of it ends for good.

use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot};
use crate::history::Event;
use crate::owner::{Owner, Proven};
use crate::profile::Known;
use crate::{Engine, Error};

impl Engine {
    /// Brings the login of `name` home, if it is proven that another one displaced it: with `ask` also by the server's word,
    /// asked before any lock (O2). Nobody need have called for it, so without a proof the loan stays (O4). Answers whether
    /// it came home.
    ///
    /// # Errors
    /// A held lock, or a disk that refuses.
    pub(crate) fn bring_back(&self, name: &str, ask: bool) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            if !before.lent().any(|record| record.name == name) {
                return Ok(false);
            }
            let answer = if ask { self.ask(&before)? } else { None };
            let key = |answer: &Option<Known>| answer.as_ref().map(|known| known.key.clone());
            let owner = self.owner(&before, key(&answer).as_ref())?;
            if !is_displaced(&before, name, &owner, answer.as_ref()) {
                return Ok(false);
            }
            let concerned = before.concerned(Some(name), &owner);
            self.tend_all(&concerned)?;
            let held = self.lock_all(&before.home, &concerned)?;
            let snapshot = self.snapshot()?;
            let answer = answer.filter(|_| snapshot.same_login(&before));
            let owner = self.owner(&snapshot, key(&answer).as_ref())?;
            if snapshot.concerned(Some(name), &owner) != concerned || !self.all_tended(&snapshot, &concerned)? {
                continue;
            }
            if snapshot.unfinished.is_some() || !is_displaced(&snapshot, name, &owner, answer.as_ref()) {
                return Ok(false);
            }
            let mut desk = Desk::new(self, &snapshot)?;
            desk.return_loan(name, &owner)?;
            let reason = "the lent login came back: another one was signed in to Claude Code";
            let event = Event::new(desk.now, "settle", reason).about(name).by("settle");
            desk.record_event(&event);
            let drafted = desk.finish()?;
            let operation = Operation { done: "adopt", to: Some(name.to_owned()), ..Operation::default() };
            if let Applied::Done = self.apply(&operation, drafted.changes, &held)? {
                drafted.warnings.iter().for_each(|warning| (self.say)(warning));
                return Ok(true);
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }
}

/// Whether the live login is another account's than the lent one of `name` for certain. What only the server's word speaks
/// for does not count against a profile whose own account it never confirmed: that may be the very account (O3).
fn is_displaced(snapshot: &Snapshot, name: &str, owner: &Owner, answer: Option<&Known>) -> bool {
    let lent = snapshot.record(name).and_then(|record| record.identity.as_ref());
    let is_other = |answer: &Known| snapshot.is_proven(name) && lent.is_some_and(|lent| !lent.key.agrees(&answer.key));
    match owner {
        Owner::Own(live) => live != name,
        Owner::Successor(live, Proven::Endpoint) => live != name && answer.is_some_and(is_other),
        Owner::Successor(live, _) => live != name,
        Owner::Unknown(_) => answer.is_some_and(is_other),
        Owner::Rewound(_) | Owner::SignedOut | Owner::Missing | Owner::Unreadable => false,
    }
}
