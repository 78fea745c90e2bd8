//! Endpoints beside the real client: the key goes to the endpoint, and no login ever does.

use anyhow::ensure;
use clauth_sandbox::world;

use super::bench::{Bench, PATIENCE};
use super::scenarios::{HI, Open, same, two_profiles};

/// The endpoint: the bench's front by a name that is none of Anthropic's. What the fake takes for a login is its key.
const URL: &str = "https://localhost";
const KEY: &str = "sk-ant-oat01-FAKE-E1";

fn prepared(open: Open<'_>) -> anyhow::Result<Bench> {
    let bench = open()?;
    two_profiles(&bench, false)?;
    bench.clauth_given(&["add", "e", "--base-url", URL], KEY)?;
    Ok(bench)
}

pub(super) fn there_and_back(open: Open<'_>) -> anyhow::Result<()> {
    let bench = prepared(open)?;
    let settings = bench.world.read_json(&bench.world.claude_dir().join("settings.json"));
    let b = bench.ask()?;
    let mut before = bench.session()?;
    same("the first turn", &before.turn()?, &b)?;
    bench.clauth(&["switch", "e"])?;
    same("the request under the endpoint", &bench.ask()?, "E1")?;
    same("its host", &bench.hosts().join(" "), "localhost")?;
    same("a session that began as b, after the switch", &before.turn()?, "E1")?;
    let mut session = bench.session()?;
    same("a session's turn", &session.turn()?, "E1")?;
    let refused = bench.try_clauth(&["switch", "b"]);
    ensure!(refused.code == Some(5), "a switch back beside a running session ended with {:?}", refused.code);
    drop(before);
    bench.clauth(&["switch", "b", "--force"])?;
    // Which is why it is refused: the client keeps the address, whatever the settings say.
    same("a session that began under the endpoint, after the switch", &session.turn()?, "E1")?;
    same("its host", &bench.hosts().join(" "), "localhost")?;
    drop(session);
    same("the request after it", &bench.ask()?, &b)?;
    same("its host", &bench.hosts().join(" "), "api.anthropic.com")?;
    let now = bench.world.read_json(&bench.world.claude_dir().join("settings.json"));
    ensure!(now == settings, "settings.json is {now}, was {settings}");
    bench.ensure_clean()
}

pub(super) fn in_a_session(open: Open<'_>) -> anyhow::Result<()> {
    let bench = prepared(open)?;
    let b = bench.ask()?;
    for links in ["real", "copy"] {
        bench.server.forget_requests();
        let output = world::run(bench.start(links, "e", &HI), PATIENCE);
        ensure!(output.code == Some(0), "{links}: {output:?}");
        same("the session's request", &bench.bearer()?, "E1")?;
        same("its host", &bench.hosts().join(" "), "localhost")?;
        same("the live login's request", &bench.ask()?, &b)?;
    }
    // And a login's session while the endpoint is live.
    bench.clauth(&["switch", "e"])?;
    bench.server.forget_requests();
    let refused = world::run(bench.start("real", "b", &HI), PATIENCE);
    ensure!(refused.code == Some(5), "around the home the endpoint's settings are a project's: {refused:?}");
    let elsewhere = bench.world.home().join("project");
    std::fs::create_dir(&elsewhere)?;
    let mut start = bench.start("real", "b", &HI);
    start.current_dir(&elsewhere).env("PWD", &elsewhere);
    let output = world::run(start, PATIENCE);
    ensure!(output.code == Some(0), "{output:?}");
    same("the session's request", &bench.bearer()?, &b)?;
    same("its host", &bench.hosts().join(" "), "api.anthropic.com")?;
    // What is unknown in a login's file travels with it (W4), so it is looked for where the login is.
    bench.clauth(&["switch", "b"])?;
    bench.ensure_clean()
}
