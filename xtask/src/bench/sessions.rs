//! What a session costs: its start, a home to copy, and idling beside `claude`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};

use super::proc::{self, Used, wait};
use super::report::{Budget, Row};
use super::run::{Subject, take_turns};
use super::stage::{NAP, Stage};
use super::stats::Spread;
use super::topic::{Topic, Topics};

/// Turns of what takes as long as copying a home.
const COPIES: usize = 5;

/// The home to copy: so many files of so many bytes each, 240 MB in all.
const FILES: usize = 20_000;
const BYTES: usize = 12_000;
/// So many files are in one directory.
const TOGETHER: usize = 200;

/// How long idling is watched, after so long a rest.
const IDLE: Duration = Duration::from_secs(10);
const REST: Duration = Duration::from_secs(3);

/// Turns of a start. Few: a file system that was just given back thousands of files, as by hundreds of turns, takes longer
/// to make one (ext4 looks at each).
const STARTS: usize = 40;

/// Measures what is asked for of idling in both modes and copying a large home.
pub(super) fn measure(stage: &Stage, topics: &Topics) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    if !topics.has(Topic::Idle) && !topics.has(Topic::Copies) {
        return Ok(rows);
    }
    if !proc::tells() {
        println!("skipped: idle and copied sessions: this system does not show what a process used");
        return Ok(rows);
    }
    if topics.has(Topic::Idle) {
        rows.extend(idle(stage)?);
    }
    if topics.has(Topic::Copies) {
        rows.extend(copies(stage)?);
    }
    Ok(rows)
}

/// How long a user waits for `claude`; a whole session of a program that does nothing, beside that program alone; and of one
/// that lasts until the watchdog has its events, which the system takes a while to forget (decision 0039). To be measured
/// before anything that removes files by the thousand (see [`STARTS`]).
pub(super) fn start(stage: &Stage) -> anyhow::Result<[Row; 3]> {
    let (spoken, begun) = until_it_speaks(stage)?;
    let subjects: [Subject<'_>; 4] = [
        Box::new(|| Ok(stage.nothing())),
        Box::new(|| Ok(stage.start())),
        Box::new(|| Ok(stage.while_asleep())),
        Box::new(|| Ok(stage.start_asleep())),
    ];
    let times = take_turns(&subjects.each_ref(), STARTS)?;
    let spread = |at: usize| Spread::of(&times[at]);
    let (nothing, asleep) = (("`true`".to_owned(), spread(0)), (format!("`sleep {NAP}`"), spread(2)));
    let spoken = ("`echo`".to_owned(), spoken);
    Ok([
        Row::timed("`start` of `echo`, links, until it speaks", begun, spoken, Budget::Over(10.0)),
        Row::timed("`start` of `true`, links, and its end", spread(1), nothing, Budget::Over(10.0)),
        Row::told(format!("`start` of `sleep {NAP}`, links, and its end"), spread(3), asleep),
    ])
}

/// How long `echo` takes to say its word, by itself and as the `claude` of a session.
fn until_it_speaks(stage: &Stage) -> anyhow::Result<(Spread, Spread)> {
    let (mut alone, mut started) = (Vec::new(), Vec::new());
    for turn in 0..=STARTS {
        let times = [heard(stage.echo())?, heard(stage.start_echo())?];
        // The first turn warms the caches.
        if turn > 0 {
            alone.push(times[0]);
            started.push(times[1]);
        }
    }
    Ok((Spread::of(&alone), Spread::of(&started)))
}

/// From the start of a command to the first byte that it says.
fn heard(mut command: Command) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut byte = [0];
    child.stdout.take().context("it has no output")?.read_exact(&mut byte).context("it says nothing")?;
    let took = began.elapsed();
    ensure!(child.wait()?.success(), "it failed");
    Ok(took)
}

fn idle(stage: &Stage) -> anyhow::Result<[Row; 2]> {
    let session = Session::begin(stage, "real")?;
    let used = session.idle()?;
    session.end()?;
    Ok([
        Row::plain("idle session for 10 s, links: voluntary switches", used.switches, "switches", 30.0),
        Row::plain("idle session for 10 s, links: processor time", used.processor, "ms", 5.0),
    ])
}

