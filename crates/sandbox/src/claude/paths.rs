//! Where everything lives, by the environment (facts §1.1).

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::Digest as _;

/// The directories and files of one `claude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dirs {
    /// The user's home; it must carry the sandbox marker.
    pub home: PathBuf,
    /// The config home, as named.
    pub config: PathBuf,
    /// Where the credentials and their locks are.
    pub secure: PathBuf,
    /// The global state file.
    pub state: PathBuf,
    /// The directory that the environment names for the credential store, to the letter: what a Keychain item is called by.
    pub exported: Option<String>,
}

impl Dirs {
    /// Plain `claude`: `~/.claude` and `~/.claude.json`.
    #[must_use]
    pub fn of_home(home: &Path) -> Self {
        let config = home.join(".claude");
        let state = state_file(&config, home.join(".claude.json"));
        Self { home: home.to_path_buf(), secure: config.clone(), config, state, exported: None }
    }

    /// A `claude` whose `CLAUDE_CONFIG_DIR` is `config`.
    #[must_use]
    pub fn of_config(home: &Path, config: &Path) -> Self {
        let state = state_file(config, config.join(".claude.json"));
        let exported = Some(config.to_string_lossy().into_owned());
        Self { home: home.to_path_buf(), secure: config.to_path_buf(), config: config.to_path_buf(), state, exported }
    }

    /// By `HOME` (`USERPROFILE` on Windows), `CLAUDE_CONFIG_DIR` and `CLAUDE_SECURESTORAGE_CONFIG_DIR`; nothing without
    /// a home.
    pub fn of_env(env: &dyn Fn(&str) -> Option<OsString>) -> Option<Self> {
        let filled = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let home = if cfg!(windows) { filled("USERPROFILE").or_else(|| filled("HOME")) } else { filled("HOME") }?;
        let mut dirs = match filled("CLAUDE_CONFIG_DIR") {
            Some(config) => Self::of_config(&home, &config),
            None => Self::of_home(&home),
        };
        // Defined but empty forces the default store.
        if let Some(secure) = env("CLAUDE_SECURESTORAGE_CONFIG_DIR") {
            dirs.exported = (!secure.is_empty()).then(|| secure.to_string_lossy().into_owned());
            dirs.secure = if secure.is_empty() { home.join(".claude") } else { PathBuf::from(secure) };
        }
        Some(dirs)
    }

    /// `.credentials.json`.
    #[must_use]
    pub fn credentials(&self) -> PathBuf {
        self.secure.join(".credentials.json")
    }

    /// The Keychain item, where this home is one of a machine with a Keychain: a file in the directory of the fake
    /// `security` (facts §1.5).
    #[must_use]
    pub fn item(&self) -> Option<PathBuf> {
        let keychain = self.home.join(KEYCHAIN);
        keychain.is_dir().then(|| keychain.join(service(self.exported.as_deref())))
    }

    /// Where the credentials are read: the item, or the file where there is no item.
    #[must_use]
    pub fn stored(&self) -> PathBuf {
        match self.item() {
            Some(item) if item.exists() || !self.credentials().exists() => item,
            _ => self.credentials(),
        }
    }

    /// The primary refresh lock.
    #[must_use]
    pub fn refresh_lock(&self) -> PathBuf {
        self.secure.join(".oauth_refresh.lock")
    }

    /// The legacy refresh lock, beside the real directory.
    #[must_use]
    pub fn legacy_lock(&self) -> PathBuf {
        beside(&std::fs::canonicalize(&self.secure).unwrap_or_else(|_| self.secure.clone()))
    }

    /// The lock around each change of the credentials.
    #[must_use]
    pub fn storage_lock(&self) -> PathBuf {
        self.secure.join(".storage-write.lock")
    }

    /// The lock around each change of the state file, beside its name (not beside what a link there leads to).
    #[must_use]
    pub fn state_lock(&self) -> PathBuf {
        beside(&self.state)
    }
}

/// Where the fake `security` keeps its items; a home with this directory is one with a Keychain.
pub(crate) const KEYCHAIN: &str = "Library/Keychains";

/// What the item is called: with a suffix wherever a directory is exported, also the default one.
fn service(exported: Option<&str>) -> String {
    use std::fmt::Write as _;
    let Some(exported) = exported else { return "Claude Code-credentials".into() };
    let digest = sha2::Sha256::digest(exported.as_bytes());
    digest.iter().take(4).fold(String::from("Claude Code-credentials-"), |mut name, byte| {
        let _ = write!(name, "{byte:02x}");
        name
    })
}

/// The legacy state file wins if it is there.
fn state_file(config: &Path, usual: PathBuf) -> PathBuf {
    let legacy = config.join(".config.json");
    if legacy.exists() { legacy } else { usual }
}

/// `<path>.lock`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_follow_the_environment() {
        let (a, b) = (Some("/rt"), Some("/sec"));
        for (name, config, secure, expected) in [
            ("plain", None, None, ["/h/.claude", "/h/.claude", "/h/.claude.json"]),
            ("named", a, None, ["/rt", "/rt", "/rt/.claude.json"]),
            ("empty name", Some(""), None, ["/h/.claude", "/h/.claude", "/h/.claude.json"]),
            ("secure store elsewhere", a, b, ["/rt", "/sec", "/rt/.claude.json"]),
            ("secure store empty", a, Some(""), ["/rt", "/h/.claude", "/rt/.claude.json"]),
            ("secure store alone", None, b, ["/h/.claude", "/sec", "/h/.claude.json"]),
        ] {
            let env = |variable: &str| match variable {
                "HOME" | "USERPROFILE" => Some(OsString::from("/h")),
                "CLAUDE_CONFIG_DIR" => config.map(OsString::from),
                _ => secure.map(OsString::from),
            };
            let dirs = Dirs::of_env(&env).expect("a home");
            assert_eq!([dirs.config, dirs.secure, dirs.state], expected.map(PathBuf::from), "{name}");
        }
        assert_eq!(Dirs::of_env(&|_| None), None);
    }
}
