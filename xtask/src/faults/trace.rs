//! What strace saw: the calls that change something in a home, in order.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, ExitStatus};

use anyhow::Context as _;

use crate::process;

/// Every call by which the file layer changes something, by its names on Linux.
const CALLS: &str = "open,openat,write,fsync,fdatasync,ftruncate,utimensat,rename,renameat,renameat2,unlink,unlinkat,mkdir,\
                     mkdirat,rmdir,fchmod,fchmodat,chmod,symlink,symlinkat";

/// One call that changes something in the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Operation {
    /// Its name, for strace.
    pub(super) call: String,
    /// Which call of that name this is, from 1, those elsewhere included: how strace counts.
    pub(super) ordinal: usize,
    /// The line, shortened.
    pub(super) text: String,
}

/// Runs `command` under strace; with `kill`, it dies as it enters that call, which then has no effect.
pub(super) fn run(command: &Command, log: &Path, kill: Option<&Operation>) -> anyhow::Result<ExitStatus> {
    let mut words = ["-f", "-y", "-qq", "-s", "16", "-e"].map(str::to_owned).to_vec();
    words.push(format!("trace={CALLS}"));
    if let Some(kill) = kill {
        words.extend(["-e".into(), format!("inject={}:signal=KILL:when={}", kill.call, kill.ordinal)]);
    }
    words.extend(["-o".into(), log.display().to_string()]);
    process::traced(command, &words).status().context("cannot run strace")
}

/// The operations in the text of a trace that concern `home` or paths below it: those of the program's first thread, by which it
/// is killed. strace counts for each thread.
pub(super) fn operations(trace: &str, home: &str) -> Vec<Operation> {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    let mut found = Vec::new();
    let first = trace.split(' ').next();
    for (thread, line) in trace.lines().filter_map(|line| line.split_once(' ')) {
        let Some((call, arguments)) = line.trim_start().split_once('(') else { continue };
        if Some(thread) != first {
            continue;
        }
        let ordinal = seen.entry(call).or_default();
        *ordinal += 1;
        let changes = !call.starts_with("open") || arguments.contains("O_CREAT");
        let inside = ['/', '>', '"'].iter().any(|next| arguments.contains(&format!("{home}{next}")));
        if changes && inside {
            let text = line.trim_start().replace(&format!("{home}/"), "~").replace(home, "~");
            found.push(Operation { call: call.into(), ordinal: *ordinal, text });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_counted_as_strace_counts() {
        let trace = "7 openat(AT_FDCWD</h>, \"/etc/x\", O_RDONLY) = 3</etc/x>\n\
                     7 openat(AT_FDCWD</h>, \"/h/a\", O_WRONLY|O_CREAT|O_EXCL, 0600) = 3</h/a>\n\
                     7 write(3</h/a>, \"x\", 1) = 1\n\
                     7 openat(AT_FDCWD</h>, \"/h\", O_RDONLY|O_DIRECTORY) = 4</h>\n\
                     7 write(1</dev/null>, \"x\", 1) = 1\n\
                     7 fsync(4</h>) = 0\n\
                     8 write(3</h/b>, \"of a thread or child\", 1) = 1\n\
                     7 write(3</h/a>, \"y\", 1) = 1\n\
                     7 +++ exited with 0 +++\n";
        let found: Vec<_> = operations(trace, "/h").iter().map(|o| (o.call.clone(), o.ordinal)).collect();
        let expected =
            [("openat", 2), ("write", 1), ("fsync", 1), ("write", 3)].map(|(call, ordinal)| (call.to_owned(), ordinal));
        assert_eq!(found, expected);
    }
}
