//! A link into our own root where the live credential should be: another version's doing. It is ours, so it is never
//! written through: a plain file with the same content takes its place (L8).

use std::path::PathBuf;

use clauth_claude::{AccountPart, Credentials, Found, Login, real_path};
use clauth_durable::{Change, Kind, Manner};

use crate::custody::{Desk, Snapshot, live_home};
use crate::profile::Record;
use crate::root::Settings;
use crate::spent::Spent;
use crate::{Engine, Error};

/// Such a link.
pub(crate) struct OwnLink {
    /// The link itself.
    pub(crate) path: PathBuf,
    /// The listed profile whose slot it leads to.
    pub(crate) profile: Option<String>,
}

impl Engine {
    /// The link, if there is one. Whatever else is odd about the home is told by who needs it.
    pub(crate) fn own_link(&self) -> Option<OwnLink> {
        let settings = Settings::read(&self.disk, &self.root).ok()?;
        let path = live_home(self, &settings).ok()?.home.credentials();
        self.disk.target(&path, Some(self.root.path())).ok().filter(|target| target.ours)?;
        let leads_to = real_path(&self.disk, &path);
        let names = self.names().unwrap_or_default();
        let profile = names.into_iter().find(|name| real_path(&self.disk, &self.root.slot(name)) == leads_to);
        Some(OwnLink { path, profile })
    }

    /// Drafts a plain file in the place of the link: what a reader of it finds, with the full pair where the link shows
    /// the bearer copy of a lent one, since without its refresh token nobody could ever renew it there; or `renewed`, where
    /// that is the pair of this very login which has to be live.
    pub(super) fn unlink(
        &self,
        desk: &mut Desk<'_>,
        (snapshot, link): (&Snapshot, &OwnLink),
        renewed: Option<&AccountPart>,
    ) -> Result<(), Error> {
        let Some(reading) = &snapshot.live.reading else { return Ok(()) };
        if reading.beside.as_ref().is_some_and(|beside| beside.item.is_some()) {
            return self.unlink_beside(desk, (snapshot, link));
        }
        let object = snapshot.live.object.as_ref();
        let newer = object.zip(renewed).and_then(|(object, part)| object.with_account(part).ok());
        let newer = newer.map(|object| object.bytes().to_vec());
        let whole = newer.or_else(|| object.and_then(|object| with_whole_pair(snapshot, object)));
        // The slot behind the link may have changed by this point of the draft, and the link with it.
        let before = match &link.profile {
            Some(name) => desk.draft.read(&self.root.slot(name))?,
            None => Some(reading.bytes.clone()),
        };
        let after = Some(whole.unwrap_or_else(|| reading.bytes.clone()));
        let path = snapshot.home.credentials();
        desk.draft.push(Change { path, before, after, manner: Manner::Credential });
        Ok(())
    }
}

impl Engine {
    /// The same beside a Keychain item, which is the credential: a plain file without a refresh token (L5).
    fn unlink_beside(&self, desk: &mut Desk<'_>, (snapshot, link): (&Snapshot, &OwnLink)) -> Result<(), Error> {
        let path = snapshot.home.credentials();
        let before = match &link.profile {
            Some(name) => desk.draft.read(&self.root.slot(name))?,
            None => desk.draft.read(&path)?,
        };
        let object = before.clone().and_then(|bytes| Credentials::parse(bytes).ok());
        let shown = object.and_then(|object| object.with_account(&object.account().bearer()).ok());
        let after = shown.map(|object| object.bytes().to_vec()).or_else(|| before.clone());
        desk.draft.push(Change { path, before, after, manner: Manner::Credential });
        Ok(())
    }
}

/// The live object with the full pair that is lent, or kept, where it shows the bearer copy of it.
fn with_whole_pair(snapshot: &Snapshot, live: &Credentials) -> Option<Vec<u8>> {
    let Found::Login(found) = live.login() else { return None };
    let whole = lent_as(snapshot.lent(), &snapshot.spent, &found)?.part()?;
    live.with_account(whole).ok().map(|whole| whole.bytes().to_vec())
}

