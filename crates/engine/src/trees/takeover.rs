//! Taking over what another version left, as it stands: its live credential, its profiles, and the traces of one that still
//! runs. Asks nobody, loses nothing, and ends in a tree of ours.

use clauth_claude::{AccountPart, Found};
use clauth_durable::{Held, Kind as FileKind, Manner};

use super::ask::Answers;
use super::later::Survey;
use super::link::{LinkedSlot, OwnLink};
use super::{strays, twins};
use crate::custody::{ATTEMPTS, Applied, Desk, Drafted, MAY_BE_RENEWED, Operation, Snapshot};
use crate::history::Event;
use crate::owner::Owner;
use crate::profile::{Known, Record, State};
use crate::root::{Era, Settings};
use crate::session::Place;
use crate::{Engine, Error};

/// What is to be done about another version.
pub(super) struct Due {
    /// The whole tree is another version's.
    pub(super) whole: bool,
    /// The live credential is a link into it.
    pub(super) link: Option<OwnLink>,
    /// Profiles whose slot is a link to another's.
    pub(super) linked: Vec<LinkedSlot>,
    /// The live login is a lent one's bearer copy.
    pub(super) bare: bool,
    /// Two profiles turned out to be one account.
    pub(super) twins: bool,
    /// What a later version left beside it.
    pub(super) later: Option<Survey>,
}

/// What was done, and what the user should know beside it.
type Told = (Vec<String>, Vec<String>);

impl Engine {
    /// Takes over a tree of version 0.4.0, and what a running one does to a tree of ours.
    pub(crate) fn take_over_tree(&self) -> Result<(), Error> {
        if self.due()?.is_none() {
            return Ok(());
        }
        self.prepare()?;
        for _ in 0..ATTEMPTS {
            let before = self.snapshot()?;
            let answers = self.ask_around(&before)?;
            let held = self.lock_tree_of(&before)?;
            let Some(mut due) = self.due()? else { return Ok(()) };
            self.unlink_slots(&due.linked)?;
            due.link = self.own_link();
            let mut snapshot = self.snapshot()?;
            let same = snapshot.same_login(&before);
            answers.enter(&mut snapshot, same);
            if let Some((told, warnings)) = self.attempt_takeover(&snapshot, &due, &answers, &held)? {
                told.iter().chain(&warnings).for_each(|line| (self.say)(line));
                return Ok(());
            }
        }
        Err(Error::Contended { path: self.snapshot()?.home.credentials() })
    }

    /// What is to be done; nothing in a tree of ours that is as we left it.
    pub(super) fn due(&self) -> Result<Option<Due>, Error> {
        let whole = Settings::read(&self.disk, &self.root)?.era == Era::Old;
        let lent = |name: &String| self.disk.lstat(&self.root.loan(name)).is_ok_and(|stat| stat.is_some());
        let stray =
            |name: &String| lent(name) && strays::in_slot(&Record::read(&self.disk, &self.root, name)).is_some();
        let names = self.names()?;
        let (strays, twins) = (names.iter().any(stray), self.has_twins(&names));
        let link = self.own_link();
        let bare = link.is_none() && self.is_live_bare(&names)?;
        let linked = self.linked_slots(&names);
        let due = whole || strays || twins || bare || link.is_some() || !linked.is_empty();
        Ok(due.then_some(Due { whole, link, linked, bare, twins, later: None }))
    }

    /// Every profile's refresh lock, the state lock and Claude Code's own; without a home there is nobody to lock out of it.
    pub(super) fn lock_tree_of(&self, snapshot: &Snapshot) -> Result<Held, Error> {
        if self.disk.stat(&snapshot.home.dir)?.is_none() {
            return self.lock_prepared();
        }
        self.lock_all(&snapshot.home, &snapshot.roster.names)
    }

    /// One attempt: what was done, and what the user should know beside it. `None` when somebody wrote meanwhile.
    pub(super) fn attempt_takeover(
        &self,
        snapshot: &Snapshot,
        due: &Due,
        answers: &Answers,
        held: &Held,
    ) -> Result<Option<Told>, Error> {
        let key = snapshot.answer.as_ref().map(|known| &known.key);
        let owner = self.keeper(snapshot, due.link.as_ref(), self.owner(snapshot, key)?);
        let mut desk = Desk::new(self, snapshot)?;
        self.draft_takeover(&mut desk, (snapshot, &owner), due, answers)?;
        let Drafted { changes, warnings } = desk.finish()?;
        let operation = Operation { done: "takeover", to: owner.profile().map(str::to_owned), ..Operation::default() };
        let Applied::Done = self.apply(&operation, changes, held)? else { return Ok(None) };
        self.remove_void_link(snapshot, due, &owner)?;
        let endpoint = self.endpoint_live(snapshot)?;
        Ok(Some((told(due, &owner, endpoint.as_deref()), warnings)))
    }

