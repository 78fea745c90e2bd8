//! The one way out of this process: whom it trusts, and the agent that all requests share. Made at the first request, so that a
//! command that asks nobody pays nothing for it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use ureq::Agent;
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, SocksConnector, TcpConnector, Transport,
};

use crate::tls::{AskTrust, Secure};

/// How clauth names itself.
const USER_AGENT: &str = concat!("clauth/", env!("CARGO_PKG_VERSION"));

/// The certificates that a user names. Each text holds any number of them in PEM; what is none in it is passed over.
#[derive(Clone, Default)]
pub struct Trust {
    /// These and no others, in the place of those that the system trusts.
    pub instead: Option<Vec<Vec<u8>>>,
    /// These too.
    pub beside: Vec<Vec<u8>>,
}

/// The way out, shared by all clients of a process. Cheap to make and to clone.
#[derive(Clone)]
pub struct Wire(Arc<Inner>);

struct Inner {
    trust: AskTrust,
    made: OnceLock<Made>,
}

struct Made {
    ways: Ways,
    agent: Agent,
}

impl Wire {
    /// A way out that asks for whom to trust when the first connection is to be secured.
    #[must_use]
    pub fn new(trust: impl Fn() -> Trust + Send + Sync + 'static) -> Self {
        Self(Arc::new(Inner { trust: Arc::new(trust), made: OnceLock::new() }))
    }

    /// Whether anything has been asked yet.
    #[must_use]
    pub fn is_made(&self) -> bool {
        self.0.made.get().is_some()
    }

    /// The agent that requests for readings and identities share.
    pub(crate) fn agent(&self) -> &Agent {
        &self.made().agent
    }

    /// An agent of its own for a request that is watched, over the same ways.
    pub(crate) fn watched(&self, watch: impl FnOnce(Ways) -> crate::watch::Watch) -> Agent {
        Agent::with_parts(config(), watch(self.made().ways.clone()), DefaultResolver::default())
    }

    fn made(&self) -> &Made {
        self.0.made.get_or_init(|| {
            let ways = Ways::new(Secure::new(Arc::clone(&self.0.trust)));
            Made { agent: Agent::with_parts(config(), ways.clone(), DefaultResolver::default()), ways }
        })
    }
}

impl Default for Wire {
    /// Trusts what the system trusts.
    fn default() -> Self {
        Self::new(Trust::default)
    }
}

/// The manner of every call: statuses as values; no redirects, since a token goes to one host only; and each connection for
/// one request, since one that was kept may be closed by the time it is used again, and a failure would be the answer.
fn config() -> Config {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(0)
        .user_agent(USER_AGENT)
        .proxy(None)
        .build()
}

/// How a connection comes to be: through a proxy or directly, and then, where the address says so, secured.
#[derive(Clone)]
pub(crate) struct Ways(Arc<dyn Connector<(), Out = Box<dyn Transport>>>);

impl Ways {
    fn new(secure: Secure) -> Self {
        let plain = ().chain(SocksConnector::default()).chain(ConnectProxyConnector::default());
        Self(Arc::new(plain.chain(TcpConnector::default()).chain(secure)))
    }
}

impl fmt::Debug for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ways")
    }
}

impl Connector<()> for Ways {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<()>) -> Result<Option<Self::Out>, ureq::Error> {
        self.0.connect(details, chained)
    }
}

#[cfg(test)]
mod tests;
