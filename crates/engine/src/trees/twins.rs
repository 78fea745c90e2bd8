//! Two profiles with one login or one account: one of them keeps it, the other has none from then on, and its copy goes to
//! the vault.

use clauth_claude::Login;
use clauth_durable::Manner;

use crate::custody::{Desk, Snapshot};
use crate::profile::{AccountKey, Known, ProfileKind, Record};
use crate::{Engine, Error, vault};

/// Why a copy is in the vault.
const SAME_LOGIN: &str = "the same login as another profile's: ";

/// Two profiles that are, or were, one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// The one that keeps the login.
    pub keeper: String,
    /// The other one.
    pub other: String,
    /// The vault entry with the other's copy, once it was parted from it.
    pub vault: Option<String>,
}

impl Engine {
    /// The profiles that have one login or one account with an earlier one, and those that were parted from their copy for
    /// that reason and have no login since. Writes nothing, and asks nobody.
    ///
    /// # Errors
    /// The list of profiles or the vault cannot be read.
    pub fn twins(&self) -> Result<Vec<Twin>, Error> {
        let snapshot = self.snapshot()?;
        let owner = self.keeper(&snapshot, self.own_link().as_ref(), self.owner(&snapshot, None)?);
        let mut twins = of(&snapshot, owner.profile());
        for entry in vault::all(&self.disk, &self.root)? {
            let (Some(other), Some(keeper)) = (entry.profile.clone(), entry.why.strip_prefix(SAME_LOGIN)) else {
                continue;
            };
            let bare = snapshot.record(&other).is_some_and(|record| record.part().is_none());
            if bare && snapshot.record(keeper).is_some() {
                twins.push(Twin { keeper: keeper.to_owned(), other, vault: Some(entry.id) });
            }
        }
        Ok(twins)
    }
}

impl Engine {
    /// Whether two profiles that hold a login turned out to be one account, as the server may say long after a tree was
    /// taken over.
    pub(super) fn has_twins(&self, names: &[String]) -> bool {
        let mut seen: Vec<(AccountKey, &String)> = Vec::new();
        let holds = |name: &String| Record::read(&self.disk, &self.root, name).part().is_some();
        for name in names {
            let bytes = self.disk.read(&self.root.identity(name)).ok().flatten();
            let Some(known) = bytes.and_then(|bytes| Known::read(&bytes)) else { continue };
            if seen.iter().any(|(key, other)| *key == known.key && holds(other) && holds(name)) {
                return true;
            }
            seen.push((known.key, name));
        }
        false
    }
}

/// The pairs as they stand: who is live keeps the login, then who is marked active, then who comes first.
pub(super) fn of(snapshot: &Snapshot, live: Option<&str>) -> Vec<Twin> {
    let rank = |record: &&Record| {
        let active = snapshot.roster.active.as_deref() == Some(&record.name);
        (live != Some(record.name.as_str()), record.loan.get().is_none(), !active)
    };
    let whole = |record: &&Record| record.kind != ProfileKind::Token && record.broken().is_none();
    let mut records: Vec<&Record> = snapshot.records.iter().filter(whole).collect();
    records.sort_by_key(rank);
    let mut twins = Vec::new();
    for (at, record) in records.iter().enumerate() {
        let earlier = records[..at].iter().find(|earlier| is_one(earlier, record));
        twins.extend(earlier.map(|keeper| Twin {
            keeper: keeper.name.clone(),
            other: record.name.clone(),
            vault: None,
        }));
    }
    twins
}

/// Whether two profiles hold one refresh token, or are one account.
fn is_one(a: &Record, b: &Record) -> bool {
    let token = |record: &Record| record.login().as_ref().and_then(Login::refresh_print);
    let key = |record: &Record| record.identity.as_ref().map(|known| known.key.clone());
    let same = |a: Option<_>, b: Option<_>| a.is_some() && a == b;
    a.part().is_some() && b.part().is_some() && (same(token(a), token(b)) || (key(a).is_some() && key(a) == key(b)))
}

impl Desk<'_> {
    /// Parts a profile from its copy of a login that another one keeps: into the vault, and nothing stays in its slot.
    pub(super) fn part_twin(&mut self, twin: &Twin) -> Result<(), Error> {
        let Some(copy) = self.forget_login(&twin.other) else { return Ok(()) };
        self.keep_beside(&twin.other, &copy, &format!("{SAME_LOGIN}{}", twin.keeper))?;
        let root = self.root().clone();
        for path in [root.slot(&twin.other), root.loan(&twin.other), root.identity(&twin.other)] {
            self.draft.delete(&path, Manner::Own)?;
        }
        self.warnings.push(format!(
            "'{}' and '{}' are one login; '{}' keeps it, and '{}' has none now",
            twin.keeper, twin.other, twin.keeper, twin.other
        ));
        Ok(())
    }
}
