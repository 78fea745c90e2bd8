//! `custody`: where each generation of each login is (L5), by fingerprint, never by token.

use std::path::PathBuf;

use clauth_claude::{AccountPart, Found, Login};
use jiff::Timestamp;

use crate::custody::Snapshot;
use crate::owner::Owner;
use crate::profile::{Record, State, end};
use crate::session::Place;
use crate::view::Custodian;
use crate::{Engine, Error, vault};

/// A copy of a login in a file.
#[derive(Clone, Debug)]
pub struct Copy {
    /// The file.
    pub path: PathBuf,
    /// `slot`, `loan`, `live`, `session`, `vault`, or `staged` for a new pair that is not yet in its place.
    pub place: &'static str,
    /// It holds the refresh token too.
    pub full: bool,
    /// A `claude` process reads this file.
    pub read_by_claude: bool,
}

/// One generation of a login.
#[derive(Clone, Debug)]
pub struct Generation {
    /// First digits of the access token's fingerprint.
    pub access: String,
    /// First digits of the refresh token's fingerprint.
    pub refresh: Option<String>,
    /// The refresh token is used up.
    pub spent: bool,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the login itself ends.
    pub login_expires_at: Option<Timestamp>,
    /// Where its copies are.
    pub copies: Vec<Copy>,
}

/// A profile's login, or one that no profile holds.
#[derive(Clone, Debug)]
pub struct Custody {
    /// The profile; `None` for a live or kept login that no profile holds.
    pub profile: Option<String>,
    /// It is an endpoint, which has a key and no login.
    pub endpoint: bool,
    /// Its login may work: nothing is known against it, and its own end has not passed.
    pub usable: bool,
    /// Who may use the refresh token.
    pub custodian: Option<Custodian>,
    /// Its generations, newest first.
    pub generations: Vec<Generation>,
    /// Fingerprints of its used-up refresh tokens.
    pub spent: Vec<String>,
}

impl Custody {
    /// The warning about a login that ends within five days, by itself: of its newest generation.
    #[must_use]
    pub fn ends_soon(&self, now: Timestamp) -> Option<String> {
        if !self.usable {
            return None;
        }
        let newest = self.generations.iter().find(|generation| !generation.spent && generation.refresh.is_some())?;
        end::warning(self.profile.as_deref()?, newest.login_expires_at, now)
    }
}

impl Engine {
    /// Shows where each login is; of one profile, or of all.
    ///
    /// # Errors
    /// No such profile, or files that cannot be read.
    pub fn custody(&self, name: Option<&str>) -> Result<Vec<Custody>, Error> {
        self.looking().custody_now(name)
    }

    fn custody_now(&self, name: Option<&str>) -> Result<Vec<Custody>, Error> {
        let name = name.map(|name| self.find(name)).transpose()?;
        let snapshot = self.snapshot_to_show()?;
        let owner = self.owner(&snapshot, None)?;
        let kept = vault::all(&self.disk, &self.root)?;
        let mut all: Vec<Custody> =
            snapshot.records.iter().map(|record| self.of(&snapshot, record, &owner, &kept)).collect();
        for (custody, sessions) in all.iter_mut().zip(self.sessions_of(&snapshot)) {
            if sessions > 0 && custody.custodian == Some(Custodian::Store) {
                custody.custodian = Some(Custodian::Session);
            }
        }
        all.extend(self.strangers(&snapshot, &owner, &kept));
        if let Some(name) = name {
            all.retain(|custody| custody.profile.as_ref() == Some(&name));
        }
        Ok(all)
    }

