//! Taking a login out of the vault again: moved, never copied (W10).

use clauth_claude::{AccountPart, ClaudeHome, Credentials, Found};
use clauth_durable::Manner;

use super::Entry;
use crate::custody::{Claim, Desk, Drafted, Fit, Operation, Snapshot, below, same_end, used_up};
use crate::error::Kind;
use crate::history::Event;
use crate::profile::{AccountKey, Known, Record, check_name};
use crate::session::Place;
use crate::{Engine, Error, text, vault};

/// How much of an id is enough to destroy a login by.
const ENOUGH: usize = 8;

impl Engine {
    /// Everything in the vault, oldest first.
    ///
    /// # Errors
    /// The vault cannot be read.
    pub fn vault(&self) -> Result<Vec<Entry>, Error> {
        vault::all(&self.disk, &self.root)
    }

    /// The entry that `asked` means: its id, or a unique beginning or ending of it.
    ///
    /// # Errors
    /// None, or several.
    pub fn vaulted(&self, asked: &str) -> Result<Entry, Error> {
        vault::find(self.vault()?, asked)
    }

    /// Moves a login out of the vault into a profile: `name`, else the profile that it belonged to. What the profile held
    /// goes into the vault in its place. Answers the profile and what the user should know.
    ///
    /// # Errors
    /// No such entry, no profile to put it into, another account's profile, a used-up or live login, or a profile that is
    /// lent out.
    pub fn restore(&self, id: &str, name: Option<&str>) -> Result<(String, Vec<String>), Error> {
        self.recover()?;
        let entry = vault::find(self.vault()?, id)?;
        let name = self.destination(&entry, name)?;
        let known = self.whose_kept(&entry)?;
        self.prepare()?;
        let before = self.snapshot()?;
        let held = self.lock_all(&before.home, std::slice::from_ref(&name))?;
        let snapshot = self.snapshot()?;
        let entry = Entry { known, ..vault::find(self.vault()?, &entry.id)? };
        self.refuse(&snapshot, &entry, &name)?;
        let drafted = self.draft_restore(&snapshot, &entry, &name)?;
        let creates = snapshot.record(&name).is_none();
        let operation = Operation { done: "restore", to: Some(name.clone()), creates, ..Operation::default() };
        self.apply(&operation, drafted.changes, &held)?.once()?;
        Ok((name, drafted.warnings))
    }

    fn draft_restore(&self, snapshot: &Snapshot, entry: &Entry, name: &str) -> Result<Drafted, Error> {
        let mut desk = Desk::new(self, snapshot)?;
        let stored = snapshot.record(name).and_then(|record| record.identity.as_ref());
        if let Some(held) = desk.holds(name).cloned() {
            desk.put_away(&held, "displaced by a restored login", Some(name), stored)?;
            desk.keep_bound(name)?;
        }
        // The account's name goes with its login, so that no other is ever shown for it; a proven one stays proven.
        if let Some(known) = entry.known.as_ref().filter(|known| known.proven() || !stored.is_some_and(Known::proven)) {
            desk.introduce(name, known)?;
        }
        desk.put_slot(name, &entry.login)?;
        desk.edit_roster(|roster| {
            if !roster.names.iter().any(|listed| listed == name) {
                roster.names.push(name.to_owned());
            }
        })?;
        desk.take_out(entry, name)?;
        let mut event = Event::new(desk.now, "restore", entry.why.clone()).about(name);
        event.vault = Some(entry.id.clone());
        event.tokens.to = entry.token().map(|token| token.short().to_owned());
        desk.record_event(&event);
        if entry.lent {
            desk.warnings
                .push(format!("this login {}: it was live when it was put away", crate::custody::MAY_BE_RENEWED));
        }
        desk.finish()
    }

    /// Whose a kept login is: by the server, when that was never proven and it can still tell; else as it was known.
    fn whose_kept(&self, entry: &Entry) -> Result<Option<Known>, Error> {
        let known = entry.known.as_ref();
        let (false, Found::Login(login)) = (known.is_some_and(Known::proven), entry.login.login()) else {
            return Ok(known.cloned());
        };
        let answer = self.whose(&self.snapshot()?, &login.access, known);
        Ok(answer.map(|answer| Known::of_answer(&answer, known)).or_else(|| known.cloned()))
    }

