//! The poller between two polls: nothing is due, so nothing may be done.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clauth_sandbox::{Server, World};

use super::proc;
use super::report::Row;
use super::stage;

/// Accounts whose readings are fresh.
const ACCOUNTS: usize = 3;

/// How long it is watched, after so long a rest. Both together are less than any account's turn takes to come.
const IDLE: Duration = Duration::from_secs(20);
const REST: Duration = Duration::from_secs(8);

/// Measures `usage --watch`, the process that polls.
pub(super) fn measure(program: &Path) -> anyhow::Result<Vec<Row>> {
    if !proc::tells() {
        println!("skipped: the poller: this system does not show what a process used");
        return Ok(Vec::new());
    }
    let server = Server::try_start().context("no loopback port for the fake server")?;
    let world = stage::home(program, &server, ACCOUNTS)?;
    let read = world.clauth(program, Some(&server), &["usage", "--refresh"]);
    ensure!(read.code == Some(0), "usage --refresh: {}", read.stderr);
    let mut command = world.command(program, Some(&server));
    command.args(["usage", "--watch"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut poller = command.spawn()?;
    let used = watch(&world, &server, &poller);
    poller.kill()?;
    poller.wait()?;
    let used = used?;
    let share = used.processor / (IDLE.as_secs_f64() * 1000.0) * 100.0;
    Ok(vec![
        Row::plain("idle poller: bytes written", used.written, "bytes", 0.0),
        Row::plain("idle poller: processor", share, "%", 0.1),
    ])
}

fn watch(world: &World, server: &Server, poller: &Child) -> anyhow::Result<proc::Used> {
    std::thread::sleep(REST);
    server.forget_requests();
    let before = world.snapshot();
    let used = proc::used_within(poller.id(), IDLE)?;
    ensure!(server.requests().is_empty(), "it was not idle: {:?}", server.requests());
    ensure!(before == world.snapshot(), "a file changed");
    Ok(used)
}
