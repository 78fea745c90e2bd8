//! Many status lines at once: as many sessions as one machine ever has, all at the end of a turn.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::report::Row;
use super::stage::Stage;
use super::stats;

/// So many run at a time.
const WIDE: usize = 20;

/// So many times each.
const TURNS: usize = 25;

/// The most that 95 of 100 may take over a program that does nothing, in milliseconds. Over it, since twenty programs share the
/// processors: on two of them that one takes longer by itself.
const MOST: f64 = 15.0;

/// Measures the slow end of both: `statusline`, and a program that does nothing in the same crowd.
pub(super) fn measure(stage: &Stage) -> anyhow::Result<Row> {
    // The first time warms the caches.
    crowd(|| Ok(stage.nothing()))?;
    let nothing = crowd(|| Ok(stage.nothing()))?;
    let lines = crowd(|| stage.statusline())?;
    let what = format!("`statusline`, {WIDE} at a time, 95 of 100 within");
    Ok(Row::tail(&what, stats::tail(&lines), ("`true`".to_owned(), stats::tail(&nothing)), MOST))
}

fn crowd(command: impl Fn() -> anyhow::Result<Command>) -> anyhow::Result<Vec<Duration>> {
    let all: anyhow::Result<Vec<Command>> = (0..WIDE * TURNS).map(|_| command()).collect();
    let mut all = all?;
    thread::scope(|scope| {
        let workers: Vec<_> = all.chunks_mut(TURNS).map(|own| scope.spawn(|| run(own))).collect();
        let mut times = Vec::new();
        for worker in workers {
            times.extend(worker.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??);
        }
        Ok(times)
    })
}

fn run(commands: &mut [Command]) -> anyhow::Result<Vec<Duration>> {
    let run = |command: &mut Command| {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let began = Instant::now();
        let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
        ensure!(status.success(), "{command:?} ended with {status}");
        Ok(began.elapsed())
    };
    commands.iter_mut().map(run).collect()
}
