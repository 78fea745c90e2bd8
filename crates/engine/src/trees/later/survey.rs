//! What a later version left, read once: staged pairs, used-up tokens, logins in its sessions' directories, and what nobody
//! here knows.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_claude::{AccountPart, Credentials, Found};
use clauth_durable::{Kind as FileKind, Manner};

use super::spent::{self, SpentFile};
use super::staged::{self, StagedPair};
use crate::custody::{Desk, Snapshot};
use crate::profile::{Record, State, token_of};
use crate::root::{Entry, LAYOUT};
use crate::{Engine, Error};

/// Names in the root that 0.4.0 makes, or that are ours without being in the layout.
const ROOT: [&str; 5] = [".sandbox", ".completions_installed", "completions", "auto.json", "status.json"];

/// How the layout calls what lies in a profile's directory.
const IN_PROFILE: &str = "profiles/<name>/";

/// What is known of a profile whose record of used-up tokens is torn.
const TORN: &str = "another version's record of its used-up tokens cannot be read";

/// What is said of a login that another version saw used up.
const USED_UP: &str = "its login is used up; sign in as it again";

/// What it found.
#[derive(Default)]
pub(crate) struct Survey {
    staged: Vec<(String, PathBuf, StagedPair)>,
    /// With the profile that the file belongs to; none for the root's.
    spent: Vec<(Option<String>, SpentFile)>,
    /// Logins in the directories of sessions that have ended.
    found: Vec<(String, AccountPart)>,
    /// What stays where it is.
    pub(super) left: Vec<PathBuf>,
}

impl Engine {
    /// Reads it. Writes nothing.
    pub(super) fn survey(&self) -> Result<Survey, Error> {
        let mut survey = Survey::default();
        self.survey_in(self.root.path(), None, &mut survey)?;
        for name in self.names()? {
            self.survey_in(&self.root.profile(&name), Some(&name), &mut survey)?;
        }
        Ok(survey)
    }

    fn survey_in(&self, directory: &Path, profile: Option<&str>, survey: &mut Survey) -> Result<(), Error> {
        for name in self.disk.list(directory).unwrap_or_default() {
            let path = directory.join(&name);
            if name.to_str().is_some_and(|name| is_known(name, profile.is_some())) {
                continue;
            }
            match (name.to_str(), profile) {
                (Some("auth.spent.json"), _) => {
                    let read = self.disk.read(&path).ok().flatten();
                    let said = read.map_or(SpentFile::Unreadable, |bytes| spent::read(&bytes));
                    survey.spent.push((profile.map(str::to_owned), said));
                }
                (Some("credentials.json.staged"), Some(profile)) => {
                    let read = self.disk.read(&path).ok().flatten();
                    if let Some(pair) = read.and_then(|bytes| staged::read(&bytes)) {
                        survey.staged.push((profile.to_owned(), path, pair));
                        continue;
                    }
                }
                (Some(tree), Some(profile)) if tree.starts_with("runtime-") => {
                    survey.found.extend(self.login_in(&path).map(|part| (profile.to_owned(), part)));
                }
                _ => {}
            }
            survey.left.push(path);
        }
        Ok(())
    }

    /// A whole login that stands in a session's directory as a file of its own.
    fn login_in(&self, tree: &Path) -> Option<AccountPart> {
        let path = tree.join(OsStr::new(".credentials.json"));
        self.disk.lstat(&path).ok()?.filter(|stat| stat.kind == FileKind::File)?;
        let part = Credentials::parse(self.disk.read(&path).ok()??).ok()?.account();
        matches!(part.login(), Found::Login(login) if login.refresh.is_some()).then_some(part)
    }
}

/// Whether 0.4.0 or we make a file of that name there.
fn is_known(name: &str, in_profile: bool) -> bool {
    let first = |path: &'static str| path.split('/').next();
    let of_layout = |entry: &Entry| match entry.path.strip_prefix(IN_PROFILE) {
        Some(path) => in_profile && first(path) == Some(name),
        None => !in_profile && first(entry.path) == Some(name),
    };
    let profiles = !in_profile && name == "profiles";
    profiles || !in_profile && ROOT.contains(&name) || LAYOUT.iter().any(of_layout)
}

impl Survey {
    /// What speaks against a profile's login: it is used up, or nobody can say whether it is.
    pub(super) fn speaks_against(&self, record: &Record) -> Option<&'static str> {
        let used_up = token(record).is_some_and(|token| self.is_spent(&token));
        let torn = self.spent.iter().any(|(profile, said)| {
            matches!(said, SpentFile::Unreadable) && profile.as_ref().is_none_or(|name| *name == record.name)
        });
        used_up.then_some(USED_UP).or(torn.then_some(TORN))
    }

    /// The profiles whose staged pair was made from the token that they still have.
    pub(crate) fn landing(&self, snapshot: &Snapshot) -> Vec<String> {
        let fits = |(name, _, pair): &&(String, PathBuf, StagedPair)| {
            snapshot.record(name).is_some_and(|record| pair.base.is_some() && pair.base == token(record))
        };
        self.staged.iter().filter(fits).map(|(name, ..)| name.clone()).collect()
    }

    /// Drafts what becomes of it.
    pub(crate) fn draft(&self, desk: &mut Desk<'_>, snapshot: &Snapshot) -> Result<(), Error> {
        self.draft_spent(desk, snapshot)?;
        let landing = self.landing(snapshot);
        for (name, path, pair) in &self.staged {
            let Some(record) = snapshot.record(name) else { continue };
            if landing.contains(name) {
                if let Some(base) = &pair.base {
                    desk.spend(base, name, 1);
                }
                desk.put_slot(name, &pair.login)?;
                desk.take_in(name, pair.login.clone());
            } else if print(&pair.login) != token(record) {
                desk.keep_beside(name, &pair.login, "a renewed pair that its profile's login does not lead to")?;
            }
            desk.draft.delete(path, Manner::Own)?;
        }
        for (name, part) in &self.found {
            let stored = snapshot.record(name).and_then(token);
            if print(part) != stored && print(part).is_some_and(|token| !self.is_spent(&token)) {
                desk.keep_beside(name, part, "found in the directory of a session of another version")?;
            }
        }
        Ok(())
    }

    fn draft_spent(&self, desk: &mut Desk<'_>, snapshot: &Snapshot) -> Result<(), Error> {
        for (profile, said) in &self.spent {
            match said {
                SpentFile::Prints(prints) => {
                    for print in prints {
                        let whose = profile.clone().or_else(|| holder(snapshot, print)).unwrap_or_default();
                        desk.spend(print, &whose, 0);
                    }
                }
                SpentFile::Unreadable => {
                    let named = |record: &&Record| profile.as_ref().is_none_or(|name| *name == record.name);
                    for record in snapshot.records.iter().filter(named) {
                        desk.judge(&record.name, State::Unknown, TORN)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn is_spent(&self, token: &clauth_host::Fingerprint) -> bool {
        self.spent.iter().any(|(_, said)| matches!(said, SpentFile::Prints(prints) if prints.contains(token)))
    }
}

fn holder(snapshot: &Snapshot, print: &clauth_host::Fingerprint) -> Option<String> {
    let record = snapshot.records.iter().find(|record| token(record).as_ref() == Some(print))?;
    Some(record.name.clone())
}

fn token(record: &Record) -> Option<clauth_host::Fingerprint> {
    record.login().map(|login| token_of(&login))
}

fn print(part: &AccountPart) -> Option<clauth_host::Fingerprint> {
    match part.login() {
        Found::Login(login) => Some(token_of(&login)),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}
