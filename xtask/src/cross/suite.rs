//! The tests of some crates under Wine: built once, then each program run with a deadline, two programs at a time, each in a
//! prefix that nothing else uses.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ExitCode, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::cargo::{self, Platform};
use super::packages;
use super::report::Report;
use super::wine::{self, Prefix};

/// The crates with files, links, locks and processes in them, which are what differs on Windows.
const CRATES: [&str; 4] = ["durable", "claude", "engine", "cli"];

/// A program that has not ended by then hangs, or has other work to wait for.
const DEADLINE: Duration = Duration::from_secs(3600);

/// How many programs run at once. Wine's server is one thread, which half of a program's time goes into.
const LANES: usize = 2;

/// A test program that was built.
struct Program {
    /// `clauth-engine it`: its package and its target.
    name: String,
    file: PathBuf,
    /// Where cargo would run it.
    folder: PathBuf,
}

/// Builds the tests of `which` (`durable`, or `engine:it` for one program of a crate; all four where nothing is named)
/// and runs those whose name holds `filter`.
pub(super) fn run(root: &Path, which: Option<&str>, filter: Option<&str>) -> anyhow::Result<ExitCode> {
    let reason = packages::missing(true).or_else(|| wine::missing().map(str::to_owned));
    if let Some(reason) = reason {
        println!("skipped: cross windows --test: {reason}");
        return Ok(ExitCode::SUCCESS);
    }
    let (crates, program) = match which.map(|which| which.split_once(':').unwrap_or((which, ""))) {
        Some((one, program)) => (vec![one], program),
        None => (CRATES.to_vec(), ""),
    };
    let mut programs = build(root, &crates)?;
    programs.retain(|one| one.name.ends_with(program));
    ensure!(!programs.is_empty(), "no test program of that name: {}", which.unwrap_or_default());
    // Whole commands take the longest: they begin first.
    programs.sort_by_key(|one| one.file.file_name().is_none_or(|name| !name.to_string_lossy().starts_with("it-")));
    let all = play_all(root, programs, filter)?;
    println!("\nunder Wine:");
    all.iter().for_each(|report| println!("  {}", report.line()));
    Ok(if all.iter().all(Report::is_well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs all programs in their order, as many at a time as there are lanes.
fn play_all(root: &Path, programs: Vec<Program>, filter: Option<&str>) -> anyhow::Result<Vec<Report>> {
    let lanes = LANES.min(programs.len());
    let (queue, all) = (Mutex::new(programs.into_iter()), Mutex::new(Vec::new()));
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let lane = |number: usize| -> anyhow::Result<()> {
        let prefix = Prefix::make(root, number)?;
        while let Some(program) = next() {
            let report = play(root, &prefix, &program, filter)?;
            print!("{report}");
            all.lock().unwrap_or_else(PoisonError::into_inner).push(report);
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let lane = &lane;
        let lanes: Vec<_> = (0..lanes).map(|number| scope.spawn(move || lane(number))).collect();
        lanes.into_iter().try_for_each(|lane| lane.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a lane panicked"))))
    })?;
    Ok(all.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn build(root: &Path, crates: &[&str]) -> anyhow::Result<Vec<Program>> {
    let mut words: Vec<String> =
        ["test", "--no-run", "--message-format", "json-render-diagnostics"].map(String::from).into();
    for name in crates {
        words.push("--package".into());
        words.push(if *name == "cli" { "clauth".into() } else { format!("clauth-{name}") });
    }
    let output = cargo::command(root, Platform::Windows, &words)?
        .stderr(std::process::Stdio::inherit())
        .output()
        .context("cannot run cargo")?;
    ensure!(output.status.success(), "cargo ended with {}", output.status);
    let text = String::from_utf8(output.stdout).context("cargo's messages are no text")?;
    let messages = text.lines().map(serde_json::from_str::<Value>).collect::<Result<Vec<_>, _>>()?;
    Ok(messages.iter().filter_map(program).collect())
}

/// The test program that a message of cargo's tells of.
fn program(message: &Value) -> Option<Program> {
    let is_test = message["profile"]["test"].as_bool()?;
    let file = PathBuf::from(message["executable"].as_str()?);
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let package = folder.file_name()?.to_str()?;
    let name = format!("{package} {}", message["target"]["name"].as_str()?);
    is_test.then_some(Program { name, file, folder })
}

/// Runs one program. One test at a time: what then hangs has a name.
fn play(root: &Path, prefix: &Prefix, program: &Program, filter: Option<&str>) -> anyhow::Result<Report> {
    println!("running {} …", program.name);
    let log = prefix.path().join("output");
    let out = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut command = prefix.command(root);
    command.arg(&program.file).args(["--test-threads=1", "--show-output"]).args(filter);
    command.current_dir(&program.folder).env("CARGO_MANIFEST_DIR", &program.folder);
    // What tests' own programs complain about would stand in the middle of a line.
    let aside = File::create(log.with_extension("errors")).context("cannot write what goes to standard error")?;
    command.stdout(out).stderr(aside).stdin(std::process::Stdio::null());
    let began = Instant::now();
    let status = wait(&mut command.spawn().context("cannot run Wine")?)?;
    if status.is_none() {
        prefix.end();
    }
    let text = fs::read(&log).with_context(|| format!("cannot read {}", log.display()))?;
    let text = String::from_utf8_lossy(&text).replace('\r', "");
    Ok(Report::read(&program.name, &text, status.map(|status| status.success()), began.elapsed()))
}

/// The child's end, or nothing where it was ended by us.
fn wait(child: &mut Child) -> anyhow::Result<Option<ExitStatus>> {
    let began = Instant::now();
    while began.elapsed() < DEADLINE {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill()?;
    child.wait()?;
    Ok(None)
}
