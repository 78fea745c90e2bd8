//! cargo, told to use Debian's compiler and to build the standard library for another platform.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use super::packages::{self, MINGW, RUSTC, RUSTDOC};
use crate::process;

/// A platform that we can build or check for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    /// Built and linked with MinGW; runs under Wine.
    Windows,
    /// Type-checked only: there is no linker for it.
    MacOs,
}

impl Platform {
    fn triple(self) -> &'static str {
        match self {
            Self::Windows => "x86_64-pc-windows-gnu",
            Self::MacOs => "aarch64-apple-darwin",
        }
    }

    /// What is done when no cargo command is given.
    fn default_words(self) -> [&'static str; 2] {
        match self {
            Self::Windows => ["build", "--workspace"],
            Self::MacOs => ["check", "--workspace"],
        }
    }
}

/// Runs cargo with `words` for `platform`. Returns why not, where the packages are missing.
pub(super) fn run(root: &Path, platform: Platform, words: &[String]) -> anyhow::Result<Option<String>> {
    if let Some(reason) = packages::missing(platform == Platform::Windows) {
        return Ok(Some(format!("cross {}: {reason}", platform.triple())));
    }
    process::run(&mut command(root, platform, words)?)?;
    Ok(None)
}

/// cargo with `words` for `platform`; the packages are there.
pub(super) fn command(root: &Path, platform: Platform, words: &[String]) -> anyhow::Result<Command> {
    let mut command = process::cargo(root);
    command.args(words_for(platform, words));
    command.env("RUSTC", RUSTC).env("RUSTDOC", RUSTDOC).env("CARGO_TARGET_DIR", folder(root)).env(FOLDER, folder(root));
    // `-Z build-std` asks for a nightly compiler; this says that we know.
    command.env("RUSTC_BOOTSTRAP", "1");
    match platform {
        Platform::Windows => {
            let runner = std::env::current_exe().context("cannot tell where this program is")?;
            command
                .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER", MINGW)
                .env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", format!("{} cross wine", runner.display()))
                .env("CC_x86_64_pc_windows_gnu", MINGW)
                .env("AR_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-ar");
        }
        Platform::MacOs => {
            let empty = root.join("xtask/cross/empty-cc");
            command.env("CC_aarch64_apple_darwin", &empty).env("AR_aarch64_apple_darwin", &empty);
        }
    }
    Ok(command)
}

/// Tells the runner that cargo starts where cross builds lie; cargo's own target folder is already ours there.
const FOLDER: &str = "XTASK_CROSS";

/// Where cross builds lie.
pub(super) fn folder(root: &Path) -> PathBuf {
    std::env::var_os(FOLDER).map_or_else(|| process::target(root).join("cross"), PathBuf::from)
}

/// cargo's arguments: the command first, then what makes it a cross build, then the rest.
fn words_for(platform: Platform, words: &[String]) -> Vec<String> {
    let words = if words.is_empty() { platform.default_words().map(str::to_owned).to_vec() } else { words.to_vec() };
    let tests = if words.iter().any(|word| word == "test" || word == "--all-targets") { ",test" } else { "" };
    let library = format!("build-std=std,panic_abort,panic_unwind,proc_macro{tests}");
    let cross = ["-Z".into(), library, "--target".into(), platform.triple().into()];
    let (command, rest) = words.split_at(1);
    command.iter().cloned().chain(cross).chain(rest.iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_comes_first() {
        let rows: [(&str, Platform, &[&str], &str); 3] = [
            (
                "default",
                Platform::Windows,
                &[],
                "build -Z build-std=std,panic_abort,panic_unwind,proc_macro --target x86_64-pc-windows-gnu --workspace",
            ),
            (
                "one package",
                Platform::MacOs,
                &["check", "-p", "x"],
                "check -Z build-std=std,panic_abort,panic_unwind,proc_macro --target aarch64-apple-darwin -p x",
            ),
            (
                "tests",
                Platform::Windows,
                &["test", "--", "name"],
                "test -Z build-std=std,panic_abort,panic_unwind,proc_macro,test --target x86_64-pc-windows-gnu -- name",
            ),
        ];
        for (name, platform, words, expected) in rows {
            let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
            assert_eq!(words_for(platform, &words).join(" "), expected, "{name}");
        }
    }
}
