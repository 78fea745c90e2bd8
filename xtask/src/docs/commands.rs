//! Writes the generated pages, or says where they differ from what is checked in.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::pages::{Page, is_generated, pages};
use super::tree::command;
use crate::tree::Tree;

/// Brings the pages under `root` up to date; with `check`, only names those that are not.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<ExitCode> {
    let tree = Tree::load(root)?;
    let pages = pages(&command())?;
    let stale: Vec<&Page> =
        pages.iter().filter(|page| tree.get(&page.path).is_none_or(|file| file.text != page.text)).collect();
    let stray =
        tree.files().filter(|file| is_generated(&file.path) && !pages.iter().any(|page| page.path == file.path));
    let stray: Vec<&str> = stray.map(|file| file.path.as_str()).collect();
    for path in stale.iter().map(|page| page.path.as_str()).chain(stray.iter().copied()) {
        println!("{}{path}", if check { "differs: " } else { "updated: " });
    }
    if check {
        let same = stale.is_empty() && stray.is_empty();
        return Ok(if same { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }
    for page in stale {
        let path = root.join(&page.path);
        fs::create_dir_all(path.parent().unwrap_or(root))
            .with_context(|| format!("cannot make the folder of {}", page.path))?;
        fs::write(&path, &page.text).with_context(|| format!("cannot write {}", page.path))?;
    }
    for path in stray {
        fs::remove_file(root.join(path)).with_context(|| format!("cannot remove {path}"))?;
    }
    Ok(ExitCode::SUCCESS)
}
