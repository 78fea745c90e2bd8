//! The list of rules, and the run over all of them.

use std::path::Path;
use std::process::ExitCode;

use super::problem::Problem;
use super::{attributes, floors, headers, help, length, machine, modules, reference};
use crate::docs;
use crate::tree::Tree;

type Rule = fn(&Tree) -> Vec<Problem>;

/// Rules on files alone.
const RULES: [Rule; 7] = [
    attributes::check,
    floors::check,
    headers::check,
    length::check_files,
    length::check_functions,
    machine::check,
    modules::check,
];

/// Checks the checkout at `root` and prints every problem.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let tree = Tree::load(root)?;
    let command = docs::command();
    let mut problems: Vec<Problem> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    problems.extend(help::check(&command));
    problems.extend(reference::check(&tree, &docs::pages(&command)?));
    problems.sort();
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() {
        println!("tidy: {} files, no problem", tree.files().count());
        return Ok(ExitCode::SUCCESS);
    }
    println!("tidy: {} problem(s)", problems.len());
    Ok(ExitCode::FAILURE)
}