    /// Among several profiles with the very same pair, the one that the link leads to has it, then the marked one.
    pub(crate) fn keeper(&self, snapshot: &Snapshot, link: Option<&OwnLink>, owner: Owner) -> Owner {
        let Owner::Own(first) = &owner else { return owner };
        let token =
            |name: &str| snapshot.record(name).and_then(Record::login).map(|login| crate::profile::token_of(&login));
        let linked = link.and_then(|link| link.profile.as_deref());
        let marked = snapshot.roster.active.as_deref().filter(|_| snapshot.lent().next().is_none());
        let fitting = [linked, marked].into_iter().flatten().find(|name| token(name) == token(first));
        Owner::Own(fitting.unwrap_or(first).to_owned())
    }

    fn draft_takeover(
        &self,
        desk: &mut Desk<'_>,
        (snapshot, owner): (&Snapshot, &Owner),
        due: &Due,
        answers: &Answers,
    ) -> Result<(), Error> {
        let landing = due.later.as_ref().map_or_else(Vec::new, |survey| survey.landing(snapshot));
        if let Some(survey) = &due.later {
            survey.draft(desk, snapshot)?;
        }
        // A renewed pair that was on its way to the profile whose earlier one is live is what has to be live.
        let renewed = owner.profile().filter(|name| landing.iter().any(|landed| landed == name));
        let renewed = renewed.and_then(|name| desk.holds(name)).cloned();
        if due.whole || due.twins {
            for twin in twins::of(snapshot, owner.profile()) {
                desk.part_twin(&twin)?;
            }
        }
        if due.whole {
            introduce(desk, (snapshot, owner), answers)?;
        }
        // Where sessions read the slot, at no moment both they and the home have the refresh token (L5); else the home is
        // never without it.
        let sessions = owner.profile().is_some_and(|name| self.has_tree(name));
        if let Some(link) = due.link.as_ref().filter(|_| !sessions) {
            self.unlink(desk, (snapshot, link), renewed.as_ref())?;
        }
        for stray in strays::of(snapshot) {
            desk.settle_stray(&stray, answers.proves(&stray))?;
        }
        lend_live(desk, (snapshot, owner), due, renewed.clone())?;
        if let Some(link) = due.link.as_ref().filter(|_| sessions) {
            self.unlink(desk, (snapshot, link), renewed.as_ref())?;
        }
        if let Some(whole) = snapshot.live_bare().and_then(Record::part).filter(|_| due.bare) {
            desk.install(whole)?;
        }
        match owner.profile() {
            Some(name) => {
                desk.return_loans(Some(name), owner)?;
                desk.settle_identity(name)?;
                desk.mark(Some(name))?;
            }
            // While the tree is the other version's the state file proves nothing, and the marker is all that tells.
            None => desk.doubt_marked(owner)?,
        }
        if due.whole {
            self.draft_old_settings(desk)?;
            let settings = snapshot.settings.recording(&snapshot.home, &self.host, &self.disk);
            desk.draft.put(&self.root.settings(), Manner::Own, settings)?;
        }
        let why = match (due.whole, due.twins || !due.linked.is_empty()) {
            (true, _) => "a tree of another version was taken over",
            (false, true) => "two profiles are one account",
            (false, false) => "another version had changed it",
        };
        let mut event = Event::new(desk.now, "takeover", why).by("settle");
        event.profile = owner.profile().map(str::to_owned);
        desk.record_event(&event);
        Ok(())
    }

    fn has_tree(&self, name: &str) -> bool {
        let tree = Place::of(&self.root, name).tree;
        self.disk.lstat(&tree).is_ok_and(|stat| stat.is_some_and(|stat| stat.kind == FileKind::Dir))
    }

    /// A link that leads to nothing, or to what Claude Code cannot use, goes; what it led to stays in its slot.
    fn remove_void_link(&self, snapshot: &Snapshot, due: &Due, owner: &Owner) -> Result<(), Error> {
        let void = snapshot.live.reading.is_none() || *owner == Owner::Unreadable;
        if let Some(link) = due.link.as_ref().filter(|_| void) {
            self.disk.remove_file(&link.path)?;
        }
        Ok(())
    }
}

