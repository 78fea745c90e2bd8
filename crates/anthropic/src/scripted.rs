//! A server on loopback that says, byte for byte, what a test tells it to.
#![expect(clippy::disallowed_methods, reason = "it wakes itself on its own loopback port")]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What happens after the bytes of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The connection is closed.
    Close,
    /// Nothing more comes, until the client goes away.
    Hold,
    /// A little more comes again and again, until the client goes away.
    Drip,
}

/// A server with one answer for everybody. It stops when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    bodies: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start(answer: Vec<u8>, then: Then) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let (heads, bodies) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<Vec<String>>>::default());
        let stop = Arc::<AtomicBool>::default();
        let (log, told, stopped) = (Arc::clone(&heads), Arc::clone(&bodies), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let head = head(&stream);
                told.lock().expect("not poisoned").push(body(&stream, &head));
                log.lock().expect("not poisoned").push(head);
                // A client that goes away is no failure of the server.
                let _ = serve(&stream, &answer, then);
            }
        });
        Self { address, heads, bodies, stop, thread: Some(thread) }
    }

    /// A whole answer with its length.
    pub(crate) fn answering(status: &str, headers: &str, body: &[u8]) -> Self {
        Self::start(answer(status, headers, body), Then::Close)
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of all requests so far.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("not poisoned").clone()
    }

    /// The bodies of all requests so far.
    pub(crate) fn bodies(&self) -> Vec<String> {
        self.bodies.lock().expect("not poisoned").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the server, which then sees that it should end.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// An answer with its length; `headers` are whole lines.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("HTTP/1.1 {status} Fake\r\nconnection: close\r\n{headers}content-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// The request up to its empty line.
fn head(mut stream: &TcpStream) -> String {
    // Only so that a client that says nothing cannot hang the test run.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let (mut bytes, mut one) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && matches!(stream.read(&mut one), Ok(1)) {
        bytes.extend(one);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The body that a request's head announces.
fn body(mut stream: &TcpStream, head: &str) -> String {
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok());
    let mut bytes = vec![0; length.unwrap_or(0)];
    let _ = stream.read_exact(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn serve(mut stream: &TcpStream, answer: &[u8], then: Then) -> std::io::Result<()> {
    stream.write_all(answer)?;
    stream.flush()?;
    match then {
        Then::Close => Ok(()),
        Then::Hold => stream.read(&mut [0]).map(drop),
        Then::Drip => {
            stream.set_read_timeout(Some(Duration::from_millis(10)))?;
            loop {
                stream.write_all(b" ")?;
                if matches!(stream.read(&mut [0]), Ok(0)) {
                    return Ok(());
                }
            }
        }
    }
}