    fn of(&self, snapshot: &Snapshot, record: &Record, owner: &Owner, kept: &[vault::Entry]) -> Custody {
        let name = &record.name;
        let mut generations = Generations { snapshot, list: Vec::new() };
        if owner.profile() == Some(name) {
            generations.add_live();
        }
        if let Some(loan) = record.loan.get() {
            generations.add(
                &loan.login,
                Copy { path: self.root.loan(name), place: "loan", full: true, read_by_claude: false },
            );
        }
        if let Some(slot) = record.slot.get() {
            let linked = self.disk.vfs.read_link(&Place::of(&self.root, name).credential()).is_ok();
            let path = self.root.slot(name);
            generations.add(slot, Copy { path, place: "slot", full: true, read_by_claude: linked });
        }
        for path in Place::of(&self.root, name).own_copies(&self.disk) {
            let copy = self.disk.read(&path).ok().flatten();
            if let Some(object) = copy.and_then(|bytes| clauth_claude::Credentials::parse(bytes).ok()) {
                let copy = Copy { path, place: "session", full: true, read_by_claude: true };
                generations.add(&object.account(), copy);
            }
        }
        for (path, login) in self.staged_copies(name) {
            generations.add(&login, Copy { path, place: "staged", full: true, read_by_claude: false });
        }
        for entry in kept.iter().filter(|entry| entry.profile.as_ref() == Some(name)) {
            generations.add(
                &entry.login,
                Copy { path: entry.path(&self.root), place: "vault", full: true, read_by_claude: false },
            );
        }
        let lent = record.lent_to(&snapshot.home_id);
        Custody {
            profile: Some(name.clone()),
            usable: matches!(record.state(self.host.clock.now()).0, State::Ok | State::Expired | State::Unknown),
            endpoint: record.kind == crate::profile::ProfileKind::Endpoint,
            custodian: record.part().map(|_| if lent { Custodian::Live } else { Custodian::Store }),
            generations: generations.list,
            spent: snapshot.spent.of(name).map(|token| token.short().to_owned()).collect(),
        }
    }

    /// What no profile holds: a live login of nobody's, and kept ones.
    fn strangers(&self, snapshot: &Snapshot, owner: &Owner, kept: &[vault::Entry]) -> Option<Custody> {
        let mut generations = Generations { snapshot, list: Vec::new() };
        if matches!(owner, Owner::Unknown(_)) {
            generations.add_live();
        }
        let orphan = |entry: &&vault::Entry| entry.profile.as_ref().is_none_or(|name| snapshot.record(name).is_none());
        for entry in kept.iter().filter(orphan) {
            generations.add(
                &entry.login,
                Copy { path: entry.path(&self.root), place: "vault", full: true, read_by_claude: false },
            );
        }
        let list = generations.list;
        (!list.is_empty()).then(|| Custody {
            profile: None,
            usable: true,
            endpoint: false,
            custodian: None,
            generations: list,
            spent: Vec::new(),
        })
    }
}

struct Generations<'s> {
    snapshot: &'s Snapshot,
    list: Vec<Generation>,
}

impl Generations<'_> {
    fn add_live(&mut self) {
        let home = &self.snapshot.home;
        let beside = self.snapshot.live.reading.as_ref().and_then(|reading| reading.beside.as_ref());
        if let Some(beside) = beside {
            for (path, bytes) in [(home.credential(), &beside.item), (home.credentials(), &beside.file)] {
                let object = bytes.clone().and_then(|bytes| clauth_claude::Credentials::parse(bytes).ok());
                if let Some(object) = object {
                    self.add(&object.account(), Copy { path, place: "live", full: true, read_by_claude: true });
                }
            }
        } else if let Some(object) = &self.snapshot.live.object {
            let path = home.credential();
            self.add(&object.account(), Copy { path, place: "live", full: true, read_by_claude: true });
        }
    }

    /// Adds a copy to its generation. A bearer copy belongs to the generation with the same access token.
    fn add(&mut self, part: &AccountPart, mut copy: Copy) {
        let Found::Login(login) = part.login() else { return };
        copy.full = login.refresh.is_some();
        let access = login.access_print().short().to_owned();
        match self.list.iter_mut().find(|generation| generation.access == access) {
            Some(generation) => {
                if generation.refresh.is_none() {
                    generation.refresh = refresh(&login);
                }
                generation.copies.push(copy);
            }
            None => self.list.push(Generation {
                refresh: refresh(&login),
                spent: login.refresh_print().is_some_and(|token| self.snapshot.spent.has(&token)),
                expires_at: login.expires_at,
                login_expires_at: login.refresh_expires_at,
                copies: vec![copy],
                access,
            }),
        }
    }
}

fn refresh(login: &Login) -> Option<String> {
    login.refresh_print().map(|token| token.short().to_owned())
}
