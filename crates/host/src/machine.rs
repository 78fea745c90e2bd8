//! One machine, as a command sees it.

use std::path::{Path, PathBuf};

use crate::{Clock, EndpointError, Endpoints, Env, Fingerprint, Random};

/// The file that marks a home or a root as a sandbox.
pub const SANDBOX_MARKER: &str = ".sandbox";

/// Everything that a command may know of the machine it runs on.
#[derive(Clone)]
pub struct Host {
    /// The environment as it was when the process began.
    pub env: Env,
    /// The user's home directory, as the environment names it (links not resolved).
    pub home: PathBuf,
    /// clauth's own root: `CLAUTH_HOME`, else `~/.clauth`.
    pub root: PathBuf,
    /// Time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// Where requests go.
    pub endpoints: Endpoints,
    /// A hash that tells this machine from others (L7); `None` where the system offers nothing.
    pub machine: Option<Fingerprint>,
    /// Whether the root carries the sandbox marker.
    pub sandbox: bool,
}

/// Why no [`Host`] could be made.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Neither the environment nor the system names a home directory.
    #[error("there is no home directory: neither {0} nor the system names one")]
    NoHome(&'static str),
    /// A home or root that is not an absolute path.
    #[error("{0} must be an absolute path")]
    Relative(&'static str),
    /// An endpoint variable was refused.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// `CLAUTH_NOW` is not a time.
    #[error("CLAUTH_NOW is not an RFC 3339 time")]
    Now,
    /// A variable with a word that means nothing.
    #[error("{variable} may be {allowed}")]
    Word {
        /// The variable's name.
        variable: &'static str,
        /// What it may be.
        allowed: &'static str,
    },
}

/// The variable that names the home directory.
const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// Variables that may only be one of two words (`contract.md`).
const WORDS: [(&str, [&str; 2], &str); 2] = [
    ("CLAUTH_LINKS", ["real", "copy"], "real or copy"),
    ("CLAUTH_CREDENTIALS", ["file", "keychain"], "file or keychain"),
];

impl Host {
    /// The machine that `env` describes.
    ///
    /// # Errors
    /// No usable home directory, a refused endpoint, or a bad `CLAUTH_NOW` in a sandbox.
    pub fn from_env(env: Env) -> Result<Self, HostError> {
        let home = match env.path(HOME) {
            Some(home) => home,
            None => system_home().ok_or(HostError::NoHome(HOME))?,
        };
        if !home.is_absolute() {
            return Err(HostError::Relative(HOME));
        }
        let root = env.path("CLAUTH_HOME").unwrap_or_else(|| home.join(".clauth"));
        if !root.is_absolute() {
            return Err(HostError::Relative("CLAUTH_HOME"));
        }
        let sandbox = is_file(&root.join(SANDBOX_MARKER));
        let clock = match env.text("CLAUTH_NOW").filter(|_| sandbox) {
            Some(text) => Clock::frozen(text.parse().map_err(|_| HostError::Now)?),
            None => Clock::system(),
        };
        for (variable, words, allowed) in WORDS {
            if env.get(variable).is_some_and(|word| !words.iter().any(|known| word == *known)) {
                return Err(HostError::Word { variable, allowed });
            }
        }
        let endpoints = Endpoints::from_env(&env)?;
        Ok(Self { endpoints, home, root, clock, random: Random::system(), machine: machine_id(), sandbox, env })
    }
}

#[expect(clippy::disallowed_methods, reason = "the last resort when the environment names no home")]
fn system_home() -> Option<PathBuf> {
    std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
}

fn is_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file())
}

/// A hash of the machine's own id. Linux: machine-id(5), which asks not to be shown as it is.
#[expect(clippy::disallowed_methods, reason = "a system file of one line, read before any disk layer exists")]
fn machine_id() -> Option<Fingerprint> {
    let id =
        ["/etc/machine-id", "/var/lib/dbus/machine-id"].iter().find_map(|path| std::fs::read_to_string(path).ok())?;
    let id = id.trim();
    (!id.is_empty()).then(|| Fingerprint::of(format!("clauth machine {id}").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        pairs.iter().copied().collect()
    }

    #[cfg(unix)]
    #[test]
    fn the_root_follows_the_environment() {
        let host = Host::from_env(env(&[("HOME", "/nonexistent")])).expect("a host");
        assert_eq!(host.root, Path::new("/nonexistent/.clauth"));
        let host = Host::from_env(env(&[("HOME", "/nonexistent"), ("CLAUTH_HOME", "/elsewhere")])).expect("a host");
        assert_eq!(host.root, Path::new("/elsewhere"));
        assert!(matches!(Host::from_env(env(&[("HOME", "relative")])), Err(HostError::Relative("HOME"))));
    }

    #[cfg(unix)]
    #[test]
    fn a_word_that_means_nothing_is_refused() {
        for (name, words, _) in WORDS {
            for (word, understood) in [(words[0], true), (words[1], true), ("zz", false), ("Real", false)] {
                let host = Host::from_env(env(&[("HOME", "/nonexistent"), (name, word)]));
                assert_eq!(host.is_ok(), understood, "{name}={word}");
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_a_sandbox_freezes_the_clock() {
        let host =
            Host::from_env(env(&[("HOME", "/nonexistent"), ("CLAUTH_NOW", "2020-01-01T00:00:00Z")])).expect("a host");
        assert!(!host.sandbox);
        assert!(host.clock.now().as_second() > 1_600_000_000 + 100_000_000);
    }
}
