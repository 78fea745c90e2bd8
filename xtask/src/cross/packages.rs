//! The Debian packages that cross builds need: which are there, and how they come.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::wine;
use crate::process;

/// Debian's compiler: recent (it follows the browsers' needs), and beside the one on PATH.
pub(super) const RUSTC: &str = "/usr/bin/rustc";

/// Debian's documentation tool of the same version.
pub(super) const RUSTDOC: &str = "/usr/bin/rustdoc";

/// The linker and C compiler for Windows.
pub(super) const MINGW: &str = "x86_64-w64-mingw32-gcc";

/// Packages without which nothing is built.
const BUILD: [&str; 3] = ["rustc-web", "rust-web-src", "gcc-mingw-w64-x86-64"];

/// Packages that run what was built.
const RUN: [&str; 2] = ["wine64", "wine"];

/// The oldest compiler that can build us, as the workspace says.
const RUST_VERSION: &str = env!("CARGO_PKG_RUST_VERSION");

/// Why nothing can be built for another platform here, if nothing can.
pub(super) fn missing(mingw: bool) -> Option<String> {
    let todo = "run `cargo xtask cross setup` as root on Debian";
    let Some(version) = compiler() else {
        return Some(format!("no {RUSTC} (package rustc-web); {todo}"));
    };
    if number(&version) < number(RUST_VERSION) {
        return Some(format!("{RUSTC} is {version}, and {RUST_VERSION} is needed; {todo}"));
    }
    if library().is_none() {
        return Some(format!("no source of Rust's standard library (package rust-web-src); {todo}"));
    }
    (mingw && process::find(MINGW).is_none()).then(|| format!("no {MINGW} (package gcc-mingw-w64-x86-64); {todo}"))
}

/// Installs what is missing. Returns why not, where this machine does not let us.
pub(super) fn install(root: &Path, with_wine: bool) -> anyhow::Result<Option<String>> {
    let wants_build = missing(true).is_some();
    let wants_wine = with_wine && wine::missing().is_some();
    if wants_build || wants_wine {
        let build = BUILD.iter().filter(|_| wants_build);
        let packages: Vec<&str> = build.chain(RUN.iter().filter(|_| wants_wine)).copied().collect();
        if let Err(reason) = apt(&packages) {
            return Ok(Some(format!("cross setup: {reason:#}")));
        }
    }
    if let Some(reason) = missing(true) {
        return Ok(Some(format!("cross setup: {reason}")));
    }
    if with_wine {
        wine::prepare(root)?;
    }
    println!("ready: {} with {}", compiler().unwrap_or_default(), MINGW);
    Ok(None)
}

fn apt(packages: &[&str]) -> anyhow::Result<()> {
    let Some(apt) = process::find("apt-get") else {
        anyhow::bail!("there is no apt-get here to install {}", packages.join(" "));
    };
    if process::output(Command::new("id").arg("-u"))? != "0" {
        anyhow::bail!("only root can install {}", packages.join(" "));
    }
    let run = |words: &[&str]| {
        let quiet = ["-qq", "-o", "Dpkg::Use-Pty=0"];
        process::run(Command::new(&apt).args(quiet).args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    run(&["update"])?;
    run(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

/// The version of Debian's compiler, `1.96.0`.
fn compiler() -> Option<String> {
    let line = process::output(Command::new(RUSTC).arg("--version")).ok()?;
    line.split_whitespace().nth(1).map(str::to_owned)
}

/// Where cargo will look for the library's source.
fn library() -> Option<PathBuf> {
    let sysroot = process::output(Command::new(RUSTC).args(["--print", "sysroot"])).ok()?;
    let library = Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    library.is_file().then_some(library)
}

/// `1.96.0` as something that can be compared.
fn number(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(number("1.96.0") > number("1.95"));
        assert!(number("1.95.0-beta") >= number("1.95"));
        assert!(number("1.9.5") < number("1.95"));
    }
}
