//! One case: counted once, then killed at every operation.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Stdio;

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
    // Finishing an interrupted command settles: what was displaced or renewed before it began is brought home.
    play.interrupt()?;
    let brought_home = play.settle()?;
    play.restore()?;
    let operations = count(&play, case)?;
    let after = play.settle()?;
    play.restore()?;
    let mut problems = same_count(&play, case, operations.len())?;
    let states = [before, brought_home, after];
    for (index, operation) in operations.iter().enumerate() {
        let place = format!("killed at {} of {}, {}", index + 1, operations.len(), operation.text);
        if let Err(problem) = kill(&play, case, operation, &states) {
            problems.push(format!("{place}: {problem:#}"));
        }
        play.restore()?;
    }
    Ok(Outcome { operations: operations.len(), problems })
}

fn count(play: &Play, case: &Case) -> anyhow::Result<Vec<Operation>> {
    let log = play.world.home().with_extension("trace");
    let status = trace::run(&play.command(case), &log, None)?;
    let text = std::fs::read_to_string(&log)?;
    std::fs::remove_file(&log)?;
    ensure!(status.success(), "`clauth {}` ended with {status}", case.words.join(" "));
    Ok(trace::operations(&text, &play.world.home().display().to_string()))
}

/// The sweep inside `cargo test` counts the effects that it asks the file layer for; the program itself ends before its
/// n-th when it is told to. Both have to count what strace saw.
fn same_count(play: &Play, case: &Case, operations: usize) -> anyhow::Result<Vec<String>> {
    let ends = |at: usize| -> anyhow::Result<bool> {
        let mut command = play.command(case);
        command.env(clauth::CRASH_AT, at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status()?;
        play.restore()?;
        Ok(status.success())
    };
    if !ends(operations)? && (case.beside || ends(operations + 1)?) {
        return Ok(Vec::new());
    }
    let mut count = 0;
    while !ends(count + 1)? {
        count += 1;
    }
    Ok(vec![format!("strace saw {operations} operations, but the file layer was asked for {count}")])
}

fn kill(play: &Play, case: &Case, operation: &Operation, states: &[String]) -> anyhow::Result<()> {
    let tokens = play.tokens();
    let log = play.world.home().with_extension("trace");
    let status = trace::run(&play.command(case), &log, Some(operation))?;
    std::fs::remove_file(&log)?;
    // What a thread beside it has done already, the program need not do any more.
    let spared = case.beside && status.success();
    ensure!(
        spared || status.signal() == Some(KILL),
        "it was not killed but ended with {status}: its operations differ from run to run"
    );
    intact(play, &tokens)?;
    let had_notes = play.has_notes(false);
    let settled = play.settle()?;
    intact(play, &tokens)?;
    ensure!(!had_notes || play.has_notes(true), "what the session wrote did not come home");
    let left = play.left();
    ensure!(left.is_none(), "{} is left", left.unwrap_or_default().display());
    ensure!(states.contains(&settled), "the next command ends in [{settled}], not in [{}]", states.join("] or ["));
    Ok(())
}

fn intact(play: &Play, tokens: &std::collections::BTreeSet<String>) -> anyhow::Result<()> {
    match play.damage(tokens) {
        None => Ok(()),
        Some(damage) => anyhow::bail!(damage),
    }
}
