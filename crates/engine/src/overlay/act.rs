//! Drafting the change of `settings.json` that goes with a switch.

use std::path::Path;

use clauth_durable::{Document, Manner};

use super::plan::plan;
use super::record::Key;
use super::{Applied, Wanted};
use crate::config::ProfileConfig;
use crate::custody::{Desk, Snapshot};
use crate::endpoint::{API_KEY, AUTH_TOKEN, BASE_URL, DECIDES, HELPER, same_host};
use crate::error::Kind;
use crate::profile::ProfileKind;
use crate::root::Era;
use crate::{Engine, Error};

/// Where a login may be sent.
const ANTHROPIC: &str = "https://api.anthropic.com";

impl Engine {
    /// Drafts what `settings.json` and our record of it become when `name` is the active profile, or nobody. Where nothing
    /// is set and nothing is to be set, the file is not even read.
    pub(crate) fn draft_settings(&self, desk: &mut Desk<'_>, name: Option<&str>) -> Result<(), Error> {
        let wanted = match name {
            Some(name) => self.wanted(name, name)?,
            None => Wanted::default(),
        };
        self.draft_wanted(desk, name, wanted)
    }

    /// The same where a profile gets another name: our record names it, and an endpoint's helper does. Nothing else changes.
    /// Its directory may bear the new one already.
    pub(crate) fn draft_settings_after_rename(&self, desk: &mut Desk<'_>, old: &str, new: &str) -> Result<(), Error> {
        if !self.is_applied(desk, old)? {
            return Ok(());
        }
        if let Some(record) = self.read_applied(desk.draft.read(&self.root.applied())?)?
            && !record.keys.iter().any(|key| key.path() == [HELPER])
        {
            let record = Applied { profile: Some(new.to_owned()), ..record };
            return desk.draft.put(&self.root.applied(), Manner::Own, record.bytes());
        }
        let moved = self.disk.lstat(&self.root.profile(old))?.is_none();
        let wanted = self.wanted(if moved { new } else { old }, new)?;
        self.draft_wanted(desk, Some(new), wanted)
    }

    /// The same where a profile is removed: what it set goes with it.
    pub(crate) fn draft_settings_without(&self, desk: &mut Desk<'_>, name: &str) -> Result<(), Error> {
        if self.is_applied(desk, name)? { self.draft_settings(desk, None) } else { Ok(()) }
    }

    /// Whether it is this profile's settings that stand in the home's.
    fn is_applied(&self, desk: &mut Desk<'_>, name: &str) -> Result<bool, Error> {
        // Without a record an endpoint is active by what is read; what else stands there is the user's.
        match self.read_applied(desk.draft.read(&self.root.applied())?)?.filter(|record| !record.only_left()) {
            Some(record) => Ok(record.profile.as_deref() == Some(name)),
            None => Ok(self.endpoint_live(desk.snapshot())?.as_deref() == Some(name)),
        }
    }

    /// Whether we set an address in the settings, as version 0.4.0 did beside a login too: it leaves them first (W6).
    pub(crate) fn has_set_address(&self) -> Result<bool, Error> {
        Ok(self.applied()?.is_some_and(|record| record.keys.iter().any(|key| key.path() == ["env", BASE_URL])))
    }

    /// What the profile whose settings lie under `at` wants, for a helper that calls it `name`.
    pub(crate) fn wanted(&self, at: &str, name: &str) -> Result<Wanted, Error> {
        let config = ProfileConfig::read(&self.disk, &self.root, at)?;
        let helper = if config.base_url().is_some() { self.helper(name)? } else { String::new() };
        Wanted::of(name, &config, &helper)
    }

    fn draft_wanted(&self, desk: &mut Desk<'_>, name: Option<&str>, wanted: Wanted) -> Result<(), Error> {
        let snapshot = desk.snapshot();
        let record = match self.read_applied(desk.draft.read(&self.root.applied())?)? {
            Some(record) if !record.only_left() => record,
            record => Applied { left: record.and_then(|record| record.left), ..self.left_without_record(snapshot)? },
        };
        let left = self.leaves_behind(snapshot, name, &record);
        desk.warnings.extend(wanted.warnings);
        if record.keys.is_empty() && wanted.pieces.is_empty() {
            return if record.left == left { Ok(()) } else { desk.draft.delete(&self.root.applied(), Manner::Own) };
        }
        let path = snapshot.home.settings();
        let stands = desk.draft.read(&path)?;
        let parse = |bytes: Vec<u8>| Document::parse(bytes).map_err(|source| unfit(&path, source));
        let document = stands.clone().filter(|bytes| !is_blank(bytes)).map(parse).transpose()?;
        let outcome =
            plan(document.as_ref(), &record, (name, &wanted.pieces)).map_err(|source| unfit(&path, source))?;
        if outcome.document != stands {
            refuse_address(document.as_ref(), outcome.document.as_deref(), &path)?;
            self.settings_writable(&path)?;
            // A kill on either side of the change finds a record that tells ours from the user's.
            desk.draft.put(&self.root.applied(), Manner::Own, outcome.during.bytes())?;
            match outcome.document {
                Some(bytes) => desk.draft.put(&path, Manner::Document, bytes)?,
                None => desk.draft.delete(&path, Manner::Document)?,
            }
        }
        let after = Applied { left, ..outcome.after };
        if after == Applied::default() {
            return desk.draft.delete(&self.root.applied(), Manner::Own);
        }
        desk.draft.put(&self.root.applied(), Manner::Own, after.bytes())
    }

