//! Everything that a decision depends on, read once.

use std::cell::OnceCell;
use std::sync::PoisonError;
use std::time::Duration;

use clauth_claude::{ClaudeHome, CredentialStore, Credentials, Found, Reading, StateFile};
use clauth_durable::Journal;
use clauth_host::Secret;
use jiff::Timestamp;

use super::home::{LiveHome, live_home};
use super::unfinished::Unfinished;
use crate::error::Kind;
use crate::owner::{self, Candidate, Evidence, Hands, Owner};
use crate::profile::{AccountKey, Known, Record, Roster};
use crate::root::Settings;
use crate::spent::Spent;
use crate::{Engine, Error};

/// How often and how long a torn file is read again before it counts as unreadable (protocols §2).
const AGAIN: (u32, Duration) = (20, Duration::from_millis(50));

/// The live credential.
pub(crate) struct Live {
    /// The bytes that every change is made against.
    pub(crate) reading: Option<Reading>,
    /// The object in them; `None` when they cannot be understood.
    pub(crate) object: Option<Credentials>,
    /// The login in the object.
    pub(crate) found: Found,
    /// For how long it was seen to stand still, by our own clock.
    pub(crate) stood: Option<Duration>,
}

/// What stands on disk.
pub(crate) struct Snapshot {
    pub(crate) home: ClaudeHome,
    pub(crate) home_id: std::path::PathBuf,
    pub(crate) notice: Option<String>,
    pub(crate) settings: Settings,
    pub(crate) roster: Roster,
    pub(crate) records: Vec<Record>,
    pub(crate) spent: Spent,
    pub(crate) unfinished: Option<Unfinished>,
    pub(crate) live: Live,
    /// Whose the live login is by the server's word, if it was asked and no profile is proven to hold it.
    pub(crate) answer: Option<Known>,
    state: OnceCell<Option<StateFile>>,
}

