//! Running Windows programs: a Wine prefix of our own, and a cleared environment around each program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Context as _;

use super::cargo::folder;
use super::packages::MINGW;
use crate::process;

/// Debian's 64-bit loader.
const WINE: &str = "/usr/lib/wine/wine64";

/// What a test program may see of our environment: what cargo and the snapshot tests set.
const KEPT: [&str; 5] = ["PATH", "CARGO_MANIFEST_DIR", "CARGO_BIN_EXE_clauth", "RUST_BACKTRACE", "INSTA_UPDATE"];

/// Whether Wine is there at all.
pub(super) fn installed() -> bool {
    Path::new(WINE).is_file()
}

/// Makes the prefix, with the one library in it that this Wine lacks.
pub(super) fn prepare(root: &Path) -> anyhow::Result<()> {
    let home = home(root);
    fs::create_dir_all(&home).with_context(|| format!("cannot make {}", home.display()))?;
    let system = home.join("prefix/drive_c/windows/system32");
    if !system.is_dir() {
        process::run(wine(root).args(["wineboot", "-i"]))?;
        process::run(cleared(root, "/usr/bin/wineserver").arg("-w"))?;
    }
    let library = system.join("bcryptprimitives.dll");
    let shim = root.join("xtask/cross/shim.c");
    process::run(Command::new(MINGW).args(["-O1", "-shared", "-o"]).arg(library).arg(shim).arg("-ladvapi32"))
}

/// Runs a Windows program; its exit code is ours.
pub(super) fn run(root: &Path, words: &[String]) -> anyhow::Result<ExitCode> {
    if !installed() || !home(root).is_dir() {
        anyhow::bail!("Wine is not set up; run `cargo xtask cross setup --wine` as root on Debian");
    }
    let status = wine(root).args(words).status().context("cannot run Wine")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn home(root: &Path) -> PathBuf {
    folder(root).join("wine")
}

fn wine(root: &Path) -> Command {
    cleared(root, WINE)
}

/// `program` with a home in the target folder and nothing of ours around it.
fn cleared(root: &Path, program: &str) -> Command {
    let home = home(root);
    let mut command = Command::new(program);
    command.env_clear().envs(KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    command.env("HOME", &home).env("WINEPREFIX", home.join("prefix")).env("WINEDEBUG", "-all");
    command.env("USERPROFILE", r"C:\users\root");
    // Tests that Wine itself cannot pass say so by this; snapshots are found by the other.
    command.env("XTASK_WINE", "1").env("INSTA_WORKSPACE_ROOT", format!("Z:{}", root.display()));
    command
}
