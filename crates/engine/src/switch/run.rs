//! Carrying a switch out.

use std::time::Duration;

use clauth_durable::Held;

use super::plan::{self, Before, Cause, Incoming};
use super::report::{self, Outgoing, Report};
use crate::custody::{ATTEMPTS, Applied, Learned, Operation, Snapshot, planned};
use crate::error::Kind;
use crate::owner::{Doubt, Owner, YOUNG};
use crate::profile::{AccountKey, Known, ProfileKind, Record, State, end};
use crate::{Engine, Error, history};

/// Where a switch goes.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// A profile, by name, e-mail or list number.
    Named(&'a str),
    /// The profile that was live before: `switch -`.
    Previous,
}

/// How a switch is done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Install a login that is known not to work (W10).
    pub force: bool,
    /// Say what would change, and change nothing.
    pub dry_run: bool,
    /// Ask the server about the login first, and install none that it does not accept.
    pub verify: bool,
}

impl Engine {
    /// Puts another login live.
    ///
    /// # Errors
    /// No such profile, a login that may not be installed, a held lock, or a disk that refuses; in each case every byte
    /// is as before.
    pub fn switch(&self, target: Target<'_>, options: Options) -> Result<Report, Error> {
        // What was interrupted may be what gave that profile its name, or what `-` goes back from (W8).
        if !options.dry_run && self.is_interrupted()? {
            self.recover()?;
        }
        let name = self.resolve(target)?;
        let (force, dry_run) = (options.force, options.dry_run);
        let verified = if options.verify { self.verify(&name, dry_run)? } else { None };
        let learned = verified.as_ref().and_then(|verified| verified.learned.clone());
        let cause = Cause { event: "switch", reason: "asked for", force, dry_run, verified: learned };
        let mut report = self.put_live(&Incoming::Profile(name), &cause, options, &|_, _| Ok(()))?;
        report.verified = verified.is_some();
        report.warnings.extend(verified.and_then(|verified| verified.remark));
        Ok(report)
    }

    /// The profile that was live before: what `-` means.
    ///
    /// # Errors
    /// There is none.
    pub fn previous(&self) -> Result<String, Error> {
        self.resolve(Target::Previous)
    }

    /// The profile that `target` means.
    fn resolve(&self, target: Target<'_>) -> Result<String, Error> {
        match target {
            Target::Named(asked) => self.find(asked),
            Target::Previous => {
                let events = history::read(&self.disk, &self.root)?;
                let events = history::renamed(events);
                let last = history::last_switch(&events).ok_or_else(nothing_before)?;
                let previous = last.from.as_deref().ok_or_else(nothing_before)?;
                self.still_there((previous, last.at), Kind::Nothing)
            }
        }
    }

