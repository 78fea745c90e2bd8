//! The loop in which all subjects take turns.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::args::ourselves;
use super::effects::{self, Written};
use super::report::{Budget, Row};
use super::stage::{MANY, Stage};
use super::stats::Spread;
use crate::process;

/// Turns before measuring begins, for warm caches.
const WARM_UP: usize = 5;

/// What to measure.
pub(super) struct Plan<'a> {
    /// The homes.
    pub(super) stage: &'a Stage,
    /// Turns of each subject.
    pub(super) turns: usize,
}

/// One command, made anew for each turn.
pub(super) type Subject<'a> = Box<dyn Fn() -> anyhow::Result<Command> + 'a>;

/// Measures every subject.
pub(super) fn measure(plan: &Plan<'_>) -> anyhow::Result<Vec<Row>> {
    let stage = plan.stage;
    let mut subjects: Vec<Subject<'_>> =
        vec![Box::new(|| Ok(stage.nothing())), Box::new(|| Ok(stage.which())), Box::new(|| Ok(stage.list()))];
    let written = switch_writes(stage)?;
    if let Some(written) = written {
        subjects.push(Box::new(move || baseline(stage, written)));
        subjects.push(Box::new(|| Ok(stage.switch())));
    }
    let spreads: Vec<_> = take_turns(&subjects, plan.turns)?.iter().map(|times| Spread::of(times)).collect();
    let of_true = ("`true`".to_owned(), spreads[0]);
    let mut rows = vec![
        Row::timed("`which`", spreads[1], of_true.clone(), Budget::Over(1.5)),
        Row::timed(format!("`list`, {MANY} profiles"), spreads[2], of_true, Budget::Over(5.0)),
    ];
    if let (Some(written), [_, _, _, baseline, switch]) = (written, spreads.as_slice()) {
        let name = format!("{} files replaced and {} appended to, synced", written.replaced, written.appended);
        rows.push(Row::timed("`switch`", *switch, (name, *baseline), Budget::Times(1.5)));
    }
    Ok(rows)
}

/// How many files a switch writes; nothing where strace is not there to count.
fn switch_writes(stage: &Stage) -> anyhow::Result<Option<Written>> {
    if process::find("strace").is_none() {
        println!("skipped: `switch`: strace, which counts the files it writes, is not installed");
        return Ok(None);
    }
    // The first switch finds nothing lent yet; the second is like all that follow.
    time(&mut stage.switch())?;
    std::fs::create_dir_all(stage.folder())?;
    effects::count(&stage.switch(), &stage.folder().join("trace")).map(Some)
}

fn baseline(stage: &Stage, written: Written) -> anyhow::Result<Command> {
    let mut command = ourselves(&["bench-files"])?;
    command.arg(stage.folder());
    command.args(["--replace", &written.replaced.to_string(), "--append", &written.appended.to_string()]);
    Ok(command)
}

pub(super) fn take_turns(subjects: &[Subject<'_>], turns: usize) -> anyhow::Result<Vec<Vec<Duration>>> {
    let mut times = vec![Vec::with_capacity(turns); subjects.len()];
    for turn in 0..WARM_UP + turns {
        for (subject, times) in subjects.iter().zip(&mut times) {
            let time = time(&mut subject()?)?;
            if turn >= WARM_UP {
                times.push(time);
            }
        }
    }
    Ok(times)
}

fn time(command: &mut Command) -> anyhow::Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let began = Instant::now();
    let status = command.status().with_context(|| format!("cannot run {command:?}"))?;
    let time = began.elapsed();
    if !status.success() {
        bail!("{command:?} ended with {status}");
    }
    Ok(time)
}

/// Times a debug build of the workspace in an empty target folder.
pub(super) fn clean_build(root: &Path) -> anyhow::Result<Row> {
    let folder = process::target(root).join("bench-build");
    let mut build = process::cargo(root);
    build.args(["build", "--quiet", "--locked", "--workspace"]).env("CARGO_TARGET_DIR", &folder);
    let began = Instant::now();
    process::run(&mut build)?;
    let seconds = began.elapsed().as_secs_f64();
    std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    Ok(Row::plain("clean debug build of the workspace", seconds, "s", 120.0))
}