impl Engine {
    /// Reads everything. Writes nothing.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        self.snapshot_with(|home| self.read_live(home).map(|live| (live, None)))
    }

    /// The same for who only shows: a live credential that cannot be read at all counts as one that cannot be understood, and
    /// a notice says why.
    pub(crate) fn snapshot_to_show(&self) -> Result<Snapshot, Error> {
        self.snapshot_with(|home| match self.read_live(home) {
            Ok(live) => Ok((live, None)),
            Err(error) if error.kind() == Kind::Unreadable => Ok((Live::barred(), Some(error.to_string()))),
            Err(error) => Err(error),
        })
    }

    fn snapshot_with(
        &self,
        live: impl Fn(&ClaudeHome) -> Result<(Live, Option<String>), Error>,
    ) -> Result<Snapshot, Error> {
        let settings = Settings::read(&self.disk, &self.root)?;
        let LiveHome { home, id, notice } = live_home(self, &settings)?;
        let roster = Roster::read(&self.disk, &self.root)?;
        let records = roster.names.iter().map(|name| Record::read(&self.disk, &self.root, name)).collect();
        let unfinished = self.journal().read()?;
        let spent = Spent::read(&self.disk, &self.root)?;
        let (live, barred) = live(&home)?;
        Ok(Snapshot {
            spent,
            live,
            home_id: id,
            state: OnceCell::new(),
            answer: None,
            home,
            notice: notice.or(barred),
            settings,
            roster,
            records,
            unfinished,
        })
    }

    pub(crate) fn journal(&self) -> Journal {
        Journal::at(&self.disk, self.root.journal())
    }

    /// Reads the live credential, again and again for a second when it is torn.
    fn read_live(&self, home: &ClaudeHome) -> Result<Live, Error> {
        let store = home.store();
        let mut live = Live::of(store.read(&self.disk).map_err(not_readable)?);
        // An item is written whole: one that cannot be understood is no half of anything.
        let again = if home.item.is_some() { 0 } else { AGAIN.0 };
        let torn = || self.torn.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..again {
            if live.object.is_some() || live.reading.is_none() || *torn() == live.reading {
                return Ok(live);
            }
            self.disk.clock.sleep(AGAIN.1);
            live = Live::of(store.read(&self.disk).map_err(not_readable)?);
        }
        if live.object.is_none() {
            torn().clone_from(&live.reading);
        }
        Ok(live)
    }

    /// Whose the live login is, with what the server said about it, if it was asked.
    pub(crate) fn owner(&self, snapshot: &Snapshot, answer: Option<&AccountKey>) -> Result<Owner, Error> {
        // The common case needs no state file, which may be large.
        let candidates = snapshot.candidates();
        let mut evidence = Evidence {
            found: &snapshot.live.found,
            organization: snapshot.live.object.as_ref().and_then(|object| object.account().organization_uuid()),
            candidates: &candidates,
            spent: &snapshot.spent,
            state: None,
            nobody_named: false,
            answer: answer.cloned(),
            hands: snapshot.unfinished.as_ref().map_or(Ok(Hands::Kept), |entry| self.hands(snapshot, entry))?,
            doubted: snapshot.unfinished.as_ref().and_then(|entry| snapshot.becoming_anothers(entry)),
            age: snapshot.live.age(self.disk.clock.file_now()).max(snapshot.live.stood),
        };
        let quick = owner::classify(&evidence);
        if !matches!(quick, Owner::Unknown(_) | Owner::Successor(..)) {
            return Ok(quick);
        }
        if evidence.age.is_none() {
            evidence.age = self.age_of_item(snapshot)?;
        }
        let state = self.state(snapshot)?;
        evidence.state = state.and_then(Known::of_state).map(|known| known.key);
        evidence.nobody_named = state.is_none_or(|state| state.block().is_none());
        Ok(owner::classify(&evidence))
    }

    /// How long ago the live item was written: asked for only where it decides. A looking command does not ask again; at
    /// worst it shows for some seconds what a sign-in has just changed.
    fn age_of_item(&self, snapshot: &Snapshot) -> Result<Option<Duration>, Error> {
        let is_item = snapshot.live.reading.as_ref().is_some_and(|reading| reading.modified.is_none());
        let Some(item) = snapshot.home.item.as_ref().filter(|_| is_item) else { return Ok(None) };
        if self.looks {
            return Ok(Some(owner::YOUNG));
        }
        let written = self.disk.item_modified(item)?;
        Ok(written.and_then(|at| Duration::try_from(self.disk.clock.file_now().duration_since(at)).ok()))
    }

    /// The state file, read when it is first needed.
    pub(crate) fn state<'s>(&self, snapshot: &'s Snapshot) -> Result<Option<&'s StateFile>, Error> {
        if let Some(state) = snapshot.state.get() {
            return Ok(state.as_ref());
        }
        let path = &snapshot.home.state;
        let mut attempt = 0;
        let state = loop {
            let Some(bytes) = self.disk.read(path)? else { break None };
            match StateFile::parse(bytes) {
                Ok(state) => break Some(state),
                Err(_) if attempt < AGAIN.0 => self.disk.clock.sleep(AGAIN.1),
                Err(source) => return Err(clauth_durable::Error::Document { path: path.clone(), source }.into()),
            }
            attempt += 1;
        };
        Ok(snapshot.state.get_or_init(|| state).as_ref())
    }
}

impl Live {
    fn of(reading: Option<Reading>) -> Self {
        let object = match &reading {
            None => Some(Credentials::empty()),
            Some(reading) => Credentials::parse(reading.bytes.clone()).ok(),
        };
        let found = object.as_ref().map_or(Found::Malformed, Credentials::login);
        Self { reading, object, found, stood: None }
    }

    /// One that cannot be read at all.
    fn barred() -> Self {
        Self { reading: None, object: None, found: Found::Malformed, stood: None }
    }

    pub(crate) fn is_barred(&self) -> bool {
        self.reading.is_none() && self.object.is_none()
    }

    /// The access token, where there is one to ask about.
    pub(crate) fn access(&self) -> Option<&Secret> {
        match &self.found {
            Found::Login(login) => Some(&login.access),
            Found::Blank | Found::Absent | Found::Malformed => None,
        }
    }

    pub(crate) fn written(&self) -> Option<Timestamp> {
        self.reading.as_ref()?.modified
    }

    /// Takes over for how long the login of an earlier reading stood still, if this is that very one.
    pub(crate) fn stands_since(&mut self, earlier: &Self) {
        if self.reading == earlier.reading {
            self.stood = earlier.stood;
        }
    }

    /// `None` for one that is dated ahead.
    fn age(&self, now: Timestamp) -> Option<Duration> {
        Duration::try_from(now.duration_since(self.written()?)).ok()
    }
}

