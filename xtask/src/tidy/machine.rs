//! No file of the project speaks of the machine that it was written on.

use super::problem::Problem;
use crate::tree::{Source, Tree};

/// Where the paths below may stand: here.
const EXCEPTED: [&str; 1] = ["xtask/src/tidy/machine.rs"];

/// Beginnings of paths that exist on one machine only.
const PATHS: [&str; 7] = ["/work", "/root", "/tmp/brief", "/tmp/target", "/tmp/xt", "/tmp/bash", "/mnt"];

/// No line names a path that only one machine has.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.files().filter(|file| !EXCEPTED.contains(&file.path.as_str())).flat_map(check_file).collect()
}

fn check_file(file: &Source) -> impl Iterator<Item = Problem> + '_ {
    file.text.lines().enumerate().filter_map(|(index, line)| {
        let path = PATHS.iter().find(|path| names(line, path))?;
        let what = format!("`{path}` is a path of one machine");
        Some(Problem::new(&file.path, index + 1, what, "name it relative to the checkout, or in a temporary directory"))
    })
}

/// Whether `line` names `path` itself, not a longer path that happens to contain it.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let begins =
            line[..at].chars().next_back().is_none_or(|before| before.is_whitespace() || "\"'`(=,:[<".contains(before));
        let ends = line[at + path.len()..]
            .chars()
            .next()
            .is_none_or(|after| !(after.is_alphanumeric() || "_.".contains(after)));
        begins && ends
    })
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        let rows: [(&str, &str, &[&str]); 8] = [
            ("alone", "see /work/main", &["a.md:1"]),
            ("quoted", "x\nPath::new(\"/root\")", &["a.md:2"]),
            ("suffix", "/tmp/target-me/x", &["a.md:1"]),
            ("profile of that name", "profiles/work/config.toml", &[]),
            ("below a variable", "$HOME/work and {root}/root", &[]),
            ("longer word", "/workspace /rooted", &[]),
            ("address", "https://example.com/work", &[]),
            ("temporary", "/tmp/x", &[]),
        ];
        for (name, text, expected) in rows {
            assert_places(name, &check(&Tree::of(&[("a.md", text)])), expected);
        }
    }
}
