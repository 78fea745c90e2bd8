//! How many files a program writes, counted from outside with strace.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::process;

/// What a program wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    /// Files that took another's place, or a free one, by rename.
    pub(super) replaced: usize,
    /// Files that were synced where they stand.
    pub(super) appended: usize,
}

const CALLS: &str = "trace=rename,renameat,renameat2,fsync,fdatasync";

/// Runs `command` to its end under strace and counts what it wrote.
pub(super) fn count(command: &Command, log: &Path) -> anyhow::Result<Written> {
    let log_path = log.display().to_string();
    let words = ["-f", "-y", "-qq", "-e", CALLS, "-o", &log_path].map(str::to_owned);
    let status = process::traced(command, &words).status().context("cannot run strace")?;
    if !status.success() {
        bail!("{} under strace ended with {status}", command.get_program().display());
    }
    let text = std::fs::read_to_string(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(written(&text, &|path| Path::new(path).is_dir()))
}

/// Counts the lines of a trace. A file that was synced and then renamed is a replacement, one that was only synced
/// an appended one; directories are synced too, and belong to the replacements.
fn written(trace: &str, is_folder: &dyn Fn(&str) -> bool) -> Written {
    let done = |line: &&str| line.ends_with("= 0");
    let renamed: Vec<&str> = trace.lines().filter(done).filter(|line| line.contains("rename")).collect();
    let synced = trace.lines().filter(done).filter_map(synced_path);
    let appended =
        synced.filter(|path| !is_folder(path) && !renamed.iter().any(|line| line.contains(&format!("\"{path}\""))));
    Written { replaced: renamed.len(), appended: appended.count() }
}

/// The path of `12 fsync(3</home/x>) = 0`.
fn synced_path(line: &str) -> Option<&str> {
    let (_, rest) = line.split_once("sync(")?;
    let (_, rest) = rest.split_once('<')?;
    Some(rest.split_once('>')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_counted_by_file() {
        let trace = "7 fsync(3</h/.a.new>) = 0\n\
                     7 rename(\"/h/.a.new\", \"/h/a\") = 0\n\
                     7 fsync(3</h>)  = 0\n\
                     7 fdatasync(4</h/log>) = 0\n\
                     7 renameat2(AT_FDCWD</h>, \"/h/b\", AT_FDCWD</h>, \"/h/c\", RENAME_NOREPLACE) = -1 EEXIST (File exists)\n";
        assert_eq!(written(trace, &|path| path == "/h"), Written { replaced: 1, appended: 1 });
    }
}
