//! What the terminal and a shell with job control do to both.

use std::ffi::OsStr;
use std::path::Path;

use super::parent::{ANSWERING, parent, script, signals_are_ignored, world};
use super::pty::Terminal;

/// Point 12: SIGINT.
#[test]
fn an_interrupt_of_the_terminal_reaches_the_child_once_and_the_parent_survives() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-int");
    let Some(mut terminal) = Terminal::start(&parent(&world, &script(&world, ANSWERING), &[])) else { return };
    terminal.shows("\"ready\":true");
    for (key, count) in [("\u{3}", 1), ("\u{3}", 2)] {
        terminal.types(key);
        // Whatever was typed before the interrupt is thrown away with it, so nothing is asked before it has come; and the
        // half of a word that the script may have read by then is ended first.
        terminal.shows("^C");
        terminal.types("\ncount\n");
        terminal.shows(&format!("\"INT\":{count}"));
    }
    terminal.types("end\n");
    assert_eq!(terminal.ends(), Some(7));
}

/// Point 12: SIGQUIT.
#[test]
fn a_quit_of_the_terminal_ends_the_child_and_its_end_is_reported() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-quit");
    let Some(mut terminal) = Terminal::start(&parent(&world, &script(&world, ANSWERING), &[])) else { return };
    terminal.shows("\"ready\":true");
    terminal.types("\u{1c}");
    assert_eq!(terminal.ends(), Some(128 + 3));
}

/// Point 12: window changes.
#[test]
fn a_changed_window_is_told_to_the_child_once() {
    if signals_are_ignored() {
        return;
    }
    let world = world("child-winch");
    let Some(mut terminal) = Terminal::start(&parent(&world, &script(&world, ANSWERING), &[])) else { return };
    terminal.shows("\"ready\":true");
    terminal.resizes();
    terminal.types("count\n");
    terminal.shows("\"WINCH\":1");
    terminal.types("end\n");
    assert_eq!(terminal.ends(), Some(7));
}

/// Point 12: SIGTSTP.
#[test]
fn the_job_stops_and_continues_as_one() {
    if signals_are_ignored() {
        return;
    }
    if std::fs::metadata("/bin/bash").is_err() {
        println!("skipped: no bash here");
        return;
    }
    let world = world("child-job");
    let inner = parent(&world, &script(&world, ANSWERING), &[]);
    let mut shell = world.command(Path::new("/bin/bash"), None);
    shell.args(["--norc", "--noprofile", "-i"]).env("PS1", "prompt> ");
    shell.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let Some(mut terminal) = Terminal::start(&shell) else { return };
    let line: Vec<&OsStr> = std::iter::once(inner.get_program()).chain(inner.get_args()).collect();
    terminal.shows("prompt> ");
    terminal.types(&format!("{}\n", line.join(OsStr::new(" ")).to_str().expect("text")));
    terminal.shows("\"ready\":true");
    // By the terminal, and by itself, as a program in raw mode does.
    for (keys, continued) in [("\u{1a}", 1), ("stop\n", 2)] {
        terminal.types(keys);
        terminal.shows("[pauses]");
        terminal.shows("Stopped");
        terminal.shows("prompt> ");
        // A shell that has just taken the terminal back may lose the first key.
        terminal.types("\nfg\n");
        terminal.shows("acts_as_the_parent");
        terminal.shows("[resumes]");
        terminal.types("count\n");
        terminal.shows(&format!("\"CONT\":{continued}"));
    }
    terminal.types("end\n");
    terminal.shows("prompt> ");
    terminal.types("echo code=$?\n");
    terminal.shows("code=7");
    terminal.types("exit 0\n");
    assert_eq!(terminal.ends(), Some(0));
}
