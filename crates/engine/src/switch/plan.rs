//! The changes of a switch, in the order of W6.

use crate::custody::{Desk, Drafted, Learned, Snapshot, print};
use crate::history::{Event, Tokens};
use crate::owner::Owner;
use crate::vault::Entry;
use crate::{Engine, Error};

/// What comes into the live home.
pub(super) enum Incoming {
    /// A profile's login.
    Profile(String),
    /// A login out of the vault, moved (W9).
    Vaulted(Box<Entry>),
}

impl Incoming {
    pub(super) fn profile(&self) -> Option<&str> {
        match self {
            Self::Profile(name) => Some(name),
            Self::Vaulted(_) => None,
        }
    }
}

/// Why a switch happens.
pub(super) struct Cause<'a> {
    pub(super) event: &'static str,
    pub(super) reason: &'a str,
    pub(super) force: bool,
    /// It is only told what would be done.
    pub(super) dry_run: bool,
    /// What the server said about the incoming login, where it was asked to be verified.
    pub(super) verified: Option<Learned>,
}

/// What a switch begins from.
pub(super) struct Before<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) owner: &'a Owner,
    /// What the server said on the way.
    pub(super) learned: &'a [Learned],
    /// The endpoint that Claude Code uses instead of a login.
    pub(super) endpoint: Option<&'a str>,
}

/// Drafts the switch from whatever is live to `incoming`.
pub(super) fn draft(
    engine: &Engine,
    before: &Before<'_>,
    incoming: &Incoming,
    cause: &Cause<'_>,
) -> Result<Drafted, Error> {
    let (snapshot, owner) = (before.snapshot, before.owner);
    let mut desk = Desk::new(engine, snapshot)?;
    desk.tentative = cause.dry_run;
    let from = leaving(before, incoming);
    let part = match incoming {
        Incoming::Profile(name) if desk.admit_endpoint(name)? => None,
        Incoming::Profile(name) => Some(desk.admit(name, cause.force)?),
        Incoming::Vaulted(entry) => Some(desk.admit_kept(entry)?),
    };
    match owner {
        Owner::Unreadable if cause.force => desk.quarantine()?,
        _ => desk.keep_live(owner)?,
    }
    // Beside an endpoint the profile's own login may be live, and later than the one that was stored.
    let harvested = incoming.profile().filter(|name| before.endpoint.is_some() && owner.profile() == Some(name));
    let part = match harvested.filter(|name| desk.renewed(name).is_none()) {
        Some(name) => desk.holds(name).cloned().filter(|_| part.is_some()),
        None => part,
    };
    before.learned.iter().try_for_each(|learned| desk.learn(learned))?;
    if let (Incoming::Profile(name), Some(part), false) = (incoming, &part, cause.force) {
        desk.refuse_ancestor(name, part, owner)?;
    }
    let left = from.as_deref().and_then(|name| desk.holds(name)).and_then(print);
    if let (Incoming::Profile(name), Some(part)) = (incoming, &part) {
        desk.lend_incoming(name, part.clone())?;
    }
    // A newer sign-in in the place of the same profile's earlier one is no change of who is who (S9).
    let same = from.as_deref().is_some_and(|from| Some(from) == incoming.profile());
    if !same {
        desk.park_bound(from.as_deref())?;
    }
    desk.hide_identity()?;
    // W6's exception: where a login comes in, the endpoint is gone before, so that it can never be sent there.
    let address = before.endpoint.is_some() || engine.has_set_address()?;
    if address {
        engine.draft_settings(&mut desk, incoming.profile())?;
    }
    match &part {
        Some(part) => desk.install(part)?,
        None => desk.clear_login()?,
    }
    desk.return_loans(incoming.profile(), owner)?;
    bring_account(engine, &mut desk, (from.as_deref(), incoming), same)?;
    if !address {
        engine.draft_settings(&mut desk, incoming.profile())?;
    }
    desk.mark(incoming.profile())?;
    let mut event = match same {
        true => Event::new(desk.now, "login", "the newer sign-in was put live"),
        false => Event::new(desk.now, cause.event, cause.reason),
    };
    event.tokens = Tokens { from: left, to: part.as_ref().and_then(print) };
    event.profile = incoming.profile().map(str::to_owned);
    if !same {
        (event.from, event.to) = (from, event.profile.clone());
    }
    event.vault = match incoming {
        Incoming::Vaulted(entry) => Some(entry.id.clone()),
        Incoming::Profile(_) => desk.vaulted.as_ref().map(|entry| entry.id.clone()),
    };
    desk.record_event(&event);
    desk.finish()
}

/// What is bound to the account that is left has been parked; it goes, and what is bound to the incoming one comes.
fn bring_account(
    engine: &Engine,
    desk: &mut Desk<'_>,
    (from, incoming): (Option<&str>, &Incoming),
    same: bool,
) -> Result<(), Error> {
    let (known, entering) = match incoming {
        Incoming::Profile(name) if same => return desk.show_same(name),
        Incoming::Profile(name) => (desk.known(name).cloned(), engine.root.bound(name)),
        Incoming::Vaulted(entry) => (entry.known.clone(), entry.bound(&engine.root)),
    };
    desk.show_account(known.as_ref(), &entering)?;
    desk.exchange_bound(from, &entering)?;
    match incoming {
        // Last: by this an interrupted change knows that what is bound to the account has yet to come.
        Incoming::Vaulted(entry) => desk.draft.delete(&entry.path(&engine.root), clauth_durable::Manner::Own),
        Incoming::Profile(_) => Ok(()),
    }
}

/// The profile that a switch leaves: the endpoint that is used, the live login's, or the one that was signed out of the
/// live home.
pub(super) fn leaving(before: &Before<'_>, incoming: &Incoming) -> Option<String> {
    let Before { snapshot, owner, endpoint, .. } = before;
    let signed_out =
        || snapshot.lent().next().filter(|_| **owner == Owner::SignedOut).map(|record| record.name.as_str());
    // A login that was signed in beside an endpoint is what a switch to that very endpoint takes away.
    let endpoint = endpoint.filter(|name| incoming.profile() != Some(name));
    endpoint.or_else(|| owner.profile()).or_else(signed_out).map(str::to_owned)
}