/// What the server said of who is who.
fn introduce(desk: &mut Desk<'_>, (snapshot, owner): (&Snapshot, &Owner), answers: &Answers) -> Result<(), Error> {
    for said in &answers.slots {
        desk.learn(said)?;
    }
    let name = owner.profile().filter(|name| snapshot.record(name).is_some_and(|record| record.identity.is_none()));
    match (name, &snapshot.answer) {
        (Some(name), Some(known)) if is_nobodys(snapshot, known) => desk.introduce(name, known),
        _ => Ok(()),
    }
}

/// Whether no profile is that account yet (O3).
fn is_nobodys(snapshot: &Snapshot, known: &Known) -> bool {
    !snapshot.records.iter().any(|record| record.identity.as_ref().is_some_and(|other| other.key == known.key))
}

/// The login that is live is lent from now on. In a tree whose state file proves nothing nobody stays named in it, unless
/// the server said who it is.
fn lend_live(
    desk: &mut Desk<'_>,
    (snapshot, owner): (&Snapshot, &Owner),
    due: &Due,
    renewed: Option<AccountPart>,
) -> Result<(), Error> {
    let live = snapshot.live.object.as_ref().map(clauth_claude::Credentials::account);
    match (owner, live) {
        (Owner::Unreadable, _) | (_, None) => Ok(()),
        (Owner::Own(name), Some(live)) if due.whole && !live.is_bearer() => {
            if !desk.is_proven(name) {
                desk.hide_identity()?;
            }
            if let Some(part) = renewed.as_ref().filter(|_| due.link.is_none()) {
                desk.install(part)?;
            }
            desk.lend_incoming(name, renewed.unwrap_or(live))
        }
        (Owner::Unknown(_), Some(_)) if due.whole => {
            if due.later.is_none() && !desk.names_as(snapshot.answer.as_ref()) {
                desk.hide_identity()?;
            }
            doubt_marked(desk, snapshot)
        }
        // What is nobody's stays live, and nothing is to be done about it before it is displaced.
        (Owner::Unknown(_) | Owner::Missing | Owner::Rewound(_), _) => Ok(()),
        (Owner::SignedOut | Owner::Own(_) | Owner::Successor(..), _) => desk.keep_live(owner),
    }
}

/// L3: the marked profile's login was live, and another one is there now, which nobody can tell from a renewal of it.
fn doubt_marked(desk: &mut Desk<'_>, snapshot: &Snapshot) -> Result<(), Error> {
    let Some(name) = snapshot.roster.active.clone() else { return Ok(()) };
    let end = match desk.holds(&name).map(AccountPart::login) {
        Some(Found::Login(login)) => login.expires_at,
        _ => return Ok(()),
    };
    if end.zip(snapshot.live.written()).is_some_and(|(end, written)| end <= written) {
        desk.judge(&name, State::Ok, MAY_BE_RENEWED)?;
    }
    desk.mark(None)
}

fn told(due: &Due, owner: &Owner, endpoint: Option<&str>) -> Vec<String> {
    let mut told = Vec::new();
    let version = if due.later.is_some() { "a later clauth" } else { "clauth 0.4.0" };
    if due.whole {
        told.push(match (owner.profile(), endpoint) {
            (_, Some(name)) => format!("took over the profiles of {version}; the endpoint '{name}' is active"),
            (Some(name), None) => format!("took over the profiles of {version}; the login of '{name}' is live"),
            (None, None) => format!("took over the profiles of {version}; the live login is none of theirs"),
        });
    } else if due.link.is_some() || due.linked.is_empty() && !due.twins {
        told.push("another version of clauth, such as 0.4.0, has changed this tree: its change was settled".to_owned());
        told.push(
            "two versions at once undo each other's work: end the other one (its window, or its sessions)".to_owned(),
        );
    }
    told.extend(due.linked.iter().map(LinkedSlot::told));
    if due.bare {
        told.push("the live login had no refresh token; it has the one that it was lent with again".to_owned());
    }
    match (&due.link, owner) {
        (None, _) => {}
        (Some(_), Owner::Unreadable) => {
            told.push(
                "the live login led to a slot that cannot be understood; it was signed out, and the slot stays".into(),
            );
        }
        (Some(_), Owner::Missing) => {
            told.push("the live login was a link to nothing in clauth's own files; it is gone".into());
        }
        (Some(_), _) => {
            told.push("the live login was a link into clauth's own files; it is a file of its own now".into());
        }
    }
    told
}
