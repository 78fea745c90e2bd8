//! A link into our own root where the live credential should be: an old version's doing. It is ours, so it is never written
//! through: a plain file with the same content takes its place before anything else is done (L8).

use clauth_claude::{CredentialStore, FileStore};

use super::home::live_home;
use super::{ATTEMPTS, Applied, Operation};
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
            let change = store.change(Some(reading), reading.bytes.clone());
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
