//! The running server and what a test may ask of it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::bodies;
use super::http::{Incoming, Response};
use super::routes::note;
use super::script::{Reply, Route};
use super::state::{Options, Request, State};
use crate::{Account, Login};

/// A connection that says nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    stop: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// A fake Anthropic: API, token endpoint and status page on one random port of 127.0.0.1. It stops when dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server that knows nobody.
    ///
    /// # Panics
    /// No loopback port can be had.
    #[must_use]
    pub fn start() -> Self {
        Self::try_start().expect("a loopback port")
    }

    /// Starts a server that knows nobody.
    ///
    /// # Errors
    /// No loopback port can be had.
    pub fn try_start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let serving = Arc::clone(&shared);
        let acceptor = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if serving.stopped() {
                    break;
                }
                let shared = Arc::clone(&serving);
                // A client that goes away is no error of the server.
                thread::spawn(move || drop(connection(&shared, &stream)));
            }
        });
        Ok(Self { shared, address, acceptor: Some(acceptor) })
    }

    /// The base of all routes, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The token endpoint's whole address.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/v1/oauth/token", self.url())
    }

    /// Signs an account in: a new family, which no home's sign-ins use (`AZ`, then `AZB`, …).
    #[must_use]
    pub fn issue(&self, account: &Account) -> Login {
        self.shared.state().issue(account)
    }

    /// Makes a login known: account, generation and ends. Without it an unknown family is believed at first sight, with
    /// the account that its name tells and a login's full life.
    pub fn know(&self, login: &Login) {
        self.shared.state().know(login);
    }

    /// Changes how the server behaves.
    pub fn set(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.shared.state().options);
    }

    /// Scripts the next answers of a route, behind those scripted before.
    pub fn script(&self, route: Route, replies: Vec<Reply>) {
        self.shared.state().scripts.entry(route).or_default().extend(replies);
    }

    /// Forgets the answers that were scripted and not given yet.
    pub fn unscript(&self, route: Route) {
        self.shared.state().scripts.remove(&route);
    }

    /// The usage body of an account (by its code).
    pub fn set_usage(&self, account: &Account, body: Value) {
        self.shared.state().usage.insert(account.code.clone(), body);
    }

    /// The profile body of an account (by its code).
    pub fn set_profile(&self, account: &Account, body: Value) {
        self.shared.state().profiles.insert(account.code.clone(), body);
    }

    /// What the status page says: `none`, `minor`, `major` or `critical`, and its incidents.
    pub fn set_status(&self, indicator: &str, incidents: Vec<Value>) {
        let mut state = self.shared.state();
        state.indicator = Some(indicator.to_owned());
        state.incidents = incidents;
    }

    /// Ends a family, as a revocation elsewhere does.
    pub fn revoke(&self, family: &str) {
        self.shared.state().revoked.insert(family.to_owned());
    }

    /// The families that are revoked, by reuse, by logout or by [`Server::revoke`].
    #[must_use]
    pub fn revoked(&self) -> Vec<String> {
        self.shared.state().revoked.iter().cloned().collect()
    }

    /// How many spent refresh tokens were presented.
    #[must_use]
    pub fn reused(&self) -> usize {
        self.shared.state().reused
    }

    /// A family's newest generation; 0 if it is unknown.
    #[must_use]
    pub fn generation(&self, family: &str) -> u32 {
        self.shared.state().families.get(family).map_or(0, |family| family.generation)
    }

    /// All requests so far, in the order in which they came.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().requests.clone()
    }

    /// The requests of one route.
    #[must_use]
    pub fn requests_to(&self, route: Route) -> Vec<Request> {
        let mut requests = self.requests();
        requests.retain(|request| Route::of(&request.method, &request.path) == Some(route));
        requests
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().requests.clear();
    }

    /// Fails the test if a spent refresh token was presented or a family is revoked.
    ///
    /// # Panics
    /// Either happened.
    pub fn assert_clean(&self) {
        assert_eq!(self.reused(), 0, "spent refresh tokens were presented; requests: {:#?}", self.requests());
        assert!(self.revoked().is_empty(), "revoked families: {:?}", self.revoked());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it should end.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// Serves one request.
fn connection(shared: &Shared, stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(IDLE))?;
    let Some(incoming) = Incoming::read(stream)? else { return Ok(()) };
    let route = Route::of(&incoming.method, &incoming.path);
    let reply = {
        let mut state = shared.state();
        state.requests.push(note(&incoming));
        route.map_or(Reply::Normal, |route| state.next_reply(route))
    };
    let serve = || match route {
        Some(route) => shared.state().serve(route, &incoming),
        None => Response::json(404, &bodies::refused("not_found_error", "no such thing in the sandbox")),
    };
    match reply {
        Reply::Normal => serve().send(stream, usize::MAX),
        Reply::Status(status, headers, body) => {
            Response { status, headers, kind: "application/json", body }.send(stream, usize::MAX)
        }
        Reply::Html => Response::blocked().send(stream, usize::MAX),
        Reply::DropBefore => Ok(()),
        Reply::Drop => {
            drop(serve());
            Ok(())
        }
        Reply::Truncate => {
            let response = serve();
            response.send(stream, response.body.len() / 2)
        }
        Reply::Delay(time) => {
            let response = serve();
            let end = Instant::now() + time;
            while !shared.stopped() && Instant::now() < end {
                thread::sleep(Duration::from_millis(10).min(time));
            }
            response.send(stream, usize::MAX)
        }
        Reply::Wait(gate) => {
            let response = serve();
            gate.pass(&|| shared.stopped());
            response.send(stream, usize::MAX)
        }
    }
}
