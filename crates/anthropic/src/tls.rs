//! TLS over a connection, by one configuration for all of them.

use std::io::{Read as _, Write as _};
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_platform_verifier::Verifier;
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use crate::wire::Trust;

/// The certificate of whoever answered is not one that is trusted.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("its certificate is not trusted")]
pub(crate) struct Untrusted;

/// Asks for whom to trust.
pub(crate) type AskTrust = Arc<dyn Fn() -> Trust + Send + Sync>;

/// Secures connections. Without a single certificate to trust it secures none. The certificates are read for the first
/// connection that needs them: to read all that a system trusts takes longer than many a command.
pub(crate) struct Secure {
    trust: AskTrust,
    config: OnceLock<Option<Arc<ClientConfig>>>,
}

impl Secure {
    pub(crate) fn new(trust: AskTrust) -> Self {
        Self { trust, config: OnceLock::new() }
    }

    fn config(&self) -> Option<Arc<ClientConfig>> {
        self.config.get_or_init(|| config(&(self.trust)()).map(Arc::new)).clone()
    }
}

impl std::fmt::Debug for Secure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secure")
    }
}

fn config(trust: &Trust) -> Option<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match &trust.instead {
        Some(texts) => only(texts.iter().chain(&trust.beside), &provider)?,
        None => Arc::new(systems(certificates(&trust.beside), Arc::clone(&provider)).ok()?),
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().ok()?;
    // The verifier is the system's, or the library's own with the user's certificates: none is weaker than the usual one.
    Some(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

/// The system's own verifier, with these beside it.
fn systems(beside: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    if beside.is_empty() {
        return Verifier::new(provider);
    }
    Verifier::new_with_extra_roots(beside, provider)
}

fn only<'t>(
    texts: impl Iterator<Item = &'t Vec<u8>>,
    provider: &Arc<CryptoProvider>,
) -> Option<Arc<WebPkiServerVerifier>> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificates(texts));
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok()
}

/// The certificates of all texts that can be trusted at all; one odd entry must not hide the others.
fn certificates<'t>(texts: impl IntoIterator<Item = &'t Vec<u8>>) -> Vec<CertificateDer<'static>> {
    let of_text = |text: &'t Vec<u8>| CertificateDer::pem_slice_iter(text).filter_map(Result::ok);
    let all = texts.into_iter().flat_map(of_text);
    all.filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok()).collect()
}

impl<In: Transport> Connector<In> for Secure {
    type Out = Box<dyn Transport>;

    fn connect(&self, details: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Self::Out>, Error> {
        let Some(plain) = chained else { return Ok(None) };
        if !details.needs_tls() || plain.is_tls() {
            return Ok(Some(plain.boxed()));
        }
        let config = self.config().ok_or_else(|| Error::Other(Box::new(Untrusted)))?;
        let host = details.uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Error::HostNotFound)?;
        let mut conn = ClientConnection::new(config, name).map_err(std::io::Error::other)?;
        let mut sock = TransportAdapter::new(plain.boxed(), Arc::clone(&details.current_time));
        sock.set_timeout(details.timeout);
        conn.complete_io(&mut sock).map_err(refusal)?;
        let (input, output) = (details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Box::new(Secured { buffers: LazyBuffers::new(input, output), stream: StreamOwned { conn, sock } })))
    }
}

/// What broke a handshake: a certificate, or the connection.
fn refusal(error: std::io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(_)) => Error::Other(Box::new(Untrusted)),
        _ => error.into(),
    }
}

/// Whether a request failed for a certificate.
pub(crate) fn is_untrusted(error: &Error) -> bool {
    matches!(error, Error::Other(inner) if inner.is::<Untrusted>())
}

struct Secured {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter>,
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secured")
    }
}

impl Transport for Secured {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        Ok(self.stream.write_all(&self.buffers.output()[..amount])?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}
