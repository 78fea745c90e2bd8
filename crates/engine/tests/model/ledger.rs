//! What a program owes: each family's newest generation, and which families their owner or a lost answer gave away.

use std::collections::BTreeMap;
use std::path::Path;

use crate::witness::{Newest, Place, copies, newest};

/// What is known of one sign-in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    /// The newest generation that was ever on the disk between two steps.
    pub(crate) durable: u32,
    /// Why its loss or revocation is nobody's fault.
    pub(crate) forgiven: Option<&'static str>,
    /// How often clauth sent the token of a generation without an answer that refuses it.
    pub(crate) sends: BTreeMap<u32, usize>,
}

/// What is owed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) families: BTreeMap<String, Family>,
    /// Whose login a profile holds, by the account's code.
    pub(crate) accounts: BTreeMap<String, String>,
}

impl Ledger {
    pub(crate) fn forgive(&mut self, family: &str, why: &'static str) {
        self.families.entry(family.to_owned()).or_default().forgiven.get_or_insert(why);
    }

    /// Whatever an account had so far.
    pub(crate) fn forgive_account(&mut self, code: char, why: &'static str) {
        let families = self.families.iter_mut().filter(|(family, _)| family.starts_with(code));
        for (_, family) in families {
            family.forgiven.get_or_insert(why);
        }
    }

    pub(crate) fn is_forgiven(&self, family: &str) -> bool {
        self.families.get(family).is_some_and(|family| family.forgiven.is_some())
    }

    /// What is on the disk now is owed from now on.
    pub(crate) fn owe(&mut self, now: &Newest) {
        for (family, generation) in now {
            let known = self.families.entry(family.clone()).or_default();
            known.durable = known.durable.max(*generation);
        }
    }

    /// Runs what somebody else does: what they throw away themselves is theirs to throw away, even while a killed command
    /// has another copy among its temporary files.
    pub(crate) fn watch(&mut self, home: &Path, other: impl FnOnce()) {
        let all = |home: &Path| {
            let picture = clauth_sandbox::world::snapshot(home).unwrap_or_default();
            newest(&copies(home, &picture), |copy| copy.place != Place::Temp)
        };
        let before = all(home);
        other();
        let after = all(home);
        for (family, generation) in before {
            if after.get(&family).is_none_or(|now| *now < generation) {
                self.forgive(&family, "Claude Code threw it away");
            }
        }
    }
}