    /// Destroys a login in the vault: `asked` is its id, or at least eight characters at its beginning or end. Answers its
    /// id.
    ///
    /// # Errors
    /// No such entry, or too few characters to destroy by.
    pub fn purge(&self, asked: &str) -> Result<String, Error> {
        self.recover()?;
        let held = self.lock_prepared()?;
        let entry = self.to_purge(asked)?;
        let snapshot = self.snapshot()?;
        let mut desk = Desk::new(self, &snapshot)?;
        desk.draft.delete(&entry.path(&self.root), Manner::Own)?;
        for path in below(&self.disk, &entry.bound(&self.root), &[])? {
            desk.draft.delete(&path, Manner::Own)?;
        }
        let mut event = Event::new(desk.now, "purge", "asked for");
        event.vault = Some(entry.id.clone());
        event.profile.clone_from(&entry.profile);
        event.tokens.from = entry.token().map(|token| token.short().to_owned());
        desk.record_event(&event);
        self.apply(&Operation { done: "purge", ..Operation::default() }, desk.finish()?.changes, &held)?.once()?;
        self.disk.remove_tree(&entry.bound(&self.root))?;
        Ok(entry.id)
    }

    /// The entry that [`Self::purge`] would destroy.
    ///
    /// # Errors
    /// As there.
    pub fn to_purge(&self, asked: &str) -> Result<Entry, Error> {
        let entry = self.vaulted(asked)?;
        if asked == entry.id || asked.chars().count() >= ENOUGH {
            return Ok(entry);
        }
        let what = format!("'{}' is too short to destroy a login by: {ENOUGH} characters, or all", text::shown(asked));
        let again = format!("clauth vault purge {}", entry.id);
        Err(Error::refused(Kind::Usage, what, "vault", &[&again, "clauth vault list"]))
    }

    fn destination(&self, entry: &Entry, name: Option<&str>) -> Result<String, Error> {
        if let Some(name) = name {
            return self.find_or_new(name);
        }
        let known = entry.profile.as_deref().and_then(|name| self.find(name).ok());
        known.ok_or_else(|| {
            let removed = entry.profile.as_deref().filter(|name| check_name(name).is_ok());
            let how = format!("clauth vault restore {} --as {}", entry.id, removed.unwrap_or("NAME"));
            Error::refused(Kind::Usage, "no profile is known for this login", entry.id.clone(), &[&how])
        })
    }

    fn refuse(&self, snapshot: &Snapshot, entry: &Entry, name: &str) -> Result<(), Error> {
        let refuse = |kind, what: String, next: &[&str]| Err(Error::refused(kind, what, entry.id.clone(), next));
        if used_up(snapshot, &entry.login) {
            return refuse(
                Kind::DeadLogin,
                "this login is used up: a newer one replaced it".into(),
                &["clauth custody"],
            );
        }
        let token = entry.token();
        if token.is_none() {
            let what = "this entry holds no login, only keys that stood beside one".to_owned();
            let path = entry.path(&self.root).display().to_string();
            return refuse(Kind::Nothing, what, &[&format!("see what they are: {path}")]);
        }
        let same = |part: &AccountPart| part.login_token().is_some() && part.login_token() == token;
        let live = snapshot.live.object.as_ref().map(Credentials::account);
        if live.as_ref().is_some_and(same) {
            return refuse(Kind::Protected, "this very login is live".into(), &["clauth capture NAME"]);
        }
        if let Some(holder) = snapshot.records.iter().find(|record| record.part().is_some_and(same)) {
            let what = format!("the profile '{}' holds this very login", holder.name);
            return refuse(Kind::Protected, what, &["clauth list"]);
        }
        let in_session = self.signed_in_trees(snapshot)?.into_iter().find(|(_, part, _)| same(part));
        if let Some((holder, ..)) = in_session {
            let what = format!("a session of '{holder}' is signed in with this very login");
            return refuse(Kind::Protected, what, &["end it, then try again"]);
        }
        if entry.lent {
            self.refuse_outlived(snapshot, entry)?;
        }
        if snapshot.record(name).is_some_and(|record| record.loan.get().is_some()) {
            let what = format!("the login of '{name}' is live");
            return refuse(Kind::Protected, what, &["clauth switch ANOTHER-NAME", "restore it --as ANOTHER-NAME"]);
        }
        // Nobody can tell whether its login is live.
        if let Some((record, path)) = snapshot.record(name).and_then(|record| Some((record, record.torn_loan()?))) {
            return Err(Error::broken_profile(record, path));
        }
        // Without any account's name, the profile that it came from is the best that is known.
        let nameless = snapshot.record(name).is_some_and(|record| record.identity.is_none()) && entry.known.is_none();
        let own = Claim { known: None, of: entry.profile.as_deref().filter(|_| nameless) };
        let claim = if nameless { own } else { Claim { known: entry.known.as_ref(), of: None } };
        if let Some(holder) = claim.holder(snapshot).filter(|holder| *holder != name) {
            let what = format!("this login is of the account of '{holder}'");
            let take = format!("clauth vault restore {} --as {holder}", entry.id);
            return refuse(Kind::Protected, what, &[&take]);
        }
        match claim.fit(self, snapshot, name)? {
            Fit::Other(record) => {
                refuse(Kind::Protected, claim.mixed(record, "this login"), &["restore it --as ANOTHER-NAME"])
            }
            Fit::New | Fit::Same => Ok(()),
        }
    }

