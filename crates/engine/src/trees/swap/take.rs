//! Bringing the accounts in: first everything is understood and decided, then each account becomes a profile, whole or not
//! at all.

use std::ffi::OsString;
use std::path::Path;

use clauth_claude::{AccountPart, Found};
use clauth_durable::Manner;
use clauth_host::Secret;
use toml_edit::{DocumentMut, value};

use super::store::Store;
use super::{Held, Row, names};
use crate::custody::{ATTEMPTS, Applied, Desk, Operation, Snapshot, print, same_end, used_up};
use crate::error::Kind;
use crate::history::{Event, Tokens};
use crate::login::setup_login;
use crate::owner::{Doubt, Owner};
use crate::profile::{Known, Record, token_of};
use crate::trees::adoption::{Adoptee, Adoption, Fate};
use crate::{Engine, Error};

/// Where a key of the API is used.
const API: &str = "https://api.anthropic.com";

/// Said at every adoption: both tools hold the same single-use tokens from then on.
const NOT_BOTH: &str =
    "do not use claude-swap with these accounts any more: it and clauth would use up each other's logins";

/// An account with what becomes of it.
struct Plan<'r> {
    row: &'r Row,
    name: String,
    fate: Fate,
    note: Option<String>,
}

impl Engine {
    /// What [`Self::adopt_swap`] would do. Writes nothing.
    ///
    /// # Errors
    /// No store or export, one that cannot be understood, or an account in it that cannot.
    pub fn adoptable_swap(&self, named: Option<&Path>) -> Result<Adoption, Error> {
        let store = self.read_swap(named)?;
        let rows = sound(&store)?;
        let snapshot = self.snapshot()?;
        let (snapshot, owner) = self.with_answer(snapshot)?;
        Ok(self.told(&store, &self.plan(&rows, &snapshot, &owner), false))
    }

    /// Makes a profile of every account of a claude-swap store or export that is not yet one. Nothing of that tool's is
    /// changed.
    ///
    /// # Errors
    /// As [`Self::adoptable_swap`]; a held lock, or a disk that refuses: then the accounts before are profiles, and the
    /// others are not.
    pub fn adopt_swap(&self, named: Option<&Path>) -> Result<Adoption, Error> {
        let store = self.read_swap(named)?;
        let rows = sound(&store)?;
        self.recover()?;
        self.prepare()?;
        let (snapshot, owner) = self.with_answer(self.snapshot()?)?;
        let plans = self.plan(&rows, &snapshot, &owner);
        let mut changed = false;
        for plan in plans.iter().filter(|plan| matches!(plan.fate, Fate::Taken | Fate::Lent)) {
            self.take_row(plan, &snapshot)?;
            changed = true;
        }
        Ok(self.told(&store, &plans, changed))
    }

    /// The snapshot with what the server says of a live login that is nobody's.
    fn with_answer(&self, mut snapshot: Snapshot) -> Result<(Snapshot, Owner), Error> {
        snapshot.answer = self.ask(&snapshot)?;
        let owner = self.owner(&snapshot, snapshot.answer.as_ref().map(|known| &known.key))?;
        Ok((snapshot, owner))
    }

