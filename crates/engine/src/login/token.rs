//! `login --token`: a long-lived token that `claude setup-token` printed. It has no refresh token, so it is never lent;
//! sessions get it by the variable that Claude Code documents for it.

use clauth_claude::{AccountPart, Found};
use clauth_durable::Manner;
use clauth_host::Secret;
use jiff::SignedDuration;

use super::LoggedIn;
use crate::custody::{Desk, Operation, print};
use crate::error::Kind;
use crate::history::{Event, Tokens};
use crate::profile::{ProfileKind, Record};
use crate::{Engine, Error};

/// What every setup token begins with (facts §3.4).
const PREFIX: &str = "sk-ant-oat01-";

/// How long a setup token lives (facts §3.4).
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);

impl Engine {
    /// Keeps a setup token as the profile `asked`, new or known. `text` is the token, also with what `claude setup-token`
    /// prints around it.
    ///
    /// # Errors
    /// No token in the text or several, a name that may not be given, a profile of another kind, or one that has another
    /// token, without `replace`.
    pub fn login_token(&self, asked: &str, text: &Secret, replace: bool) -> Result<LoggedIn, Error> {
        let name = self.name_for_login(asked, ProfileKind::Token)?;
        let token = token_in(text, &name)?;
        self.recover()?;
        self.prepare()?;
        let held = self.lock_for(&name)?;
        let snapshot = self.snapshot()?;
        let record = snapshot.record(&name);
        let mut done = LoggedIn {
            name: name.clone(),
            email: None,
            organization: None,
            proven: false,
            created: record.is_none(),
            waits: false,
            changed: false,
            warnings: Vec::new(),
        };
        let mut desk = Desk::new(self, &snapshot)?;
        let before = record.and_then(|record| record.token.get()).cloned();
        if let Some(before) = &before {
            if access(before).is_some_and(|before| before == token) {
                return Ok(done);
            }
            if !replace {
                let again = format!("clauth login {name} --token --replace");
                let what = format!("'{name}' has another token already");
                return Err(Error::refused(Kind::Protected, what, name, &[&again]));
            }
            desk.keep_beside(&name, before, "displaced by another setup token")?;
        }
        let part = as_login(&token, desk.now + YEAR);
        desk.draft.put(&self.root.token(&name), Manner::Own, part.bytes().to_vec())?;
        desk.edit_roster(|roster| {
            if record.is_none() {
                roster.names.push(name.clone());
            }
        })?;
        let mut event = Event::new(desk.now, "login", "a setup token was given").about(&name);
        event.tokens = Tokens { from: before.as_ref().and_then(print), to: print(&part) };
        desk.record_event(&event);
        let drafted = desk.finish()?;
        let operation =
            Operation { done: "login", to: Some(name.clone()), creates: record.is_none(), ..Operation::default() };
        self.land_login(&operation, drafted.changes, &held)?;
        (done.changed, done.warnings) = (true, drafted.warnings);
        Ok(done)
    }

    /// The setup token of a `token` profile, for the environment of its session and nothing else.
    ///
    /// # Errors
    /// The profile has none that can be read.
    pub fn setup_token(&self, name: &str) -> Result<Secret, Error> {
        let record = Record::read(&self.disk, &self.root, name);
        if let Some(path) = record.broken() {
            return Err(Error::broken_profile(&record, path));
        }
        let again = format!("clauth login {name} --token");
        let none = || Error::refused(Kind::DeadLogin, format!("'{name}' has no setup token"), name, &[&again]);
        record.token.get().and_then(access).ok_or_else(none)
    }
}

fn access(part: &AccountPart) -> Option<Secret> {
    match part.login() {
        Found::Login(login) => Some(login.access),
        Found::Blank | Found::Absent | Found::Malformed => None,
    }
}

/// A setup token in the shape of a login, which ends within a year.
pub(crate) fn setup_login(token: &Secret, now: jiff::Timestamp) -> AccountPart {
    as_login(token, now + YEAR)
}

/// The one token in a text. What was given is never repeated.
fn token_in(text: &Secret, name: &str) -> Result<Secret, Error> {
    let is_token = |word: &&str| {
        let rest = word.strip_prefix(PREFIX).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    let mut found: Vec<&str> = text.expose().split_whitespace().filter(is_token).collect();
    found.dedup();
    let what = match found.as_slice() {
        [one] => return Ok(Secret::new(one)),
        [] => "there is no setup token in what was given; one begins with sk-ant-oat01-",
        _ => "there are several tokens in what was given",
    };
    let next = ["claude setup-token", "give it on standard input, or at the prompt"];
    Err(Error::refused(Kind::Usage, what, name, &next))
}

/// The token in the shape of a login (facts §8.1), so that the vault can keep it as one. Its end is not known, but not
/// later than this.
fn as_login(token: &Secret, end: jiff::Timestamp) -> AccountPart {
    let text = serde_json::json!({"claudeAiOauth": {
        "accessToken": token.expose(), "refreshToken": null, "expiresAt": end.as_millisecond(),
        "scopes": ["user:inference"], "subscriptionType": null, "rateLimitTier": null,
    }});
    AccountPart::parse(crate::json::bytes(&text)).expect("an object that was made here")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_one_token_is_found_in_what_is_given() {
        for (name, text, expected) in [
            ("alone", "sk-ant-oat01-FAKE-SETUP\n", true),
            (
                "as it is printed",
                "Your OAuth token (valid for 1 year):\n\n  sk-ant-oat01-FAKE-SETUP\r\n\nStore it.",
                true,
            ),
            ("twice the same", "sk-ant-oat01-FAKE-SETUP sk-ant-oat01-FAKE-SETUP", true),
            ("nothing", "", false),
            ("a key", "sk-ant-api03-FAKE", false),
            ("a refresh token", "sk-ant-ort01-FAKE", false),
            ("the prefix alone", "sk-ant-oat01-", false),
            ("with odd letters", "sk-ant-oat01-FAKE\u{1b}[31m", false),
            ("two", "sk-ant-oat01-FAKE-ONE sk-ant-oat01-FAKE-TWO", false),
        ] {
            match token_in(&Secret::new(text), "ci") {
                Ok(token) => assert!(expected && token.expose() == "sk-ant-oat01-FAKE-SETUP", "{name}"),
                Err(error) => {
                    assert!(!expected, "{name}: {error}");
                    let said = format!("{error} {:?} {:?}", error.place(), error.hints());
                    assert!(!said.contains("FAKE"), "{name}: {said}");
                }
            }
        }
    }

    #[test]
    fn a_token_is_a_login_that_cannot_be_renewed() {
        let part = as_login(&Secret::new("sk-ant-oat01-FAKE-SETUP"), jiff::Timestamp::UNIX_EPOCH + YEAR);
        assert!(part.is_bearer() && access(&part).is_some_and(|token| token.expose() == "sk-ant-oat01-FAKE-SETUP"));
    }
}
