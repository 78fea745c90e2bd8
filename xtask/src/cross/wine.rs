//! Running Windows programs: a Wine prefix of our own, and a cleared environment around each program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail, ensure};

use super::cargo::folder;
use super::packages::MINGW;
use crate::process;

/// Debian's 64-bit loader.
const WINE: &str = "/usr/lib/wine/wine64";

/// What stands behind all programs of a prefix.
const SERVER: &str = "/usr/bin/wineserver";

/// What a test program may see of our environment: what cargo and the snapshot tests set.
const KEPT: [&str; 5] = ["PATH", "CARGO_MANIFEST_DIR", "CARGO_BIN_EXE_clauth", "RUST_BACKTRACE", "INSTA_UPDATE"];

/// Why no Windows program can be run here, if none can.
pub(super) fn missing() -> Option<&'static str> {
    let there = Path::new(WINE).is_file();
    (!there).then_some("no Wine; run `cargo xtask cross setup --wine` as root on Debian")
}

/// Makes the prefix that lies beside cross builds.
pub(super) fn prepare(root: &Path) -> anyhow::Result<()> {
    fill(root, &home(root))
}

/// Runs a Windows program; its exit code is ours.
pub(super) fn run(root: &Path, words: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(reason) = missing() {
        bail!(reason);
    }
    ensure!(home(root).is_dir(), "Wine has no prefix; run `cargo xtask cross setup --wine` as root on Debian");
    let status = cleared(root, &home(root), WINE).args(words).status().context("cannot run Wine")?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A home and a prefix in memory, or in the temporary directory; gone when dropped, with everything that still runs in it.
pub(super) struct Prefix {
    home: PathBuf,
}

impl Prefix {
    /// Makes the one of this number.
    pub(super) fn make(root: &Path, number: usize) -> anyhow::Result<Self> {
        // Tests wait for their files to be durable, which nobody needs here.
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let prefix = Self { home: base.join(format!("clauth-wine-{}-{number}", std::process::id())) };
        fill(root, &prefix.home)?;
        Ok(prefix)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.home
    }

    /// Wine, still without a program.
    pub(super) fn command(&self, root: &Path) -> Command {
        cleared(root, &self.home, WINE)
    }

    /// Ends every program of this prefix, and of no other.
    pub(super) fn end(&self) {
        let _ = cleared(&self.home, &self.home, SERVER).arg("-k").status();
    }
}

impl Drop for Prefix {
    fn drop(&mut self) {
        self.end();
        let _ = cleared(&self.home, &self.home, SERVER).arg("-w").status();
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn home(root: &Path) -> PathBuf {
    folder(root).join("wine")
}

/// Makes the prefix in `home`, with the one library in it that this Wine lacks.
fn fill(root: &Path, home: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(home).with_context(|| format!("cannot make {}", home.display()))?;
    let system = home.join("prefix/drive_c/windows/system32");
    if !system.is_dir() {
        process::run(cleared(root, home, WINE).args(["wineboot", "-i"]))?;
        process::run(cleared(root, home, SERVER).arg("-w"))?;
    }
    let library = system.join("bcryptprimitives.dll");
    let shim = root.join("xtask/cross/shim.c");
    process::run(Command::new(MINGW).args(["-O1", "-shared", "-o"]).arg(library).arg(shim).arg("-ladvapi32"))
}

/// `program` with that home and nothing of ours around it.
fn cleared(root: &Path, home: &Path, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(KEPT.iter().filter_map(|name| Some((*name, std::env::var_os(name)?))));
    command.env("HOME", home).env("WINEPREFIX", home.join("prefix")).env("WINEDEBUG", "-all");
    command.env("USERPROFILE", r"C:\users\root");
    // Tests that Wine itself cannot pass say so by this; snapshots are found by the other.
    command.env("XTASK_WINE", "1").env("INSTA_WORKSPACE_ROOT", format!("Z:{}", root.display()));
    command
}
