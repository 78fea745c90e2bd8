//! What can go wrong, by kind: the kind picks the exit code (`contract.md`).

use std::path::{Path, PathBuf};

/// The kinds of failure that programs tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The disk refused.
    Io,
    /// Something of clauth itself is wrong.
    Internal,
    /// The words of the call are off.
    Usage,
    /// A name that nothing bears.
    NotFound,
    /// A name that may not be given.
    Name,
    /// There is nothing to act on.
    Nothing,
    /// A lock is held.
    Busy,
    /// Refused, because something would be lost or mixed up.
    Protected,
    /// The login can no longer be used.
    DeadLogin,
    /// A file that cannot be understood.
    Unreadable,
    /// A name that several things bear.
    Ambiguous,
    /// No Claude Code on this machine.
    NotInstalled,
    /// Nobody was reached.
    Offline,
    /// The server refuses, or cannot be understood.
    Server,
}

impl Kind {
    /// The word that `--json` shows.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::Internal => "internal",
            Self::Usage => "usage",
            Self::NotFound => "not_found",
            Self::Name => "name",
            Self::Nothing => "nothing",
            Self::Busy => "busy",
            Self::Protected => "protected",
            Self::DeadLogin => "dead_login",
            Self::Unreadable => "unreadable",
            Self::Ambiguous => "ambiguous",
            Self::NotInstalled => "not_installed",
            Self::Offline => "offline",
            Self::Server => "server",
        }
    }

    /// The exit code of `contract.md`.
    #[must_use]
    pub fn exit_code(self) -> i32 {
        match self {
            Self::Io | Self::Internal | Self::NotInstalled => 1,
            Self::Usage | Self::NotFound | Self::Name => 2,
            Self::Nothing => 3,
            Self::Busy => 4,
            Self::Protected | Self::DeadLogin | Self::Unreadable | Self::Ambiguous => 5,
            Self::Offline | Self::Server => 6,
        }
    }
}

/// A refusal or failure of the engine.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The disk, a document or a lock.
    #[error(transparent)]
    Disk(#[from] clauth_durable::Error),
    /// Claude Code's own files.
    #[error(transparent)]
    Claude(#[from] clauth_claude::Error),
    /// A profile name that may not be given.
    #[error("'{name}' cannot be a profile's name: {why}")]
    Name {
        /// What was given, made safe to show.
        name: String,
        /// The rule it breaks.
        why: &'static str,
    },
    /// No profile of that name.
    #[error("no profile is called '{name}'")]
    NoProfile {
        /// What was asked for.
        name: String,
        /// What there is, nearest first.
        candidates: Vec<String>,
    },
    /// Several profiles fit.
    #[error("'{name}' fits several profiles")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// Those that fit.
        candidates: Vec<String>,
    },
    /// A file of ours or of Claude Code's that cannot be understood.
    #[error("{what} cannot be read")]
    Unreadable {
        /// What it is.
        what: String,
        /// Where it is.
        path: PathBuf,
        /// What to do.
        next: String,
    },
    /// A refusal that protects a login.
    #[error("{what}")]
    Refused {
        /// The kind that decides the exit code.
        kind: Kind,
        /// What is refused, and why.
        what: String,
        /// The path or profile it is about.
        place: String,
        /// What to do next, most useful first.
        next: Vec<String>,
    },
    /// Somebody kept writing the same file while we tried to.
    #[error("{} kept changing while it was being replaced", path.display())]
    Contended {
        /// The file.
        path: PathBuf,
    },
    /// A failed change could not be taken back whole.
    #[error("a failed change could not be taken back: {source}")]
    Stuck {
        /// What the disk said.
        source: clauth_durable::Error,
        /// Files that hold former contents.
        left: Vec<PathBuf>,
    },
}

