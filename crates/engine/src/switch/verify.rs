//! `switch --verify`: the server is asked about the login before it is installed, with its access token. No refresh token is
//! spent for it, so what only a renewal can tell is not told.

use clauth_anthropic::{LookupError, ProfileAnswer};
use clauth_claude::{Found, Login};
use jiff::Timestamp;

use crate::custody::{Learned, Snapshot};
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{AccountKey, Known, ProfileKind, Record, State};
use crate::usage::account_id;
use crate::{Engine, Error};

/// The server accepts the login.
pub(super) struct Verified {
    /// What could not be learned from it.
    pub(super) remark: Option<String>,
    /// Whose it is, by the server's word.
    pub(super) learned: Option<Learned>,
}

/// Why a login is not installed, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Doubt {
    kind: Kind,
    what: String,
    next: Vec<String>,
}

impl Engine {
    /// Asks the server about the login that a switch to `name` would install. Nothing where the switch refuses it anyway, and
    /// says more about why.
    ///
    /// # Errors
    /// The server does not accept it, it is another account's, or nobody could tell.
    pub(super) fn verify(&self, name: &str, dry_run: bool) -> Result<Option<Verified>, Error> {
        if !dry_run {
            self.recover()?;
        }
        let snapshot = self.snapshot()?;
        let record = snapshot.record(name).ok_or_else(|| snapshot.roster.missing(name))?;
        let refused = |doubt: Doubt| {
            let next: Vec<&str> = doubt.next.iter().map(String::as_str).collect();
            Error::refused(doubt.kind, doubt.what, name, &next)
        };
        if record.kind == ProfileKind::Endpoint {
            let what = format!("'{name}' is an endpoint: it has a key, and no login that could be verified");
            return Err(Error::refused(Kind::Usage, what, name, &[&format!("clauth switch {name}")]));
        }
        let usable = matches!(record.state(self.host.clock.now()).0, State::Ok | State::Expired);
        if record.kind == ProfileKind::Token || !usable {
            return Ok(None);
        }
        let Some(login) = self.to_verify(&snapshot, record)? else { return Ok(None) };
        askable(name, &login, snapshot.settings.network, self.host.clock.now()).map_err(refused)?;
        // Counted in a dry run too: it is as much a request as any other.
        if let Err(until) = self.permit_look_up(&account_id(record.identity.as_ref(), name))? {
            return Err(refused(held(name, until)));
        }
        let client = self.client(snapshot.settings.network);
        let answer = client.profile(&login.access, self.patience.reading);
        let known = record.identity.as_ref().map(|known| &known.key);
        let remark = judge(name, known, answer.as_ref(), self.host.clock.now()).map_err(refused)?;
        let learned = answer.ok().map(|answer| Learned {
            name: name.to_owned(),
            access: login.access_print(),
            known: Known::of_answer(&answer, record.identity.as_ref()),
        });
        Ok(Some(Verified { remark, learned }))
    }

    /// The login in question: what is live where it is this profile's, since Claude Code may have renewed it there.
    fn to_verify(&self, snapshot: &Snapshot, record: &Record) -> Result<Option<Login>, Error> {
        let live = match (self.owner(snapshot, None)?, &snapshot.live.found) {
            (Owner::Own(name) | Owner::Successor(name, _), Found::Login(login)) if name == record.name => {
                Some(login.clone())
            }
            _ => None,
        };
        let waiting = record.renewed().and_then(|part| match part.login() {
            Found::Login(login) => Some(login),
            Found::Blank | Found::Absent | Found::Malformed => None,
        });
        Ok(waiting.or(live).or_else(|| record.login()))
    }
}

/// Whether the server can be asked about a login at all, without spending anything.
fn askable(name: &str, login: &Login, network: bool, now: Timestamp) -> Result<(), Doubt> {
    let without = format!("without asking: clauth switch {name}");
    if !network {
        let what = format!("network = \"off\" in settings.toml: nobody can be asked about '{name}'");
        return Err(Doubt { kind: Kind::Offline, what, next: vec!["clauth config set network on".into(), without] });
    }
    if login.expires_at.is_some_and(|end| end <= now) {
        let what = format!("the access token of '{name}' has ended; only a renewal can tell whether its login works");
        let renew = format!("clauth refresh {name}");
        return Err(Doubt { kind: Kind::Protected, what, next: vec![renew, without] });
    }
    Ok(())
}

fn held(name: &str, until: Timestamp) -> Doubt {
    let until = crate::text::seconds(until);
    let what = format!("'{name}' was asked about as often as an hour allows; nobody asks before {until}");
    Doubt { kind: Kind::Server, what, next: vec![format!("without asking: clauth switch {name}")] }
}

