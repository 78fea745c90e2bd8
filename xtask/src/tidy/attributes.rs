//! A silenced lint has a reason, and complains when it is no longer needed.

use super::problem::Problem;
use super::scan;
use crate::tree::{Source, Tree};

/// No `allow`; every `expect` carries a reason.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust().flat_map(check_file).collect()
}

fn check_file(file: &Source) -> Vec<Problem> {
    let code = scan::mask(&file.text);
    let mut problems = Vec::new();
    for (at, _) in code.match_indices('#') {
        let Some(open) = bracket(&code, at) else { continue };
        let attribute = open..scan::closing(&code, open);
        let line = scan::line_of(&code, at);
        let calls = |word| scan::words(&code[attribute.clone()], word).any(|w| is_call(&code[open + w + word.len()..]));
        if calls("allow") {
            let todo = "use `expect` with a reason, or mend what the lint says";
            problems.push(Problem::new(&file.path, line, "`allow` outlives its cause", todo));
        }
        if calls("expect") && !has_reason(&file.text[attribute.clone()]) {
            problems.push(Problem::new(&file.path, line, "`expect` without a reason", "add `reason = \"…\"`"));
        }
    }
    problems
}

/// The `[` of the attribute whose `#` is at `at`.
fn bracket(code: &str, at: usize) -> Option<usize> {
    let rest = &code[at + 1..];
    let inner = rest.strip_prefix('!').unwrap_or(rest);
    inner.starts_with('[').then(|| code.len() - inner.len())
}

fn is_call(rest: &str) -> bool {
    rest.trim_start().starts_with('(')
}

fn has_reason(attribute: &str) -> bool {
    let value = attribute.split_once("reason").and_then(|(_, rest)| rest.trim_start().strip_prefix('='));
    value.and_then(|value| value.trim_start().strip_prefix('"')).is_some_and(|text| !text.trim_start().starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn a_silenced_lint_has_a_reason() {
        let rows: [(&str, &str, &[&str]); 10] = [
            ("allow", "\n#[allow(dead_code)]", &["a.rs:2"]),
            ("inner allow", "#![allow(dead_code)]", &["a.rs:1"]),
            ("conditional allow", "#[cfg_attr(unix, allow(dead_code, reason = \"x\"))]", &["a.rs:1"]),
            ("no reason", "#[expect(dead_code)]", &["a.rs:1"]),
            ("empty reason", "#[expect(dead_code, reason = \"\")]", &["a.rs:1"]),
            ("reason", "#[expect(\n  dead_code,\n  reason = \"it is a table\"\n)]", &[]),
            ("call", "fn a() { x.expect(\"y\"); allow(1); }", &[]),
            ("comment", "// #[allow(x)]", &[]),
            ("string", "const A: &str = \"#[allow(x)]\";", &[]),
            ("other attribute", "#[derive(Debug)] #[should_panic(expected = \"x\")]", &[]),
        ];
        for (name, text, expected) in rows {
            assert_places(name, &check(&Tree::of(&[("a.rs", text)])), expected);
        }
    }
}
