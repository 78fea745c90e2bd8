//! Scripted answers: what a route does at its next requests, one after the other.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::bodies;

/// The requests that can be scripted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `POST /v1/oauth/token`.
    Token,
    /// `POST /v1/oauth/revoke`.
    Revoke,
    /// `GET /api/oauth/profile`.
    Profile,
    /// `GET /api/oauth/usage`.
    Usage,
    /// `POST /v1/messages`.
    Messages,
    /// `GET /api/v2/*.json`.
    Status,
    /// What the providers behind endpoint profiles are asked.
    Provider,
}

impl Route {
    /// The route of a request.
    pub(super) fn of(method: &str, path: &str) -> Option<Self> {
        match (method, path.split('?').next().unwrap_or_default()) {
            ("POST", "/v1/oauth/token") => Some(Self::Token),
            ("POST", "/v1/oauth/revoke") => Some(Self::Revoke),
            ("GET", "/api/oauth/profile") => Some(Self::Profile),
            ("GET", "/api/oauth/usage") => Some(Self::Usage),
            ("POST", "/v1/messages") => Some(Self::Messages),
            ("GET", path) if super::providers::body(path).is_some() => Some(Self::Provider),
            ("GET", path) if path.starts_with("/api/v2/") && path.ends_with(".json") => Some(Self::Status),
            _ => None,
        }
    }
}

/// What a route does at one request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// What it does without a script.
    Normal,
    /// Status, headers and body; the request has no effect.
    Status(u16, Vec<(String, String)>, String),
    /// The effect happens at once, the normal answer comes so much later.
    Delay(Duration),
    /// The effect happens at once, the normal answer comes when the gate is opened.
    Wait(Gate),
    /// The effect happens, the answer is lost.
    Drop,
    /// Nothing happens; the connection is closed.
    DropBefore,
    /// The effect happens, half of the answer's body arrives.
    Truncate,
    /// A block page, status 403, as a proxy or firewall sends it; no effect.
    Html,
}

impl Reply {
    /// A bare status without body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self::Status(status, Vec::new(), String::new())
    }

    /// Status and JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self::Status(status, Vec::new(), body.to_string())
    }

    /// 429, with this `Retry-After` where given: `0`, `720` or an HTTP date.
    #[must_use]
    pub fn throttled(retry_after: Option<&str>) -> Self {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        Self::Status(429, headers.into_iter().collect(), bodies::throttled().to_string())
    }

    /// 401 with an error code: `token_expired`, `token_revoked`.
    #[must_use]
    pub fn unauthorized(code: &str) -> Self {
        Self::json(401, &bodies::unauthorized(code))
    }

    /// 400 `invalid_grant`, without revoking anything.
    #[must_use]
    pub fn invalid_grant() -> Self {
        Self::json(400, &bodies::invalid_grant())
    }
}

/// Holds an answer back until a test opens it.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<Passage>, Condvar)>);

#[derive(Debug, Default)]
struct Passage {
    reached: bool,
    open: bool,
}

impl Gate {
    /// A closed gate.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets everybody through, now and later.
    pub fn open(&self) {
        self.change(|passage| passage.open = true);
    }

    /// Waits until a request stands here; false if none came within 30 s.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.until(Duration::from_secs(30), |passage| passage.reached)
    }

    /// Stands here until the gate is open, or `stopped`.
    pub(super) fn pass(&self, stopped: &dyn Fn() -> bool) {
        self.change(|passage| passage.reached = true);
        while !stopped() && !self.until(Duration::from_millis(50), |passage| passage.open) {}
    }

    fn change(&self, change: impl FnOnce(&mut Passage)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    fn until(&self, deadline: Duration, done: impl Fn(&Passage) -> bool) -> bool {
        let passage = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_timeout_while(passage, deadline, |passage| !done(passage));
        done(&waited.unwrap_or_else(PoisonError::into_inner).0)
    }
}
