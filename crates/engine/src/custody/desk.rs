//! Drafting a change of custody, step by step in the order of W6. At each step every pair is on disk, and of everything
//! that a `claude` reads at most one file holds a given refresh token (L5).

mod account;
mod admit;
mod item;
mod keep;
mod learned;
mod parked;
mod renewed;

use clauth_claude::{AccountPart, CredentialStore, Credentials, Found, StateFile};
use clauth_durable::{Change, Disk, Manner};
use jiff::Timestamp;

use super::{Draft, Snapshot, is_dir};
use crate::history::Event;
use crate::owner::Owner;
use crate::profile::{AccountKey, Known, Loan, Record, Roster, State, Verdict};
use crate::session::Place;
use crate::vault::Entry;
use crate::{Engine, Error, Root, spent};

pub(crate) use learned::{Learned, elsewhere};
pub(crate) use renewed::Whose;

/// Said of a login whose access token had run out before another login took its place (L3).
pub(crate) const MAY_BE_RENEWED: &str = "may have been renewed before it was displaced";

/// A finished draft.
pub(crate) struct Drafted {
    pub(crate) changes: Vec<Change>,
    pub(crate) warnings: Vec<String>,
}

/// A change of custody in the making.
pub(crate) struct Desk<'s> {
    root: &'s Root,
    disk: &'s Disk,
    snapshot: &'s Snapshot,
    state: Option<&'s StateFile>,
    machine: Option<&'s clauth_host::Fingerprint>,
    pub(crate) now: Timestamp,
    pub(crate) draft: Draft<'s>,
    roster: Roster,
    /// Who a profile is from now on.
    introduced: Vec<(String, Known)>,
    /// Profiles whose account this change makes unknown.
    forgotten: Vec<String>,
    /// The profile whose login a switch puts live.
    incoming: Option<String>,
    /// Full logins by profile, as they are at this point of the draft.
    holding: Vec<(String, AccountPart)>,
    lent: Vec<String>,
    /// Logins that wait in the slots of profiles whose earlier one is lent out (S9).
    renewed: Vec<(String, AccountPart)>,
    spent: Vec<u8>,
    events: Vec<u8>,
    /// What the user is told beside the result.
    pub(crate) warnings: Vec<String>,
    /// The entry that keeps the login that was live, when no profile does.
    pub(crate) vaulted: Option<Entry>,
    /// Nothing of this will be done: it is only told what would be.
    pub(crate) tentative: bool,
    /// What is live cannot be understood, and its bytes are kept aside.
    quarantined: bool,
}

impl<'s> Desk<'s> {
    pub(crate) fn new(engine: &'s Engine, snapshot: &'s Snapshot) -> Result<Self, Error> {
        let mut draft = Draft::new(&engine.disk);
        let reading = snapshot.live.reading.as_ref();
        match reading.and_then(|reading| reading.beside.as_ref()) {
            Some(beside) => {
                draft.know(&snapshot.home.credential(), beside.item.clone());
                draft.know(&snapshot.home.credentials(), beside.file.clone());
            }
            None => draft.know(&snapshot.home.credential(), reading.map(|reading| reading.bytes.clone())),
        }
        let state = engine.state(snapshot)?;
        draft.know(&snapshot.home.state, state.map(|state| state.bytes().to_vec()));
        let holding = |record: &Record| Some((record.name.clone(), record.part()?.clone()));
        let renewed = |record: &Record| Some((record.name.clone(), record.renewed()?.clone()));
        Ok(Self {
            root: &engine.root,
            disk: &engine.disk,
            machine: engine.host.machine.as_ref(),
            now: engine.host.clock.now(),
            roster: snapshot.roster.clone(),
            introduced: Vec::new(),
            forgotten: Vec::new(),
            incoming: None,
            holding: snapshot.records.iter().filter_map(holding).collect(),
            lent: snapshot.lent().map(|record| record.name.clone()).collect(),
            renewed: snapshot.records.iter().filter_map(renewed).collect(),
            spent: Vec::new(),
            events: Vec::new(),
            warnings: Vec::new(),
            vaulted: None,
            tentative: false,
            quarantined: false,
            snapshot,
            state,
            draft,
        })
    }

