//! Processes on Linux, by proc(5).

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use clauth_durable::Disk;
use clauth_host::{Env, Host};

use super::RunningClaude;
use crate::{ClaudeHome, overrides, real_path};

/// This system shows every process.
pub(super) const SEES_ALL: bool = true;

const PROC: &str = "/proc";

/// A file of proc(5) is small, but its size is said to be 0.
const LIMIT: u64 = 1 << 20;

/// Whether a process lives and, where its start is known, is still the same one.
pub(super) fn is_alive(disk: &Disk, pid: u32, start: Option<&str>) -> bool {
    match start_of(disk, Path::new(PROC), pid) {
        None => false,
        Some(now) => start.is_none_or(|start| start == now),
    }
}

/// Field 22 of `stat`: when the process began, in clock ticks since boot.
fn start_of(disk: &Disk, proc: &Path, pid: u32) -> Option<String> {
    let bytes = disk.vfs.read(&proc.join(pid.to_string()).join("stat"), LIMIT).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // The command's name, in parentheses, may hold anything; the fields that count follow the last one.
    let (_, fields) = text.rsplit_once(") ")?;
    fields.split(' ').nth(19).map(str::to_owned)
}

/// Adds what `/proc` shows, and attributes every process to the home that its environment names.
pub(super) fn amend(host: &Host, disk: &Disk, found: &mut Vec<RunningClaude>) {
    scan(Path::new(PROC), host, disk, found);
}

fn scan(proc: &Path, host: &Host, disk: &Disk, found: &mut Vec<RunningClaude>) {
    for pid in disk.list(proc).unwrap_or_default().iter().filter_map(|name| name.to_str()?.parse::<u32>().ok()) {
        let known = found.iter().position(|claude| claude.pid == pid);
        if known.is_none() && !is_claude(disk, &proc.join(pid.to_string())) {
            continue;
        }
        // A process whose environment cannot be read is somebody else's, or gone.
        let Some(env) = environment(disk, &proc.join(pid.to_string())) else { continue };
        let Some((dir, ours)) = config_dir(&env, host) else { continue };
        let over = overrides::outranking(&env);
        match known {
            Some(at) => (found[at].config_dir, found[at].overrides) = (dir, over),
            None if !ours || is_outside(host, disk, &dir) => {}
            None => {
                let cwd = || disk.vfs.read_link(&proc.join(pid.to_string()).join("cwd")).ok();
                // It may be registered in the home that it names, which nobody asked for.
                let own = super::registered::one(disk, &ClaudeHome::at(&dir, host, disk), pid);
                found.push(match own {
                    Some(own) => RunningClaude { cwd: own.cwd.clone().or_else(cwd), overrides: over, ..own },
                    None => RunningClaude {
                        pid,
                        config_dir: dir,
                        status: None,
                        kind: None,
                        cwd: cwd(),
                        started_at: None,
                        overrides: over,
                    },
                });
            }
        }
    }
}

/// A `claude` whose environment names `home`, for its files or for its login. One of another home cannot hold its locks.
pub(super) fn user_of(host: &Host, disk: &Disk, home: &ClaudeHome) -> Option<u32> {
    one_of(Path::new(PROC), host, disk, home)
}

fn one_of(proc: &Path, host: &Host, disk: &Disk, home: &ClaudeHome) -> Option<u32> {
    let dirs = [&home.dir, &home.secure].map(|dir| real_path(disk, dir));
    let pids = disk.list(proc).unwrap_or_default().into_iter().filter_map(|name| name.to_str()?.parse::<u32>().ok());
    pids.filter(|pid| is_claude(disk, &proc.join(pid.to_string()))).find(|pid| {
        let Some(env) = environment(disk, &proc.join(pid.to_string())) else { return false };
        let named = env.path("CLAUDE_CONFIG_DIR").filter(|dir| !dir.as_os_str().is_empty());
        let used = [named, config_dir(&env, host).map(|(dir, _)| dir)];
        used.into_iter().flatten().any(|dir| dirs.contains(&real_path(disk, &dir)))
    })
}

/// Whether a process is `claude` itself and not something that it started.
fn is_claude(disk: &Disk, process: &Path) -> bool {
    let Ok(line) = disk.vfs.read(&process.join("cmdline"), LIMIT) else { return false };
    let words: Vec<&[u8]> = line.split(|byte| *byte == 0).collect();
    let base = |word: &[u8]| word.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
    let runs_script =
        |word: &&[u8]| base(word) == b"claude" || (base(word) == b"cli.js" && contains(word, b"claude-code"));
    match words.first().map(|word| base(word)) {
        Some(name) if name == b"claude" => true,
        Some(name) if name == b"node" || name == b"bun" => words.get(1).is_some_and(runs_script),
        _ => false,
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn environment(disk: &Disk, process: &Path) -> Option<Env> {
    let bytes = disk.vfs.read(&process.join("environ"), LIMIT).ok()?;
    let entries = bytes.split(|byte| *byte == 0).filter_map(|entry| {
        let at = entry.iter().position(|byte| *byte == b'=')?;
        let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
        Some((text(&entry[..at]), text(&entry[at + 1..])))
    });
    Some(entries.collect())
}

/// The config directory that an environment names, and whether that is a matter of this user's: not so the default one of
/// another home altogether. `None` where the environment names no home.
fn config_dir(env: &Env, host: &Host) -> Option<(PathBuf, bool)> {
    // The credential store decides which login a process uses; defined but empty it is the default one (facts §1.1).
    let store = env.raw("CLAUDE_SECURESTORAGE_CONFIG_DIR");
    if let Some(dir) = store.or_else(|| env.get("CLAUDE_CONFIG_DIR")).filter(|dir| !dir.is_empty()) {
        return Some((dir.into(), true));
    }
    let home = env.path("HOME")?;
    let same = home == host.home
        || std::fs::canonicalize(&home)
            .ok()
            .is_some_and(|real| std::fs::canonicalize(&host.home).is_ok_and(|ours| ours == real));
    Some(if same { (host.home.join(".claude"), true) } else { (home.join(".claude"), false) })
}

/// Whether a home is none of a sandbox's: whoever runs tests may have a `claude` of their own at work.
fn is_outside(host: &Host, disk: &Disk, dir: &Path) -> bool {
    host.sandbox && !real_path(disk, dir).starts_with(real_path(disk, &host.home))
}

#[cfg(test)]
#[path = "linux_tests.rs"]
mod tests;
