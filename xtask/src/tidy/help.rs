//! Help fits a small terminal: 40 lines of 80 columns a command.

use clap::Command;

use super::problem::Problem;
use crate::docs::{self, WIDTH};

/// Lines of one command's help.
const LINES: usize = 40;

/// Each command's `--help` fits, and begins with what the command does.
pub(super) fn check(command: &Command) -> Vec<Problem> {
    docs::entries(command).iter().flat_map(|entry| check_help(&entry.name, &entry.help)).collect()
}

fn check_help(name: &str, help: &str) -> Vec<Problem> {
    let mut problems = Vec::new();
    let place = format!("`{name} --help`");
    let lines = help.lines().count();
    if lines > LINES {
        let what = format!("the help has {lines} lines, the stop is {LINES}");
        problems.push(Problem::new(&place, lines, what, "move detail to the README"));
    }
    for (index, line) in help.lines().enumerate().filter(|(_, line)| line.chars().count() > WIDTH) {
        let what = format!("the line has {} columns, the stop is {WIDTH}", line.chars().count());
        problems.push(Problem::new(&place, index + 1, what, "break it"));
    }
    if help.trim_start().is_empty() || help.starts_with("Usage:") {
        problems.push(Problem::new(&place, 1, "the first line does not say what it does", "give it a doc comment"));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn help_fits() {
        let wide = format!("Does it.\n{}", "x".repeat(WIDTH + 1));
        let full = "Does it.\n".repeat(LINES);
        let long = format!("{full}\n");
        let rows: [(&str, &str, &[&str]); 4] = [
            ("good", &full, &[]),
            ("long", &long, &["`c --help`:41"]),
            ("wide", &wide, &["`c --help`:2"]),
            ("no first line", "Usage: c\n", &["`c --help`:1"]),
        ];
        for (name, help, expected) in rows {
            assert_places(name, &check_help("c", help), expected);
        }
    }
}