    /// Puts `incoming` live. `allow` may refuse, under the locks, once it is known whose login is live.
    pub(super) fn put_live(
        &self,
        incoming: &Incoming,
        cause: &Cause<'_>,
        options: Options,
        allow: &dyn Fn(&Snapshot, &Owner) -> Result<(), Error>,
    ) -> Result<Report, Error> {
        if options.dry_run {
            return self.looking().dry_run(incoming, cause, options, allow);
        }
        self.installed()?;
        self.check_settings(&self.home()?)?;
        self.recover()?;
        self.prepare()?;
        self.renew_what_leaves(incoming)?;
        for _ in 0..ATTEMPTS {
            let mut before = self.snapshot()?;
            let known = self.settled(&mut before)?;
            let answer = known.clone();
            let owner = self.owner(&before, key_of(&known))?;
            // It was read again for long enough: nobody is writing it, and no lock need be held to see it once more.
            if owner == Owner::Unreadable && !options.force {
                return Err(before.unreadable());
            }
            let learned = self.learned(&before, (&owner, known), incoming, cause);
            let concerned = before.concerned(incoming.profile(), &owner);
            self.tend_all(&concerned)?;
            let held = self.lock_all(&before.home, &concerned)?;
            let mut snapshot = self.snapshot()?;
            snapshot.live.stands_since(&before.live);
            snapshot.answer = answer.filter(|_| snapshot.same_login(&before));
            let owner = self.owner(&snapshot, key_of(&snapshot.answer))?;
            // Somebody changed who is lent, or the login, between looking and locking: look again.
            if snapshot.concerned(incoming.profile(), &owner) != concerned
                || is_open(&owner)
                || !self.all_tended(&snapshot, &concerned)?
            {
                continue;
            }
            let endpoint = self.endpoint_live(&snapshot)?;
            allow(&snapshot, &owner)?;
            self.refuse_unseen(&snapshot, &owner, incoming, options.force)?;
            self.refuse_under_endpoint(&snapshot, endpoint.as_deref(), incoming, options.force)?;
            incoming.profile().map_or(Ok(()), |name| self.refuse_copies(&snapshot, name))?;
            let before =
                Before { snapshot: &snapshot, owner: &owner, learned: &learned, endpoint: endpoint.as_deref() };
            if let Some(report) = self.attempt(&before, incoming, cause, &held)? {
                drop(held);
                return Ok(self.finished(report, &before));
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// What a switch would do. It writes nothing, so it asks nobody either: what is asked must be counted.
    fn dry_run(
        &self,
        incoming: &Incoming,
        cause: &Cause<'_>,
        options: Options,
        allow: &dyn Fn(&Snapshot, &Owner) -> Result<(), Error>,
    ) -> Result<Report, Error> {
        let snapshot = self.snapshot()?;
        let owner = self.owner(&snapshot, None)?;
        let endpoint = self.endpoint_live(&snapshot)?;
        allow(&snapshot, &owner)?;
        self.refuse_unseen(&snapshot, &owner, incoming, options.force)?;
        self.refuse_under_endpoint(&snapshot, endpoint.as_deref(), incoming, options.force)?;
        incoming.profile().map_or(Ok(()), |name| self.refuse_copies(&snapshot, name))?;
        let before = Before { snapshot: &snapshot, owner: &owner, learned: &[], endpoint: endpoint.as_deref() };
        let mut report = self.draft_only(&before, incoming, cause)?;
        if matches!(owner, Owner::Unknown(_)) && snapshot.settings.network {
            report.warnings.push("a dry run asks nobody; the server may tell whose the live login is".to_owned());
        }
        Ok(report)
    }

    /// Refuses to let a login in while a `claude` may send it to the endpoint that is left.
    fn refuse_under_endpoint(
        &self,
        snapshot: &Snapshot,
        endpoint: Option<&str>,
        incoming: &Incoming,
        force: bool,
    ) -> Result<(), Error> {
        // Settings that were replaced by hand are no end of what a `claude` has in memory.
        let applied = self.applied().ok().flatten().and_then(|applied| applied.profile);
        let recorded = applied.and_then(|name| snapshot.record(&name));
        let recorded =
            recorded.filter(|record| record.kind == ProfileKind::Endpoint).map(|record| record.name.as_str());
        let record = incoming.profile().and_then(|name| snapshot.record(name));
        if force || record.is_some_and(|record| record.kind == ProfileKind::Endpoint) {
            return Ok(());
        }
        let again = format!("clauth switch {} --force", incoming.profile().unwrap_or("NAME"));
        match endpoint.or(recorded) {
            Some(endpoint) => self.refuse_running_under(snapshot, endpoint, &again),
            None => self.refuse_left_running(snapshot, &again),
        }
    }

    fn attempt(
        &self,
        before: &Before<'_>,
        incoming: &Incoming,
        cause: &Cause<'_>,
        held: &Held,
    ) -> Result<Option<Report>, Error> {
        if let Some(name) = incoming.profile().filter(|name| stays(before, name)) {
            return self.stay(before, name, held);
        }
        let drafted = plan::draft(self, before, incoming, cause)?;
        let changed = !drafted.changes.is_empty();
        let from = plan::leaving(before, incoming);
        let same = from.as_deref().is_some_and(|from| Some(from) == incoming.profile());
        let operation = Operation {
            done: if same { "renew" } else { cause.event },
            from,
            to: incoming.profile().map(str::to_owned),
            ..Operation::default()
        };
        match self.apply(&operation, drafted.changes, held)? {
            Applied::Moved(_) => Ok(None),
            Applied::Done => {
                let mut report = describe(before, incoming, drafted.warnings);
                report.changed = changed;
                Ok(Some(report))
            }
        }
    }

    /// The login asked for is live already: what Claude Code renewed is taken home, and everything agrees with it.
    fn stay(&self, before: &Before<'_>, name: &str, held: &Held) -> Result<Option<Report>, Error> {
        let (snapshot, owner) = (before.snapshot, before.owner);
        let mut desk = crate::custody::Desk::new(self, snapshot)?;
        snapshot.record(name).map_or(Ok(()), Record::refuse_url)?;
        desk.keep_live(owner)?;
        before.learned.iter().try_for_each(|learned| desk.learn(learned))?;
        if before.endpoint.is_none() {
            desk.return_loans(Some(name), owner)?;
            desk.settle_identity(name)?;
        }
        self.draft_settings(&mut desk, Some(name))?;
        desk.mark(Some(name))?;
        let drafted = desk.finish()?;
        let changed = !drafted.changes.is_empty();
        let operation = Operation {
            done: "switch",
            from: Some(name.to_owned()),
            to: Some(name.to_owned()),
            ..Operation::default()
        };
        match self.apply(&operation, drafted.changes, held)? {
            Applied::Moved(_) => Ok(None),
            Applied::Done => Ok(Some(Report {
                changed,
                from: Some(name.to_owned()),
                to: name.to_owned(),
                outgoing: Some(Outgoing::None),
                harvested_into: harvested(owner),
                warnings: drafted.warnings,
                ..Report::default()
            })),
        }
    }

    fn draft_only(&self, before: &Before<'_>, incoming: &Incoming, cause: &Cause<'_>) -> Result<Report, Error> {
        let live = incoming.profile().is_some_and(|name| stays(before, name));
        let drafted = if live { None } else { Some(plan::draft(self, before, incoming, cause)?) };
        let mut report = match drafted {
            None => {
                let name = incoming.profile().unwrap_or_default().to_owned();
                Report { from: Some(name.clone()), to: name, outgoing: Some(Outgoing::None), ..Report::default() }
            }
            Some(drafted) => {
                let mut report = describe(before, incoming, drafted.warnings);
                report.planned = planned(&drafted.changes);
                report
            }
        };
        report.changed = !report.planned.is_empty();
        Ok(self.finished(report, before))
    }

    /// Adds what is told once the locks are released.
    fn finished(&self, mut report: Report, before: &Before<'_>) -> Report {
        let snapshot = before.snapshot;
        let running = clauth_claude::running(&self.host, &self.disk, &snapshot.home);
        let endpoint = |name: &str| snapshot.record(name).is_some_and(|record| record.kind == ProfileKind::Endpoint);
        let (leaves, enters) = (before.endpoint.is_some() && !endpoint(&report.to), endpoint(&report.to));
        report.sessions = report::effects(running, &self.disk, &snapshot.home, leaves);
        if enters {
            report.warnings.extend(self.followers(&report, snapshot));
        }
        report.warnings.extend(snapshot.record(&report.to).and_then(doubt_about));
        let end = snapshot.record(&report.to).and_then(Record::login).and_then(|login| login.refresh_expires_at);
        report.warnings.extend(end::warning(&report.to, end, self.host.clock.now()));
        report.warnings.extend(snapshot.notice.clone());
        for over in self.overrides(&snapshot.home) {
            report.warnings.push(format!(
                "{} outranks the saved login: while it is set, this switch has no effect there",
                over.name()
            ));
        }
        report
    }

    /// Settles what only the server, or a few seconds, can tell about the live login: before any lock (O1, O2).
    pub(crate) fn settle_doubt(&self, snapshot: &Snapshot) -> Result<Option<Known>, Error> {
        let known = self.ask(snapshot)?;
        self.wait_if_young(snapshot, known.as_ref())?;
        Ok(known)
    }

    /// The same. What is dated ahead never grows old by its date; what stood still while it was waited for has.
    pub(crate) fn settled(&self, snapshot: &mut Snapshot) -> Result<Option<Known>, Error> {
        let known = self.ask(snapshot)?;
        if self.wait_if_young(snapshot, known.as_ref())? && self.snapshot()?.live.reading == snapshot.live.reading {
            snapshot.live.stood = Some(YOUNG);
        }
        Ok(known)
    }

    fn wait_if_young(&self, snapshot: &Snapshot, known: Option<&Known>) -> Result<bool, Error> {
        let young = is_open(&self.owner(snapshot, known.map(|known| &known.key))?);
        if young {
            (self.say)("the live login was written a moment ago; waiting until Claude Code has finished writing");
            self.disk.clock.sleep(YOUNG + Duration::from_millis(100));
        }
        Ok(young)
    }

    /// What the server can tell of the two logins that are about to change places: of the live one if it was asked about
    /// it anyway, of the incoming one if nobody knows whose that is. Without, no later login of it could be told.
    fn learned(
        &self,
        before: &Snapshot,
        (owner, live): (&Owner, Option<Known>),
        incoming: &Incoming,
        cause: &Cause<'_>,
    ) -> Vec<Learned> {
        let print = |access: &clauth_host::Secret| access.fingerprint();
        let mut learned: Vec<Learned> = cause.verified.iter().cloned().collect();
        if let (Some(name), Some(known), Some(access)) = (owner.profile(), live, before.live.access()) {
            learned.push(Learned { name: name.to_owned(), access: print(access), known });
        }
        let record = incoming.profile().and_then(|name| before.record(name));
        if let Some(record) = record.filter(|record| record.identity.is_none() && cause.verified.is_none())
            && let Some(login) = record.login()
            && let Some(answer) = self.whose(before, &login.access, None)
        {
            let known = Known::of_answer(&answer, None);
            learned.push(Learned { name: record.name.clone(), access: login.access_print(), known });
        }
        learned
    }
}

fn key_of(known: &Option<Known>) -> Option<&AccountKey> {
    known.as_ref().map(|known| &known.key)
}

/// Whether the login is so new that the state file may lag behind, and waiting would tell.
fn is_open(owner: &Owner) -> bool {
    *owner == Owner::Unknown(Doubt::Young)
}

fn is_live(owner: &Owner, name: &str) -> bool {
    matches!(owner, Owner::Own(live) | Owner::Successor(live, _) if live == name)
}

/// Whether there is nothing to install: the profile's login is live, and no newer sign-in of it waits (S9); or its
/// endpoint is used, and no login lies beside it.
fn stays(before: &Before<'_>, name: &str) -> bool {
    match before.endpoint {
        Some(endpoint) => endpoint == name && matches!(before.owner, Owner::Missing | Owner::SignedOut),
        None => {
            is_live(before.owner, name) && before.snapshot.record(name).is_none_or(|record| record.renewed().is_none())
        }
    }
}

fn harvested(owner: &Owner) -> Option<String> {
    match owner {
        Owner::Successor(name, _) => Some(name.clone()),
        _ => None,
    }
}

fn describe(before: &Before<'_>, incoming: &Incoming, warnings: Vec<String>) -> Report {
    let owner = before.owner;
    Report {
        switched: true,
        changed: true,
        from: plan::leaving(before, incoming),
        to: incoming.profile().unwrap_or_default().to_owned(),
        outgoing: Some(Outgoing::of(owner)),
        harvested_into: harvested(owner),
        warnings,
        ..Report::default()
    }
}

/// What is told of a login that may be installed, and may fail before its time (L3).
fn doubt_about(record: &Record) -> Option<String> {
    let name = &record.name;
    if record.is_bare() {
        let what = "has no refresh token: Claude Code is signed out when its access token ends";
        return Some(format!("the login of '{name}' {what}; sign in again: clauth login {name}"));
    }
    let remark = record.standing_verdict().filter(|verdict| verdict.state == State::Ok)?;
    Some(format!("the login of '{name}' {}; if it fails, sign in again: clauth login {name}", remark.reason))
}

fn nothing_before() -> Error {
    Error::refused(Kind::Nothing, "there is no earlier profile to go back to", "history", &["clauth switch NAME"])
}
