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
use super::topic::{Topic, Topics};
use crate::process;

/// Turns before measuring begins, for warm caches.
const WARM_UP: usize = 5;

/// One command, made anew for each turn.
pub(super) type Subject<'a> = Box<dyn Fn() -> anyhow::Result<Command> + 'a>;

/// One row: what takes turns, and what stands beside it.
struct Contender<'a> {
    what: String,
    subject: Subject<'a>,
    against: Against<'a>,
}

/// What a subject is measured against.
enum Against<'a> {
    /// Starting a process: so many milliseconds more.
    Nothing(f64),
    /// The least that could be written: so many times as much.
    Files(String, Subject<'a>, f64),
}

/// Measures every subject that is asked for, `turns` times.
pub(super) fn measure(stage: &Stage, turns: usize, topics: &Topics) -> anyhow::Result<Vec<Row>> {
    let contenders = contenders(stage, topics)?;
    if contenders.is_empty() {
        return Ok(Vec::new());
    }
    let nothing: Subject<'_> = Box::new(|| Ok(stage.nothing()));
    let mut subjects = vec![&nothing];
    for contender in &contenders {
        if let Against::Files(_, files, _) = &contender.against {
            subjects.push(files);
        }
        subjects.push(&contender.subject);
    }
    let times = take_turns(&subjects, turns)?;
    let mut spreads = times.iter().map(|times| Spread::of(times));
    let mut next = || spreads.next().context("a subject was not measured");
    let of_true = ("`true`".to_owned(), next()?);
    let row = |contender: Contender<'_>| {
        Ok(match contender.against {
            Against::Nothing(most) => Row::timed(contender.what, next()?, of_true.clone(), Budget::Over(most)),
            Against::Files(name, _, most) => {
                let least = (name, next()?);
                Row::timed(contender.what, next()?, least, Budget::Times(most))
            }
        })
    };
    contenders.into_iter().map(row).collect()
}

/// The subjects that are asked for.
fn contenders<'a>(stage: &'a Stage, topics: &Topics) -> anyhow::Result<Vec<Contender<'a>>> {
    let over = |topic: Topic, what: &str, most: f64, command: fn(&Stage) -> anyhow::Result<Command>| {
        let contender = || Contender {
            what: what.into(),
            subject: Box::new(move || command(stage)),
            against: Against::Nothing(most),
        };
        topics.has(topic).then(contender)
    };
    let all = [
        over(Topic::Which, "`which`", 1.5, |stage| Ok(stage.which())),
        over(Topic::List, &format!("`list`, {MANY} profiles"), 5.0, |stage| Ok(stage.list())),
        over(Topic::Usage, &format!("`usage --offline`, {MANY} profiles"), 6.0, |stage| Ok(stage.usage())),
        over(Topic::Statusline, "`statusline`", 2.0, Stage::statusline),
        if topics.has(Topic::Switch) { switch(stage)? } else { None },
    ];
    Ok(all.into_iter().flatten().collect())
}

fn switch(stage: &Stage) -> anyhow::Result<Option<Contender<'_>>> {
    let Some(written) = switch_writes(stage)? else { return Ok(None) };
    let name = format!("{} files replaced and {} appended to, synced", written.replaced, written.appended);
    let files: Subject<'_> = Box::new(move || baseline(stage, written));
    let against = Against::Files(name, files, 1.5);
    Ok(Some(Contender { what: "`switch`".into(), subject: Box::new(|| Ok(stage.switch())), against }))
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

pub(super) fn take_turns(subjects: &[&Subject<'_>], turns: usize) -> anyhow::Result<Vec<Vec<Duration>>> {
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
    command.stdout(Stdio::null()).stderr(Stdio::null());
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
