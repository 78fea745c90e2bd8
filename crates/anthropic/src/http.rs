//! The one place that opens a socket.

use std::sync::Arc;
use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;

use crate::proxy;
use crate::retry::RetryAfter;
use crate::watch::{Sent, Watch};

/// How clauth names itself.
const USER_AGENT: &str = concat!("clauth/", env!("CARGO_PKG_VERSION"));

/// No answer that clauth reads is larger.
pub(crate) const LIMIT: u64 = 1 << 20;

/// Why there is no answer. Carries no text of a body, which may hold tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// `network = "off"`: no socket was opened.
    #[error("the network is turned off")]
    Refused,
    /// Nobody was reached.
    #[error("the server could not be reached")]
    Offline,
    /// The answer did not come in time.
    #[error("the server did not answer in time")]
    Timeout,
    /// 401.
    #[error("the server does not accept the token")]
    Unauthorized,
    /// 403, and the server says that the token lacks the scope for it.
    #[error("the token may not ask this")]
    Scope,
    /// 429.
    #[error("the server asks for fewer requests")]
    Throttled {
        /// For how long, where it said so.
        retry_after: Option<RetryAfter>,
    },
    /// Another status, or a 403 for another reason, such as somebody else's page.
    #[error("the server answered with status {0}")]
    Server(u16),
    /// An answer that cannot be understood.
    #[error("the answer cannot be understood")]
    Unparsable,
}

/// Asks Anthropic's endpoints. Cheap to make: nothing is opened or loaded before the first request.
pub struct Client<'a> {
    endpoints: &'a Endpoints,
    env: &'a Env,
    network: bool,
}

impl<'a> Client<'a> {
    /// A client; with `network` off every request is refused.
    #[must_use]
    pub fn new(endpoints: &'a Endpoints, env: &'a Env, network: bool) -> Self {
        Self { endpoints, env, network }
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        self.endpoints
    }

    /// Asks with a bearer token and answers the body. The whole call ends within `deadline`.
    pub(crate) fn get(&self, url: &str, bearer: &Secret, deadline: Duration) -> Result<Vec<u8>, LookupError> {
        self.ask(url, bearer, deadline, &[])
    }

    /// As [`Self::get`], of what is in trial at Anthropic (facts §4).
    pub(crate) fn get_beta(&self, url: &str, bearer: &Secret, deadline: Duration) -> Result<Vec<u8>, LookupError> {
        self.ask(url, bearer, deadline, &[("anthropic-beta", "oauth-2025-04-20")])
    }

    fn ask(
        &self,
        url: &str,
        bearer: &Secret,
        deadline: Duration,
        more: &[(&str, &str)],
    ) -> Result<Vec<u8>, LookupError> {
        if !self.network {
            return Err(LookupError::Refused);
        }
        let mut request = Agent::from(self.config(url, deadline)).get(url).header("accept", "application/json");
        request = request.header("authorization", format!("Bearer {}", bearer.expose()));
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let mut response = request.call().map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        let retry_after = header("retry-after").and_then(|text| RetryAfter::parse(&text, header("date").as_deref()));
        let mut body = || response.body_mut().with_config().limit(LIMIT).read_to_vec();
        match status {
            200..=299 => body().map_err(|error| failure(&error)),
            401 => Err(LookupError::Unauthorized),
            403 if body().is_ok_and(|body| lacks_scope(&body)) => Err(LookupError::Scope),
            429 => Err(LookupError::Throttled { retry_after }),
            status => Err(LookupError::Server(status)),
        }
    }

    pub(crate) fn network(&self) -> bool {
        self.network
    }

    /// An agent that notes in `sent` when the first byte of a request goes out.
    pub(crate) fn watched(&self, url: &str, deadline: Duration, sent: &Sent) -> Agent {
        Agent::with_parts(self.config(url, deadline), Watch::new(url, sent), DefaultResolver::default())
    }

    /// The manner of one call: statuses as values, no redirects (a token goes to one host only), system roots.
    fn config(&self, url: &str, deadline: Duration) -> Config {
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(deadline))
            .user_agent(USER_AGENT)
            .proxy(proxy::for_url(self.env, url))
            .tls_config(tls)
            .build()
    }
}

fn failure(error: &ureq::Error) -> LookupError {
    match error {
        ureq::Error::Timeout(_) => LookupError::Timeout,
        ureq::Error::BodyExceedsLimit(_) => LookupError::Unparsable,
        _ => LookupError::Offline,
    }
}

/// Whether a refusal is about what the token may do. A firewall's or proxy's page, or a refusal of the whole organization,
/// says nothing about the token (facts §3.3, §4.4).
fn lacks_scope(body: &[u8]) -> bool {
    let message = |body: serde_json::Value| {
        let error = body.get("error")?;
        error.get("message").unwrap_or(error).as_str().map(str::to_lowercase)
    };
    serde_json::from_slice(body).ok().and_then(message).is_some_and(|message| message.contains("scope"))
}
