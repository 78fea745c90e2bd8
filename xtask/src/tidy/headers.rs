//! Every Rust file says first what it owns.

use super::problem::Problem;
use crate::tree::Tree;

/// Each Rust file opens with `//!` and a sentence.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.rust()
        .filter(|file| file.text.lines().next().and_then(|line| line.strip_prefix("//! ")).is_none_or(str::is_empty))
        .map(|file| Problem::new(&file.path, 1, "the file does not open with `//! `", "say first what it owns"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn a_file_opens_with_its_purpose() {
        let tree = Tree::of(&[
            ("attribute.rs", "#![expect(x, reason = \"y\")]\n//! Late."),
            ("bare.rs", "//!\n"),
            ("empty.rs", ""),
            ("good.rs", "//! Owns a thing.\n"),
            ("notes.md", "no Rust"),
        ]);
        assert_places("headers", &check(&tree), &["attribute.rs:1", "bare.rs:1", "empty.rs:1"]);
    }
}