fn copies(stage: &Stage) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    let home = stage.large_home();
    fill(&home)?;
    let (mut started, mut copied) = (Vec::new(), Vec::new());
    for turn in 0..=COPIES {
        let copy = copy(stage, &home)?;
        let session = Session::begin(stage, "copy")?;
        // The first turn warms the caches.
        if turn > 0 {
            copied.push(copy);
            started.push(session.took);
        }
        if turn == COPIES {
            let used = session.idle()?;
            rows.push(Row::plain("idle session for 10 s, copies: processor time", used.processor, "ms", 50.0));
            let (took, used) = session.mirrored(&home)?;
            rows.push(Row::plain("a changed file in the copy", took, "ms", 1000.0));
            rows.push(Row::plain("the same: processor time, where a walk takes hundreds", used, "ms", 25.0));
        }
        session.end()?;
    }
    let least = ("`cp -r` of the same home".to_owned(), Spread::of(&copied));
    let what = format!("`start`, copies, {FILES} files of {BYTES} bytes");
    rows.insert(0, Row::timed(what, Spread::of(&started), least, Budget::Times(1.3)));
    Ok(rows)
}

fn fill(home: &Path) -> anyhow::Result<()> {
    let content: Vec<u8> = (0..BYTES).map(|at| b"0123456789abcdef\n"[at % 17]).collect();
    for number in 0..FILES {
        let folder = home.join("projects").join(format!("-home-user-project-{:03}", number / TOGETHER));
        if number % TOGETHER == 0 {
            fs::create_dir_all(&folder)?;
        }
        // No two are equal, as no two transcripts are.
        let text = [number.to_string().as_bytes(), &content].concat();
        fs::write(folder.join(format!("{number:08}.jsonl")), text)?;
    }
    Ok(())
}

/// How long it takes `cp -r` to copy the home.
fn copy(stage: &Stage, home: &Path) -> anyhow::Result<Duration> {
    let to = stage.folder().with_file_name("copied");
    let began = Instant::now();
    let status = Command::new("cp").arg("-r").arg(home).arg(&to).status().context("cannot run cp")?;
    let took = began.elapsed();
    ensure!(status.success(), "cp ended with {status}");
    fs::remove_dir_all(&to)?;
    Ok(took)
}

/// A `clauth start` whose `claude` sleeps.
struct Session {
    parent: Child,
    /// From its start to the beginning of its `claude`.
    took: Duration,
    tree: PathBuf,
}

impl Session {
    fn begin(stage: &Stage, links: &str) -> anyhow::Result<Self> {
        let (mut command, tree, begun) = stage.sleeper(links)?;
        let began = Instant::now();
        let parent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        wait(|| begun.exists()).context("the session does not begin")?;
        Ok(Self { parent, took: began.elapsed(), tree })
    }

    /// What the parent uses while nothing happens.
    fn idle(&self) -> anyhow::Result<Used> {
        thread::sleep(REST);
        proc::used_within(self.parent.id(), IDLE)
    }

    /// How long a changed file of the home takes to be the same in the tree, and what the parent used for it until a moment
    /// later, in milliseconds.
    fn mirrored(&self, home: &Path) -> anyhow::Result<(f64, f64)> {
        let name = Path::new("projects/-home-user-project-050/00010000.jsonl");
        // Lines are what a transcript gets; whatever else is in both is left alone.
        let line = "{\"changed\":true}\n";
        let before = proc::used(self.parent.id())?;
        let mut file = fs::OpenOptions::new().append(true).open(home.join(name))?;
        file.write_all(line.as_bytes())?;
        let began = Instant::now();
        wait(|| fs::read_to_string(self.tree.join(name)).is_ok_and(|other| other.ends_with(line)))
            .context("a change does not arrive")?;
        let took = began.elapsed().as_secs_f64() * 1000.0;
        thread::sleep(REST);
        Ok((took, proc::used(self.parent.id())?.processor - before.processor))
    }

    fn end(mut self) -> anyhow::Result<()> {
        let pid = self.parent.id().to_string();
        ensure!(Command::new("kill").arg(&pid).status()?.success(), "it cannot be ended");
        self.parent.wait()?;
        ensure!(!self.tree.exists(), "{} is still there", self.tree.display());
        Ok(())
    }
}
