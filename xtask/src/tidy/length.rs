//! Files and functions that have grown past their stop.

use super::problem::Problem;
use super::scan;
use crate::tree::Tree;

/// Lines at which a Rust file must be split.
const FILE_STOP: usize = 500;

/// Lines at which a function must be split.
const FUNCTION_STOP: usize = 80;

/// Files that are one long table or generated, each with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// No Rust file is longer than the stop.
pub(super) fn check_files(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| !LONG_FILES.iter().any(|(path, _)| *path == file.path))
        .map(|file| (file, file.text.lines().count()))
        .filter(|(_, lines)| *lines > FILE_STOP)
        .map(|(file, lines)| {
            let what = format!("the file has {lines} lines, the stop is {FILE_STOP}");
            Problem::new(&file.path, lines, what, "split it by owner")
        })
        .collect()
}

/// No function is longer than the stop.
pub(super) fn check_functions(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in tree.rust() {
        let code = scan::mask(&file.text);
        for function in scan::functions(&code).iter().filter(|function| function.lines > FUNCTION_STOP) {
            let what = format!("`{}` has {} lines, the stop is {FUNCTION_STOP}", function.name, function.lines);
            problems.push(Problem::new(&file.path, function.line, what, "take a step out of it by name"));
        }
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn a_file_stops_at_500_lines() {
        let (at, past) = ("x\n".repeat(FILE_STOP), "x\n".repeat(FILE_STOP + 1));
        let tree = Tree::of(&[("a.rs", &at), ("b.rs", &past), ("c.md", &past)]);
        assert_places("files", &check_files(&tree), &["b.rs:501"]);
    }

    #[test]
    fn a_function_stops_at_80_lines() {
        let of = |lines: usize| format!("\nfn long() {{\n{}}}\n", "  x();\n".repeat(lines - 2));
        let (at, past) = (of(FUNCTION_STOP), of(FUNCTION_STOP + 1));
        let tree = Tree::of(&[("a.rs", &at), ("b.rs", &past)]);
        assert_places("functions", &check_functions(&tree), &["b.rs:2"]);
    }
}
