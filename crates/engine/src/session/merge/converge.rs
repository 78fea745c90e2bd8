//! Keeping the home's files and the trees' the same: look, read, plan, write (S5).

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use clauth_claude::ClaudeHome;
use clauth_durable::Stat;
use jiff::{SignedDuration, Timestamp};

use super::apply::{self, Target, Written};
use super::base::Base;
use super::lock::{self, Patience};
use super::plan::{Member as Planned, Plan, Reading, plan};
use super::subject::{Own, Subject, Unit};
use crate::session::Place;
use crate::{Engine, Error};

/// By what a file is known not to have changed.
type Mark = Option<(u64, Timestamp, u64, u64)>;
/// That of several files.
type Marks = HashMap<PathBuf, Mark>;

/// Two writes within this may have one date: no file system's clock is coarser.
const TICK: SignedDuration = SignedDuration::from_secs(2);

/// A tree that is kept like the home.
struct Member {
    place: Place,
    home: ClaudeHome,
    own: Own,
}

/// Keeps the home and any number of trees the same. One pass after another; cheap while nothing changes.
pub(crate) struct Converger {
    engine: Engine,
    home: ClaudeHome,
    members: Vec<Member>,
    /// How each file looked when it was last found converged.
    marks: Marks,
    due: HashMap<Subject, Timestamp>,
    swept: bool,
    /// A base may not have reached the disk yet.
    unsynced: bool,
}

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The files that were written.
    pub(crate) wrote: Vec<PathBuf>,
    /// The files that were left for the next pass: moved meanwhile, or locked.
    pub(crate) skipped: Vec<PathBuf>,
    /// The files that cannot be understood: left as they are until they change.
    pub(crate) torn: Vec<PathBuf>,
    /// When to look again although no file changes: a write that was undone is made again then.
    pub(crate) due: Option<Timestamp>,
    /// Another process is merging; its pass stands for this one.
    pub(crate) elsewhere: bool,
}

impl Converger {
    /// For `home`, which is the hub. Members come by [`Converger::set_members`].
    pub(crate) fn new(engine: &Engine, home: ClaudeHome) -> Self {
        Self {
            engine: engine.clone(),
            home,
            members: Vec::new(),
            marks: HashMap::new(),
            due: HashMap::new(),
            swept: false,
            unsynced: false,
        }
    }

    /// From now on by this engine, such as one that speaks elsewhere.
    pub(crate) fn set_engine(&mut self, engine: &Engine) {
        self.engine = engine.clone();
    }

    /// The trees to keep like the home, each with its profile's own overrides in `settings.json`.
    pub(crate) fn set_members(&mut self, members: Vec<(Place, Own)>) {
        let at = |dir: &Path| ClaudeHome::at(dir, &self.engine.host, &self.engine.disk);
        let members = members.into_iter().map(|(place, own)| Member { home: at(&place.tree), place, own });
        self.members = members.collect();
        self.marks.clear();
    }

