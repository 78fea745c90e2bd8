//! Which entries of the home a session shares (S4).

use std::ffi::OsStr;

use super::LinkMode;

/// Not shared, by the beginning of the name: the login and the state file with their copies and temporary names.
const BEGINNINGS: [&str; 2] = [".credentials", ".claude.json"];

/// Not shared: each profile has its own, or none.
const NAMES: [&str; 8] = [
    "settings.json",
    ".config.json",
    "backups",
    // When Claude Code cleaned this very directory up last: of no use to another, and different in each.
    ".last-cleanup",
    "policy-limits.json",
    "limits-cache.json",
    "remote-settings.json",
    "mcp-needs-auth-cache.json",
];

/// Not shared, by the end of the name: locks, who holds them, and what is being written.
const ENDS: [&str; 3] = [".lock", ".lock.owner", ".tmp"];

/// Not copied: they tell of processes, and what was copied would tell of dead ones.
const OF_PROCESSES: [&str; 2] = ["sessions", "ide"];

/// Whether a session shares the home's top-level entry of this name. Sockets, FIFOs and devices are never shared, which
/// their name does not tell.
pub(crate) fn is_shared(name: &OsStr, mode: LinkMode) -> bool {
    // Every name that is not shared is plain text.
    let Some(name) = name.to_str() else { return true };
    let name = folded(name);
    let own = BEGINNINGS.iter().any(|beginning| name.starts_with(beginning))
        || NAMES.contains(&name.as_str())
        || ENDS.iter().any(|end| name.ends_with(end))
        || is_temporary(&name)
        || (mode == LinkMode::Copy && OF_PROCESSES.contains(&name.as_str()));
    !own
}

/// Claude Code's temporary names (facts §2.4: `<name>.tmp.<what makes it unique>`), and ours (W1).
fn is_temporary(name: &str) -> bool {
    let unique = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte == b'.' || byte.is_ascii_alphanumeric());
    name.split_once(".tmp.").is_some_and(|(_, rest)| unique(rest))
        || (name.starts_with('.') && name.contains(".clauth-"))
}

/// Where the file system usually takes two cases for one name, so does this. Elsewhere `Backups` is the user's own.
fn folded(name: &str) -> String {
    if cfg!(any(windows, target_vendor = "apple")) { name.to_lowercase() } else { name.to_owned() }
}
