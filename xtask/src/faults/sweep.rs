//! One case: counted once, then killed at every operation.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use anyhow::ensure;

use super::cases::Case;
use super::play::Play;
use super::trace::{self, Operation};

/// How a case went.
pub(super) struct Outcome {
    /// Operations that the command has when nothing goes wrong.
    pub(super) operations: usize,
    /// What was broken, and after a kill at which of them.
    pub(super) problems: Vec<String>,
}

/// SIGKILL's number.
const KILL: i32 = 9;

/// Counts the operations of `case`, and kills it at each.
pub(super) fn sweep(program: &Path, case: &Case) -> anyhow::Result<Outcome> {
    let play = Play::begin(program)?;
    (case.prepare)(&play)?;
    play.keep()?;
    let before = play.settle()?;
    play.restore()?;
    let operations = count(&play, case)?;
    let after = play.settle()?;
    play.restore()?;
    let mut problems = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let place = format!("killed at {} of {}, {}", index + 1, operations.len(), operation.text);
        let states = [before.as_str(), after.as_str()];
        if let Err(problem) = kill(&play, case, operation, states) {
            problems.push(format!("{place}: {problem:#}"));
        }
        play.restore()?;
    }
    Ok(Outcome { operations: operations.len(), problems })
}

fn count(play: &Play, case: &Case) -> anyhow::Result<Vec<Operation>> {
    let log = play.world.home().with_extension("trace");
    let status = trace::run(&play.command(case.words), &log, None)?;
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    ensure!(status.success(), "`clauth {}` ended with {status}", case.words.join(" "));
    Ok(trace::operations(&text, &format!("{}/", play.world.home().display())))
}

fn kill(play: &Play, case: &Case, operation: &Operation, states: [&str; 2]) -> anyhow::Result<()> {
    let tokens = play.tokens();
    let log = play.world.home().with_extension("trace");
    let status = trace::run(&play.command(case.words), &log, Some(operation))?;
    std::fs::remove_file(&log)?;
    ensure!(
        status.signal() == Some(KILL),
        "it was not killed but ended with {status}: its operations differ from run to run"
    );
    intact(play, &tokens)?;
    let settled = play.settle()?;
    intact(play, &tokens)?;
    ensure!(
        states.contains(&settled.as_str()),
        "the next command ends in [{settled}], not in [{}] or [{}]",
        states[0],
        states[1]
    );
    Ok(())
}

fn intact(play: &Play, tokens: &std::collections::BTreeSet<String>) -> anyhow::Result<()> {
    match play.damage(tokens) {
        None => Ok(()),
        Some(damage) => anyhow::bail!(damage),
    }
}
