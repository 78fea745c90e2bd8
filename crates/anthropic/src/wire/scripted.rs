//! A TLS server of a throw-away authority, and proxies that lead everything to it, all on loopback.
#![expect(clippy::disallowed_methods, reason = "a proxy opens connections, on loopback")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Who signed the server's certificate.
pub(super) const CA: &[u8] = include_bytes!("../../fixtures/ca.pem");

/// Who did not.
pub(super) const OTHER: &[u8] = include_bytes!("../../fixtures/other.pem");

const CERTIFICATE: &[u8] = include_bytes!("../../fixtures/server.pem");
const KEY: &[u8] = include_bytes!("../../fixtures/server.key");

/// What came in, one text a connection.
#[derive(Clone, Default)]
pub(super) struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn all(&self) -> Vec<String> {
        self.0.lock().expect("not poisoned").clone()
    }

    fn note(&self, text: &str) {
        self.0.lock().expect("not poisoned").push(text.to_owned());
    }
}

/// Something that listens, until the test's process ends.
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) log: Log,
}

fn listen(serve: impl Fn(TcpStream, &Log) -> std::io::Result<()> + Send + Sync + 'static) -> Listening {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
    let (address, log) = (listener.local_addr().expect("an address"), Log::default());
    let (told, serve) = (log.clone(), Arc::new(serve));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (told, serve) = (told.clone(), Arc::clone(&serve));
            // A client that goes away is no failure of ours; one that says nothing cannot hang the run.
            thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
                let _ = serve(stream, &told);
            });
        }
    });
    Listening { address, log }
}

/// Answers every request with these bytes, over TLS.
pub(super) fn secured(answer: Vec<u8>) -> Listening {
    let certificates: Vec<_> =
        CertificateDer::pem_slice_iter(CERTIFICATE).map(|one| one.expect("a certificate")).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .expect("they fit");
    let config = Arc::new(config);
    listen(move |stream, log| {
        let conn = ServerConnection::new(Arc::clone(&config)).map_err(std::io::Error::other)?;
        let mut stream = StreamOwned::new(conn, stream);
        let mut head = read_head(&mut stream)?;
        let lower = head.to_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body)?;
        head.push_str(&String::from_utf8_lossy(&body));
        log.note(&head);
        stream.write_all(&answer)?;
        stream.conn.send_close_notify();
        stream.flush()
    })
}

/// A proxy that wants `credentials`, in Base64, and leads every tunnel to `target`.
pub(super) fn tunnel(target: SocketAddr, credentials: Option<&'static str>) -> Listening {
    listen(move |mut stream, log| {
        let head = read_head(&mut stream)?;
        log.note(&head);
        let given = head.lines().find_map(|line| line.strip_prefix("Proxy-Authorization: Basic "));
        if given != credentials {
            return stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
        }
        let onward = TcpStream::connect(target)?;
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        pipe(stream, onward)
    })
}

/// A SOCKS5 proxy that leads everything to `target`; it logs the host that was asked for.
pub(super) fn socks(target: SocketAddr) -> Listening {
    listen(move |mut stream, log| {
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting)?;
        stream.read_exact(&mut vec![0; usize::from(greeting[1])])?;
        stream.write_all(&[5, 0])?;
        let mut asked = [0; 5];
        stream.read_exact(&mut asked)?;
        let mut rest = vec![0; usize::from(asked[4]) + 2];
        stream.read_exact(&mut rest)?;
        log.note(&String::from_utf8_lossy(&rest[..rest.len() - 2]));
        let onward = TcpStream::connect(target)?;
        stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
        pipe(stream, onward)
    })
}

fn pipe(one: TcpStream, other: TcpStream) -> std::io::Result<()> {
    let (mut from, mut to) = (one.try_clone()?, other.try_clone()?);
    let there = thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let (mut from, mut to) = (other, one);
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Both);
    there.join().map_err(|_| std::io::Error::other("a thread"))
}

/// The request up to its empty line, a byte at a time: what comes after it is not ours to read.
fn read_head(stream: &mut impl Read) -> std::io::Result<String> {
    let (mut bytes, mut one) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut one)?;
        bytes.extend(one);
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
