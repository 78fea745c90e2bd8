//! Keeping: whatever a step of a change displaces is the profile's, used up, or in the vault.

use std::path::Path;

use clauth_claude::{AccountPart, Credentials, Found, Login};
use clauth_durable::Manner;

use super::{Desk, print};
use crate::custody::below::is_temp;
use crate::custody::claim::{Claim, same_end, used_up};
use crate::custody::{Unfinished, below, is_dir};
use crate::history::{Event, Tokens};
use crate::owner::{Doubt, Owner, Proven};
use crate::profile::{Known, Record, State, Verdict};
use crate::root::Era;
use crate::vault::{self, Entry};
use crate::{Error, spent};

impl Desk<'_> {
    /// A later login of a profile becomes the profile's. What it displaces goes to the vault unless it is an ancestor,
    /// whose refresh token is then spent (L6).
    pub(super) fn harvest(&mut self, name: &str, live: AccountPart, proof: Proven) -> Result<(), Error> {
        let before = self.holds(name).cloned();
        if let Some(before) = &before {
            self.displace(name, before, &live, proof)?;
        }
        let known = self.known(name).cloned();
        self.outlive(&live, known.as_ref())?;
        let tokens = Tokens { from: before.as_ref().and_then(print), to: print(&live) };
        self.lend(name, live)?;
        let reason = match proof {
            Proven::SameRefresh | Proven::SameEnd | Proven::EndAlone => "renewed by Claude Code",
            Proven::StateFile => "renewed by Claude Code, by the state file",
            Proven::Untouched => "renewed by Claude Code, since nobody has signed in",
            Proven::Endpoint => "signed in or renewed outside clauth, by the profile endpoint",
        };
        let mut event = Event::new(self.now, "harvest", reason).about(name).by("settle");
        event.tokens = tokens;
        self.record_event(&event);
        Ok(())
    }

    /// Marks `before` as used up if `after` descends from it, else puts it into the vault.
    pub(crate) fn supersede(
        &mut self,
        name: &str,
        before: &AccountPart,
        after: &AccountPart,
        proof: Proven,
    ) -> Result<(), Error> {
        let (Found::Login(old), Found::Login(new)) = (before.login(), after.login()) else { return Ok(()) };
        let Some(spent) = old.refresh_print().filter(|token| Some(token) != new.refresh_print().as_ref()) else {
            return Ok(());
        };
        let is_aside = self.snapshot.record(name).and_then(|record| record.loan.get()).is_some_and(|loan| loan.aside);
        let lent = !is_aside && self.lent.iter().any(|lent| lent == name);
        let descends = lent && !matches!(proof, Proven::SameRefresh | Proven::EndAlone);
        if descends && same_end(before, after) != Some(false) {
            self.spent.extend(spent::line(&spent, name, "superseded", 0, self.now));
            return Ok(());
        }
        // A lent one may be the ancestor all the same: a clock that was set in between moves the ends, and an equal end alone
        // may be another account's that was signed in at the same moment.
        let known = self.known(name).cloned();
        let why = match proof {
            Proven::EndAlone => "renewed, as it seems by its end alone",
            _ => "displaced by a newer sign-in",
        };
        match lent {
            true => self.keep_in_use(before, why, (Some(name), known.as_ref())),
            false => self.put_away(before, why, Some(name), known.as_ref()),
        }
    }

    /// A login that was still live when it was put into the vault is used up as soon as a later one of its account is seen
    /// which may descend from it (L6).
    pub(crate) fn outlive(&mut self, later: &AccountPart, known: Option<&Known>) -> Result<(), Error> {
        let Some(known) = known else { return Ok(()) };
        for entry in vault::all(self.disk, self.root)?.into_iter().filter(|entry| entry.lent) {
            let same_account = entry.known.as_ref().is_some_and(|kept| kept.key == known.key);
            let descends = same_account && same_end(&entry.login, later) != Some(false);
            let Found::Login(login) = entry.login.login() else { continue };
            let Some(token) = login.refresh_print() else { continue };
            let same = matches!(later.login(), Found::Login(later) if later.refresh_print().as_ref() == Some(&token));
            if descends && !same && !used_up(self.snapshot, &entry.login) {
                let whose = entry.profile.unwrap_or_default();
                self.spent.extend(spent::line(&token, &whose, "superseded", 0, self.now));
            }
        }
        Ok(())
    }

    /// An account's other keys outlive its login in the home: what no profile that is lent there holds as well goes into the
    /// vault before it is replaced (W4).
    pub(super) fn keep_beside_none(&mut self, live: &AccountPart) -> Result<(), Error> {
        let held: Vec<_> =
            self.lent.iter().filter_map(|name| self.holds(name)).flat_map(AccountPart::beside_login).collect();
        if live.beside_login().iter().all(|pair| held.contains(pair)) {
            return Ok(());
        }
        let whose = match self.lent.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        };
        self.put_away(live, "they stood in Claude Code's home without a login", whose.as_deref(), None)
    }

    /// Claude Code was signed out: of the lent login, unless the state file tells that another one had displaced it.
    pub(super) fn note_sign_out(&mut self) -> Result<(), Error> {
        let named = self.state.and_then(Known::of_state).map(|known| known.key);
        for name in self.lent.clone() {
            let key = self.known(&name).map(|known| &known.key);
            let displaced = matches!((key, &named), (Some(key), Some(named)) if !key.agrees(named));
            if !displaced {
                self.judge(&name, State::SignedOut, "Claude Code was signed out of it")?;
            }
        }
        Ok(())
    }

    /// Puts the live login, which is proven to be nobody's, into the vault.
    pub(super) fn keep_stranger(&mut self, live: &AccountPart, doubt: Doubt) -> Result<(), Error> {
        let known = self.whose(live, doubt);
        self.outlive(live, known.as_ref())?;
        let claim = Claim { known: known.as_ref(), of: None };
        let holder = claim.holder(self.snapshot).filter(|_| doubt != Doubt::NoRefresh).map(str::to_owned);
        let Some(holder) = holder else { return self.put_away(live, "live, but no profile's", None, known.as_ref()) };
        let why = format!("of the account of '{holder}', which nobody could confirm");
        self.put_away(live, &why, Some(&holder), known.as_ref())?;
        if let Some(entry) = self.vaulted.as_ref().filter(|_| !self.tentative) {
            self.warnings.push(format!("to make that login the one of '{holder}': clauth vault restore {}", entry.id));
        }
        Ok(())
    }

    /// Whether the live login, of which nobody can tell whose it is, may be what `part` was renewed to (L3, L6): nothing that
    /// it says and nobody who is named speaks against it.
    pub(crate) fn may_follow(&self, name: &str, part: &AccountPart, owner: &Owner) -> bool {
        let Owner::Unknown(doubt) = *owner else { return false };
        let Ok(live) = self.live_object().map(Credentials::account) else { return false };
        let (Found::Login(old), Found::Login(new)) = (part.login(), live.login()) else { return false };
        let key = self.key(name);
        // By the user's own word it has become a profile's: of another account, where that one's is known.
        let refresh = |part: &AccountPart| match part.login() {
            Found::Login(login) => login.refresh_print(),
            Found::Blank | Found::Absent | Found::Malformed => None,
        };
        let holds_it = |(_, held): &&(String, AccountPart)| refresh(held) == new.refresh_print();
        let holder = self.holding.iter().find(holds_it).and_then(|(holder, _)| self.key(holder));
        if matches!((holder, key), (Some(holder), Some(key)) if !key.agrees(holder)) {
            return false;
        }
        let named = self.whose(&live, doubt);
        let another = matches!((&named, key), (Some(named), Some(key)) if !key.agrees(&named.key));
        let of_key = || key.and_then(|key| key.organization.clone());
        let organizations = (live.organization_uuid(), part.organization_uuid().or_else(of_key));
        let elsewhere = matches!(&organizations, (Some(found), Some(known)) if found != known);
        let earlier = matches!((old.expires_at, new.expires_at), (Some(old), Some(new)) if new < old);
        let apart = another || elsewhere || earlier || same_end(part, &live) == Some(false);
        !apart && new.refresh_print().is_some() && new.refresh_print() != old.refresh_print()
    }

    /// Whether a profile's login may have been live though no loan says so: it is the one that is marked, as in a tree of
    /// version 0.4.0.
    pub(super) fn may_have_been_live(&self, name: &str) -> bool {
        self.lent.iter().any(|lent| lent == name) || self.snapshot.roster.active.as_deref() == Some(name)
    }

    /// The marked profile's login is doubted as a lent one's is.
    pub(crate) fn doubt_marked(&mut self, owner: &Owner) -> Result<(), Error> {
        let marked = self.snapshot.roster.active.clone().filter(|name| !self.lent.contains(name));
        let Some((name, part)) = marked.and_then(|name| Some((name.clone(), self.holds(&name)?.clone()))) else {
            return Ok(());
        };
        match part.login() {
            Found::Login(login) if self.may_follow(&name, &part, owner) => self.doubt(&name, &login),
            _ => Ok(()),
        }
    }

    /// A doubted login comes back to a profile with sessions, which would present it: they keep the bearer copy, and the whole
    /// pair goes into the vault.
    pub(super) fn come_back_bare(&mut self, name: &str, part: &AccountPart) -> Result<AccountPart, Error> {
        let (vaulted, known) = (self.vaulted.take(), self.known(name).cloned());
        let kept = self.keep_in_use(part, "a later one of it may be in use", (Some(name), known.as_ref()));
        self.vaulted = vaulted;
        kept?;
        let bearer = part.bearer();
        self.hold(name, bearer.clone());
        Ok(bearer)
    }

    /// A login comes back while what may be its later one is live or goes into the vault, and nobody can tell.
    pub(super) fn doubt(&mut self, name: &str, login: &Login) -> Result<(), Error> {
        let reason = "a login that may be its later one took its place in Claude Code";
        let token = crate::profile::token_of(login);
        let verdict = Verdict { token, state: State::Unknown, reason: reason.to_owned(), at: self.now, doubted: true };
        self.warnings
            .push(format!("the login of '{name}' may be used up: {reason}, and nobody can confirm whose that is"));
        self.draft.put(&self.root.verdict(name), Manner::Own, verdict.bytes())
    }

    /// Whose a live login is that is nobody's: by the server; else by the state file, if nothing speaks against it (O1).
    fn whose(&self, live: &AccountPart, doubt: Doubt) -> Option<Known> {
        let agrees = |known: &Known| match (live.organization_uuid(), &known.key.organization) {
            (Some(found), Some(named)) => found == *named,
            _ => doubt != Doubt::Contradiction,
        };
        // Version 0.4.0 never kept the state file in step, so in its tree it names anybody.
        let state = self.state.filter(|_| self.snapshot.settings.era != Era::Old);
        self.snapshot.answer.clone().or_else(|| state.and_then(Known::of_state).filter(agrees))
    }

    /// Puts a login into the vault, unless that very login is there already. One that sessions of its profile were given may
    /// have been gone on with there, whatever the tree holds at this moment.
    pub(crate) fn put_away(
        &mut self,
        login: &AccountPart,
        why: &str,
        profile: Option<&str>,
        known: Option<&Known>,
    ) -> Result<(), Error> {
        let lent = profile.is_some_and(|name| self.is_given(name, login));
        self.keep(&Entry { lent, ..vault::new_entry(login, why, profile, known, self.now) })
    }

    fn keep(&mut self, new: &Entry) -> Result<(), Error> {
        let there = vault::all(self.disk, self.root)?;
        let entry = match there.into_iter().find(|other| other.login.bytes() == new.login.bytes()) {
            Some(there) => {
                // Only the last time that it was put away tells whether it may have been renewed since.
                let known = there.known.clone().or_else(|| new.known.clone());
                let entry = Entry { lent: new.lent, known, ..there };
                self.draft.put(&entry.path(self.root), Manner::Own, entry.bytes())?;
                entry
            }
            None => {
                self.draft.put(&new.path(self.root), Manner::Own, new.bytes())?;
                let mut event = Event::new(self.now, "vault", new.why.clone()).by("settle");
                event.profile.clone_from(&new.profile);
                event.tokens.from = print(&new.login);
                event.vault = Some(new.id.clone());
                self.record_event(&event);
                new.clone()
            }
        };
        let whose = entry.email.as_deref().or(new.profile.as_deref()).unwrap_or("an unknown account");
        let whose = crate::text::shown(whose);
        let (what, were) = match entry.token() {
            Some(_) => ("a login", "was"),
            None => ("keys beside a login", "were"),
        };
        self.warnings.push(match self.tentative {
            true => format!("{what} of {whose} would be put into the vault: {}", new.why),
            false => format!("{what} of {whose} {were} put into the vault ({}): {}", entry.id, new.why),
        });
        self.vaulted = Some(entry);
        Ok(())
    }

    /// Takes the copy of the live login out of the vault: the interrupted change `entry` was to put it live, or did not come
    /// to displace it.
    pub(crate) fn take_back_kept(&mut self, entry: &Unfinished) -> Result<(), Error> {
        if let Some(from) = entry.from.as_deref().filter(|_| entry.to.is_some()) {
            self.take_back_bound(&self.root.bound(from))?;
        }
        let live = self.live_object()?.account();
        let all = vault::all(self.disk, self.root)?;
        for kept in all.iter().filter(|kept| !kept.lent && kept.login.bytes() == live.bytes()) {
            match entry.to {
                None => self.finish_account(entry, (kept.known.as_ref(), &kept.bound(self.root)))?,
                Some(_) => self.take_back_bound(&kept.bound(self.root))?,
            }
            self.draft.delete(&kept.path(self.root), Manner::Own)?;
        }
        Ok(())
    }

    /// Takes a login out of the vault for the profile `name`; the account-bound files that left with it come back with it
    /// (S4).
    pub(crate) fn take_out(&mut self, entry: &Entry, name: &str) -> Result<(), Error> {
        self.move_bound(&entry.bound(self.root), &self.root.bound(name))?;
        self.draft.delete(&entry.path(self.root), Manner::Own)
    }

    /// The record of a loan that cannot be understood makes room for a new login; the beginning of one often survives in it,
    /// so its bytes are kept.
    pub(crate) fn set_torn_loan_aside(&mut self, name: &str) -> Result<(), Error> {
        let Some(path) = self.snapshot.record(name).and_then(Record::torn_loan) else { return Ok(()) };
        let Some(bytes) = self.draft.read(path)? else { return Ok(()) };
        let aside = self.root.vault().join(format!("loan-{name}-{}", self.now.strftime("%Y%m%dT%H%M%SZ")));
        self.draft.put(&aside, Manner::Own, bytes)?;
        self.draft.delete(path, Manner::Own)?;
        self.warnings.push(format!(
            "{} could not be understood; its bytes are kept in {}",
            path.display(),
            aside.display()
        ));
        Ok(())
    }

    /// The account-bound files of a profile go with its login, which is in the vault now.
    pub(crate) fn keep_bound(&mut self, name: &str) -> Result<(), Error> {
        let Some(entry) = &self.vaulted else { return Ok(()) };
        let to = entry.bound(self.root);
        self.move_bound(&self.root.bound(name), &to)
    }

    /// Moves parked account-bound files; what is at their new place already stays, and so does what is behind a link.
    fn move_bound(&mut self, from: &Path, to: &Path) -> Result<(), Error> {
        if !from.parent().is_some_and(|parent| is_dir(self.disk, parent).unwrap_or(false)) {
            return Ok(());
        }
        // What an interrupted change left there is no file of an account.
        for path in below(self.disk, from, &[])?.into_iter().filter(|path| !is_temp(path)) {
            let Ok(name) = path.strip_prefix(from) else { continue };
            if let Some(bytes) = self.draft.read(&path)? {
                if self.draft.read(&to.join(name))?.is_none() {
                    self.draft.put(&to.join(name), Manner::Own, bytes)?;
                }
                self.draft.delete(&path, Manner::Own)?;
            }
        }
        Ok(())
    }

    /// Puts a login into the vault that a Claude Code uses, or did until now: it may go on with it, or have done so.
    pub(crate) fn keep_in_use(
        &mut self,
        login: &AccountPart,
        why: &str,
        (profile, known): (Option<&str>, Option<&Known>),
    ) -> Result<(), Error> {
        self.keep(&Entry { lent: true, ..vault::new_entry(login, why, profile, known, self.now) })
    }
}
