//! Taking the last switch back (W9): no old bytes are moved; it is a switch to the profile that was left.

use jiff::Timestamp;

use super::plan::{Cause, Incoming};
use super::report::Report;
use super::run::Options;
use crate::custody::Snapshot;
use crate::error::Kind;
use crate::history::{self, Event};
use crate::owner::Owner;
use crate::profile::Roster;
use crate::{Engine, Error, vault};

impl Engine {
    /// Takes the last switch back; called again, the one before it.
    ///
    /// # Errors
    /// Nothing to take back, a live login that does not descend from what the switch installed, or whatever a switch
    /// refuses.
    pub fn undo(&self, dry_run: bool) -> Result<Report, Error> {
        if !dry_run {
            self.recover()?;
        }
        let events = history::renamed(history::read(&self.disk, &self.root)?);
        let stack = history::undoable(&events);
        let last = stack.last().ok_or_else(nothing)?;
        let incoming = self.left_by(last)?;
        let cause = Cause { event: "undo", reason: "taken back", force: false, dry_run, verified: None };
        let installed = last.to.clone();
        let allow = move |snapshot: &Snapshot, owner: &Owner| match self.endpoint_live(snapshot)? {
            Some(endpoint) => descends(&Owner::Own(endpoint), installed.as_deref()),
            None => descends(owner, installed.as_deref()),
        };
        self.put_live(&incoming, &cause, Options { dry_run, ..Options::default() }, &allow)
    }

    /// What was live before a switch: a profile, or a login that the switch put into the vault.
    fn left_by(&self, event: &Event) -> Result<Incoming, Error> {
        if let Some(id) = &event.vault
            && event.from.is_none()
        {
            let entry = vault::find(vault::all(&self.disk, &self.root)?, id)?;
            return Ok(Incoming::Vaulted(Box::new(entry)));
        }
        let from = event.from.as_deref().ok_or_else(nothing)?;
        Ok(Incoming::Profile(self.still_there((from, event.at), Kind::Protected)?))
    }

    /// A profile that the history names, by its whole name: whatever else that could mean is another profile. One that was
    /// removed is refused as `kind`, with how to get its login back.
    pub(super) fn still_there(&self, (name, left): (&str, Timestamp), kind: Kind) -> Result<String, Error> {
        let events = history::read(&self.disk, &self.root)?;
        let removed = |event: &&Event| event.event == "remove" && event.profile.as_deref() == Some(name);
        let event = events.iter().rev().find(removed);
        // Whoever bears its name since it was removed is another one, unless its own login was restored.
        let restored = |removal: &Event| {
            let is_it =
                |event: &Event| event.event == "restore" && event.vault.is_some() && event.vault == removal.vault;
            events.iter().any(|event| is_it(event) && event.profile.as_deref() == Some(name))
        };
        let gone = event.is_some_and(|event| event.at >= left && !restored(event));
        if !gone && Roster::read(&self.disk, &self.root)?.names.iter().any(|other| other == name) {
            return Ok(name.to_owned());
        }
        let how = event.map_or_else(
            || "is no profile any more".to_owned(),
            |event| format!("was removed {}", crate::text::seconds(event.at)),
        );
        let what = format!("'{name}', which the last switch left, {how}");
        let all = self.vault()?;
        let kept = event.and_then(|event| event.vault.as_ref()).filter(|id| all.iter().any(|entry| entry.id == **id));
        let back = kept.map(|id| format!("clauth vault restore {id} --as {name}"));
        let next: Vec<&str> = back.iter().map(String::as_str).chain(["clauth switch NAME"]).collect();
        Err(Error::refused(kind, what, name, &next))
    }
}

fn descends(owner: &Owner, installed: Option<&str>) -> Result<(), Error> {
    let live = match owner {
        Owner::Own(name) | Owner::Successor(name, _) => Some(name.as_str()),
        _ => None,
    };
    if live.is_some() && live == installed {
        return Ok(());
    }
    let what = match installed {
        Some(name) => format!("the live login is no longer the one of '{name}' that the last switch put there"),
        None => "the last change left a login that no profile holds".to_owned(),
    };
    Err(Error::refused(Kind::Protected, what, "the live login", &["clauth why", "clauth switch NAME"]))
}

fn nothing() -> Error {
    Error::refused(Kind::Nothing, "there is no switch to take back", "history", &["clauth why"])
}
