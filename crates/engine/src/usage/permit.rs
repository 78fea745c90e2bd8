//! Leave to ask: taken from the budget on disk before a request is made.

use jiff::Timestamp;

use super::Budget;
use super::budget::Ledger;
use crate::{Engine, Error};

impl Engine {
    /// Takes leave for one request about an account.
    ///
    /// # Errors
    /// The ledger cannot be locked, read or written: then nobody asks. The inner error says when the next may be made.
    pub(crate) fn permit(&self, account: &str) -> Result<Result<(), Timestamp>, Error> {
        self.with_ledger(account, |ledger, now| changing(ledger, |ledger| ledger.take(now)))
    }

    /// The same for a look-up of an identity.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn permit_look_up(&self, account: &str) -> Result<Result<(), Timestamp>, Error> {
        self.with_ledger(account, |ledger, now| changing(ledger, |ledger| ledger.take_look_up(now)))
    }

    /// Changes the ledger of an account under its lock; `change` answers, and says whether anything is to be written.
    pub(crate) fn with_ledger<T>(
        &self,
        account: &str,
        change: impl FnOnce(&mut Ledger, Timestamp) -> (T, bool),
    ) -> Result<T, Error> {
        let path = self.root.poll(account);
        self.disk.ensure_dir(&self.root.locks())?;
        if let Some(parent) = path.parent() {
            self.disk.ensure_dir(parent)?;
        }
        let held = self.lock_poll(account)?;
        let mut ledger = Ledger::read(&self.disk, &path)?;
        let now = self.host.clock.now();
        let settled = ledger.settle(now);
        let (answer, changed) = change(&mut ledger, now);
        if changed || settled {
            held.check()?;
            ledger.write(&self.disk, &path)?;
        }
        Ok(answer)
    }

    /// How much of the budget of an account is used.
    pub(crate) fn budget_of(&self, account: &str) -> Budget {
        let ledger = Ledger::read(&self.disk, &self.root.poll(account)).unwrap_or_default();
        ledger.budget(self.host.clock.now())
    }
}

/// What `change` answers, and whether anything changed. A clock that was put back moves requests even where no more may be made.
fn changing<T>(ledger: &mut Ledger, change: impl FnOnce(&mut Ledger) -> T) -> (T, bool) {
    let before = ledger.clone();
    let answer = change(ledger);
    let changed = *ledger != before;
    (answer, changed)
}
