//! A link into our own root where the live credential should be: another version's doing. It is ours, so it is never
//! written through: a plain file with the same content takes its place (L8).

use std::path::PathBuf;

use clauth_claude::{AccountPart, Credentials, Found, real_path};
use clauth_durable::{Change, Manner};

use crate::custody::{Desk, Snapshot, live_home};
use crate::root::Settings;
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
    let whole = snapshot.lent().find_map(|record| {
        let held = record.login().filter(|held| held.access_print() == found.access_print())?;
        let refresh = held.refresh_print().filter(|token| !snapshot.spent.has(token))?;
        record.part().filter(|_| found.refresh_print().is_none_or(|token| token == refresh))
    });
    live.with_account(whole?).ok().map(|whole| whole.bytes().to_vec())
}
