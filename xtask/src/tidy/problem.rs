//! One broken rule, as the person who mends it reads it.

use std::fmt;

/// Where, what, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    path: String,
    line: usize,
    what: String,
    todo: String,
}

impl Problem {
    /// A problem at `line` (from 1) of `path`.
    pub(super) fn new(path: &str, line: usize, what: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { path: path.into(), line, what: what.into(), todo: todo.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; {}", self.path, self.line, self.what, self.todo)
    }
}

/// Asserts that a rule finds exactly these `path:line`s.
#[cfg(test)]
#[track_caller]
pub(super) fn assert_places(name: &str, found: &[Problem], expected: &[&str]) {
    let places: Vec<_> = found.iter().map(|problem| format!("{}:{}", problem.path, problem.line)).collect();
    assert_eq!(places, expected, "{name}: {found:#?}");
}
