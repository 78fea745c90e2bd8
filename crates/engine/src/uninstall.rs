//! Leaving a machine: everything outside the root is taken back, Claude Code stays signed in with plain files, and with
//! `--purge` the root goes too, once nothing depends on it any more.

use std::path::{Component, Path, PathBuf};

use clauth_claude::Found;
use clauth_durable::Kind as FileKind;

use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot, below};
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{ProfileKind, Record};
use crate::session::{Place, live};
use crate::{Engine, Error, Integration, LAYOUT, Taken};

/// What version 0.4.0 and the sandbox keep in the root beside our own files.
const ALSO_OURS: [&str; 4] = ["completions", ".completions_installed", "runtime", ".sandbox"];

/// What `uninstall` comes to, before anything is done.
#[derive(Debug)]
pub struct Leaving {
    /// What stands outside the root.
    pub outside: Vec<Integration>,
    /// Where Claude Code's login is.
    pub home: PathBuf,
    /// Whose login stays there, where it is a profile's.
    pub signed_in: Option<String>,
    /// The profiles whose login, key or token is nowhere but in the root.
    pub only_here: Vec<String>,
    /// The endpoint that Claude Code uses, by settings that go.
    pub endpoint: Option<String>,
    /// How many displaced logins are in the vault.
    pub kept: usize,
    /// How many files lost against newer ones and are kept.
    pub conflicts: usize,
    /// What lies in the root and is not ours.
    pub strange: Vec<PathBuf>,
}

/// What `uninstall` did.
#[derive(Debug)]
pub struct Left {
    /// What was taken back.
    pub taken: Vec<Taken>,
    /// What a profile had set in Claude Code's settings was put back.
    pub settings: bool,
    /// What Claude Code is signed in with, and what was lost.
    pub leaving: Leaving,
}

