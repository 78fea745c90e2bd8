//! The one place that opens a socket.

use std::sync::Arc;
use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};
use ureq::Agent;
use ureq::config::Config;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::unversioned::resolver::DefaultResolver;

use crate::proxy;
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
    /// 403, from the server itself.
    #[error("the token may not ask this")]
    Scope,
    /// 429.
    #[error("the server asks for fewer requests")]
    Throttled {
        /// For how long, where it said so.
        retry_after: Option<Duration>,
    },
    /// Another status, or a 403 that is somebody else's page.
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
        if !self.network {
            return Err(LookupError::Refused);
        }
        let request = Agent::from(self.config(url, deadline)).get(url);
        let authorization = format!("Bearer {}", bearer.expose());
        let request = request.header("authorization", authorization).header("accept", "application/json");
        let mut response = request.call().map_err(|error| failure(&error))?;
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok().map(str::to_owned));
        match status {
            200..=299 => response.body_mut().with_config().limit(LIMIT).read_to_vec().map_err(|error| failure(&error)),
            401 => Err(LookupError::Unauthorized),
            // A firewall's or proxy's page says nothing about the token (facts §3.3).
            403 if header("content-type").is_some_and(|kind| kind.to_lowercase().contains("html")) => {
                Err(LookupError::Server(403))
            }
            403 => Err(LookupError::Scope),
            429 => Err(LookupError::Throttled { retry_after: header("retry-after").and_then(|text| seconds(&text)) }),
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

/// `Retry-After` in seconds; a date is left to who reads usage.
pub(crate) fn seconds(text: &str) -> Option<Duration> {
    text.trim().parse().ok().map(Duration::from_secs)
}
