//! The classification itself.

use std::time::Duration;

use clauth_claude::{Found, Login};
use clauth_host::Fingerprint;
use jiff::{SignedDuration, Timestamp};

use crate::profile::AccountKey;
use crate::spent::Spent;

/// A pair younger than this may be half of a sign-in whose other half, the state file, is not yet written (O1).
pub(crate) const YOUNG: Duration = Duration::from_secs(5);

/// Two `refreshTokenExpiresAt` this close are one login's: a refresh does not extend it (O1).
const SAME_END: SignedDuration = SignedDuration::from_mins(2);

/// What is known of one profile.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) name: String,
    pub(crate) key: Option<AccountKey>,
    pub(crate) access: Option<Fingerprint>,
    pub(crate) refresh: Option<Fingerprint>,
    pub(crate) login_end: Option<Timestamp>,
    /// The `organizationUuid` beside the stored login.
    pub(crate) organization: Option<String>,
    /// When the stored access token ends.
    pub(crate) access_end: Option<Timestamp>,
    /// Its loan names the home that the bytes were found in.
    pub(crate) lent_here: bool,
    /// A switch put it there and left nobody named in the state file.
    pub(crate) unnamed: bool,
}

/// Everything that the answer depends on.
pub(crate) struct Evidence<'a> {
    pub(crate) found: &'a Found,
    /// The found object's own `organizationUuid`.
    pub(crate) organization: Option<String>,
    pub(crate) candidates: &'a [Candidate],
    pub(crate) spent: &'a Spent,
    /// The account that the state file names.
    pub(crate) state: Option<AccountKey>,
    /// The state file has no block that could name one.
    pub(crate) nobody_named: bool,
    /// The account that the server named for the found access token.
    pub(crate) answer: Option<AccountKey>,
    /// What an unfinished change has done to the live login.
    pub(crate) hands: Hands<'a>,
    /// The profile that an unfinished change may be making another account's.
    pub(crate) doubted: Option<&'a str>,
    /// How long ago the file was written.
    pub(crate) age: Option<Duration>,
}

/// Whose login was live when a change was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hands<'a> {
    /// The one that is lent there: no unfinished change had touched it.
    Kept,
    /// That profile's still, though the incoming login is on loan already and the name may be out of the state file.
    Stayed(&'a str),
    /// That profile's already.
    Passed(&'a str),
    /// Nobody can tell.
    Open,
}

/// By what a successor is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proven {
    /// The refresh token is the stored one.
    SameRefresh,
    /// The login ends when the lent one ends, and the account or the organization agrees.
    SameEnd,
    /// The login ends when the lent one ends, and nothing else says whose it is. Two accounts that were signed in at once
    /// look the same, so what it displaces is kept (L6).
    EndAlone,
    /// The state file names the account that the login is lent as.
    StateFile,
    /// Nobody has signed in since a switch put the lent login there: the state file still names nobody (O5).
    Untouched,
    /// The server named the account.
    Endpoint,
}

/// Why an unknown login is not proven; each could be settled by asking the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The evidence contradicts itself.
    Contradiction,
    /// It was written a moment ago, so the state file may lag behind.
    Young,
    /// A change is unfinished.
    JournalOpen,
    /// Nothing speaks for any profile.
    Stranger,
    /// It has no refresh token, so it could never replace a stored login.
    NoRefresh,
}

/// Whose login it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The very pair that the profile holds.
    Own(String),
    /// A later login of the profile.
    Successor(String, Proven),
    /// A used-up pair of the profile.
    Rewound(String),
    /// Nobody's that we know.
    Unknown(Doubt),
    /// Blank tokens.
    SignedOut,
    /// No login.
    Missing,
    /// A login block without readable tokens.
    Unreadable,
}

