//! What a process used, as Linux shows it, and waiting for what it does.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What a process used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    /// Voluntary context switches.
    pub(super) switches: f64,
    /// Milliseconds.
    pub(super) processor: f64,
    /// Bytes that went towards a disk.
    pub(super) written: f64,
}

/// Whether this system tells.
pub(super) fn tells() -> bool {
    Path::new("/proc/self/schedstat").exists() && Path::new("/proc/self/io").exists()
}

/// What all threads of a process use within `time`.
pub(super) fn used_within(pid: u32, time: Duration) -> anyhow::Result<Used> {
    let before = used(pid)?;
    std::thread::sleep(time);
    let after = used(pid)?;
    Ok(Used {
        switches: after.switches - before.switches,
        processor: after.processor - before.processor,
        written: after.written - before.written,
    })
}

/// What they used since they began.
pub(super) fn used(pid: u32) -> anyhow::Result<Used> {
    let io = fs::read_to_string(format!("/proc/{pid}/io"))?;
    let mut all = Used { switches: 0.0, processor: 0.0, written: figure(&io, "write_bytes:")? };
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        all.switches += figure(&fs::read_to_string(task.join("status"))?, "voluntary_ctxt_switches:")?;
        let schedule = fs::read_to_string(task.join("schedstat"))?;
        let nanoseconds = schedule.split(' ').next().unwrap_or_default();
        all.processor += nanoseconds.parse::<f64>()? / 1e6;
    }
    Ok(all)
}

/// The number behind a line's name.
fn figure(text: &str, name: &str) -> anyhow::Result<f64> {
    let number = text.lines().find_map(|line| line.strip_prefix(name)).with_context(|| format!("no {name}"))?;
    Ok(number.trim().parse()?)
}

/// Waits until something is so.
pub(super) fn wait(is_so: impl Fn() -> bool) -> anyhow::Result<()> {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        if Instant::now() > end {
            bail!("not within {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(())
}