    /// The logins that sessions have of their own (S2), with the profile and the account that is named there.
    fn signed_in_trees(&self, snapshot: &Snapshot) -> Result<Vec<InTree>, Error> {
        let mut found = Vec::new();
        for record in &snapshot.records {
            let place = Place::of(&self.root, &record.name);
            for path in place.own_copies(&self.disk) {
                let object = self.disk.read(&path)?.and_then(|bytes| Credentials::parse(bytes).ok());
                let Some(part) = object.map(|object| object.account()).filter(|part| !part.is_bearer()) else {
                    continue;
                };
                let home = ClaudeHome::at(&place.tree, &self.host, &self.disk);
                let named = self.named_in(&place, &home)?.map(|known| known.key);
                let stored = record.part().is_some_and(|stored| stored.login_token() == part.login_token());
                if !stored && part.login_token().is_some() {
                    found.push((record.name.clone(), part, named));
                }
            }
        }
        Ok(found)
    }

    /// The refusal of a login that was live when it was put away, and that Claude Code has gone on with since: presenting
    /// its token could end the login that descends from it (L3, L6).
    fn refuse_outlived(&self, snapshot: &Snapshot, entry: &Entry) -> Result<(), Error> {
        let key = entry.known.as_ref().map(|known| &known.key);
        let may_descend = |part: &AccountPart, whose: Option<&AccountKey>| match (key, whose) {
            // That they end at different times proves nothing: a clock may have been set between the two.
            (Some(key), Some(whose)) => key.agrees(whose),
            _ => same_end(&entry.login, part) == Some(true),
        };
        let refuse = |what: String, next: &str| Err(Error::refused(Kind::Protected, what, entry.id.clone(), &[next]));
        for record in &snapshot.records {
            let whose = record.identity.as_ref().map(|known| &known.key);
            if record.part().is_some_and(|part| may_descend(part, whose)) {
                let what = format!("'{}' has a later login of this account, so this one may be used up", record.name);
                return refuse(what, &format!("clauth switch {}", record.name));
            }
        }
        // What was put away in use as well, and earlier, may be this one's ancestor, not what came of it.
        let is_earlier = |other: &Entry| other.lent && (other.at, &other.id) < (entry.at, &entry.id);
        let later = self.vault()?.into_iter().find(|other| {
            let whose = other.known.as_ref().map(|known| &known.key);
            let is_other = other.login.bytes() != entry.login.bytes() && !used_up(snapshot, &other.login);
            is_other && !is_earlier(other) && may_descend(&other.login, whose)
        });
        if let Some(later) = later {
            let what = format!("the vault has a later login of this account, {}, so this one may be used up", later.id);
            return refuse(what, &format!("clauth vault restore {}", later.id));
        }
        let live = snapshot.live.object.as_ref().map(Credentials::account);
        let named = self.state(snapshot)?.and_then(Known::of_state).map(|known| known.key);
        for (name, part, whose) in self.signed_in_trees(snapshot)? {
            if may_descend(&part, whose.as_ref()) {
                let what = format!("a session of '{name}' has gone on with this login since, so it may be used up");
                return refuse(what, "end it, then look again: clauth vault list");
            }
        }
        // A profile's was looked at as that profile's.
        let known = |live: &AccountPart| {
            let holds = |record: &Record| record.part().is_some_and(|part| part.login_token() == live.login_token());
            snapshot.records.iter().any(holds)
        };
        let is_strange = |live: &AccountPart| live.login_token().is_some() && !known(live);
        if live.is_some_and(|live| is_strange(&live) && may_descend(&live, named.as_ref())) {
            let what = "Claude Code has gone on with this login since, so it may be used up";
            return refuse(what.into(), "clauth capture NAME");
        }
        Ok(())
    }
}

/// A profile, the login that a session of it has of its own, and the account that its state file names.
type InTree = (String, AccountPart, Option<AccountKey>);

/// The token that tells a login from others.
trait LoginToken {
    fn login_token(&self) -> Option<clauth_host::Fingerprint>;
}

impl LoginToken for AccountPart {
    fn login_token(&self) -> Option<clauth_host::Fingerprint> {
        match self.login() {
            Found::Login(login) => Some(crate::profile::token_of(&login)),
            Found::Blank | Found::Absent | Found::Malformed => None,
        }
    }
}