impl Owner {
    /// The profile whose login is live.
    pub(crate) fn profile(&self) -> Option<&str> {
        match self {
            Self::Own(name) | Self::Successor(name, _) | Self::Rewound(name) => Some(name),
            Self::Unknown(_) | Self::SignedOut | Self::Missing | Self::Unreadable => None,
        }
    }
}

/// Decides whose login was found.
pub(crate) fn classify(evidence: &Evidence<'_>) -> Owner {
    let login = match evidence.found {
        Found::Login(login) => login,
        Found::Blank => return Owner::SignedOut,
        Found::Absent => return Owner::Missing,
        Found::Malformed => return Owner::Unreadable,
    };
    own(evidence, login).or_else(|| rewound(evidence, login)).or_else(|| same_refresh(evidence, login)).unwrap_or_else(
        || match (&login.refresh, &evidence.answer) {
            (None, _) => Owner::Unknown(Doubt::NoRefresh),
            (Some(_), Some(answer)) => by_answer(evidence, login, answer),
            (Some(_), None) => offline(evidence, login),
        },
    )
}

fn own(evidence: &Evidence<'_>, login: &Login) -> Option<Owner> {
    let (access, refresh) = (login.access_print(), login.refresh_print());
    let holds = |c: &&Candidate| c.access.as_ref() == Some(&access) && (refresh.is_none() || c.refresh == refresh);
    let holders = evidence.candidates.iter().filter(holds);
    holders.min_by_key(|candidate| !candidate.lent_here).map(|candidate| Owner::Own(candidate.name.clone()))
}

fn rewound(evidence: &Evidence<'_>, login: &Login) -> Option<Owner> {
    let whose = evidence.spent.whose(&login.refresh_print()?)?;
    let known = evidence.candidates.iter().any(|candidate| candidate.name == whose);
    Some(if known { Owner::Rewound(whose.to_owned()) } else { Owner::Unknown(Doubt::Stranger) })
}

/// The server may answer a refresh without a new refresh token; then the one that was sent stays (facts §3.2).
fn same_refresh(evidence: &Evidence<'_>, login: &Login) -> Option<Owner> {
    let refresh = login.refresh_print()?;
    let holder = evidence.candidates.iter().find(|candidate| candidate.refresh.as_ref() == Some(&refresh))?;
    Some(Owner::Successor(holder.name.clone(), Proven::SameRefresh))
}

fn by_answer(evidence: &Evidence<'_>, login: &Login, answer: &AccountKey) -> Owner {
    let mut matching = evidence.candidates.iter().filter(|candidate| candidate.key.as_ref() == Some(answer));
    match (matching.next(), matching.next()) {
        (Some(one), None) => Owner::Successor(one.name.clone(), Proven::Endpoint),
        (Some(_), Some(_)) => Owner::Unknown(Doubt::Contradiction),
        // A profile whose account nobody knows cannot be compared with the answer.
        (None, _) => untouched(evidence, login, |one| one.key.is_none()),
    }
}

/// O1: what can be proven without asking anybody.
fn offline(evidence: &Evidence<'_>, login: &Login) -> Owner {
    let lent = || lent(evidence);
    let named = |candidate: &&Candidate| evidence.state.is_some() && candidate.key == evidence.state;
    let family: Vec<&Candidate> = lent().filter(|candidate| same_end(candidate, login)).collect();
    if let [one] = family.as_slice() {
        let other_account = |state: &AccountKey| !one.key.as_ref().is_some_and(|key| state.agrees(key));
        if evidence.state.as_ref().is_some_and(other_account) || other_organization(evidence, one) {
            return Owner::Unknown(Doubt::Contradiction);
        }
        let settled = !is_open(evidence, one) && evidence.age.is_some_and(|age| age >= YOUNG);
        let spoken = (evidence.state.is_some() && settled) || same_organization(evidence, one);
        return Owner::Successor(one.name.clone(), if spoken { Proven::SameEnd } else { Proven::EndAlone });
    }
    let by_state: Vec<&Candidate> = lent().filter(named).collect();
    match by_state.as_slice() {
        [one] if other_organization(evidence, one) => Owner::Unknown(Doubt::Contradiction),
        [one] if is_open(evidence, one) => Owner::Unknown(Doubt::JournalOpen),
        [_] if evidence.age.is_none_or(|age| age < YOUNG) => Owner::Unknown(Doubt::Young),
        [one] => Owner::Successor(one.name.clone(), Proven::StateFile),
        [_, _, ..] => Owner::Unknown(Doubt::Contradiction),
        [] => untouched(evidence, login, |_| true),
    }
}

