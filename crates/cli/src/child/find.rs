//! Which program `claude` is: the one that `CLAUTH_CLAUDE` names, else the first on `PATH`, and never ourselves.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clauth_engine::Kind;
use clauth_host::Host;

use super::{CANNOT_RUN, NOT_FOUND, platform};
use crate::failure::Failure;

/// The variable that names the program.
const NAMED: &str = "CLAUTH_CLAUDE";

/// How much of a script is looked at for words that lead back to us.
const HEAD: u64 = 4096;

/// What a file on the way is to us.
enum Candidate {
    Program,
    /// There, but not to be run.
    Barred,
    /// Ourselves, or a script that calls us: it would start itself for ever.
    Ourselves,
    Nothing,
}

/// The program to start.
///
/// # Errors
/// There is none, or only one that cannot be run; of `start` the exit codes are 127 and 126.
pub(crate) fn find(host: &Host) -> Result<PathBuf, Failure> {
    if let Some(named) = host.env.path(NAMED) {
        // Whoever names a program means it, also a script that leads here by another name.
        return match look_at(&named, host) {
            Candidate::Program => Ok(named),
            Candidate::Ourselves if !is_us(&named, host) => Ok(named),
            Candidate::Ourselves => Err(barred(&named, "CLAUTH_CLAUDE names clauth itself")),
            Candidate::Barred => Err(barred(&named, "CLAUTH_CLAUDE names a file that cannot be run")),
            Candidate::Nothing => Err(missing("CLAUTH_CLAUDE names nothing", &named.display().to_string())),
        };
    }
    let mut only = None;
    for path in on_path(host.env.get("PATH").unwrap_or_default()) {
        match look_at(&path, host) {
            Candidate::Program => return Ok(path),
            Candidate::Barred => only = only.or(Some((path, "claude is there but may not be run"))),
            Candidate::Ourselves => only = only.or(Some((path, "the only claude here leads back to clauth"))),
            Candidate::Nothing => {}
        }
    }
    Err(only.map_or_else(|| missing("there is no claude here", "PATH"), |(path, what)| barred(&path, what)))
}

/// Every place where the program may be, in order. An empty entry is the working directory.
fn on_path(path: &OsStr) -> Vec<PathBuf> {
    let directories: Vec<PathBuf> = std::env::split_paths(path).collect();
    directories.iter().flat_map(|directory| platform::NAMES.iter().map(|name| directory.join(name))).collect()
}

fn look_at(path: &Path, host: &Host) -> Candidate {
    if !std::fs::metadata(path).is_ok_and(|meta| meta.is_file()) {
        return Candidate::Nothing;
    }
    if !platform::may_run(path) {
        return Candidate::Barred;
    }
    if is_us(path, host) || calls_us(path) { Candidate::Ourselves } else { Candidate::Program }
}

/// Whether a path is this very program. In a sandbox the fake `claude` is, under another name.
fn is_us(path: &Path, host: &Host) -> bool {
    let us = std::env::current_exe().and_then(std::fs::canonicalize);
    !host.sandbox && us.is_ok_and(|us| std::fs::canonicalize(path).is_ok_and(|real| real == us))
}

/// Whether a script has the word `clauth` near its beginning.
fn calls_us(path: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
    let batch = |kind: &OsStr| kind.eq_ignore_ascii_case("cmd") || kind.eq_ignore_ascii_case("bat");
    let script = head.starts_with(b"#!") || path.extension().is_some_and(batch);
    read.is_ok() && script && names_us(&head)
}

fn names_us(head: &[u8]) -> bool {
    const US: &[u8] = b"clauth";
    let ends = |at: usize| {
        let rest = &head[at + US.len()..];
        let rest = rest.strip_prefix(b".exe").unwrap_or(rest);
        rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || b"\"';|&)".contains(byte))
    };
    // In a batch file `@` before a command keeps it from being shown.
    let quiet = |at: usize| head[at - 1] == b'@' && (at == 1 || head[at - 2].is_ascii_whitespace());
    let begins = |at: usize| {
        at == 0 || quiet(at) || head[at - 1].is_ascii_whitespace() || b"/\\\"';|&($".contains(&head[at - 1])
    };
    let places = head.windows(US.len()).enumerate().filter(|(_, word)| *word == US);
    places.map(|(at, _)| at).any(|at| begins(at) && ends(at))
}

fn missing(what: &str, place: &str) -> Failure {
    let next = ["install Claude Code, or put it on PATH", "where it is: CLAUTH_CLAUDE=/path/to/claude"];
    Failure::new(Kind::NotInstalled, what, place, &next).exits(NOT_FOUND)
}

fn barred(path: &Path, what: &str) -> Failure {
    let next = ["where the program is: CLAUTH_CLAUDE=/path/to/claude"];
    Failure::new(Kind::NotInstalled, what, path.display().to_string(), &next).exits(CANNOT_RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_that_calls_clauth_is_told_from_one_that_does_not() {
        for (name, text, expected) in [
            ("a wrapper", "#!/bin/sh\nexec clauth start work -- \"$@\"\n", true),
            ("by its path", "#!/bin/sh\nexec \"/usr/local/bin/clauth\" start -- \"$@\"\n", true),
            ("on Windows", "@clauth.exe start -- %*\r\n", true),
            ("on Windows, in a later line", "@echo off\r\n@clauth start -- %*\r\n", true),
            ("an address", "# me@clauth is who wrote this\n", false),
            ("on Windows, spaced", "@echo off\r\nclauth.exe start -- %*\r\n", true),
            ("last word", "#!/bin/sh\nclauth", true),
            ("a directory", "#!/bin/sh\nexec /opt/clauth/claude\n", false),
            ("another word", "#!/bin/sh\nexec clauthor myclauth clauth-x\n", false),
            ("nothing", "#!/usr/bin/env node\n", false),
        ] {
            assert_eq!(names_us(text.as_bytes()), expected, "{name}");
        }
    }
}
