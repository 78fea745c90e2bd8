//! Who may be put live (W10).

use clauth_claude::{AccountPart, Found};

use super::{Desk, elsewhere};
use crate::Error;
use crate::custody::claim::used_up;
use crate::error::Kind;
use crate::owner::Owner;
use crate::profile::{ProfileKind, Record, State, token_of};
use crate::vault::Entry;

impl Desk<'_> {
    /// Whether `name` is an endpoint, which brings no login in; one without a key, or with an address
    /// that `add` would not take, is refused.
    pub(crate) fn admit_endpoint(&self, name: &str) -> Result<bool, Error> {
        let record = self.record(name)?;
        record.refuse_url()?;
        match (record.kind, record.key.is_some()) {
            (ProfileKind::Endpoint, true) => Ok(true),
            (ProfileKind::Endpoint, false) => Err(crate::endpoint::no_key(name)),
            _ => Ok(false),
        }
    }

    /// The refusal to bring a login in that cannot work (W10), that is used up (L6), that is lent elsewhere (L2) or that
    /// came from another machine (L7).
    pub(crate) fn admit(&self, name: &str, force: bool) -> Result<AccountPart, Error> {
        let record = self.record(name)?;
        let (state, reason) = record.state(self.now);
        if let Some(path) = record.broken() {
            return Err(Error::broken_profile(record, path));
        }
        let again = format!("sign in as it with `claude auth login`, then: clauth capture {name}");
        let refuse = |kind, what: String, next: &[&str]| Err(Error::refused(kind, what, name, next));
        if record.kind == ProfileKind::Endpoint {
            let what = format!("'{name}' is an endpoint, and no login");
            return refuse(Kind::Internal, what, &["clauth list"]);
        }
        if record.kind == ProfileKind::Token {
            let start = format!("clauth start {name}");
            return refuse(Kind::Protected, format!("'{name}' is a setup token, which only sessions use"), &[&start]);
        }
        if let Some(part) = record.renewed().filter(|_| record.lent_to(&self.snapshot.home_id)) {
            return Ok(part.clone());
        }
        let Some(part) = record.part() else {
            return refuse(Kind::DeadLogin, format!("'{name}' has no login"), &[&again]);
        };
        let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        match state {
            State::Ok | State::Expired => {}
            State::NoLogin | State::Unreadable => {
                return refuse(Kind::DeadLogin, format!("'{name}' has no login{why}"), &[&again]);
            }
            State::SignedOut | State::Dead | State::Lapsed | State::Unknown if !force => {
                let force = format!("to try it all the same: clauth switch {name} --force");
                let renew = format!("clauth refresh {name}");
                let what = format!("the login of '{name}' is {}{why}", state.word());
                let first = match state {
                    State::Unknown if record.is_doubted() => Some("clauth vault list"),
                    State::Unknown => Some(renew.as_str()),
                    _ => None,
                };
                let next: Vec<&str> = first.into_iter().chain([again.as_str(), force.as_str()]).collect();
                return refuse(Kind::DeadLogin, what, &next);
            }
            State::SignedOut | State::Dead | State::Lapsed | State::Unknown => {}
        }
        if !force && let Some(mark) = crate::refresh::Mark::raised(self.disk, self.root, record)? {
            let what = format!("the login of '{name}' is unknown: {}", mark.doubt());
            let renew = format!("clauth refresh {name}");
            return refuse(Kind::DeadLogin, what, &[&renew, &again]);
        }
        if used_up(self.snapshot, part) {
            return refuse(
                Kind::DeadLogin,
                format!("the login of '{name}' is used up: a newer one replaced it"),
                &[&again],
            );
        }
        if let Some(loan) = record.loan.get().filter(|loan| !loan.names(&self.snapshot.home_id)) {
            let what = format!("the login of '{name}' is lent to {}", loan.home.display());
            return refuse(Kind::Protected, what, &["switch there first, so that it comes back"]);
        }
        if elsewhere(self.snapshot, record, self.machine) {
            return refuse(
                Kind::Protected,
                "this root was copied from another machine, which may still use its logins".into(),
                &[&again],
            );
        }
        Ok(part.clone())
    }

    /// The refusal to put the earlier login of `name` live in the place of one that may be its later one, which nobody can
    /// confirm: its refresh token may be used up (L6).
    pub(crate) fn refuse_ancestor(&self, name: &str, part: &AccountPart, owner: &Owner) -> Result<(), Error> {
        if !self.may_have_been_live(name) || !self.may_follow(name, part, owner) {
            return Ok(());
        }
        let what = format!("what is live may be the later login of '{name}', and nobody can confirm whose it is");
        let force = format!("to keep it in the vault, and use the earlier one: clauth switch {name} --force");
        let ask = match self.snapshot.settings.network {
            true => "sign in again in Claude Code: the server did not say whose it is",
            false => "try again with the network on: the server knows",
        };
        let next = [ask, force.as_str()];
        Err(Error::refused(Kind::Protected, what, self.snapshot.home.credential().display().to_string(), &next))
    }

    /// The refusal to put a login live again that the last switch left in the vault, and that is used up since (L6) or some
    /// profile's own (L5): the token would be in two places.
    pub(crate) fn admit_kept(&self, entry: &Entry) -> Result<AccountPart, Error> {
        let refuse = |kind, what: String, next: &str| Err(Error::refused(kind, what, entry.id.clone(), &[next]));
        if used_up(self.snapshot, &entry.login) {
            let what = "the login that the last switch left is used up: a newer one replaced it";
            return refuse(Kind::DeadLogin, what.into(), "clauth custody");
        }
        let token = entry.token();
        let same = |part: &AccountPart| match part.login() {
            Found::Login(login) => Some(token_of(&login)) == token,
            Found::Blank | Found::Absent | Found::Malformed => false,
        };
        let held = |record: &&Record| [record.part(), record.renewed()].into_iter().flatten().any(same);
        if let Some(holder) = self.snapshot.records.iter().find(held) {
            let what = format!("the profile '{}' holds the very login that the last switch left", holder.name);
            return refuse(Kind::Protected, what, &format!("clauth switch {}", holder.name));
        }
        Ok(entry.login.clone())
    }
}
