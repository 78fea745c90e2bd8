//! SECURITY.md against what the program knows: every file in the root is listed there, and marked if it may hold secrets.

use std::path::Path;

use clauth_engine::{LAYOUT, LayoutEntry};

/// The rows of the table of the root: the names in the first cell, and the last cell.
fn rows(page: &str) -> Vec<(Vec<String>, String)> {
    let table = page.split("| Path | What | may hold secrets |").nth(1).expect("the table of the root");
    let lines = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let names = cells.first().map_or_else(Vec::new, |cell| cell.split('`').skip(1).step_by(2).collect());
        (whole(&names), cells.last().map_or_else(String::new, |cell| (*cell).to_owned()))
    };
    lines.map(row).collect()
}

/// Names as the table shortens them: a later one of a row is beside the first, unless it says where it is.
fn whole(names: &[&str]) -> Vec<String> {
    let beside = names.first().map_or("", |first| match first.trim_end_matches('/').rfind('/') {
        Some(end) => &first[..=end],
        None => "",
    });
    let mut all: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    all.extend(names.iter().skip(1).map(|name| format!("{beside}{name}")));
    all
}

#[test]
fn every_file_of_the_root_is_listed_and_marked() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../SECURITY.md")).expect("a page");
    let rows = rows(&page);
    let is_in = |entry: &LayoutEntry, names: &[String]| names.iter().any(|name| name == entry.path);
    for entry in LAYOUT {
        let row = rows.iter().find(|(names, _)| is_in(entry, names));
        assert!(row.is_some(), "SECURITY.md does not list {}", entry.path);
        let marked = row.is_some_and(|(_, secret)| secret != "no");
        assert!(marked || !entry.secret, "SECURITY.md does not say that {} may hold secrets", entry.path);
    }
    for (names, secret) in &rows {
        let entries: Vec<&LayoutEntry> = LAYOUT.iter().filter(|entry| is_in(entry, names)).collect();
        assert!(!entries.is_empty(), "{names:?} is no file that clauth keeps");
        assert!(secret == "no" || entries.iter().any(|entry| entry.secret), "{names:?} hold no secrets");
    }
}
