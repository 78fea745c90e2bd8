//! What an interrupted switch had done to the live login: what it left beside the credential tells (W2). So what Claude Code
//! renewed before anybody could finish the switch still finds its owner, with nobody to ask. Looking commands ask this too, so it
//! never writes; and where the leftovers do not tell it never guesses.

use std::path::PathBuf;

use clauth_claude::{Credentials, Found};
use clauth_host::Fingerprint;

use super::Snapshot;
use super::below::is_temp;
use super::unfinished::Unfinished;
use crate::owner::Hands;
use crate::profile::{ProfileKind, Record};
use crate::{Engine, Error};

impl Engine {
    /// Whose login was live when `entry` was interrupted.
    pub(super) fn hands<'e>(&self, snapshot: &Snapshot, entry: &'e Unfinished) -> Result<Hands<'e>, Error> {
        if !entry.changes_hands() {
            return Ok(Hands::Kept);
        }
        let (Some(to), true) = (entry.to.as_deref(), entry.puts_live()) else {
            return Ok(if has_lent(snapshot, entry) { Hands::Open } else { Hands::Kept });
        };
        let token = |name: &str| snapshot.record(name).and_then(Record::login)?.refresh_print();
        let new = token(to);
        // Of what lies beside, the old login was there, and the new one has yet to come.
        let beside = self.beside(snapshot, entry)?;
        let lies = |one: &Option<Fingerprint>| one.as_ref().is_some_and(|one| beside.contains(one));
        let Some(from) = entry.from.as_deref() else {
            // It was nobody's: no profile's is there before the new one is.
            return Ok(match (beside.is_empty(), lies(&new)) {
                (false, true) => Hands::Stayed(""),
                (false, false) => Hands::Passed(to),
                (true, _) if has_lent(snapshot, entry) => Hands::Open,
                (true, _) => Hands::Kept,
            });
        };
        let old = token(from);
        if snapshot.record(to).is_some_and(|record| record.kind == ProfileKind::Endpoint) && !entry.recovering {
            // No login comes with it, and the former loan is over as soon as its login has left the home (W6).
            return Ok(if lies(&old) { Hands::Passed(to) } else { Hands::Stayed(from) });
        }
        Ok(match (lies(&old), lies(&new)) {
            (true, false) => Hands::Passed(to),
            (false, true) => Hands::Stayed(from),
            (true, true) => Hands::Open,
            // What lay beside is removed last. By then the former loan is over, which comes after the exchange (W6).
            (false, false) if has_lent(snapshot, entry) => {
                let lent = |name| snapshot.record(name).is_some_and(|record| record.lent_to(&snapshot.home_id));
                if !entry.recovering && lent(to) && !lent(from) { Hands::Passed(to) } else { Hands::Open }
            }
            (false, false) => Hands::Kept,
        })
    }

    /// The refresh tokens in what `entry` left beside the live credential.
    fn beside(&self, snapshot: &Snapshot, entry: &Unfinished) -> Result<Vec<Fingerprint>, Error> {
        // What can be shown all the same is shown by looking commands.
        let Ok(target) = self.disk.target(&snapshot.home.credentials(), None) else { return Ok(Vec::new()) };
        let target = target.path;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let start = format!(".{name}.clauth-");
        let is_beside = |path: &&PathBuf| {
            let own = path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(&start));
            own && is_temp(path) && path.parent() == target.parent()
        };
        let mut tokens = Vec::new();
        for path in entry.temps.iter().filter(is_beside) {
            let object = self.disk.read(path)?.and_then(|bytes| Credentials::parse(bytes).ok());
            if let Some(Found::Login(login)) = object.map(|object| object.login()) {
                tokens.extend(login.refresh_print());
            }
        }
        Ok(tokens)
    }
}

/// Whether the incoming login may be on loan, which is before anything else in the home (W6, L2). A recovery takes loans back,
/// so that one which is not there tells nothing any more.
fn has_lent(snapshot: &Snapshot, entry: &Unfinished) -> bool {
    let incoming = entry.to.as_deref().filter(|_| entry.puts_live()).and_then(|name| snapshot.record(name));
    let waits = |record: &Record| {
        record.kind == ProfileKind::Claude && record.broken().is_none() && !record.lent_to(&snapshot.home_id)
    };
    entry.recovering || !incoming.is_some_and(waits)
}
