//! Taking home what Claude Code renewed in its own home, with nothing else switched.

use super::plan::{Cause, Incoming};
use super::run::Options;
use crate::custody::Snapshot;
use crate::owner::Owner;
use crate::session::Place;
use crate::{Engine, Error};

impl Engine {
    /// Takes home a later generation of the login of `name` that is in the live home, where it stays.
    ///
    /// # Errors
    /// Another login is live by now: then nothing is done, and nothing is ever put in its place. Otherwise as
    /// [`Engine::switch`].
    pub(crate) fn take_renewed(&self, name: &str) -> Result<(), Error> {
        let is_still_there = |snapshot: &Snapshot, owner: &Owner| {
            let there = owner.profile() == Some(name) && self.endpoint_live(snapshot)?.is_none();
            if there { Ok(()) } else { Err(Error::Contended { path: snapshot.home.credentials() }) }
        };
        let cause =
            Cause { event: "switch", reason: "renewed by Claude Code", force: false, dry_run: false, verified: None };
        self.put_live(&Incoming::Profile(name.to_owned()), &cause, Options::default(), &is_still_there).map(drop)
    }

    /// Lets a session's bearer copy follow its login in the live home: the access token before a renewal may end with it, and
    /// a session has no other (L4). Answers whether it has to be looked at again.
    ///
    /// # Errors
    /// As [`Engine::switch`].
    pub(crate) fn follow_live(&self, place: &Place) -> Result<bool, Error> {
        let record = crate::profile::Record::read(&self.disk, &self.root, &place.name);
        let Some(slot) = record.slot.get().filter(|slot| slot.is_bearer() && record.loan.get().is_some()) else {
            return Ok(false);
        };
        let access = |part: &clauth_claude::AccountPart| match part.login() {
            clauth_claude::Found::Login(login) => Some(login.access_print()),
            _ => None,
        };
        let live = self.disk.read(&self.home()?.credential())?;
        let live = live.and_then(|bytes| clauth_claude::AccountPart::parse(bytes).ok()).as_ref().and_then(access);
        if live.is_none() || live == access(slot) {
            return Ok(false);
        }
        let snapshot = self.snapshot()?;
        match self.owner(&snapshot, None)? {
            Owner::Successor(name, _) if name == place.name => match self.take_renewed(&name) {
                // Somebody switched meanwhile, or another session was first.
                Err(Error::Contended { .. }) => Ok(true),
                taken => taken.map(|()| false),
            },
            Owner::Unknown(doubt) => Ok(doubt == crate::owner::Doubt::Young),
            _ => Ok(false),
        }
    }
}