    /// Version 0.4.0 kept no record: in a tree that is to be taken over, what equals the active profile's is clauth's doing.
    /// Ours may be gone: an endpoint is active by what is read, else by the marker, so that a login never comes back beside
    /// its address or its key (W6).
    fn left_without_record(&self, snapshot: &Snapshot) -> Result<Applied, Error> {
        let old = snapshot.settings.era != Era::Ours;
        let endpoint = |name: &String| snapshot.record(name).is_some_and(|record| record.kind == ProfileKind::Endpoint);
        let marked = || snapshot.roster.active.clone().filter(|name| old || endpoint(name));
        let Some(active) = self.endpoint_live(snapshot)?.or_else(marked) else { return Ok(Applied::default()) };
        let Some(document) = self.settings_of(&snapshot.home)? else { return Ok(Applied::default()) };
        Ok(self.equal_to(&active, &document, old))
    }

    /// Drafts the record that version 0.4.0 did not keep. It is made once, as the tree is taken over: from then on what
    /// stands in the settings and is not in it is the user's.
    pub(crate) fn draft_old_settings(&self, desk: &mut Desk<'_>) -> Result<(), Error> {
        if desk.draft.read(&self.root.applied())?.is_some() {
            return Ok(());
        }
        let left = self.left_without_record(desk.snapshot())?;
        if left.keys.is_empty() { Ok(()) } else { desk.draft.put(&self.root.applied(), Manner::Own, left.bytes()) }
    }

    /// What stands in the settings and equals what a profile sets there. Version 0.4.0 (`old`) set what decides which login
    /// is used, too.
    pub(super) fn equal_to(&self, name: &str, document: &Document, old: bool) -> Applied {
        let Ok(config) = ProfileConfig::read(&self.disk, &self.root, name) else { return Applied::default() };
        let mut values: Vec<(Vec<&str>, String)> = Vec::new();
        let env = config.env().unwrap_or_default();
        let env = env.iter().filter(|(variable, _)| old || !DECIDES.contains(&variable.as_str()));
        values.extend(env.map(|(variable, value)| (vec!["env", variable.as_str()], value.clone())));
        values.extend(config.base_url().map(|url| (vec!["env", BASE_URL], url)));
        for variable in [AUTH_TOKEN, API_KEY] {
            values.extend(config.api_key().map(|key| (vec!["env", variable], key.expose().to_owned())));
        }
        let helper = document.get::<String>(&[HELPER]).filter(|command| self.is_helper(command, name));
        values.extend(helper.map(|helper| (vec![HELPER], helper)));
        let key = |(path, value): (Vec<&str>, String)| {
            let raw = document.raw(&path)?.to_owned();
            let stands: String = serde_json::from_str(&raw).ok()?;
            let is_address = path == ["env", BASE_URL];
            let path = path.into_iter().map(str::to_owned).collect();
            (stands == value || is_address && same_host(&stands, &value)).then_some(Key {
                path,
                set: vec![Some(raw)],
                before: None,
                next: None,
            })
        };
        let mut keys: Vec<Key> = Vec::new();
        for key in values.into_iter().filter_map(key) {
            keys.retain(|other| other.path != key.path);
            keys.push(key);
        }
        if keys.is_empty() {
            return Applied::default();
        }
        // An `env` that was made for them stays, empty: whether the user had one is not known.
        Applied { profile: Some(name.to_owned()), keys, ..Applied::default() }
    }

    /// The refusal of settings that their owner has made read-only (Nix, chezmoi): before anything is changed.
    fn settings_writable(&self, path: &Path) -> Result<(), Error> {
        match self.disk.vfs.read_only(path) {
            Ok(true) => Err(read_only(path)),
            Ok(false) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io("look at", path)(error)),
        }
    }
}

/// The refusal of settings that would keep somebody's address without the key that was used there: a login would be sent to
/// it instead (W6, facts §1.3).
fn refuse_address(before: Option<&Document>, after: Option<&[u8]>, path: &Path) -> Result<(), Error> {
    let after = after.and_then(|bytes| Document::parse(bytes.to_vec()).ok());
    let (Some(before), Some(after)) = (before, after) else { return Ok(()) };
    let keys: [&[&str]; 3] = [&[HELPER], &["env", AUTH_TOKEN], &["env", API_KEY]];
    let leaves = |key: &&[&str]| before.raw(key).is_some() && after.raw(key).is_none();
    let address = after.get::<String>(&["env", BASE_URL]).filter(|address| !same_host(address, ANTHROPIC));
    let stays = address.filter(|address| before.get::<String>(&["env", BASE_URL]).as_ref() == Some(address));
    let keyless = keys.iter().any(leaves) && keys.iter().all(|key| after.raw(key).is_none());
    let Some(address) = stays.filter(|_| keyless) else { return Ok(()) };
    let what =
        format!("a login would be sent to {}: {BASE_URL} stands in the settings by hand", crate::text::shown(&address));
    let next = format!("take env.{BASE_URL} out of {}", path.display());
    Err(Error::refused(Kind::Protected, what, path.display().to_string(), &[&next]))
}

/// The refusal itself; also where the disk says so.
pub(crate) fn read_only(path: &Path) -> Error {
    let what = "Claude Code's settings are read-only, and this switch would have to change them".to_owned();
    let next = [
        "make the file writable, or let what manages it set these keys",
        "to see what would change: clauth switch NAME --dry-run",
        "to want nothing there: clauth config unset --profile NAME KEY",
    ];
    Error::refused(Kind::Protected, what, path.display().to_string(), &next)
}

fn unfit(path: &Path, source: clauth_durable::DocumentError) -> Error {
    clauth_durable::Error::Document { path: path.to_owned(), source }.into()
}

fn is_blank(bytes: &[u8]) -> bool {
    bytes.iter().all(u8::is_ascii_whitespace)
}
