//! One turn of a session: follow the file, refresh if need be, ask the model, note it in the transcript.

use std::fmt;
use std::path::PathBuf;

use serde_json::json;

use super::VERSION;
use super::client::{Answer, Call};
use super::credentials::{Held, modified};
use super::process::Claude;
use super::refresh::Refreshed;
use super::variant::Variant;
use crate::json::{Object, text};
use crate::login::Pair;
use crate::time;

/// An access token with less than this left is renewed first.
const MARGIN: u64 = 5 * 60 * 1000;

/// A turn that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The access token that was sent, as `A2`.
    pub bearer: String,
    /// The answer.
    pub text: String,
}

/// Why a turn failed; prints as Claude Code words it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// No login is stored.
    NotLoggedIn,
    /// The stored login is blank, or the server just refused it for good.
    Expired,
    /// Another process holds a refresh lock.
    Busy(PathBuf),
    /// The login has no refresh token and this variant wants one.
    NoBearer,
    /// The process died in a refresh.
    Crashed,
    /// The API refused or did not answer.
    Api(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotLoggedIn => f.write_str("Not logged in · Please run /login"),
            Self::Expired => f.write_str("OAuth session expired and could not be refreshed"),
            Self::Busy(path) => write!(
                f,
                "another Claude Code process is refreshing it or exited mid-refresh ({} is held)",
                path.display()
            ),
            Self::NoBearer => f.write_str("Not logged in: no refresh token (variant no-bearer)"),
            Self::Crashed => f.write_str("crashed holding the refresh locks"),
            Self::Api(reason) => write!(f, "API Error: {reason}"),
        }
    }
}

impl Claude {
    /// Looks whether the credentials file has another mtime than the one remembered, and reads it if so.
    pub(super) fn follow(&mut self) {
        let changed = match &self.held {
            None => true,
            Some(_) if self.is(&Variant::IgnoresMtime) => false,
            Some(held) => held.modified != modified(&self.dirs),
        };
        if changed {
            self.held = Some(Held::read(&self.dirs));
        }
    }

    /// Makes the login in memory look expired; no file is touched, so a look at a changed file undoes it.
    pub fn expire(&mut self) {
        self.follow();
        if let Some(oauth) = self.held.as_mut().and_then(|held| held.oauth.as_mut()) {
            oauth.insert("expiresAt".to_owned(), json!(time::now_ms().saturating_sub(1000)));
        }
    }

    /// The login in use, as [`describe`](crate::describe) words it.
    #[must_use]
    pub fn login(&mut self) -> String {
        self.follow();
        self.oauth().map_or_else(|| "none".to_owned(), |oauth| crate::login::describe_oauth(&oauth))
    }

    /// Makes one turn.
    ///
    /// # Errors
    /// The turn failed; the session goes on, except after [`Stop::Crashed`].
    pub fn turn(&mut self, prompt: &str) -> Result<Turn, Stop> {
        if let Some(given) = self.given.clone() {
            // A 401 does not make it fall back to the stored login.
            let answer = self.message(&given, prompt)?;
            return self.answered(given, prompt, &answer);
        }
        self.follow();
        let oauth = self.usable()?;
        let ends = oauth.get("expiresAt").and_then(serde_json::Value::as_u64).unwrap_or(0);
        if text(&oauth, "refreshToken").is_some() && ends < time::now_ms() + MARGIN {
            self.renew()?;
        }
        let mut bearer = self.access()?;
        let mut answer = self.message(&bearer, prompt)?;
        if answer.status == 401 {
            // The store first: somebody else may have renewed the login; only then a refresh of one's own.
            self.held = Some(Held::read(&self.dirs));
            if self.access()? == bearer && text(&self.usable()?, "refreshToken").is_some() {
                self.renew()?;
            }
            bearer = self.access()?;
            answer = self.message(&bearer, prompt)?;
        }
        self.answered(bearer, prompt, &answer)
    }

    fn answered(&self, bearer: String, prompt: &str, answer: &Answer) -> Result<Turn, Stop> {
        let reply = answer.body["content"][0]["text"].as_str().filter(|_| answer.status == 200);
        let Some(reply) = reply else {
            let words = answer.body["error"]["message"].as_str().unwrap_or_default();
            return Err(Stop::Api(format!("{} {words}", answer.status)));
        };
        self.note_turn(prompt, reply);
        Ok(Turn { bearer: Pair::of(&bearer).map_or(bearer, |pair| pair.to_string()), text: reply.to_owned() })
    }

    fn oauth(&self) -> Option<Object> {
        self.held.as_ref()?.oauth.clone()
    }

    /// The login in memory, if a turn can be made with it.
    fn usable(&self) -> Result<Object, Stop> {
        let oauth = self.oauth().ok_or(Stop::NotLoggedIn)?;
        if text(&oauth, "accessToken").is_none() {
            return Err(Stop::Expired);
        }
        if self.is(&Variant::NoBearer) && text(&oauth, "refreshToken").is_none() {
            return Err(Stop::NoBearer);
        }
        Ok(oauth)
    }

    fn access(&self) -> Result<String, Stop> {
        text(&self.usable()?, "accessToken").map(ToOwned::to_owned).ok_or(Stop::Expired)
    }

    fn renew(&mut self) -> Result<(), Stop> {
        match self.refresh_login() {
            Refreshed::Renewed(_) | Refreshed::Adopted | Refreshed::Dropped | Refreshed::Bearer => Ok(()),
            // Another login may stand there by now; then the turn goes on with it.
            Refreshed::Dead | Refreshed::NoLogin => self.usable().map(drop),
            Refreshed::Busy(path) => Err(Stop::Busy(path)),
            Refreshed::Crashed => Err(Stop::Crashed),
            Refreshed::Failed(reason) => Err(Stop::Api(reason)),
        }
    }

    /// Sends the prompt. Without a server the answer is made up, so that a session can be shown offline.
    fn message(&self, bearer: &str, prompt: &str) -> Result<Answer, Stop> {
        let Some(api) = self.api.as_deref() else {
            return Ok(Answer {
                status: 200,
                body: json!({ "content": [{ "type": "text", "text": "hello, offline" }] }),
            });
        };
        let body = json!({ "model": "claude-opus-5", "max_tokens": 1024, "messages": [{ "role": "user", "content": prompt }] });
        let url = format!("{}/v1/messages", api.trim_end_matches('/'));
        let agent = format!("claude-cli/{VERSION} (external, sdk-cli)");
        Call { method: "POST", url: &url, bearer: Some(bearer), agent: &agent, body: Some(&body) }
            .send()
            .map_err(|error| Stop::Api(error.to_string()))
    }
}
