//! Finishing a change that was interrupted (W7, W8). The live credential is never written here: what it is decides which
//! loans are completed and which come back, and everything else is made to agree with it.

use clauth_claude::{AccountPart, Credentials, Found, Login};
use clauth_durable::Kind;
use clauth_host::Fingerprint;

use super::below::is_temp;
use super::recall::carried;
use super::{Applied, Desk, Operation, Snapshot, Unfinished};
use crate::history::{self, Event};
use crate::owner::Owner;
use crate::profile::{AccountKey, Known, ProfileKind, Record};
use crate::root::{Era, Settings};
use crate::vault::Entry;
use crate::{Engine, Error};

/// What may make a profile another account's: the displaced login is put into the vault first, then the profile bears the
/// new name, then it gets the new login.
const REPLACING: [&str; 2] = ["capture", "login"];

/// How often an operation begins anew because somebody else wrote meanwhile.
pub(crate) const ATTEMPTS: usize = 5;

impl Engine {
    /// Finishes an interrupted change, if there is one, and lands what an interrupted renewal left. Acting commands begin
    /// here.
    pub(crate) fn recover(&self) -> Result<(), Error> {
        self.recover_logins()?;
        self.visit_trees();
        self.sweep_leftovers();
        Ok(())
    }

    /// The same without a look at the trees: what has to be known before any login may be moved.
    pub(crate) fn recover_logins(&self) -> Result<(), Error> {
        let settings = Settings::read(&self.disk, &self.root)?;
        settings.writable()?;
        self.refuse_later(&settings)?;
        self.finish_interrupted()?;
        self.take_over_tree()?;
        self.land_left()
    }

