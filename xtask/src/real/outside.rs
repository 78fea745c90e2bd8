//! The bench from outside: what must be installed, and the closed network around it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::process;

/// The version that the findings in `docs/decisions/assumptions.md` speak of.
pub(super) const VERSION: &str = "2.1.330";

/// Programs that open and fill the closed network.
const TOOLS: [&str; 4] = ["bash", "unshare", "ip", "python3"];

/// Installs the client.
pub(super) fn setup(root: &Path, version: &str) -> anyhow::Result<ExitCode> {
    if let Some(tool) = ["bash", "npm", "openssl"].iter().find(|tool| process::find(tool).is_none()) {
        println!("skipped: real setup: {tool} is not installed");
        return Ok(ExitCode::SUCCESS);
    }
    process::run(Command::new("bash").arg(root.join("xtask/real/setup")).arg(folder(root)).arg(version))?;
    Ok(ExitCode::SUCCESS)
}

/// Runs the scenarios whose name contains `only`, in a network of their own.
pub(super) fn run(root: &Path, only: Option<&str>) -> anyhow::Result<ExitCode> {
    let folder = folder(root);
    if let Some(reason) = missing(&folder) {
        println!("skipped: real: {reason}");
        return Ok(ExitCode::SUCCESS);
    }
    process::run(process::cargo(root).args(["build", "--quiet", "--package", "clauth"]))?;
    let mut command = Command::new("unshare");
    command.args(["-rnm", "--pid", "--fork", "--kill-child", "--mount-proc", "bash"]);
    command.arg(root.join("xtask/real/inside")).arg(&folder).arg(std::env::current_exe()?);
    command.arg("real-inside").arg("--folder").arg(&folder);
    command.arg("--front").arg(root.join("xtask/real/front.py"));
    command.arg("--program").arg(process::target(root).join("debug/clauth"));
    command.args(only);
    let status = command.status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn missing(folder: &Path) -> Option<String> {
    if let Some(tool) = TOOLS.iter().find(|tool| process::find(tool).is_none()) {
        return Some(format!("{tool} is not installed"));
    }
    let installed = folder.join("claude").is_file() && folder.join("server.pem").is_file();
    (!installed).then(|| "Claude Code is not installed; run `cargo xtask real setup`".to_owned())
}

fn folder(root: &Path) -> PathBuf {
    process::target(root).join("real")
}