    /// Every file that a pass looks at, for whoever watches them.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        Subject::ALL.iter().flat_map(|subject| self.files_of(*subject)).collect()
    }

    /// How every file looks now, before it is read.
    ///
    /// # Errors
    /// The disk, naming the path.
    pub(super) fn look(&self) -> Result<Marks, Error> {
        self.files().into_iter().map(|file| self.mark(&file).map(|mark| (file, mark))).collect()
    }

    /// Each member was given its file, made of what the home's says and with a base that is not waited for. `before` is how
    /// the home's looked before it was read; one that was written this very moment may be written again within the tick of
    /// a clock, and is merged once more.
    pub(super) fn made(&mut self, subject: Subject, before: &Marks) -> Result<(), Error> {
        self.unsynced = true;
        let now = self.engine.host.clock.file_now();
        let settled = |mark: &Mark| mark.is_none_or(|(_, modified, ..)| modified + TICK < now);
        let home = subject.file(&self.home);
        if let Some(mark) = before.get(&home).filter(|mark| settled(mark)) {
            self.marks.insert(home, *mark);
        }
        for member in &self.members {
            let file = subject.file(&member.home);
            self.marks.insert(file.clone(), self.mark(&file)?);
        }
        Ok(())
    }

    /// Waits until the bases are on the disk that were made without waiting. Answers whether they are: not while another
    /// process merges.
    ///
    /// # Errors
    /// The disk, naming the path.
    pub(crate) fn make_durable(&mut self) -> Result<bool, Error> {
        if !self.unsynced {
            return Ok(true);
        }
        let Some(held) = lock::merging(&self.engine, Patience::Once)? else { return Ok(false) };
        for member in &self.members {
            for subject in Subject::ALL {
                held.check()?;
                if let Some(base) = Base::load(&self.engine.disk, &member.place, subject)? {
                    base.save(&self.engine.disk, &member.place, subject)?;
                }
            }
        }
        self.unsynced = false;
        Ok(true)
    }

    fn files_of(&self, subject: Subject) -> Vec<PathBuf> {
        let homes = std::iter::once(&self.home).chain(self.members.iter().map(|member| &member.home));
        homes.map(|home| subject.file(home)).collect()
    }

    /// One pass. A trouble with one file keeps no other from being merged; the first is told in the end.
    ///
    /// # Errors
    /// The disk, naming the path.
    pub(crate) fn pass(&mut self) -> Result<Passed, Error> {
        self.pass_within(Patience::Once)
    }

    /// The same for who makes no further one: another process that merges is waited for, since its pass is about its own
    /// profile's tree.
    ///
    /// # Errors
    /// The disk, naming the path.
    pub(crate) fn last_pass(&mut self) -> Result<Passed, Error> {
        self.pass_within(Patience::AsUsual)
    }

    fn pass_within(&mut self, patience: Patience) -> Result<Passed, Error> {
        let mut passed = Passed::default();
        let moved: Vec<Subject> = Subject::ALL.into_iter().filter(|subject| self.has_news(*subject)).collect();
        if !moved.is_empty() {
            self.merge(&moved, patience, &mut passed)?;
        }
        passed.due = self.due.values().min().copied();
        Ok(passed)
    }

    fn has_news(&self, subject: Subject) -> bool {
        let now = self.engine.host.clock.file_now();
        let is_due = self.due.get(&subject).is_some_and(|due| *due <= now);
        // What cannot be looked at is read, which tells why.
        let moved = |path: &PathBuf| self.mark(path).ok().as_ref() != self.marks.get(path);
        is_due || self.files_of(subject).iter().any(moved)
    }

    fn mark(&self, path: &Path) -> Result<Mark, Error> {
        let mark = |stat: Stat| (stat.len, stat.modified, stat.dev, stat.ino);
        Ok(self.engine.disk.stat(path)?.map(mark))
    }

    fn merge(&mut self, subjects: &[Subject], patience: Patience, passed: &mut Passed) -> Result<(), Error> {
        let Some(held) = lock::merging(&self.engine, patience)? else {
            passed.elsewhere = true;
            return Ok(());
        };
        if !self.swept {
            apply::sweep(&self.engine, &self.files())?;
            self.swept = true;
        }
        let mut ended = Ok(());
        for subject in subjects {
            held.check()?;
            ended = ended.and(self.merge_one(*subject, passed));
        }
        ended
    }

    fn merge_one(&mut self, subject: Subject, passed: &mut Passed) -> Result<(), Error> {
        // The marks come before the bytes: what is written in between looks new once more.
        let files = self.files_of(subject);
        let marks = files.iter().map(|file| self.mark(file)).collect::<Result<Vec<_>, _>>()?;
        let wrote = passed.wrote.len();
        let skipped = passed.skipped.len();
        let pass = Pass { engine: &self.engine, subject, home: &self.home, members: &self.members };
        let due = pass.run(passed)?;
        self.due.remove(&subject);
        self.due.extend(due.map(|due| (subject, due)));
        for (file, mark) in files.into_iter().zip(marks) {
            // What we wrote is looked at once more: somebody may have written it in the same moment.
            let again = passed.wrote[wrote..].contains(&file) || passed.skipped[skipped..].contains(&file);
            if again {
                self.marks.remove(&file);
            } else {
                self.marks.insert(file, mark);
            }
        }
        Ok(())
    }
}

/// One pass over one kind of file.
struct Pass<'a> {
    engine: &'a Engine,
    subject: Subject,
    home: &'a ClaudeHome,
    members: &'a [Member],
}

/// A member whose file could be read.
struct Read<'a> {
    member: &'a Member,
    reading: Reading,
    base: Option<Base>,
}

