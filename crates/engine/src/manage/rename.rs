//! `rename`: everything that bears the name goes with it.

use clauth_durable::{Document, Manner};

use crate::custody::{Desk, Operation, Snapshot, Unfinished, is_dir};
use crate::error::Kind;
use crate::history::Event;
use crate::profile::check_name;
use crate::session::Place;
use crate::{Engine, Error, vault};

impl Engine {
    /// Gives a profile another name. Answers the old and new spelling.
    ///
    /// # Errors
    /// No such profile, a name that may not be given or is taken, or sessions that run.
    pub fn rename(&self, asked: &str, new: &str) -> Result<(String, bool), Error> {
        check_name(new)?;
        self.recover()?;
        let old = self.find(asked)?;
        if old == new {
            return Ok((old, false));
        }
        self.prepare()?;
        let before = self.snapshot()?;
        let held = self.lock_all(&before.home, &[old.clone(), new.to_owned()])?;
        let snapshot = self.snapshot()?;
        free(&snapshot, &old, new)?;
        self.refuse_directory(&old, new)?;
        self.refuse_running(&snapshot, &old)?;
        self.refuse_left(&old)?;
        let mut desk = Desk::new(self, &snapshot)?;
        self.draft_rename(&mut desk, &old, new)?;
        let drafted = desk.finish()?;
        let (from, to) = (self.root.profile(&old), self.root.profile(new));
        let renames = self.disk.lstat(&from)?.map(|_| (from, to));
        let operation = Operation {
            done: "rename",
            from: Some(old.clone()),
            to: Some(new.to_owned()),
            renames,
            ..Operation::default()
        };
        self.apply(&operation, drafted.changes, &held)?.once()?;
        Ok((old, true))
    }

    /// After an interruption: the directory tells how far it came.
    pub(crate) fn finish_rename(
        &self,
        desk: &mut Desk<'_>,
        snapshot: &Snapshot,
        entry: &Unfinished,
    ) -> Result<(), Error> {
        let (Some(old), Some(new)) = (&entry.from, &entry.to) else { return Ok(()) };
        let moved =
            self.disk.lstat(&self.root.profile(new))?.is_some() && self.disk.lstat(&self.root.profile(old))?.is_none();
        if moved && snapshot.record(old).is_some() {
            self.draft_rename(desk, old, new)?;
        }
        Ok(())
    }

    fn draft_rename(&self, desk: &mut Desk<'_>, old: &str, new: &str) -> Result<(), Error> {
        for entry in
            vault::all(&self.disk, &self.root)?.into_iter().filter(|entry| entry.profile.as_deref() == Some(old))
        {
            let renamed = vault::Entry { profile: Some(new.to_owned()), ..entry };
            desk.draft.put(&renamed.path(&self.root), Manner::Own, renamed.bytes())?;
        }
        if let Some(spent) = self.disk.read(&self.root.spent())? {
            desk.draft.put(&self.root.spent(), Manner::Own, rename_lines(&spent, old, new))?;
        }
        self.draft_bindings(desk, old, Some(new))?;
        self.draft_settings_after_rename(desk, old, new)?;
        let mut event = Event::new(desk.now, "rename", "asked for").about(new);
        (event.from, event.to) = (Some(old.to_owned()), Some(new.to_owned()));
        desk.record_event(&event);
        // Last: as long as the list has the old name, an interrupted rename is known to be unfinished.
        desk.edit_roster(|roster| roster.rename(old, new))
    }

    /// The refusal of a name whose directory stands already, though no list has it.
    fn refuse_directory(&self, old: &str, new: &str) -> Result<(), Error> {
        let path = self.root.profile(new);
        // Where letters' case does not count, the directory may be the profile's own.
        if old.eq_ignore_ascii_case(new) || self.disk.lstat(&path)?.is_none() {
            return Ok(());
        }
        self.refuse_unlisted(new)?;
        let what = format!("there is a directory of '{new}' already, without a login");
        Err(Error::refused(Kind::Name, what, path.display().to_string(), &["move that directory away"]))
    }

    /// The refusal while a tree stands that could not be put away: the locks in it would move away with it.
    fn refuse_left(&self, name: &str) -> Result<(), Error> {
        let tree = Place::of(&self.root, name).tree;
        if !is_dir(&self.disk, &tree)? {
            return Ok(());
        }
        let what = format!("what sessions of '{name}' left could not be put away yet");
        Err(Error::refused(
            Kind::Protected,
            what,
            tree.display().to_string(),
            &["see what stands there, and try again"],
        ))
    }

    /// The refusal of what may not happen while a profile's own sessions run (S1).
    pub(super) fn refuse_running(&self, snapshot: &Snapshot, name: &str) -> Result<(), Error> {
        let Some(process) = self.process_of_session(&snapshot.home, name) else { return Ok(()) };
        let what = format!("a session of '{name}' is running{process}");
        Err(Error::refused(Kind::Protected, what, name, &["end it first"]))
    }
}

/// The refusal of a name that another profile has, whatever its letters' case.
fn free(snapshot: &Snapshot, old: &str, new: &str) -> Result<(), Error> {
    let taken = snapshot.roster.names.iter().find(|name| *name != old && name.eq_ignore_ascii_case(new));
    match taken {
        None => Ok(()),
        Some(name) => Err(Error::refused(
            Kind::Name,
            format!("there is a profile '{name}' already"),
            new,
            &["choose another name"],
        )),
    }
}

/// Our own `.jsonl` with a profile's name replaced; lines that cannot be understood stay as they are.
fn rename_lines(bytes: &[u8], old: &str, new: &str) -> Vec<u8> {
    let rename = |line: &[u8]| {
        let mut document = Document::parse(line.to_vec()).ok()?;
        (document.get::<String>(&["profile"])? == old).then_some(())?;
        document.set(&["profile"], &new).ok()?;
        Some(document.into_bytes())
    };
    let lines = bytes.split(|byte| *byte == b'\n').map(|line| rename(line).unwrap_or_else(|| line.to_vec()));
    lines.collect::<Vec<_>>().join(&b'\n')
}
