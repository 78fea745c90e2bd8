//! The child on Unix: one process group and one terminal for both, by job control as shells know it.
//!
//! The terminal's signals reach both processes. What another process sends to this one alone is passed on; a signal tells
//! who sent it (`si_code`, `si_pid`), but not whether the whole group was meant, so a `kill` of the group arrives twice.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process, waitid};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::iterator::exfiltrator::origin::Origin;
use signal_hook::low_level::siginfo::Cause;

use super::Turn;

/// What the program is called.
pub(super) const NAMES: &[&str] = &["claude"];

/// What would end or stop this process while the child goes on.
const CAUGHT: [i32; 5] = [SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGTSTP];

/// How often and how long the child is waited for when this process was continued.
const LAGGING: (u32, Duration) = (20, Duration::from_millis(10));

/// Whether a file may be run by us.
pub(super) fn may_run(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

/// Runs a command to its end.
pub(super) fn run(mut command: Command, told: &mut dyn FnMut(Turn)) -> io::Result<u8> {
    let (early, late) = caught(ignored());
    let mut signals = SignalsInfo::<WithOrigin>::new(early)?;
    let handle = signals.handle();
    let mut child = command.spawn()?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidData)?;
    for signal in late {
        handle.add_signal(signal)?;
    }
    let passing_on = thread::spawn(move || signals.forever().for_each(|origin| pass_on(&origin, pid)));
    told(Turn::Started(child.id()));
    let ended = until_it_ends(pid, told);
    // Only now may its number become another process's.
    handle.close();
    let _ = passing_on.join();
    ended?;
    let status = child.wait()?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    Ok(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Which signals to catch before the child is made, and which after. What was ignored when we were started (`nohup`) stays
/// ignored for both; a caught signal would be the default one in the child. Where it cannot be known what was ignored, the
/// signal of `nohup` is caught only once the child has inherited how it stood.
fn caught(ignored: Option<u64>) -> (Vec<i32>, Vec<i32>) {
    match ignored {
        Some(mask) => (CAUGHT.into_iter().filter(|signal| mask >> (signal - 1) & 1 == 0).collect(), Vec::new()),
        None => CAUGHT.into_iter().partition(|signal| *signal != SIGHUP),
    }
}

/// The signals that this process ignores, one bit each, where the system tells: Linux, proc(5).
pub(crate) fn ignored() -> Option<u64> {
    let mut text = String::new();
    File::open("/proc/self/status").ok()?.take(1 << 16).read_to_string(&mut text).ok()?;
    let mask = text.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Passes on what a process other than the child sent. What has no sender came from the terminal, to both of us. One that
/// this process cannot see, as whoever stops the container that it runs in, has the number 0.
fn pass_on(origin: &Origin, child: Pid) {
    let sender = origin.process.map_or(0, |process| process.pid);
    let is_sent = sender > 0 || matches!(origin.cause, Cause::Sent(_));
    if is_sent
        && sender != child.as_raw_nonzero().get()
        && let Some(signal) = Signal::from_named_raw(origin.signal)
    {
        // It may have ended meanwhile; it has not been waited for, so the number is still its own.
        let _ = kill_process(child, signal);
    }
}

/// After this process was continued: a shell continues the whole job, of which the child may be the last; only what is
/// still stopped after a while was left out, and is continued too.
fn continue_with_us(child: Pid, seen: &dyn Fn(WaitIdOptions) -> Option<WaitIdStatus>) {
    let either = WaitIdOptions::STOPPED | WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    for _ in 0..LAGGING.0 {
        // One that has stopped anew, or ended, went on in between.
        if seen(WaitIdOptions::CONTINUED).is_some() || seen(either).is_some() {
            return;
        }
        thread::sleep(LAGGING.1);
    }
    let _ = kill_process(child, Signal::CONT);
}

/// Waits until the child has ended, and leaves it to be waited for. Stops whenever it stops.
fn until_it_ends(child: Pid, told: &mut dyn FnMut(Turn)) -> io::Result<()> {
    loop {
        let any = WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT;
        let status = rustix::io::retry_on_intr(|| waitid(WaitId::Pid(child), any))?;
        if !status.is_some_and(|status| status.stopped()) {
            return Ok(());
        }
        let seen = |options| waitid(WaitId::Pid(child), options | WaitIdOptions::NOHANG).ok().flatten();
        if seen(WaitIdOptions::STOPPED).is_some() {
            told(Turn::Stopped);
            // So that the shell sees its job stopped. It goes on here when the shell continues the job.
            kill_process(rustix::process::getpid(), Signal::STOP)?;
            continue_with_us(child, &seen);
            told(Turn::Continued);
        }
    }
}