    /// Decides about every account before anything is written.
    fn plan<'r>(&self, rows: &[&'r Row], snapshot: &Snapshot, owner: &Owner) -> Vec<Plan<'r>> {
        let mut taken = snapshot.roster.names.clone();
        let profiles = self.root.profiles();
        // A directory with nothing in it is what an adoption that was killed had only begun with.
        let is_somebodys =
            |name: &&OsString| self.disk.list(&profiles.join(name)).map_or(true, |inside| !inside.is_empty());
        let there = self.disk.list(&profiles).unwrap_or_default();
        taken.extend(there.iter().filter(is_somebodys).filter_map(|name| name.to_str().map(str::to_owned)));
        let mut plans: Vec<Plan<'r>> = Vec::new();
        // Of two that are one account the live one keeps it, else the first.
        let live = |row: &Row| matches!(&row.held, Held::Login(part) if is_live(part, snapshot));
        let (first, rest): (Vec<&&'r Row>, Vec<_>) = rows.iter().partition(|row| live(row));
        for row in first.into_iter().chain(rest) {
            let plan = match holder(row, snapshot).or_else(|| earlier(row, &plans)) {
                Some((name, note)) => Plan { row, name, fate: Fate::Known, note: Some(note) },
                None => {
                    let name = names::name_for(row, &taken);
                    let (fate, note) = self.fate(row, snapshot, owner);
                    Plan { row, name, fate, note }
                }
            };
            if matches!(plan.fate, Fate::Taken | Fate::Lent) {
                taken.push(plan.name.clone());
            }
            plans.push(plan);
        }
        let place = |plan: &Plan<'r>| rows.iter().position(|row| std::ptr::eq(*row, plan.row));
        plans.sort_unstable_by_key(place);
        plans
    }

    fn fate(&self, row: &Row, snapshot: &Snapshot, owner: &Owner) -> (Fate, Option<String>) {
        let part = match &row.held {
            Held::Nothing => return (Fate::NoLogin, Some("claude-swap keeps no login for it here".into())),
            Held::Token(_) => return (Fate::Taken, Some("a setup token, which only sessions use".into())),
            Held::Key(_) => return (Fate::Taken, Some("a key of the API, not a login".into())),
            Held::Login(part) => part,
        };
        if used_up(snapshot, part) {
            return (Fate::NoLogin, Some("its login is used up; sign in as it again".into()));
        }
        if is_live(part, snapshot) {
            return (Fate::Lent, Some("its login is live".into()));
        }
        if self.is_live_account(row, snapshot, owner) {
            return (Fate::Lent, Some("a later login of it is live, and is taken in its place".into()));
        }
        (Fate::Taken, None)
    }

    /// Whether the live login is nobody's of ours, and this account's by the server, else by the state file (unproven, as
    /// what `capture` takes is).
    fn is_live_account(&self, row: &Row, snapshot: &Snapshot, owner: &Owner) -> bool {
        let (Owner::Unknown(doubt), Some(known)) = (owner, &row.known) else { return false };
        if matches!(doubt, Doubt::NoRefresh | Doubt::JournalOpen | Doubt::Young) {
            return false;
        }
        let stated = || self.state(snapshot).ok().flatten().and_then(Known::of_state);
        let live = snapshot.answer.clone().or_else(stated);
        let organization = snapshot.live.object.as_ref().and_then(|object| object.account().organization_uuid());
        let contradicts =
            organization.is_some_and(|found| known.key.organization.as_ref().is_some_and(|key| *key != found));
        live.is_some_and(|live| live.key == known.key) && !contradicts
    }

    /// One account becomes a profile.
    fn take_row(&self, plan: &Plan<'_>, planned: &Snapshot) -> Result<(), Error> {
        for _ in 0..ATTEMPTS {
            let held = self.lock_for(&plan.name)?;
            let snapshot = self.snapshot()?;
            self.refuse_unlisted(&plan.name)?;
            if plan.fate == Fate::Lent && !snapshot.same_login(planned) {
                let what = "the live login has changed since the accounts were looked at";
                return Err(Error::refused(Kind::Busy, what, plan.name.as_str(), &["try again"]));
            }
            let mut desk = Desk::new(self, &snapshot)?;
            self.draft_row(&mut desk, plan, &snapshot)?;
            let operation =
                Operation { done: "adopt", to: Some(plan.name.clone()), creates: true, ..Operation::default() };
            if let Applied::Done = self.apply(&operation, desk.finish()?.changes, &held)? {
                return Ok(());
            }
        }
        Err(Error::Contended { path: planned.home.credentials() })
    }

    fn draft_row(&self, desk: &mut Desk<'_>, plan: &Plan<'_>, snapshot: &Snapshot) -> Result<(), Error> {
        let (name, row) = (plan.name.as_str(), plan.row);
        let mut event = Event::new(desk.now, "adopt", "brought in from claude-swap").about(name);
        if let Some(known) = row.known.as_ref().filter(|_| matches!(row.held, Held::Login(_))) {
            desk.introduce(name, known)?;
        }
        match &row.held {
            Held::Login(part) => {
                let live = snapshot.live.object.as_ref().map(clauth_claude::Credentials::account);
                match live.filter(|_| plan.fate == Fate::Lent) {
                    Some(live) => {
                        event.tokens = Tokens { from: None, to: print(&live) };
                        self.lend_row(desk, plan, (part, live))?;
                    }
                    None => {
                        event.tokens = Tokens { from: None, to: print(part) };
                        desk.put_slot(name, part)?;
                    }
                }
            }
            Held::Token(token) => {
                let part = setup_login(token, desk.now);
                desk.draft.put(&self.root.token(name), Manner::Own, part.bytes().to_vec())?;
            }
            Held::Key(key) => desk.draft.put(&self.root.config(name), Manner::Own, endpoint(key))?,
            Held::Nothing => {}
        }
        if row.disabled {
            desk.draft.put(&self.root.options(name), Manner::Own, b"enabled = false\n".to_vec())?;
        }
        // A root without a recorded home would be taken for one of an old version that knows no other.
        if snapshot.settings.home.is_none() {
            let settings = snapshot.settings.recording(&snapshot.home, &self.host, &self.disk);
            desk.draft.put(&self.root.settings(), Manner::Own, settings)?;
        }
        desk.edit_roster(|roster| {
            roster.names.push(name.to_owned());
            if plan.fate == Fate::Lent {
                roster.active = Some(name.to_owned());
            }
        })?;
        desk.record_event(&event);
        Ok(())
    }

    /// The live login is this account's: it is lent, and what the other tool kept is an ancestor of it, or is kept.
    fn lend_row(
        &self,
        desk: &mut Desk<'_>,
        plan: &Plan<'_>,
        (stored, live): (&AccountPart, AccountPart),
    ) -> Result<(), Error> {
        let name = plan.name.as_str();
        let (Found::Login(old), Found::Login(new)) = (stored.login(), live.login()) else { return Ok(()) };
        if token_of(&old) != token_of(&new) {
            match (same_end(stored, &live), old.refresh_print()) {
                (Some(true), Some(token)) => desk.spend(&token, name, 0),
                _ => desk.keep_beside(name, stored, "of claude-swap, where a later login of the account was live")?,
            }
        }
        desk.lend(name, live)
    }

    fn told(&self, store: &Store, plans: &[Plan<'_>], changed: bool) -> Adoption {
        let adoptee = |plan: &Plan<'_>| Adoptee {
            name: plan.name.clone(),
            email: plan.row.email.clone(),
            fate: plan.fate,
            note: plan.note.clone(),
        };
        Adoption {
            from: "claude-swap",
            place: store.place.clone(),
            copy: None,
            adoptees: plans.iter().map(adoptee).collect(),
            left: Vec::new(),
            changed,
            warnings: vec![NOT_BOTH.to_owned()],
        }
    }
}

