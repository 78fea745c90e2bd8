//! The one place that opens a socket.

use std::time::Duration;

use clauth_host::{Endpoints, Env, Secret};
use ureq::Agent;
use ureq::typestate::{WithBody, WithoutBody};

use crate::proxy;
use crate::retry::RetryAfter;
use crate::tls::is_untrusted;
use crate::watch::{Sent, Watch};
use crate::wire::Wire;

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
    /// The proxy that the environment names cannot be used, or lets nothing through.
    #[error("the proxy does not let it through")]
    Proxy,
    /// Whoever answered has a certificate that is not trusted.
    #[error("its certificate is not trusted")]
    Untrusted,
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
    /// A status of 500 or more, and the server says when to come again.
    #[error("the server answered with status {status}")]
    Unavailable {
        /// The status.
        status: u16,
        /// For how long.
        retry_after: RetryAfter,
    },
    /// Another status, or a 403 for another reason, such as somebody else's page.
    #[error("the server answered with status {0}")]
    Server(u16),
    /// An answer that cannot be understood.
    #[error("the answer cannot be understood")]
    Unparsable,
}

/// Asks servers. Cheap to make: nothing is opened or loaded before the first request.
pub struct Client<'a> {
    endpoints: &'a Endpoints,
    env: &'a Env,
    wire: &'a Wire,
    network: bool,
}

/// What is sent beside an address.
#[derive(Clone, Copy, Default)]
pub(crate) struct With<'a> {
    /// A token or a key, for a header of its own, which goes to the address's host and nowhere else.
    pub(crate) secret: Option<&'a Secret>,
    /// The secret stands alone in its header, without the word `Bearer`.
    pub(crate) bare: bool,
    /// Other headers.
    pub(crate) headers: &'a [(&'a str, &'a str)],
}

impl<'a> Client<'a> {
    /// A client; with `network` off every request is refused.
    #[must_use]
    pub fn new(endpoints: &'a Endpoints, env: &'a Env, wire: &'a Wire, network: bool) -> Self {
        Self { endpoints, env, wire, network }
    }

    pub(crate) fn endpoints(&self) -> &Endpoints {
        self.endpoints
    }

    /// Asks and answers the body. The whole call ends within `deadline`.
    pub(crate) fn get(&self, url: &str, with: With<'_>, deadline: Duration) -> Result<Vec<u8>, LookupError> {
        let way = self.way(url)?;
        let mut request = way.set(self.wire.agent().get(url), deadline).header("accept", "application/json");
        if let Some(secret) = with.secret {
            let scheme = if with.bare { "" } else { "Bearer " };
            request = request.header("authorization", format!("{scheme}{}", secret.expose()));
        }
        for (name, value) in with.headers {
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
            status => Err(match retry_after.filter(|_| status >= 500) {
                Some(retry_after) => LookupError::Unavailable { status, retry_after },
                None => LookupError::Server(status),
            }),
        }
    }

    /// A request that notes in `sent` when its first byte goes out.
    pub(crate) fn post(
        &self,
        url: &str,
        deadline: Duration,
        sent: &Sent,
    ) -> Result<ureq::RequestBuilder<WithBody>, LookupError> {
        let way = self.way(url)?;
        let agent: Agent = self.wire.watched(|ways| Watch::new(ways, url, sent));
        let request = agent.post(url).config().timeout_global(Some(deadline)).proxy(way.0);
        Ok(request.build())
    }

    /// The way to an address. Every socket of clauth's is opened by a request that went through here.
    fn way(&self, url: &str) -> Result<Way, LookupError> {
        if !self.network {
            return Err(LookupError::Refused);
        }
        proxy::for_url(self.env, url).map(Way).ok_or(LookupError::Proxy)
    }
}

/// The leave to go to an address, through this proxy or directly.
struct Way(Option<ureq::Proxy>);

impl Way {
    fn set(self, request: ureq::RequestBuilder<WithoutBody>, deadline: Duration) -> ureq::RequestBuilder<WithoutBody> {
        request.config().timeout_global(Some(deadline)).proxy(self.0).build()
    }
}

fn failure(error: &ureq::Error) -> LookupError {
    match error {
        ureq::Error::Timeout(_) => LookupError::Timeout,
        ureq::Error::BodyExceedsLimit(_) => LookupError::Unparsable,
        ureq::Error::ConnectProxyFailed(_) => LookupError::Proxy,
        error if is_untrusted(error) => LookupError::Untrusted,
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
