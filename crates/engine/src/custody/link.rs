//! A link into our own root where the live credential should be: an old version's doing. It is ours, so it is never written
//! through: a plain file with the same content takes its place before anything else is done (L8).

use clauth_claude::{AccountPart, CredentialStore, Credentials, FileStore, Found};

use super::home::live_home;
use super::{ATTEMPTS, Applied, Operation, Snapshot};
use crate::root::Settings;
use crate::{Engine, Error};

impl Engine {
    /// Puts a plain file in the place of a link into our root, or nothing in the place of one that leads nowhere.
    pub(super) fn replace_own_link(&self) -> Result<(), Error> {
        if !self.has_own_link() {
            return Ok(());
        }
        self.prepare()?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let held = self.lock_all(&before.home, &before.roster.names)?;
            let snapshot = self.snapshot()?;
            let store = FileStore { path: snapshot.home.credentials() };
            if !self.has_own_link() {
                return Ok(());
            }
            let Some(reading) = &snapshot.live.reading else {
                self.disk.remove_file(&store.path)?;
                return Ok(());
            };
            let whole = snapshot.live.object.as_ref().and_then(|object| with_lent_pair(&snapshot, object));
            let change = store.change(Some(reading), whole.unwrap_or_else(|| reading.bytes.clone()));
            let operation = Operation { done: "recover", ..Operation::default() };
            if let Applied::Done = self.apply(&operation, vec![change], &held)? {
                (self.say)("the live login was a link into clauth's own files; it is a file of its own now");
                return Ok(());
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// Whether there is such a link. Whatever else is odd about the home is told by who needs it.
    fn has_own_link(&self) -> bool {
        let home = Settings::read(&self.disk, &self.root).and_then(|settings| live_home(self, &settings));
        let target = home.map(|live| self.disk.target(&live.home.credentials(), Some(self.root.path())));
        matches!(target, Ok(Ok(target)) if target.ours)
    }
}

/// The live object with the full pair that is lent to this home, where the link showed the bearer copy of it: without its
/// refresh token nobody could ever renew it here.
fn with_lent_pair(snapshot: &Snapshot, live: &Credentials) -> Option<Vec<u8>> {
    let Found::Login(found) = live.login() else { return None };
    let lent = snapshot.lent().find_map(|record| {
        let held = record.login().filter(|held| held.access_print() == found.access_print())?;
        let refresh = held.refresh_print().filter(|token| !snapshot.spent.has(token))?;
        record.part().filter(|_| found.refresh_print().is_none_or(|token| token == refresh))
    });
    let part: &AccountPart = lent?;
    live.with_account(part).ok().map(|whole| whole.bytes().to_vec())
}