impl Pass<'_> {
    /// Answers when to look again.
    fn run(&self, passed: &mut Passed) -> Result<Option<Timestamp>, Error> {
        let before = self.apart(Vec::new());
        let Some(hub) = self.hub(passed)? else { return Ok(None) };
        let mut read = Vec::new();
        let mut ended = Ok(());
        for member in self.members {
            match self.read(member, passed) {
                Ok(found) => read.extend(found),
                Err(error) => ended = ended.and(Err(error)),
            }
        }
        let apart = self.apart(before);
        let own = |read: &Read<'_>| read.member.own.with(&apart).with(read.base.as_ref().map_or(&[], |base| &base.own));
        let owns: Vec<Own> = read.iter().map(own).collect();
        let members: Vec<Planned<'_>> = read
            .iter()
            .zip(&owns)
            .map(|(read, own)| Planned { reading: &read.reading, own, base: read.base.as_ref() })
            .collect();
        let now = self.engine.host.clock.file_now();
        let plan = plan(self.subject, &hub, &members, now).map_err(|source| self.unfit(source))?;
        let due = plan.due;
        self.write(&hub, &read, &plan, passed)?;
        ended.map(|()| due)
    }

    /// The paths that are the active profile's in the home, beside `known` ones. They are asked for before and after the
    /// home is read: a switch may set or take them in between.
    fn apart(&self, mut known: Vec<Vec<String>>) -> Vec<Vec<String>> {
        if self.subject == Subject::Settings {
            known.extend(self.engine.never_merged());
        }
        known
    }

    fn unfit(&self, source: clauth_durable::DocumentError) -> Error {
        clauth_durable::Error::Document { path: self.subject.file(self.home), source }.into()
    }

    /// The hub; `None` when it cannot be understood. One that is missing is made of what the members have.
    fn hub(&self, passed: &mut Passed) -> Result<Option<Reading>, Error> {
        let path = self.subject.file(self.home);
        let bytes = self.engine.disk.read(&path)?;
        let Ok(reading) = Reading::of(self.subject, bytes) else {
            passed.torn.push(path);
            return Ok(None);
        };
        Ok(Some(reading))
    }

    fn read<'m>(&self, member: &'m Member, passed: &mut Passed) -> Result<Option<Read<'m>>, Error> {
        let disk = &self.engine.disk;
        let path = self.subject.file(&member.home);
        let bytes = disk.read(&path)?;
        let base = Base::load(disk, &member.place, self.subject)?;
        // A file that is gone comes back from nothing, as one that was torn does.
        let reading = bytes.map(|bytes| Reading::of(self.subject, Some(bytes)));
        if let Some(Ok(reading)) = reading {
            return Ok(Some(Read { member, reading, base }));
        }
        if let Some(base) = base.filter(|base| !base.torn) {
            Base { torn: true, ..base }.save(disk, &member.place, self.subject)?;
        }
        passed.torn.extend(reading.map(|_| path));
        Ok(None)
    }

    /// The hub first, so that what a member brought is safe in the home before another is made to follow. Each base is
    /// saved before the writes that it speaks of: a write on record that was not made is made by the next pass, while one
    /// that is not on record would be taken for somebody else's.
    fn write(&self, hub: &Reading, read: &[Read<'_>], plan: &Plan, passed: &mut Passed) -> Result<(), Error> {
        let save = || {
            for (read, (_, base)) in read.iter().zip(&plan.members) {
                if read.base.as_ref().is_none_or(|old| old.says_other_than(base)) {
                    base.save(&self.engine.disk, &read.member.place, self.subject)?;
                }
            }
            Ok(())
        };
        match &plan.hub {
            None => save()?,
            Some(after) => {
                let mut save = || self.tell_others(&plan.hub_units).and_then(|()| save());
                let target = Target { subject: self.subject, home: self.home, before: hub.bytes.as_deref(), after };
                if self.write_one(&target, &mut save, passed)? == Written::Skipped {
                    return Ok(());
                }
            }
        }
        let mut ended = Ok(());
        for (read, (after, _)) in read.iter().zip(&plan.members) {
            let Some(after) = after else { continue };
            let before = read.reading.bytes.as_deref();
            let target = Target { subject: self.subject, home: &read.member.home, before, after };
            ended = ended.and(self.write_one(&target, &mut || Ok(()), passed).map(drop));
        }
        ended
    }

    /// Trees that other processes keep like the home are told by their bases what this merge writes into the home: an older
    /// value that comes back by another session's own change is no echo. Only one process merges at a time, so nobody else
    /// has these bases in hand.
    fn tell_others(&self, units: &BTreeSet<Unit>) -> Result<(), Error> {
        let (disk, root) = (&self.engine.disk, &self.engine.root);
        let names = disk.list(&root.profiles())?.into_iter().filter_map(|name| name.into_string().ok());
        for place in names.map(|name| Place::of(root, &name)) {
            if self.members.iter().any(|member| member.place == place) {
                continue;
            }
            if let Some(mut base) = Base::load(disk, &place, self.subject)?
                && base.superseded(units)
            {
                base.save(disk, &place, self.subject)?;
            }
        }
        Ok(())
    }

    fn write_one(
        &self,
        target: &Target<'_>,
        first: &mut dyn FnMut() -> Result<(), Error>,
        passed: &mut Passed,
    ) -> Result<Written, Error> {
        let written = target.write(self.engine, first)?;
        let list = match written {
            Written::Done => &mut passed.wrote,
            Written::Skipped => &mut passed.skipped,
        };
        list.push(self.subject.file(target.home));
        Ok(written)
    }
}
