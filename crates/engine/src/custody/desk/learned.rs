//! What a change of custody learns about who is who, and what it remembers of having named nobody (O5).

use clauth_claude::{AccountPart, Found, StateFile};
use clauth_durable::Manner;
use clauth_host::Fingerprint;

use super::Desk;
use crate::Error;
use crate::custody::Snapshot;
use crate::owner::Proven;
use crate::profile::{Known, Record, token_of};

/// Whose an access token is, as the server said before any lock was taken (O2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Learned {
    pub(crate) name: String,
    pub(crate) access: Fingerprint,
    pub(crate) known: Known,
}

/// Whether a profile's login came with a root that was made on another machine, and was not signed in here since (L7).
pub(crate) fn elsewhere(snapshot: &Snapshot, record: &Record, here: Option<&Fingerprint>) -> bool {
    let recorded = record.machine.as_ref().or(snapshot.settings.machine.as_ref());
    matches!((recorded, here), (Some(recorded), Some(here)) if recorded != here)
}

impl Desk<'_> {
    /// A new sign-in confirms a profile on this machine, where its root came from another one (L7). The very pair that
    /// came with the root confirms nothing: the other machine has it too.
    pub(crate) fn confirm_machine(&mut self, name: &str, part: &AccountPart) -> Result<(), Error> {
        let Some(here) =
            self.machine.filter(|here| self.snapshot.settings.machine.as_ref().is_some_and(|at| at != *here))
        else {
            return Ok(());
        };
        let stored = self.snapshot.record(name).and_then(Record::login).map(|login| token_of(&login));
        if matches!(part.login(), Found::Login(login) if Some(token_of(&login)) == stored) {
            return Ok(());
        }
        let text = crate::json::bytes(&serde_json::json!({"schema": 1, "machine": here.full()}));
        self.draft.put(&self.root.machine(name), Manner::Own, text)
    }

    /// Takes what the server said into a profile whose account is not known, or not proven; a profile that is somebody
    /// else, or that has another login by now, stays as it is.
    pub(crate) fn learn(&mut self, learned: &Learned) -> Result<(), Error> {
        let holds = self.holds(&learned.name).map(AccountPart::login);
        if !matches!(holds, Some(Found::Login(login)) if login.access_print() == learned.access) {
            return Ok(());
        }
        let known = match self.known(&learned.name) {
            None => learned.known.clone(),
            Some(stored) if !stored.proven() && stored.key == learned.known.key => {
                Known { block: learned.known.block.clone().or(stored.block.clone()), ..learned.known.clone() }
            }
            Some(_) => return Ok(()),
        };
        self.introduce(&learned.name, &known)
    }

    /// An account that only the loan still names is written down before the loan goes: else a later login of it would be
    /// nobody's, and an earlier one stay in its slot (L6).
    pub(super) fn write_down_account(&mut self, name: &str) -> Result<(), Error> {
        let Some(key) = self.key(name).filter(|_| self.known(name).is_none()).cloned() else { return Ok(()) };
        let named = self.state.and_then(Known::of_state).filter(|named| named.key == key);
        self.introduce(name, &named.unwrap_or_else(|| Known::told(key, None, None)))
    }

    /// Lends what a switch puts live.
    pub(crate) fn lend_incoming(&mut self, name: &str, part: AccountPart) -> Result<(), Error> {
        self.incoming = Some(name.to_owned());
        self.lend(name, part)
    }

    /// Whether the loan of `name` may say that nobody is named: a switch leaves nobody named where the account is not
    /// proven, and that stays so until the state file has a block.
    pub(super) fn leaves_unnamed(&self, name: &str) -> bool {
        if self.incoming.as_deref() == Some(name) {
            return self.known(name).and_then(Known::proven_block).is_none();
        }
        let was = self.snapshot.record(name).and_then(|record| record.loan.get()).is_some_and(|loan| loan.unnamed);
        was && self.state.and_then(StateFile::block).is_none()
    }

    /// What a successor takes the place of. That nobody signed in does not exclude a file copied there by hand, so unless
    /// both say the same organization the earlier login is kept: as one that may have been renewed.
    pub(super) fn displace(
        &mut self,
        name: &str,
        before: &AccountPart,
        after: &AccountPart,
        proof: Proven,
    ) -> Result<(), Error> {
        let organization = before.organization_uuid();
        if proof != Proven::Untouched || (organization.is_some() && organization == after.organization_uuid()) {
            return self.supersede(name, before, after, proof);
        }
        let vaulted = self.vaulted.take();
        let known = self.known(name).cloned();
        let kept = self.keep_in_use(before, "renewed, as it seems", (Some(name), known.as_ref()));
        self.vaulted = vaulted;
        kept
    }
}
