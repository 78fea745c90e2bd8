//! The trees' first copies of `.claude.json` and `settings.json` (S4, S5).

use std::path::Path;
use std::time::Duration;

use clauth_claude::{ClaudeHome, StateFile};
use clauth_durable::{Disk, Document, DocumentError, Held, Kind, Mode};
use serde_json::Value;

use super::apply::{Target, Written};
use super::base::Base;
use super::canon::Digest;
use super::converge::Converger;
use super::lock;
use super::side::Side;
use super::subject::{Own, Subject};
use crate::profile::{AccountKey, Known};
use crate::session::Place;
use crate::{Engine, Error};

/// A profile's own settings: where each goes in `settings.json`, and what it is; `None` for what must not be there.
pub(crate) type Overrides = [(Vec<String>, Option<Value>)];

/// A torn file is read again after so long, and for so long in all (§2).
const AGAIN: Duration = Duration::from_millis(50);
const TORN: Duration = Duration::from_secs(1);

/// Which of the tree's files were written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seeded {
    pub(crate) state: bool,
    pub(crate) settings: bool,
}

impl Own {
    /// The paths of these overrides.
    pub(crate) fn of(overrides: &Overrides) -> Self {
        Self(overrides.iter().map(|(path, _)| path.clone()).collect())
    }
}

/// Gives a tree its own `.claude.json` and `settings.json`. A file that is there already keeps what sessions changed in
/// it: that is merged with the home's, as in any pass. The tree itself must be there. Not to be called under the state
/// lock, within which nothing waits for a merge. Answers also what keeps the tree like the home from now on.
///
/// # Errors
/// A file of the home or the tree that stays torn, another process that keeps merging, or as the system says.
pub(crate) fn seed_with(
    engine: &Engine,
    home: &ClaudeHome,
    place: &Place,
    overrides: &Overrides,
) -> Result<(Seeded, Converger), Error> {
    let tree = ClaudeHome::at(&place.tree, &engine.host, &engine.disk);
    let seeding = Seeding { engine, home, place, tree: &tree, overrides };
    let mut converger = Converger::new(engine, home.clone());
    let members = vec![(place.clone(), Own::of(overrides))];
    converger.set_members(members.clone());
    // What sessions changed before reaches the home first, so that nothing of it is lost to what is set below. A tree with
    // neither file has nothing that anybody changed.
    if seeding.has_own()? {
        converger.pass()?;
    }
    let former = Base::load(&engine.disk, place, Subject::Settings)?.map(|base| base.own);
    // What the files are to be is found out before any lock is taken: a state file may be large (K3). Should the home's
    // change meanwhile, it looks changed to the first pass.
    let before = converger.look()?;
    let (state, settings) = (seeding.state()?, seeding.settings()?);
    let held = if state.is_some() { lock::seeding(engine, &tree)? } else { lock::merging_soon(engine)? };
    let made = [
        state.map_or_else(|| seeding.unlink_state(), |draft| seeding.create(&draft, &held))?,
        settings.map_or_else(|| seeding.reset_settings(), |draft| seeding.create(&draft, &held))?,
    ];
    for (subject, made) in Subject::ALL.into_iter().zip(made) {
        if made == Made::Anew {
            converger.made(subject, &before)?;
        }
    }
    drop(held);
    if former.is_some_and(|former| former != members[0].1.0) {
        // What is the profile's own no longer is the home's again.
        converger.set_members(members);
        converger.pass()?;
    }
    let [state, settings] = made.map(|made| made != Made::Nothing);
    Ok((Seeded { state, settings }, converger))
}

/// As [`seed_with`], for who wants the files alone.
#[cfg(test)]
pub(crate) fn seed(engine: &Engine, home: &ClaudeHome, place: &Place, overrides: &Overrides) -> Result<Seeded, Error> {
    seed_with(engine, home, place, overrides).map(|(seeded, _)| seeded)
}

/// What became of one of the tree's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Made {
    /// It is as it was.
    Nothing,
    /// It was removed, or changed.
    Changed,
    /// It was not there, or was somebody else's link, and says what the home's does.
    Anew,
}

