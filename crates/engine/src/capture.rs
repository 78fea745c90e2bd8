//! `capture`: the login that is live becomes a profile's. Nothing of Claude Code's is written.

use clauth_claude::{AccountPart, Found};
use clauth_durable::{Held, Manner};

use crate::custody::{ATTEMPTS, Applied, Claim, Desk, Drafted, Fit, Operation, Snapshot, print, used_up};
use crate::error::Kind;
use crate::history::{Event, Tokens};
use crate::owner::{Owner, Proven};
use crate::profile::{Known, Roster, check_name};
use crate::{Engine, Error};

/// What was captured.
pub struct Captured {
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
    /// Whether anything was written.
    pub changed: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Engine {
    /// Takes the live login over into the profile `name`; without a name, into the profile whose login it is.
    ///
    /// # Errors
    /// No usable live login, a name that may not be given, a login that another profile holds, another account than the
    /// profile's (unless `replace`), a held lock, or a disk that refuses.
    pub fn capture(&self, name: Option<&str>, replace: bool) -> Result<Captured, Error> {
        if let Some(name) = name {
            match Roster::read(&self.disk, &self.root)?.find(name) {
                Err(Error::NoProfile { .. }) => check_name(name)?,
                found => drop(found?),
            }
        }
        self.installed()?;
        self.check_settings(&self.home()?)?;
        self.recover()?;
        self.prepare()?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let known = self.who_is_live(&before)?;
            let answer = known.as_ref().filter(|known| known.proven()).map(|known| known.key.clone());
            let owner = self.owner(&before, answer.as_ref())?;
            if owner == Owner::Unreadable {
                usable(&before, &owner)?;
            }
            let name = self.name_for(&before, &owner, name)?;
            let concerned = before.concerned(Some(&name), &owner);
            self.tend_all(&concerned)?;
            let held = self.lock_all(&before.home, &concerned)?;
            let snapshot = self.snapshot()?;
            if !snapshot.same_login(&before) || !self.all_tended(&snapshot, &concerned)? {
                continue;
            }
            let owner = self.owner(&snapshot, answer.as_ref())?;
            let wanted = Wanted { name: &name, replace, known: known.as_ref() };
            if let Some(captured) = self.take_over(&snapshot, &owner, &wanted, &held)? {
                return Ok(captured);
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// The refusal on a machine without Claude Code's home.
    pub(crate) fn installed(&self) -> Result<(), Error> {
        let home = self.home()?;
        if self.disk.stat(&home.dir)?.is_some() {
            return Ok(());
        }
        let place = home.dir.display().to_string();
        Err(Error::refused(
            Kind::NotInstalled,
            "Claude Code has no home here",
            place,
            &["install Claude Code and sign in: claude auth login"],
        ))
    }

    /// Whose login is live: by the server, else by the state file, unproven (O3).
    fn who_is_live(&self, snapshot: &Snapshot) -> Result<Option<Known>, Error> {
        if let Some(known) = self.identify(snapshot)? {
            return Ok(Some(known));
        }
        // A pair of the last seconds may be half of a sign-in, so the state file is given time to follow (O1).
        self.settle_doubt_of_capture(snapshot);
        self.snapshot_state(snapshot)
    }

    fn settle_doubt_of_capture(&self, snapshot: &Snapshot) {
        let Ok(owner) = self.owner(snapshot, None) else { return };
        if owner == Owner::Unknown(crate::owner::Doubt::Young) {
            (self.say)("the live login was written a moment ago; waiting until Claude Code has finished writing");
            self.disk.clock.sleep(crate::owner::YOUNG);
        }
    }

    fn snapshot_state(&self, before: &Snapshot) -> Result<Option<Known>, Error> {
        let path = &before.home.state;
        let Some(bytes) = self.disk.read(path)? else { return Ok(None) };
        match clauth_claude::StateFile::parse(bytes) {
            Ok(state) => Ok(Known::of_state(&state)),
            Err(_) => Ok(self.state(before)?.and_then(Known::of_state)),
        }
    }

    fn name_for(&self, snapshot: &Snapshot, owner: &Owner, asked: Option<&str>) -> Result<String, Error> {
        if let Some(asked) = asked {
            return Ok(snapshot.roster.find(asked).unwrap_or(asked).to_owned());
        }
        let known = owner.profile().map(str::to_owned);
        known.ok_or_else(|| {
            Error::refused(
                Kind::Usage,
                "no profile holds the live login, so it needs a name",
                "capture",
                &["clauth capture NAME"],
            )
        })
    }

    fn take_over(
        &self,
        snapshot: &Snapshot,
        owner: &Owner,
        wanted: &Wanted<'_>,
        held: &Held,
    ) -> Result<Option<Captured>, Error> {
        let live = usable(snapshot, owner)?;
        check(self, snapshot, owner, wanted)?;
        let created = snapshot.record(wanted.name).is_none();
        let drafted = draft(self, snapshot, owner, wanted, &live)?;
        let operation = Operation {
            done: "capture",
            from: None,
            to: Some(wanted.name.to_owned()),
            creates: created,
            ..Operation::default()
        };
        let changed = !drafted.changes.is_empty();
        match self.apply(&operation, drafted.changes, held)? {
            Applied::Moved(_) => Ok(None),
            Applied::Done => {
                let known = identity_after(snapshot, owner, wanted);
                Ok(Some(Captured {
                    name: wanted.name.to_owned(),
                    email: known.as_ref().and_then(|known| known.email.clone()),
                    organization: known.as_ref().and_then(|known| known.organization_name.clone()),
                    proven: known.as_ref().is_some_and(Known::proven),
                    created,
                    changed,
                    warnings: drafted.warnings.into_iter().chain(snapshot.notice.clone()).collect(),
                }))
            }
        }
    }
}

/// What is to be captured as what.
struct Wanted<'a> {
    name: &'a str,
    replace: bool,
    known: Option<&'a Known>,
}

/// The live login, if it is one that can be kept.
fn usable(snapshot: &Snapshot, owner: &Owner) -> Result<AccountPart, Error> {
    let place = snapshot.home.credential().display().to_string();
    let sign_in = "sign in first: claude auth login";
    match owner {
        Owner::Missing => Err(Error::refused(Kind::Nothing, "there is no login to capture", place, &[sign_in])),
        Owner::SignedOut => Err(Error::refused(Kind::DeadLogin, "Claude Code is signed out", place, &[sign_in])),
        Owner::Rewound(name) => {
            let what = format!("the live login is an earlier, used-up generation of '{name}'");
            let back = format!("clauth switch {name}");
            Err(Error::refused(Kind::DeadLogin, what, place, &[&back, sign_in]))
        }
        Owner::Unreadable => Err(Error::Unreadable {
            what: "the live login".into(),
            path: snapshot.home.credential(),
            next: sign_in.into(),
        }),
        Owner::Own(_) | Owner::Successor(..) | Owner::Unknown(_) => {
            let object = snapshot.live.object.as_ref().map(clauth_claude::Credentials::account);
            if object.as_ref().is_some_and(|part| used_up(snapshot, part)) {
                let what = "the live login is used up: a newer one replaced it";
                return Err(Error::refused(Kind::DeadLogin, what, place, &[sign_in, "clauth vault list"]));
            }
            object.filter(|part| matches!(part.login(), Found::Login(_))).ok_or_else(|| {
                Error::refused(
                    Kind::Nothing,
                    "there is no login to capture",
                    snapshot.home.credential().display().to_string(),
                    &[sign_in],
                )
            })
        }
    }
}

/// Refuses what would mix two accounts, or one account into two profiles.
fn check(engine: &Engine, snapshot: &Snapshot, owner: &Owner, wanted: &Wanted<'_>) -> Result<(), Error> {
    let claim = Claim { known: wanted.known, of: owner.profile() };
    if let Some(holder) = claim.holder(snapshot).filter(|holder| *holder != wanted.name) {
        let what = format!("the profile '{holder}' holds this login already");
        let (take, rename) = (format!("clauth capture {holder}"), format!("clauth rename {holder} {}", wanted.name));
        return Err(Error::refused(Kind::Protected, what, wanted.name, &[&take, &rename]));
    }
    match claim.fit(engine, snapshot, wanted.name)? {
        Fit::Other(record) if !wanted.replace => {
            let what = claim.mixed(record, "the live login");
            let replace = format!("to put the new login in its place: clauth capture {} --replace", wanted.name);
            Err(Error::refused(Kind::Protected, what, wanted.name, &["clauth capture ANOTHER-NAME", &replace]))
        }
        Fit::Other(record) => engine.refuse_in_use(snapshot, &record.name),
        Fit::New | Fit::Same => Ok(()),
    }
}

fn draft(
    engine: &Engine,
    snapshot: &Snapshot,
    owner: &Owner,
    wanted: &Wanted<'_>,
    live: &AccountPart,
) -> Result<Drafted, Error> {
    let name = wanted.name;
    let mut desk = Desk::new(engine, snapshot)?;
    desk.set_torn_loan_aside(name)?;
    let before = desk.holds(name).cloned();
    let descends = matches!(owner, Owner::Own(_) | Owner::Successor(..));
    if let Some(before) = before.as_ref().filter(|before| !descends && before.bytes() != live.bytes()) {
        // Nobody proved that one descends from the other, so the displaced login is kept: with its account's name, before
        // the profile bears another (see `take_back_displaced`).
        let stored = snapshot.record(name).and_then(|record| record.identity.as_ref());
        desk.put_away(before, "displaced by a capture", Some(name), stored)?;
    }
    match identity_after(snapshot, owner, wanted) {
        Some(known) => desk.introduce(name, &known)?,
        None => desk.forget_identity(name)?,
    }
    match owner {
        Owner::Own(_) | Owner::Successor(..) => desk.keep_live(owner)?,
        _ => {
            desk.outlive(live, wanted.known)?;
            desk.lend(name, live.clone())?;
        }
    }
    desk.confirm_machine(name, live)?;
    desk.return_loans(Some(name), owner)?;
    let settings = snapshot.settings.recording(&snapshot.home, &engine.host, &engine.disk);
    if snapshot.settings.home.is_none() {
        desk.draft.put(&engine.root.settings(), Manner::Own, settings)?;
    }
    desk.edit_roster(|roster| {
        if !roster.names.iter().any(|listed| listed == name) {
            roster.names.push(name.to_owned());
        }
        roster.active = Some(name.to_owned());
    })?;
    let mut event = Event::new(desk.now, "capture", "asked for").about(name);
    event.to = Some(name.to_owned());
    event.tokens = Tokens { from: before.as_ref().and_then(print), to: print(live) };
    if snapshot.record(name).is_none() || before.is_none_or(|before| before.bytes() != live.bytes()) {
        desk.record_event(&event);
    }
    desk.finish()
}

/// What is known of the account afterwards: what the server said; else what was known, if this is the same account; else
/// what the state file says, unless the login is proven to be the profile's and the state file names another.
fn identity_after(snapshot: &Snapshot, owner: &Owner, wanted: &Wanted<'_>) -> Option<Known> {
    let stored = snapshot.record(wanted.name).and_then(|record| record.identity.clone());
    match (stored, wanted.known) {
        (Some(stored), Some(live)) if !live.proven() => {
            let descends = matches!(owner, Owner::Own(_) | Owner::Successor(_, Proven::SameRefresh | Proven::SameEnd));
            let refreshed = || Known { proof: stored.proof, plan: stored.plan.clone(), ..live.clone() };
            Some(if stored.key == live.key {
                refreshed()
            } else if descends {
                stored
            } else {
                live.clone()
            })
        }
        // Nobody knows whose login this is; it is only the profile's account that it cannot be taken for.
        (Some(stored), None) => (owner.profile() == Some(wanted.name)).then_some(stored),
        (_, live) => live.cloned(),
    }
}