/// The profiles whose login may be the one that was there.
fn lent<'e>(evidence: &'e Evidence<'_>) -> impl Iterator<Item = &'e Candidate> {
    let only = match evidence.hands {
        Hands::Stayed(name) | Hands::Passed(name) => Some(name),
        Hands::Kept | Hands::Open => None,
    };
    let there = move |one: &&Candidate| one.lent_here && only.is_none_or(|name| one.name == name);
    evidence.candidates.iter().filter(there)
}

/// Whether an unfinished change takes from what is known of a candidate.
fn is_open(evidence: &Evidence<'_>, one: &Candidate) -> bool {
    evidence.hands == Hands::Open || evidence.doubted == Some(one.name.as_str())
}

/// O5: a switch of ours put exactly one login there and left nobody named, or was interrupted while nobody was. A sign-in
/// names somebody, so the pair that stands there now is what that login was renewed to, unless it says otherwise itself.
fn untouched(evidence: &Evidence<'_>, login: &Login, eligible: impl Fn(&Candidate) -> bool) -> Owner {
    let lent: Vec<&Candidate> = lent(evidence).collect();
    let [one] = lent.as_slice() else { return Owner::Unknown(Doubt::Stranger) };
    let unnamed = one.unnamed || matches!(evidence.hands, Hands::Stayed(_) | Hands::Passed(_));
    if !(unnamed && evidence.nobody_named && eligible(one)) || another_login(one, login) {
        return Owner::Unknown(Doubt::Stranger);
    }
    if other_organization(evidence, one) {
        return Owner::Unknown(Doubt::Contradiction);
    }
    if is_open(evidence, one) {
        return Owner::Unknown(Doubt::JournalOpen);
    }
    if evidence.age.is_none_or(|age| age < YOUNG) {
        return Owner::Unknown(Doubt::Young);
    }
    Owner::Successor(one.name.clone(), Proven::Untouched)
}

/// What no renewal does: another end of the login, or an earlier one of the access token.
fn another_login(candidate: &Candidate, login: &Login) -> bool {
    let ends_apart = candidate.login_end.is_some() && login.refresh_expires_at.is_some() && !same_end(candidate, login);
    let earlier = matches!((candidate.access_end, login.expires_at), (Some(stored), Some(found)) if found < stored);
    ends_apart || earlier
}

fn same_end(candidate: &Candidate, login: &Login) -> bool {
    match (candidate.login_end, login.refresh_expires_at) {
        (Some(a), Some(b)) => a.duration_since(b).abs() <= SAME_END,
        _ => false,
    }
}

/// Whether the object's own `organizationUuid` speaks against the candidate.
fn other_organization(evidence: &Evidence<'_>, candidate: &Candidate) -> bool {
    organizations(evidence, candidate).is_some_and(|(found, known)| found != known)
}

/// Whether it speaks for the candidate.
fn same_organization(evidence: &Evidence<'_>, candidate: &Candidate) -> bool {
    organizations(evidence, candidate).is_some_and(|(found, known)| found == known)
}

fn organizations<'e>(evidence: &'e Evidence<'_>, candidate: &'e Candidate) -> Option<(&'e String, &'e String)> {
    let of_key = candidate.key.as_ref().and_then(|key| key.organization.as_ref());
    Some((evidence.organization.as_ref()?, candidate.organization.as_ref().or(of_key)?))
}
