//! What outranks the saved login (facts §2.1), by name and never by value.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Document};
use clauth_host::{Env, Host};
use serde_json::{Map, Value};

use crate::{ClaudeHome, real_path};

/// The variables that outrank a saved login, or send it to another host, strongest first.
pub const OUTRANKING: &[&str] = &[
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "ANTHROPIC_PROFILE",
    "ANTHROPIC_FEDERATION_RULE_ID",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_SIMPLE",
];

/// Those that mean something only when they are switched on.
const SWITCHES: [&str; 4] =
    ["CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY", "CLAUDE_CODE_SIMPLE"];

/// A project's settings files in its directory, the stronger one first (facts §1.3).
const PROJECT: [&str; 2] = [".claude/settings.local.json", ".claude/settings.json"];

/// Something that makes a switch void.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Override {
    /// A variable of the environment.
    Variable(&'static str),
    /// A key in a settings file.
    Setting {
        /// The file.
        file: PathBuf,
        /// What the file is called.
        label: String,
        /// The key in it.
        key: String,
    },
}

impl Override {
    /// Its name: `ANTHROPIC_API_KEY`, or `settings.json: env.ANTHROPIC_API_KEY`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Variable(name) => (*name).to_owned(),
            Self::Setting { label, key, .. } => format!("{label}: {key}"),
        }
    }
}

/// The variables of `env` that outrank a saved login, strongest first.
#[must_use]
pub fn outranking(env: &Env) -> Vec<&'static str> {
    let set = |name: &&&str| env.get(name).is_some_and(|value| is_on(name, value.to_str().unwrap_or("1")));
    OUTRANKING.iter().filter(set).copied().collect()
}

/// Whether a value of that variable means anything.
fn is_on(name: &str, value: &str) -> bool {
    let off = ["", "0", "false", "no", "off"].contains(&value.trim().to_lowercase().as_str());
    !(value.is_empty() || (SWITCHES.contains(&name) && off))
}

/// Everything that outranks the login of `home` for a `claude` in the working directory `here`: the environment first, then
/// the system's settings, the project's and the user's. A settings file that cannot be understood has none; Claude Code
/// itself says so at its start.
#[must_use]
pub fn overrides(host: &Host, disk: &Disk, home: &ClaudeHome, here: Option<&Path>) -> Vec<Override> {
    let mut all: Vec<Override> = outranking(&host.env).into_iter().map(Override::Variable).collect();
    let user = home.settings();
    let mut files: Vec<(PathBuf, &str)> =
        managed(host).map(|file| (file, "managed-settings.json")).into_iter().collect();
    for label in PROJECT {
        let file = here.map(|here| here.join(label)).filter(|file| real_path(disk, file) != real_path(disk, &user));
        files.extend(file.map(|file| (file, label)));
    }
    files.push((user, "settings.json"));
    for (file, label) in files {
        all.extend(in_settings(disk, &file, label));
    }
    all
}

fn in_settings(disk: &Disk, file: &Path, label: &str) -> Vec<Override> {
    let read = disk.read(file).ok().flatten();
    let Some(document) = read.and_then(|bytes| Document::parse(bytes).ok()) else { return Vec::new() };
    let setting = |key: String| Override::Setting { file: file.to_owned(), label: label.to_owned(), key };
    // As Claude Code sets them: where the system does not tell upper from lower case, a later one takes an earlier one's place.
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let block: Map<String, Value> = document.get(&["env"]).unwrap_or_default();
    let block: Env = block.iter().map(|(name, value)| (name, text(value))).collect();
    let in_block = |name: &&&str| block.get(name).and_then(OsStr::to_str).is_some_and(|value| is_on(name, value));
    let mut all: Vec<Override> =
        OUTRANKING.iter().filter(in_block).map(|name| setting(format!("env.{name}"))).collect();
    if document.get::<String>(&["apiKeyHelper"]).is_some_and(|command| !command.trim().is_empty()) {
        all.push(setting("apiKeyHelper".into()));
    }
    all
}

/// The system's own settings file; not looked at in a sandbox.
fn managed(host: &Host) -> Option<PathBuf> {
    let path = if cfg!(windows) {
        r"C:\Program Files\ClaudeCode\managed-settings.json"
    } else if cfg!(target_os = "macos") {
        "/Library/Application Support/ClaudeCode/managed-settings.json"
    } else {
        "/etc/claude-code/managed-settings.json"
    };
    (!host.sandbox).then(|| PathBuf::from(path))
}

#[cfg(test)]
mod tests;
