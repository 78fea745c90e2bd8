//! Which Claude Code home a command acts on (L8).

use std::path::{Path, PathBuf};

use clauth_claude::ClaudeHome;

use crate::error::Kind;
use crate::root::Settings;
use crate::{Engine, Error};

/// The live home, and what the user should know about it.
pub(crate) struct LiveHome {
    pub(crate) home: ClaudeHome,
    /// Where it is, links resolved: what loans name.
    pub(crate) id: PathBuf,
    /// Said when this shell's `claude` uses another directory than the one acted on.
    pub(crate) notice: Option<String>,
}

/// The home that this root's commands act on.
pub(crate) fn live_home(engine: &Engine, settings: &Settings) -> Result<LiveHome, Error> {
    let (host, disk) = (&engine.host, &engine.disk);
    let named = ClaudeHome::of(host, disk)?;
    let recorded = settings.home.as_ref().map(|dir| ClaudeHome::at(dir, host, disk));
    let ours = is_inside(&named.real(disk), engine.root.path()) || is_inside(&named.dir, engine.root.path());
    let (home, notice) = match recorded {
        _ if ours => {
            let home = recorded.unwrap_or_else(|| ClaudeHome::default_of(host, disk));
            let notice =
                format!("this shell runs a clauth session and keeps its own account; acting on {}", home.dir.display());
            (home, Some(notice))
        }
        Some(recorded) if recorded.real(disk) != named.real(disk) => return Err(other_home(&recorded, &named)),
        _ => (named, None),
    };
    let id = home.real(disk);
    Ok(LiveHome { home, id, notice })
}

fn is_inside(path: &Path, root: &Path) -> bool {
    let real = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    path.starts_with(root) || path.starts_with(real)
}

fn other_home(recorded: &ClaudeHome, named: &ClaudeHome) -> Error {
    let (variable, theirs, ours) = if recorded.dir == named.dir {
        ("CLAUDE_SECURESTORAGE_CONFIG_DIR", &named.secure, &recorded.secure)
    } else {
        ("CLAUDE_CONFIG_DIR", &named.dir, &recorded.dir)
    };
    let what = format!("{variable} names {}, but this clauth keeps the logins of {}", theirs.display(), ours.display());
    let other = format!("for the other home, give it a root of its own: CLAUTH_HOME={}-clauth", theirs.display());
    let next = [format!("unset {variable}"), other];
    let next: Vec<&str> = next.iter().map(String::as_str).collect();
    Error::refused(Kind::Protected, what, theirs.display().to_string(), &next)
}