/// What the answer means for the switch. Only a 200 about the right account, or the server's word that the token is good for
/// other things than this, lets it go on; the latter with a remark.
fn judge(
    name: &str,
    known: Option<&AccountKey>,
    answer: Result<&ProfileAnswer, &LookupError>,
    now: Timestamp,
) -> Result<Option<String>, Doubt> {
    let without = format!("without asking: clauth switch {name}");
    let doubt = |kind, what: String, next: &[String]| Err(Doubt { kind, what, next: next.to_vec() });
    let error = match answer {
        Ok(answer) => {
            let said =
                AccountKey { account: answer.account_uuid.clone(), organization: answer.organization_uuid.clone() };
            if known.is_none_or(|known| known.agrees(&said)) {
                return Ok(None);
            }
            let whose = answer.email.as_deref().map_or_else(|| "another account".to_owned(), crate::text::shown);
            let what = format!("by the server's word the login of '{name}' is {whose}'s");
            return doubt(Kind::Protected, what, &["clauth list".into(), format!("clauth login {name}")]);
        }
        Err(error) => error,
    };
    match error {
        LookupError::Scope => {
            Ok(Some(format!("the server accepts the login of '{name}', which may not ask whose it is")))
        }
        LookupError::Unauthorized => {
            let what = format!("the server does not accept the access token of '{name}'");
            doubt(Kind::Protected, what, &[format!("clauth refresh {name}"), format!("clauth login {name}"), without])
        }
        LookupError::Throttled { retry_after } => {
            let again = retry_after.map(|wait| wait.from_now(now)).filter(|wait| !wait.is_zero());
            let again = again.and_then(|wait| now.checked_add(jiff::SignedDuration::try_from(wait).ok()?).ok());
            let when = again.map_or_else(String::new, |at| format!(" before {}", crate::text::seconds(at)));
            let what = format!("'{name}' could not be verified: {error}");
            doubt(Kind::Server, what, &[format!("not{when}: clauth switch {name} --verify"), without])
        }
        LookupError::Refused
        | LookupError::Offline
        | LookupError::Timeout
        | LookupError::Proxy
        | LookupError::Untrusted => {
            doubt(Kind::Offline, format!("'{name}' could not be verified: {error}"), &[without])
        }
        LookupError::Server(_) | LookupError::Unavailable { .. } | LookupError::Unparsable => {
            doubt(Kind::Server, format!("'{name}' could not be verified: {error}"), &[without])
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clauth_anthropic::RetryAfter;

    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_190_400).expect("a time")
    }

    fn answer(account: &str) -> ProfileAnswer {
        ProfileAnswer {
            account_uuid: account.into(),
            email: Some("bob@example.invalid".into()),
            organization_uuid: Some("o".into()),
            organization_name: None,
            organization_type: None,
            rate_limit_tier: None,
            plan_display_name: None,
            subscription_status: None,
            has_max: None,
            has_pro: None,
        }
    }

    #[test]
    fn what_each_answer_means_row_by_row() {
        let known = AccountKey { account: "a".into(), organization: Some("o".into()) };
        let seconds = |seconds| Some(RetryAfter::In(Duration::from_secs(seconds)));
        type Row = (&'static str, Result<ProfileAnswer, LookupError>, Result<bool, Kind>);
        let rows: [Row; 11] = [
            ("the right account", Ok(answer("a")), Ok(false)),
            ("another account", Ok(answer("b")), Err(Kind::Protected)),
            ("401", Err(LookupError::Unauthorized), Err(Kind::Protected)),
            ("403 for a scope", Err(LookupError::Scope), Ok(true)),
            ("403 as a page", Err(LookupError::Server(403)), Err(Kind::Server)),
            ("429", Err(LookupError::Throttled { retry_after: None }), Err(Kind::Server)),
            ("429 with a time", Err(LookupError::Throttled { retry_after: seconds(720) }), Err(Kind::Server)),
            ("500", Err(LookupError::Server(500)), Err(Kind::Server)),
            ("a page for an answer", Err(LookupError::Unparsable), Err(Kind::Server)),
            ("no answer in time", Err(LookupError::Timeout), Err(Kind::Offline)),
            ("nobody there", Err(LookupError::Offline), Err(Kind::Offline)),
        ];
        for (name, answer, expected) in rows {
            let judged = judge("x", Some(&known), answer.as_ref(), now());
            let seen = judged.as_ref().map(Option::is_some).map_err(|doubt| doubt.kind);
            assert_eq!(seen, expected, "{name}: {judged:?}");
            assert!(judged.err().is_none_or(|doubt| !doubt.next.is_empty()), "{name}: what to do next");
        }
        assert!(judge("x", None, Ok(&answer("b")), now()).is_ok(), "nobody knew whose it is");
    }
}
