//! Ten accounts read from a server that takes its time, beside one plain request to it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clauth_sandbox::{Reply, Route, Server};

use super::report::{Budget, Row};
use super::stage;
use super::stats::Spread;

/// So many accounts.
const ACCOUNTS: usize = 10;

/// Turns; an account may not be asked about much more often within an hour.
const TURNS: usize = 5;

/// The time until the server answers.
const TRIP: Duration = Duration::from_millis(200);

/// So much more than one round trip may all of them take, in milliseconds.
const MOST: f64 = 100.0;

/// Measures `usage --refresh`.
pub(super) fn measure(program: &Path) -> anyhow::Result<Row> {
    let server = Server::try_start().context("no loopback port for the fake server")?;
    let world = stage::home(program, &server, ACCOUNTS)?;
    let (mut reads, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        server.script(Route::Usage, vec![Reply::Delay(TRIP); ACCOUNTS + 1]);
        plain.push(ask(&server)?);
        server.forget_requests();
        let mut command = world.command(program, Some(&server));
        command.args(["usage", "--refresh"]).stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let status = command.status()?;
        reads.push(began.elapsed());
        ensure!(status.success(), "usage --refresh ended with {status}");
        let asked = server.requests_to(Route::Usage).len();
        ensure!(asked == ACCOUNTS, "{asked} of {ACCOUNTS} accounts were asked about");
    }
    let what = format!("{ACCOUNTS} accounts read live, {} ms a round trip", TRIP.as_millis());
    Ok(Row::timed(what, Spread::of(&reads), ("one request".to_owned(), Spread::of(&plain)), Budget::Over(MOST)))
}

/// How long one request takes; what is answered does not matter.
fn ask(server: &Server) -> anyhow::Result<Duration> {
    let url = server.url();
    let address = url.strip_prefix("http://").context("not a plain server")?;
    let began = Instant::now();
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET /api/oauth/usage HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    ensure!(answer.starts_with(b"HTTP/1.1"), "no answer");
    Ok(began.elapsed())
}
