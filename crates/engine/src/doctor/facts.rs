//! How things are, whether good or bad.

use std::path::{Path, PathBuf};

use clauth_durable::{Disk, Document};

use super::examine::Seen;
use crate::Engine;
use crate::owner::{Owner, Proven};
use crate::session::{LinkMode, Place};

/// The version of Claude Code on which what clauth relies on was last shown (protocols §7).
pub const SHOWN_ON: &str = "2.1.330";

/// The program `claude`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaudeProgram {
    /// Where it is, as it was found.
    pub path: PathBuf,
    /// Its version, by the files of its installation: it is not run to be asked.
    pub version: Option<String>,
}

/// How things are.
#[derive(Clone, Debug)]
pub struct Facts {
    /// clauth's own root.
    pub root: PathBuf,
    /// The Claude Code home that commands act on; `None` where it is refused.
    pub config_home: Option<PathBuf>,
    /// Where the live login is kept.
    pub credential_store: &'static str,
    /// The profile whose login is live.
    pub live: Option<String>,
    /// By what proof, in words.
    pub proof: &'static str,
    /// The program `claude`.
    pub claude: Option<ClaudeProgram>,
    /// Where requests about accounts go.
    pub api: String,
    /// Where renewals go.
    pub token: String,
    /// Where the status page is.
    pub status: String,
    /// Where providers behind endpoint profiles are; `None` for each one's own host.
    pub providers: Option<String>,
    /// What sessions' directories are made of: `real` links or a `copy`.
    pub links: &'static str,
    /// The time zone that times are shown in.
    pub zone: String,
    /// The variables that name proxies and certificates.
    pub network: Vec<&'static str>,
}

impl ClaudeProgram {
    /// The program at a path.
    pub(super) fn at(disk: &Disk, path: &Path) -> Self {
        let real = clauth_claude::real_path(disk, path);
        let package = real.parent().map(|dir| dir.join("package.json"));
        let packaged = || {
            let document = Document::parse(disk.read(&package?).ok()??).ok()?;
            let name = document.get::<String>(&["name"])?;
            document.get::<String>(&["version"]).filter(|_| name.contains("claude-code"))
        };
        Self { path: path.to_owned(), version: version_in(&real).or_else(packaged) }
    }
}

/// The version in the path of an installation of its own: `…/claude/versions/2.1.330`.
fn version_in(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let below = path.parent()?.file_name()? == "versions";
    (below && numbers(name).is_some()).then(|| name.to_owned())
}

/// A version as numbers; what stands behind a `-` counts for nothing.
pub(super) fn numbers(version: &str) -> Option<Vec<u64>> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let numbers: Option<Vec<u64>> = core.split('.').map(|part| part.parse().ok()).collect();
    numbers.filter(|numbers| numbers.len() >= 2)
}

impl Facts {
    pub(super) fn of(engine: &Engine, seen: Option<&Seen>, claude: Option<ClaudeProgram>) -> Self {
        let endpoints = &engine.host.endpoints;
        let copied = |seen: &Seen| {
            let places = seen.snapshot.roster.names.iter().map(|name| Place::of(&engine.root, name));
            places.into_iter().any(|place| place.mode(&engine.disk) == LinkMode::Copy)
        };
        let copies = engine.host.env.text("CLAUTH_LINKS") == Some("copy") || seen.is_some_and(copied);
        let endpoint = seen.and_then(|seen| engine.endpoint_live(&seen.snapshot).ok().flatten());
        let set = |name: &&'static str| engine.host.env.get(name).is_some();
        Self {
            root: engine.root.path().to_owned(),
            // A live login that cannot be read leaves the home what it is.
            config_home: seen
                .map(|seen| seen.snapshot.home.clone())
                .or_else(|| engine.home().ok())
                .map(|home| home.dir),
            credential_store: match seen.map(|seen| seen.snapshot.home.store()) {
                Some(clauth_claude::Store::Keychain(_)) => "keychain",
                None if engine.root.has_items() => "keychain",
                Some(clauth_claude::Store::File(_)) | None => "file",
            },
            proof: match (&endpoint, seen) {
                (Some(_), _) => "the settings that Claude Code reads name its endpoint",
                (None, Some(seen)) => proof(&seen.owner),
                (None, None) => "nothing could be read",
            },
            live: endpoint.or_else(|| seen?.owner.profile().map(str::to_owned)),
            claude,
            api: endpoints.api.clone(),
            token: endpoints.token.clone(),
            status: endpoints.status.clone(),
            providers: endpoints.providers.clone(),
            links: if copies { "copy" } else { "real" },
            zone: engine.host.env.text("TZ").map_or_else(|| "of the system".to_owned(), crate::text::shown),
            network: NETWORK.iter().copied().filter(|name| set(name)).collect(),
        }
    }
}

/// The variables that say how the network is reached.
const NETWORK: [&str; 10] = [
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "http_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NODE_EXTRA_CA_CERTS",
];

fn proof(owner: &Owner) -> &'static str {
    match owner {
        Owner::Own(_) => "it is the very login on record",
        Owner::Successor(_, Proven::SameRefresh) => "it has the refresh token on record",
        Owner::Successor(_, Proven::SameEnd | Proven::EndAlone) => "it ends when the login on record ends",
        Owner::Successor(_, Proven::StateFile) => "the state file names that account",
        Owner::Successor(_, Proven::Untouched) => "nobody has signed in since it was put there",
        Owner::Successor(_, Proven::Endpoint) => "the server said so",
        Owner::Rewound(_) => "its refresh token is on the list of those that are used up",
        Owner::Unknown(_) => "nothing proves whose it is",
        Owner::SignedOut => "Claude Code is signed out",
        Owner::Missing => "there is no login",
        Owner::Unreadable => "it cannot be read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_assumptions_name() {
        let page = include_str!("../../../../docs/decisions/assumptions.md");
        assert!(page.contains(&format!("Shown on the client itself: {SHOWN_ON}")), "{SHOWN_ON}");
    }

    #[test]
    fn a_version_is_read_from_the_path_of_its_installation() {
        for (path, expected) in [
            ("/h/.local/share/claude/versions/2.1.330", Some("2.1.330")),
            ("/h/.local/share/claude/versions/2.1.330-beta.1", Some("2.1.330-beta.1")),
            ("/h/.local/share/claude/versions/current", None),
            ("/usr/bin/claude", None),
            ("/h/2.1.330", None),
        ] {
            assert_eq!(version_in(Path::new(path)).as_deref(), expected, "{path}");
        }
        assert_eq!(numbers("2.1.330-x"), Some(vec![2, 1, 330]));
        assert_eq!(numbers("two"), None);
    }
}
