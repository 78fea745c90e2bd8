//! What a purge takes out of the root, and what it leaves: everything that clauth keeps goes, and what is the user's stays.

use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use clauth_durable::lock::process_is_gone;
use clauth_durable::{Held, Kind};

use crate::profile::Roster;
use crate::{Engine, Error, LAYOUT};

/// What version 0.4.0 and the sandbox keep in the root beside our own files.
const ALSO_OURS: [&str; 4] = ["completions", ".completions_installed", "runtime", ".sandbox"];
/// What other versions keep in a profile's directory.
const ALSO_PROFILES: [&str; 1] = ["usage_last.json"];

/// What a root comes to.
#[derive(Default)]
pub(crate) struct Spoils {
    /// What goes, in this order.
    goes: Vec<PathBuf>,
    /// What lost against something newer and was kept.
    pub(crate) conflicts: Vec<PathBuf>,
    /// What is nothing of ours.
    pub(crate) strange: Vec<PathBuf>,
}

impl Engine {
    /// Sorts everything in the root but the locks.
    pub(crate) fn spoils(&self, roster: &Roster) -> Result<Spoils, Error> {
        let mut spoils = Spoils::default();
        let mut last = None;
        for name in self.disk.list(self.root.path())? {
            let path = self.root.path().join(&name);
            match name.to_str() {
                Some(".lock" | "locks") => {}
                Some("profiles") => self.spoils_of_profiles(roster, &mut spoils)?,
                // The list is the word on whose the directories are, should this be interrupted.
                _ if path == self.root.roster() => last = Some(path),
                _ if is_ours(&name, "", &ALSO_OURS) => spoils.goes.push(path),
                _ => spoils.strange.push(path),
            }
        }
        spoils.goes.extend(last);
        Ok(spoils)
    }

    /// Of a directory that no list names it is not known whose it is, unless it is one that `remove` left.
    fn spoils_of_profiles(&self, roster: &Roster, spoils: &mut Spoils) -> Result<(), Error> {
        let known: Vec<String> = roster.names.iter().cloned().chain(self.orphans(roster)?).collect();
        for name in self.disk.list(&self.root.profiles())? {
            let directory = self.root.profiles().join(&name);
            if !known.iter().any(|known| OsStr::new(known) == name) {
                spoils.strange.push(directory);
            } else if self.disk.lstat(&directory)?.is_some_and(|stat| stat.kind != Kind::Dir) {
                spoils.goes.push(directory);
            } else {
                self.spoils_of_profile(&directory, spoils)?;
            }
        }
        Ok(())
    }

    fn spoils_of_profile(&self, directory: &Path, spoils: &mut Spoils) -> Result<(), Error> {
        for name in self.disk.list(directory)? {
            let path = directory.join(&name);
            if !is_ours(&name, "profiles/<name>/", &ALSO_PROFILES) {
                spoils.strange.push(path);
            } else if name == "conflicts" && !self.is_hollow(&path)? {
                spoils.conflicts.push(path);
            } else {
                spoils.goes.push(path);
            }
        }
        Ok(())
    }

    /// Whether there is nothing but directories.
    fn is_hollow(&self, path: &Path) -> Result<bool, Error> {
        if self.disk.lstat(path)?.is_some_and(|stat| stat.kind != Kind::Dir) {
            return Ok(false);
        }
        let mut hollow = true;
        for name in self.disk.list(path)? {
            hollow = hollow && self.is_hollow(&path.join(name))?;
        }
        Ok(hollow)
    }

    /// Removes everything of ours in the root, and the root itself when nothing else is in it. Whatever is interrupted here is
    /// done by the next time.
    pub(crate) fn remove_all(&self) -> Result<(), Error> {
        let held = self.lock_prepared()?;
        let snapshot = self.snapshot()?;
        // Somebody may have begun or ended a session since it was looked at.
        self.refuse_sessions(&snapshot)?;
        self.refuse_unsettled(&snapshot)?;
        for path in self.spoils(&snapshot.roster)?.goes {
            held.check()?;
            self.disk.remove_tree(&path)?;
        }
        for name in self.disk.list(&self.root.profiles())? {
            self.remove_if_empty(&self.root.profiles().join(name));
        }
        self.remove_if_empty(&self.root.profiles());
        self.remove_locks(held)
    }

    /// The locks go while the state lock is held, and it goes last, with nothing after it that another process could have made
    /// meanwhile: from there on only empty directories are removed.
    fn remove_locks(&self, held: Held) -> Result<(), Error> {
        self.release_debris()?;
        let (locks, records) = (self.root.locks(), self.lock_records());
        let own = [records.clone(), self.state_lock_dir()];
        for path in self.disk.list(&locks)?.iter().map(|name| locks.join(name)) {
            if !own.contains(&path) {
                held.check()?;
                self.disk.remove_tree(&path)?;
            }
        }
        // What a killed process had only begun to write down is kept for a minute elsewhere.
        for name in self.disk.list(&records)? {
            let pid = name.to_str().and_then(|name| name.split('-').next()?.parse().ok());
            if pid.is_some_and(process_is_gone) {
                self.disk.remove_file(&records.join(name))?;
            }
        }
        self.disk.remove_file(&self.root.state_lock())?;
        drop(held);
        let path = self.root.path();
        let real = clauth_claude::real_path(&self.disk, path);
        [&records, &locks, &real].into_iter().for_each(|directory| self.remove_if_empty(directory));
        if real != path && self.disk.lstat(&real)?.is_none() {
            // The link that led to it.
            self.disk.remove_file(path)?;
        }
        Ok(())
    }

    /// It stays while something is in it.
    fn remove_if_empty(&self, directory: &Path) {
        let _ = self.disk.vfs.remove_dir(directory);
    }
}

/// Whether an entry of the root, or of what is at `under` in it, is one that clauth makes.
fn is_ours(name: &OsStr, under: &str, also: &[&str]) -> bool {
    let top = |path: &'static str| match Path::new(path.strip_prefix(under)?).components().next() {
        Some(Component::Normal(first)) => first.to_str(),
        _ => None,
    };
    let Some(name) = name.to_str() else { return false };
    let listed = LAYOUT.iter().filter_map(|entry| top(entry.path)).any(|known| matches(known, name));
    let temporary = name.starts_with('.') && name.contains(".clauth-");
    listed || temporary || also.contains(&name)
}

/// Whether a name is that of the layout, in which a part in angle brackets stands for any.
fn matches(known: &str, name: &str) -> bool {
    match known.split_once('<').and_then(|(before, rest)| Some((before, rest.split_once('>')?.1))) {
        Some((before, after)) => {
            name.len() > before.len() + after.len() && name.starts_with(before) && name.ends_with(after)
        }
        None => known == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_layout_names_is_ours() {
        for (name, under, expected) in [
            ("profiles", "", true),
            ("profiles.toml", "", true),
            (".lock", "", true),
            ("renewed-work.json", "", true),
            ("renewed-.json", "", false),
            (".profiles.toml.clauth-ab12", "", true),
            ("completions", "", true),
            ("notes.txt", "", false),
            ("profiles.toml.mine", "", false),
            (".git", "", false),
            ("credentials.json", "profiles/<name>/", true),
            ("refresh", "profiles/<name>/", true),
            ("conflicts", "profiles/<name>/", true),
            ("notes.txt", "profiles/<name>/", false),
            ("profiles", "profiles/<name>/", false),
        ] {
            assert_eq!(is_ours(OsStr::new(name), under, &ALSO_OURS), expected, "{name} under '{under}'");
        }
    }
}