    pub(crate) fn finish_interrupted(&self) -> Result<(), Error> {
        self.release_debris()?;
        for _ in 0..ATTEMPTS {
            if self.journal().read::<Unfinished>()?.is_none() {
                return Ok(());
            }
            let mut before = self.snapshot()?;
            let known = self.settled(&mut before)?;
            let answer = known.as_ref().map(|known| known.key.clone());
            let owner = self.owner(&before, answer.as_ref())?;
            self.prepare()?;
            let held = self.lock_all(&before.home, &before.concerned(None, &owner))?;
            let mut snapshot = self.snapshot()?;
            snapshot.live.stands_since(&before.live);
            let Some(entry) = snapshot.unfinished.clone() else { return Ok(()) };
            self.undo_renaming(&mut snapshot, &entry)?;
            if self.put_back_item(&snapshot, &entry)? {
                continue;
            }
            // What was answered is about another login than the one that is there by now.
            if !snapshot.same_login(&before) {
                continue;
            }
            snapshot.answer = known;
            if let Applied::Done = self.reconcile(&snapshot, &entry, answer.as_ref(), &held)? {
                (self.say)(&format!(
                    "finished the {} that was interrupted at {}",
                    entry.done,
                    crate::text::seconds(entry.at)
                ));
                return Ok(());
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// Asks the server whose the live login is, when only that can tell (O2). Happens before any lock.
    pub(crate) fn ask(&self, snapshot: &Snapshot) -> Result<Option<Known>, Error> {
        let Owner::Unknown(_) = self.owner(snapshot, None)? else { return Ok(None) };
        self.identify(snapshot)
    }

    /// What the server says about the live login, if it may be asked and answers.
    pub(crate) fn identify(&self, snapshot: &Snapshot) -> Result<Option<Known>, Error> {
        let Some(access) = snapshot.live.access() else { return Ok(None) };
        let state = self.state(snapshot)?.and_then(Known::of_state);
        let Some(answer) = self.whose(snapshot, access, state.as_ref()) else { return Ok(None) };
        Ok(Some(Known::of_answer(&answer, state.as_ref())))
    }

    /// A profile that was to become another account's and still holds its login is still who it was, whatever its
    /// identity says by now: by the other account's name that one's login would be taken for this one's successor.
    fn undo_renaming(&self, snapshot: &mut Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let Some(name) = entry.to.as_deref().filter(|_| REPLACING.contains(&entry.done.as_str())) else {
            return Ok(());
        };
        let all = self.vault()?;
        let Some(record) = snapshot.records.iter_mut().find(|record| record.name == name) else { return Ok(()) };
        let Some(held) = record.part() else { return Ok(()) };
        let kept = all.iter().find(|kept| kept.profile.as_deref() == Some(name) && kept.login.bytes() == held.bytes());
        if let Some(kept) = kept {
            record.identity.clone_from(&kept.known);
        }
        Ok(())
    }

    fn reconcile(
        &self,
        snapshot: &Snapshot,
        entry: &Unfinished,
        answer: Option<&AccountKey>,
        held: &clauth_durable::Held,
    ) -> Result<Applied, Error> {
        let owner = self.owner(snapshot, answer)?;
        let mut desk = Desk::new(self, snapshot)?;
        self.rescue(&mut desk, snapshot, entry)?;
        let mut last = Vec::new();
        let anew = snapshot.settings.era != Era::Ours || self.own_link().is_some();
        match entry.done.as_str() {
            "refresh" => last = self.finish_refresh(&mut desk, snapshot, entry)?,
            "rename" => self.finish_rename(&mut desk, snapshot, entry)?,
            // The earlier login is live as before, so everything goes back to how it was.
            "renew" if desk.take_back_renewal(entry.to.as_deref())? => {}
            // It begins anew right after, from whatever stands by then.
            "takeover" if anew => {}
            "remove" => self.finish_remove(&mut desk, snapshot, entry)?,
            // Neither is about anybody's login: a missing one says nothing here, least of all that a loan is over (L3).
            "install" | "uninstall" => {}
            _ => {
                if entry.creates {
                    self.drop_unlisted(&mut desk, snapshot, entry)?;
                }
                if REPLACING.contains(&entry.done.as_str()) {
                    desk.take_back_displaced(entry.to.as_deref())?;
                }
                if entry.done == "restore" {
                    self.finish_restore(&mut desk, snapshot, entry)?;
                }
                settle(self, &mut desk, snapshot, entry, &owner)?;
            }
        }
        self.recall(&mut desk, snapshot, entry)?;
        let mut event =
            Event::new(desk.now, "settle", format!("an interrupted {} was finished", entry.done)).by("settle");
        (event.from, event.to) = (entry.from.clone(), owner.profile().map(str::to_owned));
        // A history would tell that the tree is ours already.
        if snapshot.settings.era == Era::Ours {
            desk.record_event(&event);
        }
        let mut drafted = desk.finish()?;
        drafted.changes.extend(last);
        let operation = Operation {
            done: entry.word(),
            from: entry.from.clone(),
            to: entry.to.clone(),
            tokens: entry.tokens.clone(),
            creates: entry.creates,
            events: carried(entry, history::added(&self.root, &drafted.changes)),
            renames: None,
            recovers: true,
            resumes: entry.recovering,
            sweeps: entry.temps.iter().filter(|path| is_temp(path)).cloned().collect(),
        };
        let applied = self.apply(&operation, drafted.changes, held)?;
        if operation.sweeps.is_empty() && matches!(applied, Applied::Done) {
            self.journal().close()?;
        }
        drafted.warnings.iter().for_each(|warning| (self.say)(warning));
        Ok(applied)
    }

    /// A leftover may hold bytes that somebody else wrote while we did (W2): a login that nothing else holds is kept.
    fn rescue(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let staged = self.staged_of(entry)?;
        let kept = self.vault()?;
        for path in entry.temps.iter().filter(|path| is_temp(path)) {
            if !self.disk.lstat(path)?.is_some_and(|stat| stat.kind == Kind::File) {
                continue;
            }
            let Some(bytes) = self.disk.read(path)? else { continue };
            let Ok(object) = Credentials::parse(bytes) else { continue };
            let part = object.account();
            if staged.as_ref().is_some_and(|staged| staged.concerns(&part)) {
                continue;
            }
            if is_stray(snapshot, &kept, &part) {
                desk.put_away(&part, "written by somebody else during an interrupted switch", None, None)?;
            }
        }
        Ok(())
    }

    /// A profile that was being created and is not yet listed did not come to be.
    fn drop_unlisted(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let Some(name) = entry.to.as_deref().filter(|name| snapshot.record(name).is_none()) else { return Ok(()) };
        let kept = self.vault()?;
        let record = Record::read(&self.disk, &self.root, name);
        if let Some(part) = record.part().filter(|part| is_stray(snapshot, &kept, part)) {
            desk.put_away(part, "of a profile that was not finished", None, record.identity.as_ref())?;
        }
        self.delete_files(desk, name)
    }

    /// W10: a restored login that has reached its profile is no longer in the vault.
    fn finish_restore(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let Some(record) = entry.to.as_deref().and_then(|name| snapshot.record(name)) else { return Ok(()) };
        let Some(token) = record.login().map(|login| crate::profile::token_of(&login)) else { return Ok(()) };
        for kept in self.vault()?.iter().filter(|kept| kept.token().as_ref() == Some(&token)) {
            desk.take_out(kept, &record.name)?;
        }
        Ok(())
    }

    fn finish_remove(&self, desk: &mut Desk<'_>, snapshot: &Snapshot, entry: &Unfinished) -> Result<(), Error> {
        let Some(name) = entry.to.as_deref() else { return Ok(()) };
        if snapshot.record(name).is_some() {
            return self.draft_removal(desk, snapshot, name);
        }
        self.delete_files(desk, name)
    }
}

/// Makes loans, state file and marker agree with what the live credential is.
fn settle(
    engine: &Engine,
    desk: &mut Desk<'_>,
    snapshot: &Snapshot,
    entry: &Unfinished,
    owner: &Owner,
) -> Result<(), Error> {
    // Beside an endpoint a login can only have been made since: the one that is used stays the endpoint (W6).
    let endpoint = engine.endpoint_live(snapshot)?;
    match owner {
        Owner::Own(name) | Owner::Successor(name, _) => {
            desk.keep_live(owner)?;
            desk.return_loans(Some(name), owner)?;
            desk.align_file(name)?;
            settle_account(engine, desk, entry, name)?;
            if endpoint.is_none() {
                engine.draft_settings(desk, Some(name))?;
            }
            desk.mark(endpoint.as_deref().or(Some(name)))
        }
        // Nobody's login stays where it is: nothing overwrites it here, and nothing is said about it elsewhere.
        Owner::Unknown(_) | Owner::Rewound(_) => {
            desk.take_back_kept(entry)?;
            desk.return_loans(None, owner)?;
            desk.mark(endpoint.as_deref())
        }
        Owner::SignedOut | Owner::Missing if entry.puts_live() => {
            settle_without(engine, desk, snapshot, (entry, owner))
        }
        // A login that is not there displaces nothing (L3), and nothing was on its way in.
        Owner::SignedOut | Owner::Missing => Ok(()),
        Owner::Unreadable => desk.keep_live(owner),
    }
}

/// Makes what is bound to the account that is live, `name`'s, agree with it: an interrupted change to it is completed, one
/// away from it is taken back.
fn settle_account(engine: &Engine, desk: &mut Desk<'_>, entry: &Unfinished, name: &str) -> Result<(), Error> {
    let moved = entry.puts_live() && entry.from != entry.to;
    if moved && entry.to.as_deref() == Some(name) {
        let known = desk.known(name).cloned();
        return desk.finish_account(entry, (known.as_ref(), &engine.root.bound(name)));
    }
    if moved && entry.from.as_deref() == Some(name) {
        desk.take_back_bound(&engine.root.bound(name))?;
    }
    desk.settle_identity(name)
}

/// The same where there is no login, and an interrupted change was to put one there.
fn settle_without(
    engine: &Engine,
    desk: &mut Desk<'_>,
    snapshot: &Snapshot,
    (entry, owner): (&Unfinished, &Owner),
) -> Result<(), Error> {
    // Without a login there, it is the endpoint that the change went to, or came from.
    let is_endpoint = |name: &&String| {
        let record = snapshot.record(name);
        record.is_some_and(|record| record.kind == ProfileKind::Endpoint && record.key.is_some())
    };
    if let Some(name) = [&entry.to, &entry.from].into_iter().flatten().find(is_endpoint) {
        desk.return_loans(None, owner)?;
        engine.draft_settings(desk, Some(name))?;
        return desk.mark(Some(name));
    }
    // Only the login that was on its way in can have been lent for nothing. Any other loan stands (L3).
    let from_stands = entry.from.as_deref().is_none_or(|from| snapshot.lent().any(|record| record.name == from));
    match &entry.to {
        Some(to) if from_stands && entry.from.as_ref() != Some(to) => desk.return_loan(to, owner),
        _ => Ok(()),
    }
}

/// Whether a login is neither live nor any profile's nor kept nor used up.
fn is_stray(snapshot: &Snapshot, kept: &[Entry], part: &AccountPart) -> bool {
    let Found::Login(login) = part.login() else { return false };
    let Some(token) = login.refresh_print() else { return false };
    let same = |entry: &Entry| matches!(entry.login.login(), Found::Login(kept) if prints(&kept) == prints(&login));
    if kept.iter().any(same) {
        return false;
    }
    let live = match &snapshot.live.found {
        Found::Login(live) => live.refresh_print(),
        Found::Blank | Found::Absent | Found::Malformed => None,
    };
    let held =
        snapshot.records.iter().filter_map(Record::login).any(|held| held.refresh_print().as_ref() == Some(&token));
    live.as_ref() != Some(&token) && !held && !snapshot.holds_token(part) && !snapshot.spent.has(&token)
}

fn prints(login: &Login) -> (Fingerprint, Option<Fingerprint>) {
    (login.access_print(), login.refresh_print())
}
