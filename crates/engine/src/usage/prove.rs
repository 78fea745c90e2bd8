//! The hourly look-up says whose a token is, and so proves it where that was only stated until now (O2, O3).

use clauth_anthropic::ProfileAnswer;
use clauth_durable::Mode;
use clauth_host::Fingerprint;

use super::look::account_of;
use crate::custody::{Desk, Learned};
use crate::profile::{Known, Record};
use crate::{Engine, Error};

impl Engine {
    /// Takes what the server said of the token `access` into the profile `name`, whose account was not proven. Answers what
    /// its readings are kept for from now on; nothing where it stays as it was: the profile has another login by now, is
    /// somebody else, or a change is unfinished (W8).
    pub(crate) fn prove(
        &self,
        name: &str,
        access: &Fingerprint,
        answer: &ProfileAnswer,
    ) -> Result<Option<String>, Error> {
        let held = self.lock_state()?;
        let snapshot = self.snapshot()?;
        if snapshot.unfinished.is_some() || snapshot.record(name).is_none() {
            return Ok(None);
        }
        let known = Known::of_answer(answer, None);
        let mut desk = Desk::new(self, &snapshot)?;
        desk.learn(&Learned { name: name.to_owned(), access: access.clone(), known })?;
        let Some(known) = desk.known(name).filter(|_| !snapshot.is_proven(name)).filter(|known| known.proven()) else {
            return Ok(None);
        };
        held.check()?;
        // One file of our own, exchanged as one: a kill leaves it as it was, or as it is to be.
        self.disk.replace(&self.root.identity(name), &known.bytes(), Mode::Private)?;
        drop(held);
        Ok(Some(account_of(&Record::read(&self.disk, &self.root, name))))
    }
}
