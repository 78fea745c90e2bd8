//! Taking the last switch back (W9): no old bytes are moved; it is a switch to the profile that was left.

use super::plan::{Cause, Incoming};
use super::report::Report;
use super::run::Options;
use crate::custody::Snapshot;
use crate::error::Kind;
use crate::history::{self, Event};
use crate::owner::Owner;
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
        match self.find(from) {
            Ok(name) => Ok(Incoming::Profile(name)),
            Err(error) => Err(self.removed_since(from)?.unwrap_or(error)),
        }
    }

    /// The refusal to go back to a profile that was removed: says so, and how to get its login back.
    fn removed_since(&self, name: &str) -> Result<Option<Error>, Error> {
        let events = history::read(&self.disk, &self.root)?;
        let removed = |event: &&Event| event.event == "remove" && event.profile.as_deref() == Some(name);
        let Some(event) = events.iter().rev().find(removed) else { return Ok(None) };
        let what = format!("'{name}', which the last switch left, was removed {}", crate::text::seconds(event.at));
        let all = self.vault()?;
        let kept = event.vault.as_ref().filter(|id| all.iter().any(|entry| entry.id == **id));
        let back = kept.map(|id| format!("clauth vault restore {id} --as {name}"));
        let next: Vec<&str> = back.iter().map(String::as_str).chain(["clauth switch NAME"]).collect();
        Ok(Some(Error::refused(Kind::Protected, what, name, &next)))
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
