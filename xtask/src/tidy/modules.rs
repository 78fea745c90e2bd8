//! No forgotten file: every Rust file of a crate is compiled, because a `mod` or a manifest names it.

use std::collections::BTreeSet;

use toml_edit::{DocumentMut, Item};

use super::problem::Problem;
use super::scan;
use crate::tree::{Source, Tree};

/// Files that cargo makes a target of by their place alone.
const FIXED_ROOTS: [&str; 3] = ["src/lib.rs", "src/main.rs", "build.rs"];

/// Folders in which each file, or each folder with a `main.rs`, is a target.
const TARGET_FOLDERS: [&str; 4] = ["src/bin", "tests", "examples", "benches"];

/// Manifest tables that name a target's file.
const TARGET_TABLES: [&str; 4] = ["bin", "test", "example", "bench"];

/// Every Rust file below a manifest is reached from one of its targets.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    let manifests = tree.files().filter(|file| file.path.ends_with("/Cargo.toml"));
    manifests.flat_map(|manifest| check_crate(tree, manifest)).collect()
}

fn check_crate(tree: &Tree, manifest: &Source) -> Vec<Problem> {
    let folder = manifest.path.trim_end_matches("Cargo.toml");
    let files = || tree.rust().filter(|file| file.path.starts_with(folder));
    let mut reached = BTreeSet::new();
    let named = named_targets(&manifest.text);
    for root in files().filter(|file| is_target(&file.path[folder.len()..], &named)) {
        visit(tree, root, parent(&root.path), &mut reached);
    }
    files()
        .filter(|file| !reached.contains(&file.path))
        .map(|file| {
            Problem::new(&file.path, 1, "no `mod` reaches this file, so it is never compiled", "add one, or remove it")
        })
        .collect()
}

fn named_targets(manifest: &str) -> Vec<String> {
    let Ok(manifest) = manifest.parse::<DocumentMut>() else { return Vec::new() };
    let tables = TARGET_TABLES.iter().filter_map(|name| manifest.get(name)?.as_array_of_tables());
    let paths = tables.flat_map(|tables| tables.iter()).filter_map(|table| table.get("path").and_then(Item::as_str));
    paths.map(str::to_owned).collect()
}

/// Whether `path`, relative to its manifest, is the root file of a target.
fn is_target(path: &str, named: &[String]) -> bool {
    let in_folder = |folder: &str| {
        let rest = path.strip_prefix(folder).and_then(|rest| rest.strip_prefix('/'));
        rest.is_some_and(|rest| match rest.split_once('/') {
            None => true,
            Some((_, file)) => file == "main.rs",
        })
    };
    FIXED_ROOTS.contains(&path) || named.iter().any(|name| name == path) || TARGET_FOLDERS.iter().any(|f| in_folder(f))
}

/// Marks `file` and everything its `mod` declarations lead to; `home` is where its children lie.
fn visit(tree: &Tree, file: &Source, home: &str, reached: &mut BTreeSet<String>) {
    if !reached.insert(file.path.clone()) {
        return;
    }
    for declared in declarations(&file.text) {
        let child = match &declared.path {
            Some(path) => tree.get(&join(parent(&file.path), path)),
            None => {
                [".rs", "/mod.rs"].iter().find_map(|end| tree.get(&join(home, &format!("{}{end}", declared.place))))
            }
        };
        if let Some(child) = child {
            let beside = child.path.ends_with("/mod.rs") || declared.path.is_some();
            let home = if beside { parent(&child.path) } else { child.path.trim_end_matches(".rs") };
            visit(tree, child, home, reached);
        }
    }
}

/// One `mod name;`.
struct Declaration {
    /// `name`, below the names of the inline modules around it.
    place: String,
    /// What `#[path = "…"]` says.
    path: Option<String>,
}

fn declarations(text: &str) -> Vec<Declaration> {
    let code = scan::mask(text);
    let mut around: Vec<(String, usize)> = Vec::new();
    let mut found = Vec::new();
    for at in scan::words(&code, "mod") {
        around.retain(|(_, end)| at < *end);
        let Some(name) = scan::identifier(&code, at + 3) else { continue };
        let after = at + 3 + code[at + 3..].find(name).unwrap_or(0) + name.len();
        let gap = code[after..].len() - code[after..].trim_start().len();
        match code.as_bytes().get(after + gap) {
            Some(b'{') => around.push((name.into(), scan::closing(&code, after + gap))),
            Some(b';') => {
                let place: Vec<_> = around.iter().map(|(name, _)| name.as_str()).chain([name]).collect();
                found.push(Declaration { place: place.join("/"), path: path_attribute(text, &code, at) });
            }
            _ => {}
        }
    }
    found
}

/// The value of a `#[path = "…"]` between the last item and the `mod` at `at`.
fn path_attribute(text: &str, code: &str, at: usize) -> Option<String> {
    let from = code[..at].rfind([';', '}', '{']).map_or(0, |end| end + 1);
    let attribute = scan::words(&code[from..at], "path").next()?;
    text[from + attribute..at].split('"').nth(1).map(str::to_owned)
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

fn join(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    /// Name, files, and the places that are complained of.
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [&'a str]);

    #[test]
    fn forgotten_files_are_found() {
        let rows: [Row<'_>; 11] = [
            ("named", &[("c/src/lib.rs", "mod a;"), ("c/src/a.rs", "")], &[]),
            ("forgotten", &[("c/src/lib.rs", "// mod a;"), ("c/src/a.rs", "")], &["c/src/a.rs:1"]),
            ("folder", &[("c/src/lib.rs", "mod a;"), ("c/src/a/mod.rs", "mod b;"), ("c/src/a/b.rs", "")], &[]),
            ("beside", &[("c/src/lib.rs", "mod a;"), ("c/src/a.rs", "mod b;"), ("c/src/a/b.rs", "")], &[]),
            (
                "forgotten tests",
                &[("c/src/lib.rs", "mod a;"), ("c/src/a/mod.rs", ""), ("c/src/a/tests.rs", "")],
                &["c/src/a/tests.rs:1"],
            ),
            (
                "inline",
                &[("c/src/lib.rs", "mod a { pub mod b; }\nmod c;"), ("c/src/a/b.rs", ""), ("c/src/c.rs", "")],
                &[],
            ),
            ("path", &[("c/src/lib.rs", "#[cfg(test)]\n#[path = \"../x/y.rs\"]\nmod a;"), ("c/x/y.rs", "")], &[]),
            (
                "targets",
                &[("c/tests/one.rs", "mod common;"), ("c/tests/common/mod.rs", ""), ("c/tests/two/main.rs", "")],
                &[],
            ),
            (
                "forgotten helper",
                &[("c/tests/one.rs", ""), ("c/tests/common/mod.rs", "")],
                &["c/tests/common/mod.rs:1"],
            ),
            (
                "named target",
                &[("c/Cargo.toml", "[[test]]\nname = \"x\"\npath = \"checks/x.rs\"\n"), ("c/checks/x.rs", "")],
                &[],
            ),
            (
                "main's child",
                &[("c/src/main.rs", "mod a;"), ("c/src/a.rs", "mod b;"), ("c/src/b.rs", "")],
                &["c/src/b.rs:1"],
            ),
        ];
        for (name, files, expected) in rows {
            let mut files = files.to_vec();
            if !files.iter().any(|(path, _)| *path == "c/Cargo.toml") {
                files.push(("c/Cargo.toml", ""));
            }
            assert_places(name, &check(&Tree::of(&files)), expected);
        }
    }
}