    /// What stood when this began.
    pub(crate) fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    fn record(&self, name: &str) -> Result<&'s Record, Error> {
        self.snapshot.record(name).ok_or_else(|| self.snapshot.roster.missing(name))
    }

    /// Who a profile is at this point.
    pub(crate) fn known(&self, name: &str) -> Option<&Known> {
        let introduced = self.introduced.iter().find(|(introduced, _)| introduced == name).map(|(_, known)| known);
        let stored =
            || self.snapshot.record(name).filter(|_| !self.forgotten.iter().any(|forgotten| forgotten == name));
        introduced.or_else(|| stored()?.identity.as_ref())
    }

    /// The account that a profile is at this point: by its loan where its identity is gone or torn (L2).
    pub(crate) fn key(&self, name: &str) -> Option<&AccountKey> {
        let kept = |name: &&str| !self.forgotten.iter().any(|forgotten| forgotten == name);
        let stored = || self.snapshot.record(Some(name).filter(kept)?)?.key();
        self.known(name).map(|known| &known.key).or_else(stored)
    }

    /// Our own root.
    pub(crate) fn root(&self) -> &'s Root {
        self.root
    }

    /// Whether the server confirmed who a profile is.
    pub(crate) fn is_proven(&self, name: &str) -> bool {
        self.known(name).is_some_and(Known::proven)
    }

    /// Whether a refresh token is used up (L6).
    pub(crate) fn is_spent(&self, token: &clauth_host::Fingerprint) -> bool {
        self.snapshot.spent.has(token)
    }

    /// From this point of the draft on a profile holds nothing; answers what it held.
    pub(crate) fn forget_login(&mut self, name: &str) -> Option<AccountPart> {
        let held = self.holds(name).cloned();
        self.holding.retain(|(holder, _)| holder != name);
        self.renewed.retain(|(holder, _)| holder != name);
        self.lent.retain(|lent| lent != name);
        held
    }

    /// From this point of the draft on a profile holds `part`.
    pub(crate) fn take_in(&mut self, name: &str, part: AccountPart) {
        self.hold(name, part);
    }

    /// Drafts who a profile is from now on.
    pub(crate) fn introduce(&mut self, name: &str, known: &Known) -> Result<(), Error> {
        self.introduced.push((name.to_owned(), known.clone()));
        self.draft.put(&self.root.identity(name), Manner::Own, known.bytes())
    }

    /// Drafts that nobody knows who a profile is from now on.
    pub(crate) fn forget_identity(&mut self, name: &str) -> Result<(), Error> {
        self.forgotten.push(name.to_owned());
        self.draft.delete(&self.root.identity(name), Manner::Own)
    }

    /// The full login that a profile has at this point.
    pub(crate) fn holds(&self, name: &str) -> Option<&AccountPart> {
        self.holding.iter().find(|(holder, _)| holder == name).map(|(_, part)| part)
    }

    fn hold(&mut self, name: &str, part: AccountPart) {
        self.holding.retain(|(holder, _)| holder != name);
        self.holding.push((name.to_owned(), part));
    }

    /// Step 1: everything of the login that is live gets a place of its own before anything replaces it.
    pub(crate) fn keep_live(&mut self, owner: &Owner) -> Result<(), Error> {
        let live = self.live_object()?.account();
        match owner {
            Owner::Own(name) if live.is_bearer() && self.holds(name).is_some_and(|held| !held.is_bearer()) => Ok(()),
            Owner::Own(name) => self.lend(name, live),
            Owner::Successor(name, proof) => self.harvest(name, live, *proof),
            Owner::Rewound(name) => {
                let known = self.known(name).cloned();
                self.put_away(&live, "an earlier, used-up generation was live", Some(name), known.as_ref())
            }
            Owner::Unknown(doubt) => {
                self.keep_stranger(&live, *doubt)?;
                self.doubt_marked(owner)
            }
            Owner::SignedOut => {
                self.keep_beside_none(&live)?;
                self.note_sign_out()
            }
            Owner::Missing => self.keep_beside_none(&live),
            Owner::Unreadable => Err(self.unreadable()),
        }
    }

    fn live_object(&self) -> Result<&'s Credentials, Error> {
        self.snapshot.live.object.as_ref().ok_or_else(|| self.unreadable())
    }

    fn unreadable(&self) -> Error {
        self.snapshot.unreadable()
    }

    /// L2: the full pair into the loan, then the slot down to the bearer copy.
    pub(crate) fn lend(&mut self, name: &str, part: AccountPart) -> Result<(), Error> {
        self.lend_as(name, part, false)
    }

    /// The same of a pair that did not come to be live, since another login is.
    pub(crate) fn lend_aside(&mut self, name: &str, part: AccountPart) -> Result<(), Error> {
        self.lend_as(name, part, true)
    }

    fn lend_as(&mut self, name: &str, part: AccountPart, aside: bool) -> Result<(), Error> {
        let at = self.snapshot.record(name).and_then(|record| record.loan.get()).and_then(|loan| loan.at);
        let renewed = self.stays_renewed(name, &part)?;
        let full_slot = renewed.is_some();
        let loan = Loan {
            home: self.snapshot.home_id.clone(),
            keychain: self.snapshot.home.item.is_some(),
            at: at.or(Some(self.now)),
            machine: self.machine.cloned(),
            renewed,
            unnamed: self.leaves_unnamed(name),
            aside,
            key: self.key(name).cloned(),
            login: part.clone(),
        };
        self.draft.put(&self.root.loan(name), Manner::Own, loan.bytes())?;
        if !full_slot {
            self.put_slot(name, &part.bearer())?;
        }
        self.hold(name, part);
        if !self.lent.iter().any(|lent| lent == name) {
            self.lent.push(name.to_owned());
        }
        Ok(())
    }

    /// The credential itself: account keys and unknown keys travel, machine keys stay as they are live (W4).
    pub(crate) fn install(&mut self, part: &AccountPart) -> Result<(), Error> {
        let empty = Credentials::empty();
        let live = if self.quarantined { &empty } else { self.live_object()? };
        let spliced = live.with_account(part).map_err(|_| self.unreadable())?;
        self.keep_file_beside(part)?;
        let store = self.snapshot.home.store();
        let changes = store.changes(self.snapshot.live.reading.as_ref(), spliced.bytes().to_vec());
        changes.into_iter().for_each(|change| self.draft.push(change));
        Ok(())
    }

    /// Takes the login out of the live object; what belongs to the machine stays (W4).
    pub(crate) fn clear_login(&mut self) -> Result<(), Error> {
        let nothing = AccountPart::parse(b"{}".to_vec()).map_err(|_| self.unreadable())?;
        let live = if self.quarantined { None } else { Some(self.live_object()?) };
        if live.is_some_and(|live| live.account().bytes() == nothing.bytes()) {
            return Ok(());
        }
        self.install(&nothing)
    }

    /// Brings home every login that is lent to the live home, but for `staying`'s (W6, L3). `owner` is whose login was
    /// live: any other lent one had been displaced before.
    pub(crate) fn return_loans(&mut self, staying: Option<&str>, owner: &Owner) -> Result<(), Error> {
        let leaving: Vec<String> = self.lent.iter().filter(|name| Some(name.as_str()) != staying).cloned().collect();
        leaving.iter().try_for_each(|name| self.return_loan(name, owner))
    }

    /// Brings home the login of `name`, if it is lent to the live home.
    pub(crate) fn return_loan(&mut self, name: &str, owner: &Owner) -> Result<(), Error> {
        if !self.lent.iter().any(|lent| lent == name) {
            return Ok(());
        }
        self.lent.retain(|lent| lent != name);
        let Some(part) = self.holds(name).cloned() else { return Ok(()) };
        if self.came_back_late(name, &part)? {
            return Ok(());
        }
        let sessions = is_dir(self.disk, &Place::of(self.root, name).tree)?;
        let part = match sessions && owner.profile() != Some(name) && self.may_follow(name, &part, owner) {
            true => self.come_back_bare(name, &part)?,
            false => part,
        };
        self.put_slot(name, &part)?;
        self.write_down_account(name)?;
        self.draft.delete(&self.root.loan(name), Manner::Own)?;
        self.note_displaced(name, &part, owner)
    }

    /// L3: a displaced login whose access token had run out may have been renewed before; nobody can tell.
    fn note_displaced(&mut self, name: &str, part: &AccountPart, owner: &Owner) -> Result<(), Error> {
        if owner.profile() == Some(name) || *owner == Owner::SignedOut {
            return Ok(());
        }
        let when = self.snapshot.live.written().unwrap_or(self.now);
        let Found::Login(login) = part.login() else { return Ok(()) };
        if self.may_follow(name, part, owner) {
            return self.doubt(name, &login);
        }
        if login.expires_at.is_some_and(|at| at <= when) {
            self.warnings.push(format!("the login of '{name}' {MAY_BE_RENEWED}; if it fails, sign in again"));
            return self.judge(name, State::Ok, MAY_BE_RENEWED);
        }
        Ok(())
    }

    /// Puts a token on the spent list (L6).
    pub(crate) fn spend(&mut self, token: &clauth_host::Fingerprint, name: &str, sends: u32) {
        if !self.snapshot.spent.has(token) {
            self.spent.extend(spent::line(token, name, "renewed", sends, self.now));
        }
    }

    /// Notes what is known against the login of a profile. A mere remark takes the place of nothing that is known of the same
    /// login.
    pub(crate) fn judge(&mut self, name: &str, state: State, reason: &str) -> Result<(), Error> {
        let Some(Found::Login(login)) = self.holds(name).map(AccountPart::login) else { return Ok(()) };
        let verdict = Verdict {
            token: crate::profile::token_of(&login),
            state,
            reason: reason.to_owned(),
            at: self.now,
            doubted: false,
        };
        let standing = self.record(name)?.verdict.as_ref();
        let says_more = |old: &Verdict| old.state == verdict.state || verdict.state == State::Ok;
        if standing.is_some_and(|old| old.token == verdict.token && says_more(old)) {
            return Ok(());
        }
        self.draft.put(&self.root.verdict(name), Manner::Own, verdict.bytes())
    }

    /// The active marker.
    pub(crate) fn mark(&mut self, name: Option<&str>) -> Result<(), Error> {
        self.roster.active = name.map(str::to_owned);
        self.save_roster()
    }

    /// The profile that is marked as active at this point.
    pub(crate) fn active(&self) -> Option<&str> {
        self.roster.active.as_deref()
    }

    /// Changes the list of profiles.
    pub(crate) fn edit_roster(&mut self, edit: impl FnOnce(&mut Roster)) -> Result<(), Error> {
        edit(&mut self.roster);
        self.save_roster()
    }

    fn save_roster(&mut self) -> Result<(), Error> {
        if self.roster.names == self.snapshot.roster.names && self.roster.active == self.snapshot.roster.active {
            return Ok(());
        }
        self.draft.put(&self.root.roster(), Manner::Own, self.roster.bytes())
    }

    /// A line of history, written after everything else.
    pub(crate) fn record_event(&mut self, event: &Event) {
        self.events.extend(event.line());
    }

    /// The finished draft: the spent list and the history come last.
    pub(crate) fn finish(mut self) -> Result<Drafted, Error> {
        let (spent, events) = (std::mem::take(&mut self.spent), std::mem::take(&mut self.events));
        if !spent.is_empty() {
            self.draft.append(&self.root.spent(), &spent)?;
        }
        if !events.is_empty() {
            self.draft.append(&self.root.history(), &events)?;
        }
        Ok(Drafted { changes: self.draft.into_changes(), warnings: self.warnings })
    }
}

/// The first digits that history shows of a login.
pub(crate) fn print(part: &AccountPart) -> Option<String> {
    match part.login() {
        Found::Login(login) => Some(crate::profile::token_of(&login).short().to_owned()),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}
