//! Whether a request has left this machine: what was never sent has no outcome that could be unknown (R4).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use crate::wire::Ways;

/// Raised when the first byte of a request is about to be written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent(Arc<AtomicBool>);

impl Sent {
    pub(crate) fn is_raised(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn raise(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// The ways to connect, watched. Resolving, connecting, a proxy's tunnel and the TLS handshake are over when
/// it hands out its transport, so what is written there first is the request.
#[derive(Debug)]
pub(crate) struct Watch {
    inner: Ways,
    /// The host of the request; none if the address is no address, and then everything counts as it.
    target: Option<Uri>,
    sent: Sent,
}

impl Watch {
    pub(crate) fn new(inner: Ways, url: &str, sent: &Sent) -> Self {
        Self { inner, target: url.parse().ok(), sent: sent.clone() }
    }

    /// A proxy is asked for its tunnel by way of a connection of its own, which carries nothing of the request.
    fn is_target(&self, uri: &Uri) -> bool {
        self.target.as_ref().is_none_or(|target| target.authority() == uri.authority())
    }
}

impl Connector<()> for Watch {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<()>) -> Result<Option<Self::Out>, Error> {
        let Some(inner) = self.inner.connect(details, chained)? else { return Ok(None) };
        if !self.is_target(details.uri) {
            return Ok(Some(inner));
        }
        Ok(Some(Box::new(Watched { inner, sent: self.sent.clone() })))
    }
}

#[derive(Debug)]
struct Watched {
    inner: Box<dyn Transport>,
    sent: Sent,
}

impl Transport for Watched {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if amount > 0 {
            self.sent.raise();
        }
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
