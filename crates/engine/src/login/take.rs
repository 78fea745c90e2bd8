//! Taking a new sign-in over into a profile.

use clauth_claude::{AccountPart, Login};
use clauth_durable::Held;

use crate::custody::{Claim, Desk, Fit, Operation, Snapshot, Whose, print};
use crate::error::Kind;
use crate::history::{Event, Tokens};
use crate::profile::{Known, Record};
use crate::{Engine, Error};

/// What a sign-in came to.
pub struct LoggedIn {
    /// The profile.
    pub name: String,
    /// The account's e-mail.
    pub email: Option<String>,
    /// The organization's name.
    pub organization: Option<String>,
    /// Whether the server confirmed whose login it is.
    pub proven: bool,
    /// Whether the profile is new.
    pub created: bool,
    /// The profile's earlier login is live, and stays so until the next switch to this profile.
    pub waits: bool,
    /// Whether anything was written.
    pub changed: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What the new login is called when it is another account's.
const SIGN_IN: &str = "this sign-in";

/// A login that a sign-in left.
pub(super) struct SignedIn {
    pub(super) part: AccountPart,
    pub(super) login: Login,
    /// Whose the state file beside it says that it is.
    pub(super) known: Option<Known>,
}

impl Engine {
    /// Stores a new login: in the profile, or, when that is refused, in the vault. The outer error means that it could not
    /// be stored.
    pub(super) fn take_over_login(
        &self,
        name: &str,
        signed_in: &SignedIn,
        replace: bool,
    ) -> Result<Result<LoggedIn, Error>, Error> {
        let known = self.whose_sign_in(signed_in)?;
        let held = self.lock_for(name)?;
        let snapshot = self.snapshot()?;
        if let Err(refused) = allowed(self, &snapshot, name, known.as_ref(), replace) {
            let mut desk = Desk::new(self, &snapshot)?;
            if !snapshot.holds_token(&signed_in.part) {
                desk.put_away(&signed_in.part, "signed in as another account", None, known.as_ref())?;
            }
            let id = desk.vaulted.as_ref().map(|entry| entry.id.clone());
            self.land_login(&Operation { done: "login", ..Operation::default() }, desk.finish()?.changes, &held)?;
            return Ok(Err(refused.kept_as(id.as_deref())));
        }
        let record = snapshot.record(name);
        let same = !matches!(Claim { known: known.as_ref(), of: None }.fit(self, &snapshot, name)?, Fit::Other(_));
        let known = identity_after(record.filter(|_| same), known.as_ref());
        let mut desk = Desk::new(self, &snapshot)?;
        let tokens = Tokens { from: desk.holds(name).and_then(print), to: print(&signed_in.part) };
        desk.renew(name, &signed_in.part, known.as_ref().map_or(Whose::Nobodys, Whose::Known))?;
        desk.edit_roster(|roster| {
            if record.is_none() {
                roster.names.push(name.to_owned());
            }
        })?;
        let waits = record.is_some_and(|record| record.loan.get().is_some());
        let reason = if waits { "signed in anew while lent" } else { "signed in" };
        let mut event = Event::new(desk.now, "login", reason).about(name);
        event.tokens = tokens;
        desk.record_event(&event);
        let drafted = desk.finish()?;
        let created = record.is_none();
        let operation =
            Operation { done: "login", to: Some(name.to_owned()), creates: created, ..Operation::default() };
        self.land_login(&operation, drafted.changes, &held)?;
        Ok(Ok(LoggedIn {
            name: name.to_owned(),
            email: known.as_ref().and_then(|known| known.email.clone()),
            organization: known.as_ref().and_then(|known| known.organization_name.clone()),
            proven: known.as_ref().is_some_and(Known::proven),
            created,
            waits,
            changed: true,
            warnings: drafted.warnings.into_iter().chain(snapshot.notice.clone()).collect(),
        }))
    }

    /// Whose a new login is: by the server, else by what Claude Code wrote at this very sign-in, unproven (O3).
    fn whose_sign_in(&self, signed_in: &SignedIn) -> Result<Option<Known>, Error> {
        let stated = signed_in.known.as_ref();
        let answer = self.whose(&self.snapshot()?, &signed_in.login.access, stated);
        Ok(answer.map(|answer| Known::of_answer(&answer, stated)).or_else(|| stated.cloned()))
    }

    /// The locks of a change of one profile's login (K1). On a machine without a Claude Code home there is nobody to lock
    /// out of it.
    pub(crate) fn lock_for(&self, name: &str) -> Result<Held, Error> {
        let home = self.snapshot()?.home;
        if self.disk.stat(&home.dir)?.is_none() {
            return self.lock_prepared();
        }
        self.prepare()?;
        self.lock_all(&home, &[name.to_owned()])
    }

    /// Applies changes that touch no file of anybody else's.
    pub(super) fn land_login(
        &self,
        operation: &Operation,
        changes: Vec<clauth_durable::Change>,
        held: &Held,
    ) -> Result<(), Error> {
        self.apply(operation, changes, held)?.once()
    }
}

/// Refuses what would mix two accounts, or one account into two profiles.
fn allowed(
    engine: &Engine,
    snapshot: &Snapshot,
    name: &str,
    known: Option<&Known>,
    replace: bool,
) -> Result<(), Error> {
    let refuse = |what: String, next: &[&str]| Err(Error::refused(Kind::Protected, what, name, next));
    let claim = Claim { known, of: None };
    if let Some(holder) = claim.holder(snapshot).filter(|holder| *holder != name) {
        let again = format!("clauth login {holder}");
        return refuse(format!("this account is the profile '{holder}' already"), &[&again]);
    }
    let Fit::Other(record) = claim.fit(engine, snapshot, name)? else { return Ok(()) };
    let again = format!("to put that account in its place: clauth login {name} --replace");
    match (replace, record.loan.get().is_some()) {
        (true, false) => engine.refuse_in_use(snapshot, name),
        // The state file and the loan speak of the account that is live; they cannot follow a profile that is another's.
        (true, true) => refuse(
            format!("{}, and '{name}' is live, so it cannot become another account now", claim.mixed(record, SIGN_IN)),
            &["clauth switch ANOTHER-NAME", &again],
        ),
        (false, _) => refuse(claim.mixed(record, SIGN_IN), &["clauth login ANOTHER-NAME", &again]),
    }
}

/// What is known of the account afterwards: the same account stays proven.
fn identity_after(record: Option<&Record>, known: Option<&Known>) -> Option<Known> {
    let stored = record.and_then(|record| record.identity.as_ref());
    match (stored, known) {
        (Some(stored), Some(known)) if stored.key == known.key && !known.proven() => {
            Some(Known { proof: stored.proof, plan: stored.plan.clone(), ..known.clone() })
        }
        (_, Some(known)) => Some(known.clone()),
        (stored, None) => stored.cloned(),
    }
}
