//! `POST /v1/oauth/token`: a refresh token exchanged for the next pair (facts §3.1–§3.3).

use std::time::Duration;

use clauth_host::Secret;
use serde_json::{Value, json};

use crate::http::LIMIT;
use crate::retry::RetryAfter;
use crate::watch::Sent;
use crate::{Client, LookupError};

/// The client that Claude Code's logins are issued to (facts §3.1).
pub const CLIENT_ID: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";

/// The order in which Claude Code names scopes (facts §3.1).
const SCOPES: [&str; 6] = [
    "org:create_api_key",
    "user:profile",
    "user:inference",
    "user:sessions:claude_code",
    "user:mcp_servers",
    "user:file_upload",
];

/// What is sent.
pub struct TokenRequest<'a> {
    /// The refresh token.
    pub refresh: &'a Secret,
    /// The client that the login was issued to; `None` for [`CLIENT_ID`].
    pub client_id: Option<&'a str>,
    /// The scopes that were granted; named again, none added.
    pub scopes: &'a [String],
}

/// What comes back. Ends are counted from the answer's arrival.
#[derive(Clone)]
pub struct Pair {
    /// The new access token.
    pub access: Secret,
    /// The new refresh token; `None` when the one that was sent stays good.
    pub refresh: Option<Secret>,
    /// How long the access token works.
    pub expires_in: Option<Duration>,
    /// How long the login itself works.
    pub login_expires_in: Option<Duration>,
    /// The scopes granted, where the server names them.
    pub scopes: Option<Vec<String>>,
}

/// What happened instead of an answer that can be used. Carries no text of a body, which may hold tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// Nobody was reached, or the connection broke.
    #[error("the server could not be reached")]
    Offline,
    /// The time was up.
    #[error("the server did not answer in time")]
    Timeout,
    /// The proxy that the environment names cannot be used, or lets nothing through.
    #[error("the proxy does not let it through; see HTTPS_PROXY")]
    Proxy,
    /// Whoever answered has a certificate that is not trusted.
    #[error("the server's certificate is not trusted; a network's own goes into NODE_EXTRA_CA_CERTS")]
    Untrusted,
    /// A status that is no success.
    #[error("the server answered with status {0}")]
    Status(u16),
    /// A success that cannot be understood.
    #[error("the answer cannot be understood")]
    Unparsable,
}

/// Why there is no new pair (R6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// `network = "off"`: no socket was opened.
    #[error("the network is turned off")]
    Refused,
    /// A top-level `invalid_grant`: the token that was sent no longer works.
    #[error("the server no longer accepts the refresh token")]
    Dead,
    /// It failed before the request's first byte was written: as if it had never been tried.
    #[error("{0}")]
    NotSent(Trouble),
    /// It was sent, and no pair came back.
    #[error("{trouble}")]
    Unknown {
        /// What happened.
        trouble: Trouble,
        /// When to come back, where the server said so.
        retry_after: Option<Duration>,
        /// The server itself said that it did not do what was asked: the token is as good as before.
        declined: bool,
    },
}

impl Client<'_> {
    /// Exchanges a refresh token. The whole call ends within `deadline` (R5).
    ///
    /// # Errors
    /// See [`TokenError`].
    pub fn refresh(&self, request: &TokenRequest<'_>, deadline: Duration) -> Result<Pair, TokenError> {
        let (url, sent) = (&self.endpoints().token, Sent::default());
        let failed = |error: &ureq::Error| match sent.is_raised() {
            false => TokenError::NotSent(trouble(error)),
            true => TokenError::Unknown { trouble: trouble(error), retry_after: None, declined: false },
        };
        let post = self.post(url, deadline, &sent).map_err(|error| match error {
            LookupError::Refused => TokenError::Refused,
            _ => TokenError::NotSent(Trouble::Proxy),
        })?;
        let post = post.header("content-type", "application/json").header("accept", "application/json");
        let mut response = post.send(body(request)).map_err(|error| failed(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        let retry_after = header("retry-after").and_then(|text| pause(&text, header("date").as_deref()));
        let read = response.body_mut().with_config().limit(LIMIT).read_to_vec();
        // Half an answer is none; but a throttle needs no words.
        let body = if status == 429 { read.unwrap_or_default() } else { read.map_err(|error| failed(&error))? };
        if !(200..=299).contains(&status) {
            return Err(refusal(status, retry_after, &body));
        }
        let unparsable = TokenError::Unknown { trouble: Trouble::Unparsable, retry_after: None, declined: false };
        parse(&body).ok_or(unparsable)
    }
}

/// How long the server wants to be left alone. A date counts by the server's own clock, so without its `Date` it tells nothing.
fn pause(text: &str, date: Option<&str>) -> Option<Duration> {
    match RetryAfter::parse(text, date)? {
        RetryAfter::In(time) => Some(time),
        RetryAfter::At(_) => None,
    }
}

fn body(request: &TokenRequest<'_>) -> String {
    let mut body = json!({
        "grant_type": "refresh_token", "refresh_token": request.refresh.expose(),
        "client_id": request.client_id.unwrap_or(CLIENT_ID),
    });
    let place = |scope: &String| SCOPES.iter().position(|known| known == scope).unwrap_or(SCOPES.len());
    let mut scopes = request.scopes.to_vec();
    scopes.sort_by_key(place);
    if !scopes.is_empty() {
        body["scope"] = scopes.join(" ").into();
    }
    body.to_string()
}

/// What another status than success means. Only the server itself answers with a JSON object; a page is somebody else's, and
/// what stands behind a gateway's 500, 502 or 504 may have done its work.
fn refusal(status: u16, retry_after: Option<Duration>, body: &[u8]) -> TokenError {
    let body: Option<Value> = serde_json::from_slice(body).ok().filter(Value::is_object);
    let error = body.as_ref().and_then(|body| body.get("error"));
    if (400..=499).contains(&status) && error.and_then(Value::as_str) == Some("invalid_grant") {
        return TokenError::Dead;
    }
    let declined = status == 429 || (error.is_some() && matches!(status, 400..=499 | 503 | 529));
    TokenError::Unknown { trouble: Trouble::Status(status), retry_after, declined }
}

/// An answer without an access token is none.
fn parse(body: &[u8]) -> Option<Pair> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let secret = |key: &str| body.get(key)?.as_str().map(Secret::new).filter(|secret| !secret.is_blank());
    let time = |key: &str| {
        let seconds = body.get(key)?;
        let whole = seconds.as_u64().or_else(|| seconds.as_str()?.trim().parse().ok());
        // Of a fraction the whole seconds count: an end that is told is not passed over.
        let fraction = || crate::usage::number(seconds).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        whole.or_else(|| fraction().map(|time| time.as_secs())).map(Duration::from_secs)
    };
    let scopes = body.get("scope").and_then(Value::as_str);
    Some(Pair {
        access: secret("access_token")?,
        refresh: secret("refresh_token"),
        expires_in: time("expires_in"),
        login_expires_in: time("refresh_token_expires_in"),
        scopes: scopes.map(|all| all.split_whitespace().map(str::to_owned).collect()),
    })
}

fn trouble(error: &ureq::Error) -> Trouble {
    match error {
        ureq::Error::Timeout(_) => Trouble::Timeout,
        ureq::Error::BodyExceedsLimit(_) => Trouble::Unparsable,
        ureq::Error::ConnectProxyFailed(_) => Trouble::Proxy,
        error if crate::tls::is_untrusted(error) => Trouble::Untrusted,
        _ => Trouble::Offline,
    }
}

#[cfg(test)]
mod tests;
