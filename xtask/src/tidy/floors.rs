//! A crate uses only crates on floors below its own; the sandbox uses none of ours.

use toml_edit::{DocumentMut, Item, TableLike};

use super::problem::Problem;
use super::scan;
use crate::tree::{Source, Tree};

/// Folder under `crates/` and its floor.
const FLOORS: [(&str, u8); 10] = [
    ("host", 0),
    ("durable", 1),
    ("claude", 2),
    ("anthropic", 2),
    ("ledger", 2),
    ("engine", 3),
    ("tui", 4),
    ("mcp", 4),
    ("cli", 5),
    (SANDBOX, 0),
];

/// The independent witness.
const SANDBOX: &str = "sandbox";

/// Pairs that the floors would let through: the wire knows no disk.
const FORBIDDEN: [(&str, &str); 1] = [("anthropic", "durable")];

const DEPENDENCIES: [&str; 3] = ["dependencies", "build-dependencies", "dev-dependencies"];

/// Each manifest under `crates/` keeps to the floors.
pub(super) fn check(tree: &Tree) -> Vec<Problem> {
    tree.files()
        .filter_map(|file| Some((folder(&file.path)?, file)))
        .flat_map(|(of, file)| check_crate(of, file))
        .collect()
}

/// `engine` for `crates/engine/Cargo.toml`.
fn folder(path: &str) -> Option<&str> {
    path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")
}

fn check_crate(of: &str, file: &Source) -> Vec<Problem> {
    let Ok(manifest) = file.text.parse::<DocumentMut>() else {
        return vec![Problem::new(&file.path, 1, "the manifest cannot be parsed", "mend it")];
    };
    if floor(of).is_none() {
        let todo = "give it one in xtask/src/tidy/floors.rs";
        return vec![Problem::new(&file.path, 1, format!("the crate `{of}` stands on no floor"), todo)];
    }
    uses(&manifest).filter_map(|used| check_use(of, &used).map(|what| complain(file, &used, what))).collect()
}

fn complain(file: &Source, used: &Use, what: String) -> Problem {
    let at = scan::words(&file.text, &used.key).next().unwrap_or(0);
    Problem::new(&file.path, scan::line_of(&file.text, at), what, "move what both need to a lower floor")
}

/// One dependency on a crate of the house.
struct Use {
    /// As written in the manifest.
    key: String,
    /// The folder of the crate.
    on: String,
    optional: bool,
    dev: bool,
}

fn check_use(of: &str, used: &Use) -> Option<String> {
    let on = used.on.as_str();
    if of == SANDBOX {
        return Some(format!("the sandbox is the independent witness and must not use `{on}`"));
    }
    if on == SANDBOX {
        let fine = used.dev || (of == "cli" && used.optional);
        return (!fine).then(|| format!("`{of}` uses the sandbox outside its tests; only `cli` may, optionally"));
    }
    if FORBIDDEN.contains(&(of, on)) {
        return Some(format!("`{of}` must not know `{on}`"));
    }
    (floor(on)? >= floor(of)?).then(|| format!("`{of}` uses `{on}`, which is not on a floor below it"))
}

fn floor(of: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == of).map(|(_, floor)| *floor)
}

/// Every dependency of `manifest` on a crate of the house, those of one platform too.
fn uses(manifest: &DocumentMut) -> impl Iterator<Item = Use> {
    let platforms = manifest.get("target").and_then(Item::as_table_like).into_iter();
    let platforms = platforms.flat_map(|targets| targets.iter().filter_map(|(_, item)| item.as_table_like()));
    let tables = std::iter::once(manifest.as_table() as &dyn TableLike).chain(platforms);
    tables.flat_map(|table| {
        DEPENDENCIES.into_iter().filter_map(|kind| Some((kind, table.get(kind)?.as_table_like()?))).flat_map(
            |(kind, entries)| {
                entries.iter().filter_map(move |(key, item)| house_use(key, item, kind == "dev-dependencies"))
            },
        )
    })
}

fn house_use(key: &str, item: &Item, dev: bool) -> Option<Use> {
    let package = item.get("package").and_then(Item::as_str).unwrap_or(key);
    let on = if package == "clauth" { "cli" } else { package.strip_prefix("clauth-")? };
    let optional = item.get("optional").and_then(Item::as_bool).unwrap_or(false);
    Some(Use { key: key.into(), on: on.into(), optional, dev })
}

#[cfg(test)]
mod tests {
    use super::super::problem::assert_places;
    use super::*;

    #[test]
    fn crates_keep_to_their_floors() {
        let rows: [(&str, &str, &str, &[usize]); 14] = [
            ("below", "engine", "[dependencies]\nclauth-claude.workspace = true\nserde = \"1\"\n", &[]),
            ("above", "durable", "[dependencies]\nclauth-engine.workspace = true\n", &[2]),
            ("same floor", "claude", "[dependencies]\nclauth-anthropic.workspace = true\n", &[2]),
            ("renamed", "host", "[dependencies]\nlow = { package = \"clauth-durable\" }\n", &[2]),
            ("platform", "host", "[target.'cfg(unix)'.dependencies]\nclauth-durable.workspace = true\n", &[2]),
            ("build script", "host", "[build-dependencies]\nclauth-durable.workspace = true\n", &[2]),
            ("the program", "engine", "[dev-dependencies]\nclauth.workspace = true\n", &[2]),
            ("wire and disk", "anthropic", "[dependencies]\nclauth-durable.workspace = true\n", &[2]),
            ("witness uses us", "sandbox", "[dev-dependencies]\nclauth-host.workspace = true\n", &[2]),
            ("witness in tests", "engine", "[dev-dependencies]\nclauth-sandbox.workspace = true\n", &[]),
            (
                "witness in engine",
                "engine",
                "[dependencies]\nclauth-sandbox = { workspace = true, optional = true }\n",
                &[2],
            ),
            ("witness in cli", "cli", "[dependencies]\nclauth-sandbox = { workspace = true, optional = true }\n", &[]),
            ("witness always in cli", "cli", "[dependencies]\nclauth-sandbox.workspace = true\n", &[2]),
            ("no floor", "attic", "", &[1]),
        ];
        for (name, of, manifest, lines) in rows {
            let path = format!("crates/{of}/Cargo.toml");
            let expected: Vec<_> = lines.iter().map(|line| format!("{path}:{line}")).collect();
            let expected: Vec<_> = expected.iter().map(String::as_str).collect();
            assert_places(name, &check(&Tree::of(&[(&path, manifest)])), &expected);
        }
    }
}