/// The lent profile whose pair `found` is, or is the bearer copy of, if that may still be used (L6).
fn lent_as<'r>(mut lent: impl Iterator<Item = &'r Record>, spent: &Spent, found: &Login) -> Option<&'r Record> {
    lent.find(|record| {
        let held = record.login().filter(|held| held.access_print() == found.access_print());
        let refresh = held.and_then(|held| held.refresh_print()).filter(|token| !spent.has(token));
        refresh.is_some_and(|refresh| found.refresh_print().is_none_or(|token| token == refresh))
    })
}

/// A profile's slot that is a link to another profile's: no login of its own, and what would be written into the one would be
/// in the other.
pub(crate) struct LinkedSlot {
    name: String,
    path: PathBuf,
    other: String,
}

impl LinkedSlot {
    /// What is said when it went.
    pub(super) fn told(&self) -> String {
        let Self { name, path, other } = self;
        format!(
            "{} was a link to the login of '{other}', which keeps it; '{name}' has none: clauth login {name}",
            path.display()
        )
    }
}

impl Engine {
    /// All of them.
    pub(super) fn linked_slots(&self, names: &[String]) -> Vec<LinkedSlot> {
        // What may not be looked into belongs to one profile and stops no other.
        let is = |name: &String, kind| {
            self.disk.lstat(&self.root.slot(name)).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == kind))
        };
        let real = |name: &String| real_path(&self.disk, &self.root.slot(name));
        let links = names.iter().filter(|name| is(name, Kind::Link));
        let linked = |name: &String| {
            let leads_to = real(name);
            let other = names.iter().find(|other| is(other, Kind::File) && real(other) == leads_to)?.clone();
            Some(LinkedSlot { name: name.clone(), path: self.root.slot(name), other })
        };
        links.filter_map(linked).collect()
    }

    /// Takes those links away; there is nothing in them. A live login that leads over one leads to the other profile's slot
    /// before. The caller holds the profiles' locks.
    pub(super) fn unlink_slots(&self, linked: &[LinkedSlot]) -> Result<(), Error> {
        let live = self.own_link().map(|link| link.path);
        for LinkedSlot { path, other, .. } in linked {
            let slot = self.root.slot(other);
            let over = live.as_ref().filter(|live| self.disk.vfs.read_link(live).is_ok_and(|target| target == *path));
            if let Some((live, bytes)) = over.zip(self.disk.read(&slot)?)
                && !self.disk.replace_by_link(live, &bytes, &slot)?
            {
                return Err(Error::Contended { path: live.clone() });
            }
            self.disk.remove_file(path)?;
        }
        Ok(())
    }
}

impl Snapshot {
    /// The profile of whose lent login no more than the bearer copy is live, as a 0.4.0 leaves it that made its link and, at
    /// its end, a plain file of it: Claude Code could not renew it.
    pub(crate) fn live_bare(&self) -> Option<&Record> {
        match &self.live.found {
            Found::Login(found) if found.refresh.is_none() => lent_as(self.lent(), &self.spent, found),
            _ => None,
        }
    }
}

impl Engine {
    /// The same, asked before everything is read. What another version does it does to a file.
    pub(super) fn is_live_bare(&self, names: &[String]) -> Result<bool, Error> {
        let settings = Settings::read(&self.disk, &self.root)?;
        let Ok(live) = live_home(self, &settings) else { return Ok(false) };
        if live.home.item.is_some() {
            return Ok(false);
        }
        let bytes = self.disk.read(&live.home.credentials()).ok().flatten();
        let found = bytes.and_then(|bytes| Credentials::parse(bytes).ok()).map(|object| object.login());
        let Some(Found::Login(found)) =
            found.filter(|found| matches!(found, Found::Login(one) if one.refresh.is_none()))
        else {
            return Ok(false);
        };
        let records: Vec<Record> = names.iter().map(|name| Record::read(&self.disk, &self.root, name)).collect();
        let lent = records.iter().filter(|record| record.lent_to(&live.id));
        Ok(lent_as(lent, &Spent::read(&self.disk, &self.root)?, &found).is_some())
    }
}
