//! A pair in memory is the only one there is: until it is kept, everything else waits (R5).

use std::time::Duration;

use clauth_claude::ClaudeHome;
use clauth_durable::{Held, Mode, Reserve};

use super::land::Landed;
use super::staged::Staged;
use crate::{Engine, Error};

/// How long a pair is tried to be kept.
const PATIENCE: Duration = Duration::from_secs(60);

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// Where the pair is beside memory.
enum Aside {
    /// Nowhere; this is the file whose room was taken for it.
    Nowhere(Reserve),
    /// In the stage file or in a refuge, where the next command finds it.
    Kept,
}

impl Engine {
    /// Stages the pair and puts it into its place. A pair that is staged but could not be put into its place is landed by
    /// the next acting command; where a `claude` reads that place it is tried for as long as one that found no room.
    pub(super) fn keep(
        &self,
        staged: &Staged,
        home: Option<&ClaudeHome>,
        (room, held): (Reserve, Held),
    ) -> Result<Vec<String>, Error> {
        let began = self.disk.clock.monotonic();
        let mut aside = put(room, &staged.bytes());
        let error = loop {
            let error = match self.land(staged, home, &held) {
                Ok(Landed::Done(warnings)) => return Ok(warnings),
                Ok(Landed::Blocked) => None,
                Err(error) => Some(error),
            };
            aside = self.set_aside(aside, staged);
            let kept = matches!(aside, Aside::Kept);
            // Without our locks nothing can be put into the home; what was interrupted is finished without them.
            let lost = matches!(error, None | Some(Error::Disk(clauth_durable::Error::Lost { .. })));
            let patience = self.disk.clock.monotonic().saturating_sub(began) < PATIENCE;
            if !patience || (kept && (home.is_none() || lost)) {
                break error;
            }
            self.disk.clock.sleep(PAUSE);
        };
        drop(held);
        self.land_later(staged, &aside, error)
    }

    /// The last word on a pair that did not get into its place while the locks of its renewal were held.
    fn land_later(&self, staged: &Staged, aside: &Aside, error: Option<Error>) -> Result<Vec<String>, Error> {
        let name = &staged.name;
        if matches!(aside, Aside::Nowhere(_)) {
            (self.say)(&format!("the new login of '{name}' found no place: sign in as it again"));
        } else if self.recover().is_ok() && self.staged(name).is_ok_and(|left| left.is_none()) {
            return Ok(Vec::new());
        } else {
            (self.say)(&format!("the new login of '{name}' is kept aside; the next command puts it into its place"));
        }
        Err(error.unwrap_or_else(|| Error::Contended { path: self.root.journal() }))
    }

    /// Tries once more for a place beside memory: the stage file, else our root, else the runtime directory.
    fn set_aside(&self, aside: Aside, staged: &Staged) -> Aside {
        let Aside::Nowhere(room) = aside else { return Aside::Kept };
        let bytes = staged.bytes();
        let aside = put(room, &bytes);
        let refuge =
            || self.refuges(&staged.name).iter().any(|path| self.disk.replace(path, &bytes, Mode::Private).is_ok());
        if matches!(aside, Aside::Nowhere(_)) && refuge() { Aside::Kept } else { aside }
    }
}

/// The room is let go of as soon as the pair is in it: Windows removes no file that is open.
fn put(mut room: Reserve, bytes: &[u8]) -> Aside {
    if room.put(bytes).is_ok() { Aside::Kept } else { Aside::Nowhere(room) }
}