impl Error {
    /// The kind of failure.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Disk(error) => kind_of_disk(error),
            Self::Claude(clauth_claude::Error::Durable(error)) => kind_of_disk(error),
            Self::Claude(_) => Kind::Usage,
            Self::Name { .. } => Kind::Name,
            Self::NoProfile { .. } => Kind::NotFound,
            Self::Ambiguous { .. } => Kind::Ambiguous,
            Self::Unreadable { .. } => Kind::Unreadable,
            Self::Refused { kind, .. } => *kind,
            Self::Contended { .. } => Kind::Busy,
            Self::Stuck { .. } => Kind::Io,
        }
    }

    /// The path or profile it is about.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let show = |path: &Path| path.display().to_string();
        match self {
            Self::Disk(error) | Self::Claude(clauth_claude::Error::Durable(error)) => Some(show(error.path())),
            Self::Unreadable { path, .. } | Self::Contended { path } => Some(show(path)),
            Self::Stuck { source, .. } => Some(show(source.path())),
            Self::Refused { place, .. } => Some(place.clone()),
            Self::Name { name, .. } | Self::NoProfile { name, .. } | Self::Ambiguous { name, .. } => Some(name.clone()),
            Self::Claude(_) => None,
        }
    }

    /// What to do next, most useful first.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Refused { next, .. } => next.clone(),
            Self::Unreadable { next, .. } => vec![next.clone()],
            Self::Name { .. } => vec!["letters, digits and . _ @ + - after a letter or digit, at most 64".into()],
            Self::NoProfile { candidates, .. } if candidates.is_empty() => vec!["clauth capture NAME".into()],
            Self::NoProfile { candidates, .. } | Self::Ambiguous { candidates, .. } => {
                vec![format!("profiles: {}", candidates.join(", "))]
            }
            Self::Contended { .. } => vec!["try again; something else writes that file".into()],
            Self::Stuck { left, .. } => {
                let finish =
                    "the next command that changes anything finishes it, as does: clauth doctor --fix".to_owned();
                let former = left.iter().map(|path| format!("former contents: {}", path.display()));
                std::iter::once(finish).chain(former).collect()
            }
            Self::Disk(clauth_durable::Error::Busy { path, .. }) => {
                vec![format!("try again; a lock that no program holds goes stale within a minute: {}", path.display())]
            }
            Self::Disk(error) | Self::Claude(clauth_claude::Error::Durable(error)) => vec![step_for(error)],
            Self::Claude(_) => vec!["set the variable right, or unset it".into()],
        }
    }

    /// An error of the system, with what was tried.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Disk(clauth_durable::Error::Io { doing, path, source })
    }

    /// A refusal of a login that is in the vault now: says how to get it from there.
    pub(crate) fn kept_as(mut self, id: Option<&str>) -> Self {
        if let (Self::Refused { next, .. }, Some(id)) = (&mut self, id) {
            next.push(format!("it is kept in the vault: clauth vault restore {id} --as NAME"));
        }
        self
    }

    /// A refusal.
    pub(crate) fn refused(kind: Kind, what: impl Into<String>, place: impl Into<String>, next: &[&str]) -> Self {
        let next = next.iter().map(|hint| (*hint).to_owned()).collect();
        Self::Refused { kind, what: what.into(), place: place.into(), next }
    }
}

/// The next step after a refusal of the disk, before which nothing was changed.
fn step_for(error: &clauth_durable::Error) -> String {
    use clauth_durable::Error as Disk;
    let path = error.path().display();
    match error {
        Disk::Io { source, .. } => match source.kind() {
            std::io::ErrorKind::PermissionDenied => format!("give yourself the right to read and write there: {path}"),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                format!("make room on that disk, then try again: {path}")
            }
            std::io::ErrorKind::ReadOnlyFilesystem => format!("make that file system writable, then try again: {path}"),
            std::io::ErrorKind::NotFound => {
                format!("make the directory that is missing, then try again: {}", missing(error))
            }
            _ => format!("find out why the system refuses that, then try again: ls -la {path}"),
        },
        Disk::Loop { .. } => format!("take that link away: {path}"),
        Disk::NotRegular { .. } | Disk::TooLarge { .. } => format!("move that away, then try again: {path}"),
        Disk::Document { .. } => format!("mend that file, or move it away: {path}"),
        Disk::Blocked { .. } => format!("see that nobody needs it, then remove it: {path}"),
        Disk::Item { next, .. } => next.clone(),
        Disk::Busy { .. } | Disk::Lost { .. } | Disk::Moved { .. } => "try again".into(),
    }
}

/// The directory in which a file could not be made, or what was not there.
fn missing(error: &clauth_durable::Error) -> std::path::Display<'_> {
    let making = matches!(error, clauth_durable::Error::Io { doing: "create" | "link", .. });
    let path = error.path();
    path.parent().filter(|_| making).unwrap_or(path).display()
}

fn kind_of_disk(error: &clauth_durable::Error) -> Kind {
    use clauth_durable::Error as Disk;
    match error {
        Disk::Busy { .. } | Disk::Blocked { .. } | Disk::Lost { .. } | Disk::Moved { .. } => Kind::Busy,
        Disk::Document { .. } => Kind::Unreadable,
        // What cannot be read is not known to be missing; what cannot be written is a disk that refuses.
        Disk::Item { doing: "read" | "look at", .. } => Kind::Unreadable,
        Disk::Io { .. } | Disk::Item { .. } | Disk::Loop { .. } | Disk::NotRegular { .. } | Disk::TooLarge { .. } => {
            Kind::Io
        }
    }
}