/// A file that the tree is to get, and what is known of it from then on.
struct Draft {
    subject: Subject,
    stands: Stands,
    bytes: Vec<u8>,
    base: Base,
}

struct Seeding<'a> {
    engine: &'a Engine,
    home: &'a ClaudeHome,
    place: &'a Place,
    tree: &'a ClaudeHome,
    overrides: &'a Overrides,
}

impl Seeding<'_> {
    /// Whether the tree has a file of its own already.
    fn has_own(&self) -> Result<bool, Error> {
        let mut own = false;
        for subject in Subject::ALL {
            own |= vacancy(&self.engine.disk, &subject.file(self.tree))?.is_none();
        }
        Ok(own)
    }

    /// Removes an old shared link to a state file that is not there: through it Claude Code would make the home's file out of
    /// the tree's.
    fn unlink_state(&self) -> Result<Made, Error> {
        let disk = &self.engine.disk;
        let path = Subject::State.file(self.tree);
        let stands = matches!(vacancy(disk, &path)?, Some(Stands::Link));
        let dangles = stands && disk.stat(&Subject::State.file(self.home))?.is_none();
        Ok(if dangles && disk.remove_file(&path)? { Made::Changed } else { Made::Nothing })
    }

    fn state(&self) -> Result<Option<Draft>, Error> {
        let path = Subject::State.file(self.tree);
        let Some(stands) = vacancy(&self.engine.disk, &path)? else { return Ok(None) };
        let Some(bytes) = self.parsed(&Subject::State.file(self.home), StateFile::parse)? else { return Ok(None) };
        let known = self.known()?;
        let named = bytes.identity().as_ref().map(AccountKey::of);
        let own = known.as_ref().is_some_and(|known| Some(&known.key) == named.as_ref());
        let block = known.as_ref().and_then(Known::proven_block);
        let seeded = if own { bytes } else { bytes.with_identity(block).map_err(|source| torn(&path, source))? };
        self.draft(Subject::State, stands, seeded.bytes().to_vec()).map(Some)
    }

    /// The account that the profile is proven to be.
    fn known(&self) -> Result<Option<Known>, Error> {
        let bytes = self.engine.disk.read(&self.engine.root.identity(&self.place.name))?;
        Ok(bytes.and_then(|bytes| Known::read(&bytes)).filter(Known::proven))
    }

    fn settings(&self) -> Result<Option<Draft>, Error> {
        let path = Subject::Settings.file(self.tree);
        let Some(stands) = vacancy(&self.engine.disk, &path)? else { return Ok(None) };
        let document = self.parsed(&Subject::Settings.file(self.home), Document::parse)?;
        let mut document = document.unwrap_or_else(Document::empty);
        self.set_overrides(&mut document).map_err(|source| torn(&path, source))?;
        self.draft(Subject::Settings, stands, document.into_bytes()).map(Some)
    }

    fn draft(&self, subject: Subject, stands: Stands, bytes: Vec<u8>) -> Result<Draft, Error> {
        let document = Document::parse(bytes).map_err(|source| torn(&subject.file(self.tree), source))?;
        let own = if subject == Subject::Settings { Own::of(self.overrides).0 } else { Vec::new() };
        let base = Base { own, ..Base::of_copy(&Side::read(subject, &document), document.bytes()) };
        Ok(Draft { subject, stands, bytes: document.into_bytes(), base })
    }

    /// Sets the overrides in settings that the tree has already.
    fn reset_settings(&self) -> Result<Made, Error> {
        let path = Subject::Settings.file(self.tree);
        let Some(before) = self.parsed(&path, Document::parse)? else { return Ok(Made::Nothing) };
        let mut document = before.clone();
        self.set_overrides(&mut document).map_err(|source| torn(&path, source))?;
        if document == before {
            self.remember(None)?;
            return Ok(Made::Nothing);
        }
        let target = Target {
            subject: Subject::Settings,
            home: self.tree,
            before: Some(before.bytes()),
            after: document.bytes(),
        };
        match target.write(self.engine, &mut || self.remember(Some(document.bytes())))? {
            Written::Done => Ok(Made::Changed),
            Written::Skipped => Err(Error::Contended { path }),
        }
    }

    /// Sets what differs; what has the value already keeps its text.
    fn set_overrides(&self, document: &mut Document) -> Result<(), DocumentError> {
        for (path, value) in self.overrides {
            let path: Vec<&str> = path.iter().map(String::as_str).collect();
            let Some(value) = value else {
                document.remove(&path);
                continue;
            };
            let wanted = Digest::of_value(&value.to_string());
            if document.raw(&path).is_some_and(|raw| Digest::of_value(raw) == wanted) {
                continue;
            }
            if let (Err(DocumentError::NotAnObject), [first, ..]) = (document.set(&path, value), path.as_slice()) {
                // Something else stands where the overrides' object has to be. In the tree they win.
                document.remove(&[first]);
                document.set(&path, value)?;
            }
        }
        Ok(())
    }

    /// What the profile's own is from now on; and `wrote`, our own change of the tree's settings, is nobody else's write.
    fn remember(&self, wrote: Option<&[u8]>) -> Result<(), Error> {
        let disk = &self.engine.disk;
        let Some(base) = Base::load(disk, self.place, Subject::Settings)? else { return Ok(()) };
        let own = Own::of(self.overrides).0;
        if wrote.is_none() && own == base.own {
            return Ok(());
        }
        let seen = wrote.map(Digest::of_bytes).or_else(|| base.seen.clone());
        Base { seen, own, ..base }.save(disk, self.place, Subject::Settings)
    }

    /// Writes a file that was not there, or was a link that is replaced itself, with its base.
    ///
    /// Neither is waited for: all that is in them is the home's, and after a power loss nobody lives in the tree. A file
    /// that comes back empty is a torn member, and one without its base may only add (S5). The watchdog makes the base durable
    /// before it relies on it ([`Converger::make_durable`]).
    fn create(&self, draft: &Draft, held: &Held) -> Result<Made, Error> {
        let Draft { subject, stands, bytes, base } = draft;
        let disk = &self.engine.disk;
        let path = subject.file(self.tree);
        base.save_quickly(disk, self.place, *subject)?;
        held.check()?;
        let made = match stands {
            Stands::Link => disk.replace_itself(&path, bytes, Mode::Private).map(|()| true)?,
            Stands::Nothing => disk.create_unsynced(&path, bytes)?,
        };
        if made {
            return Ok(Made::Anew);
        }
        // Whoever made one in the meantime keeps it. Nothing is known of it, and the next pass merges it as such.
        Base::remove(disk, self.place, *subject)?;
        Ok(Made::Nothing)
    }

    /// A file's content, read again while it is torn.
    fn parsed<T>(&self, path: &Path, parse: fn(Vec<u8>) -> Result<T, DocumentError>) -> Result<Option<T>, Error> {
        let clock = &self.engine.host.clock;
        let began = clock.monotonic();
        loop {
            let Some(bytes) = self.engine.disk.read(path)? else { return Ok(None) };
            match parse(bytes) {
                Ok(parsed) => return Ok(Some(parsed)),
                Err(source) if clock.monotonic().saturating_sub(began) >= TORN => return Err(torn(path, source)),
                Err(_) => clock.sleep(AGAIN),
            }
        }
    }
}

fn torn(path: &Path, source: DocumentError) -> Error {
    clauth_durable::Error::Document { path: path.to_owned(), source }.into()
}

/// What stands where a tree's own file has to be.
#[derive(Clone, Copy)]
enum Stands {
    Nothing,
    Link,
}

/// `None` for a file of the tree's own.
fn vacancy(disk: &Disk, path: &Path) -> Result<Option<Stands>, Error> {
    match disk.lstat(path)?.map(|stat| stat.kind) {
        None => Ok(Some(Stands::Nothing)),
        Some(Kind::Link) => Ok(Some(Stands::Link)),
        Some(Kind::File) => Ok(None),
        Some(kind) => Err(clauth_durable::Error::NotRegular { path: path.to_owned(), kind }.into()),
    }
}
