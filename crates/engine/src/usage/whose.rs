//! Whose a token is, by the server's word: asked before any lock (O2), and counted with everything else that is asked about
//! its account (design §5). When no more may be asked, commands go on as they do with the network off.

use std::time::Duration;

use clauth_anthropic::ProfileAnswer;
use clauth_host::{Fingerprint, Secret};
use jiff::Timestamp;

use super::budget::Ledger;
use super::look::{account_id, account_of};
use crate::Engine;
use crate::custody::Snapshot;
use crate::profile::{AccountKey, Known, Record};

/// The longest that an identity look-up may take (O2).
const LOOK_UP: Duration = Duration::from_secs(2);

/// What look-ups are counted for while nothing tells whose a login may be.
const NOBODY: &str = "nobody's";

/// The account that a request is counted for before it is answered.
pub(crate) struct Supposed {
    pub(crate) account: String,
    /// By the account's own key, and the whole of it. Else by something that stands for it until that is known.
    pub(crate) by_key: bool,
}

impl Supposed {
    pub(crate) fn by(account: String, key: Option<&AccountKey>) -> Self {
        Self { account, by_key: key.is_some_and(|key| key.organization.is_some()) }
    }

    /// A profile's login; else that of the account that something states; else nobody's.
    fn of(snapshot: &Snapshot, access: &Fingerprint, stated: Option<&Known>) -> Self {
        let holds = |record: &&Record| record.login().is_some_and(|login| login.access_print() == *access);
        match (snapshot.records.iter().find(holds), stated) {
            (Some(record), _) => Self::by(account_of(record), record.identity.as_ref().map(|known| &known.key)),
            (None, known) => Self::by(account_id(known, NOBODY), known.map(|known| &known.key)),
        }
    }
}

impl Engine {
    /// Whose `access` is; `None` when it may not be asked, or nobody answered, whatever the reason: a failed look-up changes
    /// only what is proven (O2). `stated` is whose it is said to be. A dry run writes nothing, so it cannot count what it
    /// asks, and asks nothing.
    pub(crate) fn whose(&self, snapshot: &Snapshot, access: &Secret, stated: Option<&Known>) -> Option<ProfileAnswer> {
        if !snapshot.settings.network || self.looks {
            return None;
        }
        let supposed = Supposed::of(snapshot, &access.fingerprint(), stated);
        match self.prepare().and_then(|()| self.permit_look_up(&supposed.account)) {
            Ok(Ok(())) => {}
            Ok(Err(until)) => {
                let until = crate::text::seconds(until);
                (self.say)(&format!(
                    "the server is not asked whose this login is: 20 requests an hour; the next at {until}"
                ));
                return None;
            }
            // What cannot be counted is not asked.
            Err(_) => return None,
        }
        let at = self.host.clock.now();
        let answer = self.client(true).profile(access, LOOK_UP).ok()?;
        self.count_for(&supposed, &answer, at);
        Some(answer)
    }

    /// Counts what was asked at `at` for the account that answered, where that is another than was supposed. What stood for it
    /// until now takes its requests along, so that knowing an account's name gives it no second budget.
    pub(crate) fn count_for(&self, supposed: &Supposed, answer: &ProfileAnswer, at: Timestamp) {
        let account = account_id(Some(&Known::of_answer(answer, None)), NOBODY);
        if account == supposed.account {
            return;
        }
        let read = |account: &str| Ledger::read(&self.disk, &self.root.poll(account)).unwrap_or_default();
        let asked = match supposed.by_key {
            true => vec![Ledger::of([at])],
            // What was asked before there was a profile may have been about it too.
            false => vec![read(&supposed.account), read(&account_id(None, NOBODY))],
        };
        // The request is made: a count that cannot be written now is one that the next one meets.
        let _ = self.with_ledger(&account, |ledger, now| {
            asked.iter().for_each(|asked| ledger.absorb(asked, now));
            ((), true)
        });
    }
}