/// A live credential that is no file, or not ours to read, is as little understood as a torn one (protocols §2).
pub(crate) fn not_readable(error: impl Into<Error>) -> Error {
    let error = error.into();
    match &error {
        Error::Disk(disk) | Error::Claude(clauth_claude::Error::Durable(disk)) if is_barred(disk) => {
            let next = error.hints();
            let next: Vec<&str> = next.iter().map(String::as_str).collect();
            Error::refused(Kind::Unreadable, error.to_string(), error.place().unwrap_or_default(), &next)
        }
        _ => error,
    }
}

fn is_barred(error: &clauth_durable::Error) -> bool {
    use clauth_durable::Error as Disk;
    match error {
        Disk::Loop { .. } | Disk::NotRegular { .. } | Disk::TooLarge { .. } => true,
        Disk::Io { source, .. } => source.kind() == std::io::ErrorKind::PermissionDenied,
        _ => false,
    }
}

impl Snapshot {
    /// The profile that an interrupted change may be making another account's: it bears the new name before it has the new
    /// login, so that its loan names another account than it does, or none.
    fn becoming_anothers<'e>(&self, entry: &'e Unfinished) -> Option<&'e str> {
        let name = entry.to.as_deref().filter(|_| entry.replaces())?;
        let lent_as = |record: &Record| record.loan.get().and_then(|loan| loan.key.clone());
        let stays = |record: &Record| lent_as(record).is_some() && lent_as(record).as_ref() == record.key();
        (!self.record(name).is_some_and(stays)).then_some(name)
    }

    pub(crate) fn record(&self, name: &str) -> Option<&Record> {
        self.records.iter().find(|record| record.name == name)
    }

    /// The refusal while the live login cannot be understood.
    pub(crate) fn unreadable(&self) -> Error {
        Error::Unreadable {
            what: "the live login".into(),
            path: self.home.credential(),
            next: match &self.home.item {
                None => "sign in again with `claude auth login`, or move the file away".into(),
                Some(_) => "sign in again with `claude auth login`; or, to keep those bytes aside and go on: \
                            clauth switch NAME --force"
                    .into(),
            },
        }
    }

    /// Whether the server confirmed whose a profile is.
    pub(crate) fn is_proven(&self, name: &str) -> bool {
        self.record(name).and_then(|record| record.identity.as_ref()).is_some_and(Known::proven)
    }

    /// Whether the live login is still the one that `earlier` saw (O2).
    pub(crate) fn same_login(&self, earlier: &Self) -> bool {
        let bytes = |snapshot: &Self| snapshot.live.reading.as_ref().map(|reading| reading.bytes.clone());
        bytes(self) == bytes(earlier)
    }

    /// The profiles whose login is lent to the live home.
    pub(crate) fn lent(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|record| record.lent_to(&self.home_id))
    }

    /// Whether the live home or a profile holds this very login.
    pub(crate) fn holds_token(&self, part: &clauth_claude::AccountPart) -> bool {
        let token = |found: Found| match found {
            Found::Login(login) => Some(crate::profile::token_of(&login)),
            Found::Blank | Found::Absent | Found::Malformed => None,
        };
        let asked = token(part.login());
        let held = self.records.iter().flat_map(|record| [record.part(), record.renewed()]).flatten();
        let mut all = held.map(|part| token(part.login())).chain([token(self.live.found.clone())]);
        asked.is_some() && all.any(|one| one == asked)
    }

    /// Every profile whose login an operation on `target` reads or moves (K1).
    pub(crate) fn concerned(&self, target: Option<&str>, owner: &Owner) -> Vec<String> {
        let lent = self.lent().map(|record| record.name.as_str());
        let from_journal =
            self.unfinished.iter().flat_map(|entry| entry.from.iter().chain(&entry.to)).map(String::as_str);
        let mut names: Vec<String> =
            lent.chain(target).chain(owner.profile()).chain(from_journal).map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    pub(crate) fn candidates(&self) -> Vec<Candidate> {
        self.records.iter().map(|record| self.candidate(record)).collect()
    }

    fn candidate(&self, record: &Record) -> Candidate {
        let login = record.login();
        let login = login.as_ref();
        Candidate {
            name: record.name.clone(),
            key: record.key().cloned(),
            access: login.map(clauth_claude::Login::access_print),
            refresh: login.and_then(clauth_claude::Login::refresh_print),
            login_end: login.and_then(|login| login.refresh_expires_at),
            organization: record.part().and_then(clauth_claude::AccountPart::organization_uuid),
            access_end: login.and_then(|login| login.expires_at),
            lent_here: record.lent_to(&self.home_id),
            unnamed: record.loan.get().is_some_and(|loan| loan.unnamed),
        }
    }
}
