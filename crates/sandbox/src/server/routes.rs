//! What each route does and answers.

use serde_json::{Value, json};

use super::http::{Incoming, Response};
use super::script::Route;
use super::state::State;
use super::{bodies, state::Request};
use crate::time::true_ms;
use crate::{Account, Pair};

/// A setup token: no family, may only ask the model.
const SETUP: &str = "FAKE-SETUP";

/// The log's line of a request.
pub(super) fn note(incoming: &Incoming) -> Request {
    let body = incoming.json();
    let presented = body["refresh_token"].as_str().or_else(|| body["token"].as_str());
    Request {
        method: incoming.method.clone(),
        path: incoming.path.clone(),
        host: incoming.header("host"),
        bearer: incoming.bearer().map(|token| label(&token)),
        refresh: presented.map(label),
        user_agent: incoming.header("user-agent"),
        at: true_ms(),
        prompt: if incoming.path.starts_with("/v1/messages") { incoming.text() } else { String::new() },
    }
}

/// `A2`, or the whole text of a token that is none of the sandbox's.
fn label(token: &str) -> String {
    Pair::of(token).map_or_else(|| token.to_owned(), |pair| pair.to_string())
}

impl State {
    /// Does what a request asks, and answers.
    pub(super) fn serve(&mut self, route: Route, incoming: &Incoming) -> Response {
        match route {
            Route::Token => self.token(&incoming.json()),
            Route::Revoke => self.revoke(&incoming.json()),
            Route::Status => {
                let indicator = self.indicator.as_deref().unwrap_or("none");
                let path = incoming.path.split('?').next().unwrap_or_default();
                Response::json(200, &bodies::status(path, indicator, &self.incidents))
            }
            Route::Provider => match (super::providers::body(&incoming.path), incoming.header("authorization")) {
                (Some(body), key) if key.contains("FAKE") => Response::json(200, &body),
                _ => Response::json(401, &json!({ "error": { "message": "no such key" } })),
            },
            Route::Profile | Route::Usage | Route::Messages => match self.admit(route, incoming.bearer().as_deref()) {
                Ok(account) => self.answer(route, account.as_ref()),
                Err(response) => response,
            },
        }
    }

    /// The account of a bearer, none for a setup token; or the refusal.
    fn admit(&mut self, route: Route, bearer: Option<&str>) -> Result<Option<Account>, Response> {
        let refused = |code| Response::json(401, &bodies::unauthorized(code));
        let token = bearer.ok_or_else(|| refused("token_invalid"))?;
        if token.contains(SETUP) {
            let message = "OAuth token does not meet scope requirement: user:profile";
            let refusal = bodies::refused("permission_error", message);
            return if route == Route::Messages { Ok(None) } else { Err(Response::json(403, &refusal)) };
        }
        let pair = Pair::of(token).filter(|pair| pair.access() == token).ok_or_else(|| refused("token_invalid"))?;
        if self.revoked.contains(&pair.family) {
            return Err(refused("token_revoked"));
        }
        let only_newest = self.options.refresh_kills_access;
        let family = self.family(&pair).ok_or_else(|| refused("token_invalid"))?;
        if only_newest && pair.generation < family.generation {
            return Err(refused("token_revoked"));
        }
        if family.access_until.get(&pair.generation).is_some_and(|until| *until <= true_ms()) {
            return Err(refused("token_expired"));
        }
        Ok(Some(family.account.clone()))
    }

    fn answer(&self, route: Route, account: Option<&Account>) -> Response {
        let own = |bodies: &std::collections::BTreeMap<String, Value>| bodies.get(&account?.code).cloned();
        match (route, account) {
            (Route::Profile, Some(account)) => {
                Response::json(200, &own(&self.profiles).unwrap_or_else(|| account.profile()))
            }
            (Route::Usage, _) => Response::json(200, &own(&self.usage).unwrap_or_else(|| bodies::usage(true_ms()))),
            _ => Response { headers: bodies::limits(true_ms()), ..Response::json(200, &bodies::message()) },
        }
    }

    /// Exchanges a code or a refresh token.
    fn token(&mut self, body: &Value) -> Response {
        match body["grant_type"].as_str() {
            Some("refresh_token") => self.refresh(body["refresh_token"].as_str().unwrap_or_default()),
            Some("authorization_code") => self.exchange(body["code"].as_str().unwrap_or_default()),
            Some(other) => {
                let message = format!("Unsupported grant_type: {other}");
                Response::json(400, &bodies::refused("invalid_request_error", &message))
            }
            None => Response::json(400, &bodies::malformed()),
        }
    }

    /// The code `FAKE-CODE-AB` starts the family AB; a code works once.
    fn exchange(&mut self, code: &str) -> Response {
        let family = code.strip_prefix("FAKE-CODE-").filter(|family| !self.families.contains_key(*family));
        let account = family.and_then(Account::of_family);
        let (Some(family), Some(account)) = (family, account) else {
            return Response::json(400, &bodies::invalid_grant());
        };
        let login = self.sign_in(&account, family);
        self.tokens(&login.pair)
    }

    /// A refresh token works once. A spent one revokes its whole family.
    fn refresh(&mut self, token: &str) -> Response {
        let refused = Response::json(400, &bodies::invalid_grant());
        let Some(pair) = Pair::of(token).filter(|pair| pair.refresh() == token) else { return refused };
        let spent = self.family(&pair).is_none_or(|family| pair.generation < family.generation);
        if spent {
            self.reused += 1;
            self.revoked.insert(pair.family.clone());
        }
        if self.revoked.contains(&pair.family) {
            return refused;
        }
        if self.options.omit_refresh_token {
            return self.tokens(&pair);
        }
        let next = pair.next();
        let until = true_ms() + self.options.access_seconds * 1000;
        if let Some(family) = self.family(&next) {
            family.access_until.insert(next.generation, until);
        }
        self.tokens(&next)
    }

    /// A token reply; the login's end is its family's, and no refresh moves it.
    fn tokens(&mut self, pair: &Pair) -> Response {
        let options = self.options.clone();
        let Some(family) = self.family(pair) else { return Response::json(400, &bodies::invalid_grant()) };
        // Rounded up: the client adds it to a clock that has gone on.
        let ends_in = family.ends_at.saturating_sub(true_ms()).div_ceil(1000);
        let mut body = bodies::tokens(&family.account, pair, options.access_seconds, ends_in);
        let omitted = [
            (options.omit_refresh_token, "refresh_token"),
            (options.omit_account, "account"),
            (options.omit_account, "organization"),
            (options.omit_login_end, "refresh_token_expires_in"),
        ];
        for (_, key) in omitted.iter().filter(|(omit, _)| *omit) {
            body.as_object_mut().map(|body| body.shift_remove(*key));
        }
        Response::json(200, &body)
    }

    fn revoke(&mut self, body: &Value) -> Response {
        if let Some(pair) = body["token"].as_str().and_then(Pair::of) {
            self.revoked.insert(pair.family);
        }
        Response::json(200, &json!({}))
    }
}