/// All accounts, if each can be understood: else nothing is written at all.
fn sound(store: &Store) -> Result<Vec<&Row>, Error> {
    let bad: Vec<&String> = store.rows.iter().filter_map(|row| row.as_ref().err()).collect();
    if let Some(first) = bad.first() {
        let more = if bad.len() > 1 { format!(" (and {} more)", bad.len() - 1) } else { String::new() };
        let what = format!("{first}{more}; nothing was brought in");
        let next = ["mend or remove that account in claude-swap, then try again"];
        return Err(Error::refused(Kind::Unreadable, what, store.place.display().to_string(), &next));
    }
    let rows: Vec<&Row> = store.rows.iter().filter_map(|row| row.as_ref().ok()).collect();
    if rows.is_empty() {
        let place = store.place.display().to_string();
        return Err(Error::refused(Kind::Nothing, "claude-swap has no account there", place, &["clauth capture NAME"]));
    }
    Ok(rows)
}

/// The profile that holds this very login, or is this account.
fn holder(row: &Row, snapshot: &Snapshot) -> Option<(String, String)> {
    let token = token(row);
    let is_it = |record: &&Record| {
        let login = record.login().or_else(|| match record.token.get()?.login() {
            Found::Login(login) => Some(login),
            _ => None,
        });
        token.is_some() && login.map(|login| token_of(&login)) == token
    };
    if let Some(record) = snapshot.records.iter().find(is_it) {
        return Some((record.name.clone(), "there is a profile with this login".into()));
    }
    if let Held::Key(key) = &row.held {
        let has_it = |record: &&Record| record.key.as_ref() == Some(key);
        let record = snapshot.records.iter().find(has_it)?;
        return Some((record.name.clone(), "there is a profile with this key".into()));
    }
    let key = row.known.as_ref().map(|known| &known.key)?;
    let same = |record: &&Record| record.identity.as_ref().is_some_and(|known| known.key == *key);
    let record = snapshot.records.iter().find(same).filter(|_| matches!(row.held, Held::Login(_)))?;
    Some((record.name.clone(), "there is a profile of this account, which keeps its own login".into()))
}

/// The account before it that is the same one.
fn earlier(row: &Row, plans: &[Plan<'_>]) -> Option<(String, String)> {
    let key = row.known.as_ref().map(|known| &known.key).filter(|_| matches!(row.held, Held::Login(_)));
    let same = |plan: &&Plan<'_>| {
        let other = plan.row.known.as_ref().map(|known| &known.key).filter(|_| matches!(plan.row.held, Held::Login(_)));
        (key.is_some() && key == other) || (token(row).is_some() && token(row) == token(plan.row))
    };
    let plan = plans.iter().filter(|plan| matches!(plan.fate, Fate::Taken | Fate::Lent)).find(same)?;
    Some((plan.name.clone(), format!("the same account as {}", plan.row.label)))
}

fn token(row: &Row) -> Option<clauth_host::Fingerprint> {
    match &row.held {
        Held::Login(part) => match part.login() {
            Found::Login(login) => Some(token_of(&login)),
            Found::Blank | Found::Absent | Found::Malformed => None,
        },
        Held::Token(secret) | Held::Key(secret) => Some(secret.fingerprint()),
        Held::Nothing => None,
    }
}

/// Whether this very pair is live; of an equal refresh token the live object is the newer one.
fn is_live(part: &AccountPart, snapshot: &Snapshot) -> bool {
    let (Found::Login(stored), Found::Login(live)) = (part.login(), &snapshot.live.found) else { return false };
    stored.refresh_print().is_some() && stored.refresh_print() == live.refresh_print()
}

/// The options of a profile that is a key.
fn endpoint(key: &Secret) -> Vec<u8> {
    let mut document = DocumentMut::new();
    document["base_url"] = value(API);
    document["api_key"] = value(key.expose());
    document.to_string().into_bytes()
}
