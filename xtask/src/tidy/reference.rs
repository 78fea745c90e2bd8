//! The command reference, the man pages and the settings' page say what the program says.

use super::problem::Problem;
use crate::docs::{self, Page};
use crate::tree::Tree;

/// What to do about any difference.
const TODO: &str = "run `cargo xtask docs`";

/// Every generated page is checked in as it would be generated now, and no other man page lies beside them.
pub(super) fn check(tree: &Tree, pages: &[Page]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for page in pages {
        match tree.get(&page.path) {
            None => problems.push(Problem::new(&page.path, 1, "the generated page is missing", TODO)),
            Some(file) => problems.extend(difference(&file.text, page)),
        }
    }
    let stray = tree.files().filter(|file| docs::is_generated(&file.path));
    let stray = stray.filter(|file| !pages.iter().any(|page| page.path == file.path));
    problems.extend(stray.map(|file| Problem::new(&file.path, 1, "the page belongs to no command", TODO)));
    problems
}

fn difference(text: &str, page: &Page) -> Option<Problem> {
    let same = text.lines().zip(page.text.lines()).take_while(|(a, b)| a == b).count();
    (text != page.text).then(|| Problem::new(&page.path, same + 1, "the page differs from `--help`", TODO))
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    /// Name, checked-in files, and the places that are complained of.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

    #[test]
    fn generated_pages_are_compared() {
        let page = |path: &str, text: &str| Page { path: path.into(), text: text.into() };
        let pages = [page("docs/commands.md", "a\nb\n"), page("docs/man/clauth.1", "m\n")];
        let rows: [Row<'_>; 4] = [
            ("equal", &[("docs/commands.md", "a\nb\n"), ("docs/man/clauth.1", "m\n")], &[]),
            ("other line", &[("docs/commands.md", "a\nc\n"), ("docs/man/clauth.1", "m\n")], &["docs/commands.md:2"]),
            ("missing", &[("docs/commands.md", "a\nb\n")], &["docs/man/clauth.1:1"]),
            (
                "stray",
                &[("docs/commands.md", "a\nb\n"), ("docs/man/clauth.1", "m\n"), ("docs/man/old.1", "")],
                &["docs/man/old.1:1"],
            ),
        ];
        for (name, files, expected) in rows {
            assert_places(name, &check(&Tree::of(files), &pages), expected);
        }
    }
}
