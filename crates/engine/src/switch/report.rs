//! What a switch came to.

use std::path::{Path, PathBuf};

use clauth_claude::{ClaudeHome, RunningClaude};
use clauth_durable::Disk;

use crate::Planned;
use crate::owner::Owner;

/// What became of the login that was live (`contract.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outgoing {
    /// It was the profile's own, unchanged.
    Own,
    /// It had been renewed; the newer pair is now the profile's.
    Harvested,
    /// No profile's: it is in the vault.
    Vaulted,
    /// Claude Code was signed out.
    SignedOut,
    /// There was none.
    Missing,
    /// Nothing left the live home.
    None,
}

impl Outgoing {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Harvested => "harvested",
            Self::Vaulted => "vaulted",
            Self::SignedOut => "signed_out",
            Self::Missing => "missing",
            Self::None => "none",
        }
    }

    pub(super) fn of(owner: &Owner) -> Self {
        match owner {
            Owner::Own(_) => Self::Own,
            Owner::Successor(..) => Self::Harvested,
            Owner::Rewound(_) | Owner::Unknown(_) => Self::Vaulted,
            Owner::SignedOut => Self::SignedOut,
            Owner::Missing | Owner::Unreadable => Self::Missing,
        }
    }
}

/// What a running `claude` will do after the switch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It uses the new login with its next request.
    NextRequest,
    /// It has a config directory of its own and keeps its account.
    Pinned,
    /// Something in its environment outranks the saved login: it must be started again without that.
    Restart,
}

impl Effect {
    /// The word of `contract.md`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NextRequest => "next_request",
            Self::Pinned => "pinned",
            Self::Restart => "restart",
        }
    }
}

/// One running `claude`.
#[derive(Clone, Debug)]
pub struct SessionEffect {
    /// Its process id.
    pub pid: u32,
    /// The config directory it uses.
    pub config_dir: PathBuf,
    /// What it will do.
    pub effect: Effect,
    /// The variables in its environment that outrank the saved login.
    pub overrides: Vec<&'static str>,
}

/// What a switch came to, or would come to.
#[derive(Default)]
pub struct Report {
    /// Whether another login is live now.
    pub switched: bool,
    /// Whether anything was written at all.
    pub changed: bool,
    /// Whose login was live.
    pub from: Option<String>,
    /// Whose login is live.
    pub to: String,
    /// What became of the one that was live.
    pub outgoing: Option<Outgoing>,
    /// The profile that a renewed or outside login went into.
    pub harvested_into: Option<String>,
    /// The server was asked about the login beforehand, and accepts it.
    pub verified: bool,
    /// Running `claude` processes.
    pub sessions: Vec<SessionEffect>,
    /// What the user should know.
    pub warnings: Vec<String>,
    /// The changes, for `--dry-run`.
    pub planned: Vec<Planned>,
}

/// What each running `claude` does when the login of `home` changes.
/// What `leaves` an endpoint goes on with its address until it is started anew (seen on 2.1.330).
pub(super) fn effects(running: Vec<RunningClaude>, disk: &Disk, home: &ClaudeHome, leaves: bool) -> Vec<SessionEffect> {
    let real = |path: &Path| disk.vfs.stat(path).map(|stat| (stat.dev, stat.ino)).ok();
    // What counts is where the credential is read from, which may be another directory than the rest (facts §1.1).
    let here = real(&home.secure);
    let effect = |claude: &RunningClaude| {
        let same = claude.config_dir == home.secure
            || (here.is_some() && here != Some((0, 0)) && real(&claude.config_dir) == here);
        match (same, claude.overrides.is_empty() && !leaves) {
            (false, _) => Effect::Pinned,
            (true, false) => Effect::Restart,
            (true, true) => Effect::NextRequest,
        }
    };
    running
        .into_iter()
        .map(|claude| SessionEffect {
            effect: effect(&claude),
            pid: claude.pid,
            config_dir: claude.config_dir,
            overrides: claude.overrides,
        })
        .collect()
}
