//! What must hold of switches beside the real client.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clauth_sandbox::server::Gate;
use clauth_sandbox::{Account, Login, Reply, Route, world};

use super::bench::{Bench, PATIENCE};

/// Opens a bench of its own, as often as a scenario needs one.
pub(super) type Open<'a> = &'a dyn Fn() -> anyhow::Result<Bench>;

/// A scenario fails with what it saw.
pub(super) type Scenario = fn(Open<'_>) -> anyhow::Result<()>;

/// All of them, by name.
pub(super) const SCENARIOS: [(&str, Scenario); 8] = [
    ("the client works on the fake", client_alone),
    ("identity and requests follow a switch", identity_follows),
    ("a running session follows a switch", session_follows),
    ("what the client rotates comes home", rotation_comes_home),
    ("a switch while a refresh is in flight", switch_in_flight),
    ("a switch at any moment of a refresh", switch_at_any_moment),
    ("an endpoint gets its key, and no login", super::endpoint::there_and_back),
    ("a session under an endpoint, beside a live login", super::endpoint::in_a_session),
];

/// What `CLAUTH_LINKS` may say.
pub(super) const LINKS: [&str; 2] = ["real", "copy"];

/// The words of one request.
pub(super) const HI: [&str; 4] = ["-p", "hi", "--model", "haiku"];

fn client_alone(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let login = bench.sign_in(&Account::a(), true);
    same("the first request after a refresh", &bench.ask()?, &login.pair.next().to_string())?;
    same("`claude auth status`", &bench.identity()?, &login.account.email)?;
    bench.ensure_clean()
}

fn identity_follows(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let [a, b] = two_profiles(&bench, false)?;
    for (name, login) in [("a", &a), ("b", &b), ("a", &a)] {
        bench.clauth(&["switch", name])?;
        same("`claude auth status`", &bench.identity()?, &login.account.email)?;
        same("the next request", &bench.ask()?, &login.pair.to_string())?;
        same("`claude auth status` after it", &bench.identity()?, &login.account.email)?;
    }
    bench.ensure_clean()
}

fn session_follows(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let [a, b] = two_profiles(&bench, false)?;
    let mut session = bench.session()?;
    same("the first turn", &session.turn()?, &b.pair.to_string())?;
    for (name, login) in [("a", &a), ("b", &b)] {
        let told = bench.clauth(&["switch", name, "--json"])?;
        ensure!(told.contains("next_request"), "the switch does not say when the session follows: {told}");
        same("the turn after the switch", &session.turn()?, &login.pair.to_string())?;
    }
    bench.ensure_clean()
}

fn rotation_comes_home(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let [a, b] = two_profiles(&bench, true)?;
    bench.clauth(&["switch", "a"])?;
    for (name, login) in [("b", &b), ("a", &a), ("b", &b)] {
        bench.ask()?;
        bench.clauth(&["switch", name])?;
        same("the login that is back", &live(&bench), &bench.newest(login))?;
    }
    let generations = [&a, &b].map(|login| bench.server.generation(&login.pair.family));
    ensure!(generations == [2, 2], "the client refreshed {generations:?} times, not once each");
    bench.ensure_clean()
}

/// The switch begins while the server holds the client's answer back.
fn switch_in_flight(open: Open<'_>) -> anyhow::Result<()> {
    let bench = open()?;
    let [a, _] = two_profiles(&bench, true)?;
    bench.clauth(&["switch", "a"])?;
    let gate = Gate::new();
    bench.server.script(Route::Token, vec![Reply::Wait(gate.clone())]);
    thread::scope(|scope| {
        let turn = scope.spawn(|| bench.ask());
        ensure!(gate.is_reached(), "the client did not refresh");
        let switch = scope.spawn(|| switch_until_done(&bench, "b"));
        thread::sleep(Duration::from_secs(1));
        gate.open();
        switch.join().map_err(|_| anyhow::anyhow!("the switch panicked"))??;
        // Whose login pays for this turn is the client's choice; that it ends is ours to see.
        let _ = turn.join();
        Ok(())
    })?;
    nothing_lost(&bench, &a)
}

/// The switch begins at moments spread over the client's start, refresh and request.
fn switch_at_any_moment(open: Open<'_>) -> anyhow::Result<()> {
    let span = duration_of_a_turn(open)?;
    for step in 0..8 {
        let bench = open()?;
        let [a, _] = two_profiles(&bench, true)?;
        bench.clauth(&["switch", "a"])?;
        bench.server.script(Route::Token, vec![Reply::Delay(Duration::from_millis(400))]);
        thread::scope(|scope| {
            let turn = scope.spawn(|| world::run(bench.claude(&["-p", "hi", "--model", "haiku"]), PATIENCE));
            thread::sleep(span * step / 7);
            let switched = switch_until_done(&bench, "b");
            let _ = turn.join();
            switched
        })?;
        nothing_lost(&bench, &a).with_context(|| format!("at {step}/7 of {span:?}"))?;
    }
    Ok(())
}

fn duration_of_a_turn(open: Open<'_>) -> anyhow::Result<Duration> {
    let bench = open()?;
    bench.sign_in(&Account::a(), true);
    bench.server.script(Route::Token, vec![Reply::Delay(Duration::from_millis(400))]);
    let began = Instant::now();
    bench.ask()?;
    Ok(began.elapsed())
}

/// The newest generation of `login`, wherever it is by now, is back after a switch to it, and works.
fn nothing_lost(bench: &Bench, login: &Login) -> anyhow::Result<()> {
    switch_until_done(bench, "a")?;
    same("the login that is back", &live(bench), &bench.newest(login))?;
    bench.ask()?;
    bench.ensure_clean()
}

/// Switches; a held lock (exit 4) is tried again, as a person would.
pub(super) fn switch_until_done(bench: &Bench, name: &str) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    loop {
        let output = bench.try_clauth(&["switch", name]);
        match output.code {
            Some(0) => return Ok(()),
            Some(4) if Instant::now() < end => {}
            code => anyhow::bail!("`clauth switch {name}` ended with {code:?}: {}", output.stderr.trim()),
        }
    }
}

/// Signs in as two people and captures each; the second is live then.
pub(super) fn two_profiles(bench: &Bench, expired: bool) -> anyhow::Result<[Login; 2]> {
    let a = bench.sign_in(&Account::a(), expired);
    bench.clauth(&["capture", "a"])?;
    let b = bench.sign_in(&Account::b(), expired);
    bench.clauth(&["capture", "b"])?;
    Ok([a, b])
}

pub(super) fn live(bench: &Bench) -> String {
    bench.world.live()
}

pub(super) fn same(what: &str, seen: &str, expected: &str) -> anyhow::Result<()> {
    ensure!(seen == expected, "{what}: {seen}, expected {expected}");
    Ok(())
}