impl Engine {
    /// What `uninstall` would do. Writes nothing.
    ///
    /// # Errors
    /// A session of ours is running, or our own files cannot be read.
    pub fn leaving(&self) -> Result<Leaving, Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        self.refuse_sessions(&snapshot)?;
        let signed_in = match &owner {
            Owner::Own(name) | Owner::Successor(name, _) => Some(name.clone()),
            _ => None,
        };
        let parked = |record: &&Record| {
            let holds = match record.kind {
                ProfileKind::Claude => record.login().is_some() || record.broken().is_some(),
                ProfileKind::Endpoint | ProfileKind::Token => true,
            };
            holds && signed_in.as_ref() != Some(&record.name)
        };
        // A newer sign-in that waits beside a loan is nowhere else either.
        let waits = |record: &&Record| record.renewed().is_some() && signed_in.as_ref() == Some(&record.name);
        let only_here = snapshot.records.iter().filter(|record| parked(record) || waits(record));
        let conflicts =
            |name: &String| below(&self.disk, &Place::of(&self.root, name).conflicts, &[]).map(|all| all.len());
        let conflicts = snapshot.roster.names.iter().map(conflicts).sum::<Result<usize, Error>>()?;
        Ok(Leaving {
            outside: self.integrations()?,
            home: snapshot.home.dir.clone(),
            only_here: only_here.map(|record| record.name.clone()).collect(),
            endpoint: self.endpoint_live(&snapshot)?,
            kept: self.vault()?.len(),
            conflicts,
            strange: self.strange()?,
            signed_in,
        })
    }

    /// Takes back what stands outside the root; with `purge`, removes the root as well.
    ///
    /// # Errors
    /// A session of ours is running, something in Claude Code's home still leads into the root, or as the system says.
    pub fn uninstall(&self, purge: bool) -> Result<Left, Error> {
        // Finishes what was interrupted, brings home what sessions wrote, and puts a plain file in the place of a link.
        self.recover()?;
        let leaving = self.leaving()?;
        if purge {
            self.refuse_dependent()?;
        }
        let settings = self.put_settings_back()?;
        let taken = self.take_out(&|_| true)?;
        if purge {
            self.remove_all()?;
        }
        Ok(Left { taken, settings, leaving })
    }

    /// Puts back what stood in Claude Code's settings before a profile set something there: an endpoint's helper would be a
    /// program that is gone. Answers whether there was anything.
    fn put_settings_back(&self) -> Result<bool, Error> {
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            self.prepare()?;
            let held = self.lock_all(&before.home, &[])?;
            let snapshot = self.snapshot()?;
            let mut desk = Desk::new(self, &snapshot)?;
            self.draft_settings(&mut desk, None)?;
            let changes = desk.finish()?.changes;
            let changed = !changes.is_empty();
            let operation = Operation { done: "uninstall", ..Operation::default() };
            if let Applied::Done = self.apply(&operation, changes, &held)? {
                return Ok(changed);
            }
        }
        Err(Error::Contended { path: self.home()?.settings() })
    }

    /// S1: nothing is taken from under a session.
    fn refuse_sessions(&self, snapshot: &Snapshot) -> Result<(), Error> {
        let running = clauth_claude::running(&self.host, &self.disk, &snapshot.home);
        for name in &snapshot.roster.names {
            let place = Place::of(&self.root, name);
            if self.disk.lstat(&place.holders)?.is_none() && self.disk.lstat(&place.tree)?.is_none() {
                continue;
            }
            if let Some(one) = live(&self.disk, &place, &running).first() {
                let pid = one.claude.or(one.holder).map_or_else(String::new, |pid| format!(" (process {pid})"));
                let what = format!("a session of '{name}' is running{pid}");
                return Err(Error::refused(
                    Kind::Protected,
                    what,
                    name,
                    &["end it first; to see them: clauth sessions"],
                ));
            }
        }
        Ok(())
    }

    /// Refuses to remove what something still needs.
    fn refuse_dependent(&self) -> Result<(), Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        for name in &snapshot.roster.names {
            let tree = Place::of(&self.root, name).tree;
            if self.disk.lstat(&tree)?.is_some() {
                let what = format!("what a session of '{name}' wrote could not be brought home yet");
                let place = tree.display().to_string();
                return Err(Error::refused(
                    Kind::Protected,
                    what,
                    place,
                    &["clauth doctor --fix", "look into it, and move away what you need"],
                ));
            }
        }
        if let Some(link) = self.link_into_root(&snapshot)? {
            let what = format!("{} is a link into clauth's own files", link.display());
            let next = ["put what it leads to in its place, then try again"];
            return Err(Error::refused(Kind::Protected, what, link.display().to_string(), &next));
        }
        self.refuse_incomplete(&snapshot, &owner)
    }

    /// The lent login has to be whole where it stays: a bearer copy of it could never be renewed.
    fn refuse_incomplete(&self, snapshot: &Snapshot, owner: &Owner) -> Result<(), Error> {
        let (Owner::Own(name) | Owner::Successor(name, _)) = owner else { return Ok(()) };
        let whole = matches!(&snapshot.live.found, Found::Login(login) if login.refresh.is_some());
        let stored = snapshot.record(name).and_then(Record::login).is_some_and(|login| login.refresh.is_some());
        if whole || !stored {
            return Ok(());
        }
        let what = format!("the live login of '{name}' has no refresh token, and the one on record would be removed");
        let place = snapshot.home.credentials().display().to_string();
        Err(Error::refused(Kind::Protected, what, place, &["switch away and back again, then try again"]))
    }

    /// A link at the top of Claude Code's home that leads into the root.
    fn link_into_root(&self, snapshot: &Snapshot) -> Result<Option<PathBuf>, Error> {
        let (disk, home) = (&self.disk, &snapshot.home);
        let root = clauth_claude::real_path(disk, self.root.path());
        let mut paths: Vec<PathBuf> = disk.list(&home.dir)?.iter().map(|name| home.dir.join(name)).collect();
        paths.push(home.state.clone());
        let leads = |path: &PathBuf| {
            let link = disk.lstat(path).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Link));
            link && clauth_claude::real_path(disk, path).starts_with(&root)
        };
        Ok(paths.into_iter().find(leads))
    }

    /// What lies at the top of the root and is nothing of ours.
    fn strange(&self) -> Result<Vec<PathBuf>, Error> {
        let names = self.disk.list(self.root.path())?;
        let strange = names.iter().filter(|name| !is_ours(Path::new(name)));
        Ok(strange.map(|name| self.root.path().join(name)).collect())
    }

    /// Removes everything of ours in the root, logins last of all but the lists, and the root itself when nothing else is in
    /// it. Whatever is interrupted here is done by the next time.
    fn remove_all(&self) -> Result<(), Error> {
        let held = self.lock_prepared()?;
        let snapshot = self.snapshot()?;
        self.refuse_sessions(&snapshot)?;
        let names = self.disk.list(self.root.path())?;
        let ours = names.iter().filter(|name| is_ours(Path::new(name)));
        // The locks stay until nothing is left that they guard.
        let (locks, rest): (Vec<_>, Vec<_>) = ours.partition(|name| **name == ".lock" || **name == "locks");
        for name in rest {
            self.disk.remove_tree(&self.root.path().join(name))?;
        }
        drop(held);
        for name in locks {
            self.disk.remove_tree(&self.root.path().join(name))?;
        }
        self.remove_root()
    }

    /// The directory itself, and the link that leads to it; it stays while something else is in it.
    fn remove_root(&self) -> Result<(), Error> {
        let path = self.root.path();
        let real = clauth_claude::real_path(&self.disk, path);
        if !self.disk.list(&real)?.is_empty() {
            return Ok(());
        }
        self.disk.remove_tree(&real)?;
        if real != path {
            self.disk.remove_file(path)?;
        }
        Ok(())
    }
}

/// Whether an entry at the top of the root is one that clauth makes.
fn is_ours(name: &Path) -> bool {
    let top = |path: &'static str| match Path::new(path).components().next() {
        Some(Component::Normal(first)) => first.to_str(),
        _ => None,
    };
    let Some(name) = name.to_str() else { return false };
    let listed = LAYOUT.iter().filter_map(|entry| top(entry.path)).any(|known| matches(known, name));
    let temporary = name.starts_with('.') && name.contains(".clauth-");
    listed || temporary || ALSO_OURS.contains(&name)
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
        for (name, expected) in [
            ("profiles", true),
            ("profiles.toml", true),
            (".lock", true),
            ("renewed-work.json", true),
            ("renewed-.json", false),
            (".profiles.toml.clauth-ab12", true),
            ("completions", true),
            ("notes.txt", false),
            ("profiles.toml.mine", false),
            (".git", false),
        ] {
            assert_eq!(is_ours(Path::new(name)), expected, "{name}");
        }
    }
}
