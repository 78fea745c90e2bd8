//! The examination: every topic in turn.

use super::rules::{self, Rule, Severity};
use super::{ClaudeProgram, Facts, around, files, home, locks, logins, moved, outside, root, trees};
use crate::custody::Snapshot;
use crate::error::Kind;
use crate::owner::{Doubt, Owner};
use crate::{Engine, Error};

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub rule: Rule,
    /// What was found, and where.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
}

/// What an examination came to.
#[derive(Clone, Debug)]
pub struct Examination {
    /// Worst first.
    pub findings: Vec<Finding>,
    /// How things are, whether good or bad.
    pub facts: Facts,
}

/// What is known of the live login once everything was read.
pub(super) struct Seen {
    pub(super) snapshot: Snapshot,
    pub(super) owner: Owner,
}

impl Seen {
    /// The profile whose bearer copy is of the live login, which no loan explains.
    pub(super) fn without_loan(&self) -> Option<&str> {
        let live = self.snapshot.live.access().filter(|_| matches!(self.owner, Owner::Unknown(_)))?.fingerprint();
        let bare = self.snapshot.records.iter().filter(|record| record.is_bare() && record.broken().is_none());
        bare.filter(|record| record.login().is_some_and(|login| login.access_print() == live))
            .map(|record| record.name.as_str())
            .next()
    }
}

impl Finding {
    /// A finding whose remedy is the command itself.
    pub(super) fn mendable(rule: Rule, message: impl Into<String>) -> Self {
        Self::new(rule, message, "clauth doctor --fix")
    }

    pub(super) fn new(rule: Rule, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { rule, message: message.into(), fix: Some(fix.into()) }
    }

    /// What an error says.
    pub(super) fn of(rule: Rule, error: &Error) -> Self {
        let place = error.place().map_or_else(String::new, |place| format!(": {place}"));
        let said = error.to_string();
        let message = if said.contains(place.trim_start_matches(": ")) { said } else { format!("{said}{place}") };
        Self { rule, message, fix: error.hints().first().cloned() }
    }
}

impl Examination {
    /// Whether a login can be lost, or nothing works.
    #[must_use]
    pub fn has_error(&self) -> bool {
        self.findings.iter().any(|finding| finding.rule.severity == Severity::Error)
    }
}

impl Engine {
    /// Looks at everything. Writes nothing, asks nobody, runs nothing. `claude` is the program that `start` would run, or why
    /// there is none.
    #[must_use]
    pub fn examine(&self, claude: Result<&std::path::Path, &str>) -> Examination {
        // One call of the Keychain's tool for an item, whatever is looked at.
        self.looking().examine_now(claude)
    }

    fn examine_now(&self, claude: Result<&std::path::Path, &str>) -> Examination {
        let program = claude.ok().map(|path| ClaudeProgram::at(&self.disk, path));
        let seen = self.snapshot().map(|snapshot| {
            // Without a state file that can be read, which is told by itself, nothing can be said about a stranger's.
            let owner = self.owner(&snapshot, None).unwrap_or(Owner::Unknown(Doubt::Young));
            // Of twins the one that takes the login over has it, which is told by itself.
            let owner = self.keeper(&snapshot, self.own_link().as_ref(), owner);
            Seen { owner, snapshot }
        });
        let mut findings = around::findings(&around::look(self), claude.err(), program.as_ref());
        findings.extend(root::findings(self));
        findings.extend(outside::findings(self));
        findings.extend(files::findings(self));
        match &seen {
            Ok(seen) => {
                findings.extend(home::findings(self, seen));
                findings.extend(logins::findings(self, seen));
                findings.extend(locks::findings(self, Some(seen)));
                findings.extend(trees::findings(self, seen));
                findings.extend(moved::findings(self, seen));
            }
            Err(error) => {
                findings.push(Finding::of(self.rule_of(error), error));
                findings.extend(locks::findings(self, None));
            }
        }
        findings.sort_by_key(|finding| finding.rule.severity);
        Examination { findings, facts: Facts::of(self, seen.ok().as_ref(), program) }
    }

    /// What kind of finding it is that not everything could be read.
    fn rule_of(&self, error: &Error) -> Rule {
        let place = error.place();
        let is_live = |home: clauth_claude::ClaudeHome| {
            let credentials = [home.credential(), home.credentials()];
            credentials.iter().any(|path| place.as_deref() == Some(path.display().to_string().as_str()))
        };
        match error.kind() {
            _ if self.home().is_ok_and(is_live) => rules::LIVE_UNREADABLE,
            Kind::Protected | Kind::Usage => rules::HOME_REFUSED,
            _ => rules::FILE_UNREADABLE,
        }
    }
}
