//! The login keychain of macOS, where Claude Code keeps its credential there (facts §1.5), through the system's own tool:
//! the items trust that tool already, so nobody is asked anything.

mod account;
mod answer;
mod budget;
mod name;
mod tool;

#[cfg(all(test, unix))]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use clauth_durable::{Items, Trouble};
use clauth_host::{Clock, Host};
use jiff::Timestamp;

use answer::Missing;
pub use answer::printable;
use budget::Budget;
pub use name::{exported, item_of};
use tool::{Outcome, Tool};

/// By absolute path: a tool of that name elsewhere is not the one that the items trust.
const TOOL: &str = "/usr/bin/security";

/// Names the tool, in a sandbox only.
const TOOL_VARIABLE: &str = "CLAUTH_SECURITY";

/// Says where credentials are kept.
const STORE_VARIABLE: &str = "CLAUTH_CREDENTIALS";

/// The longest that one call may take (K3).
const CALL: Duration = Duration::from_secs(5);

/// The tool reads its commands from a buffer of this size; what is longer is cut (facts §1.5).
const LINE: usize = 4096;

/// Generic passwords of the login keychain.
pub struct Keychain {
    tool: Result<Tool, Trouble>,
    clock: Clock,
    budget: Budget,
}

impl Keychain {
    /// The keychain, where credentials are kept in it: on macOS, unless `CLAUTH_CREDENTIALS` says otherwise. A sandbox uses
    /// it only when told to, and with a tool of its own: the real one would show it the user's real items.
    #[must_use]
    pub fn of(host: &Host) -> Option<Self> {
        let wanted = match host.env.text(STORE_VARIABLE) {
            Some(word) => word == "keychain",
            None => cfg!(target_os = "macos") && !host.sandbox,
        };
        if !wanted {
            return None;
        }
        let named = host.env.path(TOOL_VARIABLE).filter(|_| host.sandbox);
        let tool = match (named, host.sandbox) {
            (None, true) => Err(Trouble {
                why: format!("{TOOL_VARIABLE} does not say which tool this sandbox uses"),
                next: format!("set {TOOL_VARIABLE} to the path of a tool, or unset {STORE_VARIABLE}"),
            }),
            (named, _) => Ok(Tool::new(named.unwrap_or_else(|| PathBuf::from(TOOL)), host)),
        };
        Some(Self { tool, clock: host.clock.clone(), budget: Budget::default() })
    }

    /// One call, within its deadline and the budget. `line` goes to the tool's standard input.
    fn call(&self, words: &[&str], line: Option<&str>) -> Result<Outcome, Trouble> {
        let tool = self.tool.as_ref().map_err(Clone::clone)?;
        let began = self.clock.monotonic();
        let Some(time) = self.budget.left(began, CALL) else { return Err(answer::timeout()) };
        let outcome = tool.run(words, line, time, &self.clock);
        self.budget.spend(began, self.clock.monotonic());
        outcome
    }

    fn account(&self) -> Result<&str, Trouble> {
        self.tool.as_ref().map(|tool| tool.account.as_str()).map_err(Clone::clone)
    }
}

impl Items for Keychain {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, Trouble> {
        let outcome = self.call(&["find-generic-password", "-a", self.account()?, "-s", name, "-w"], None)?;
        match answer::check(&outcome) {
            Ok(()) => Ok(Some(answer::secret(outcome.output))),
            Err(Missing::Item) => Ok(None),
            Err(Missing::Answer(trouble)) => Err(trouble),
        }
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let (account, hex) = (self.account()?, answer::hex(bytes));
        let line = format!("add-generic-password -U -a \"{account}\" -s \"{name}\" -X \"{hex}\"\n");
        let outcome = if line.len() <= LINE {
            self.call(&["-i"], Some(&line))?
        } else {
            // What does not fit would be cut, and there is no third way in (docs/decisions).
            self.call(&["add-generic-password", "-U", "-a", account, "-s", name, "-X", &hex], None)?
        };
        answer::check(&outcome).map_err(|missing| match missing {
            Missing::Item => answer::failed(44),
            Missing::Answer(trouble) => trouble,
        })
    }

    fn remove(&self, name: &str) -> Result<bool, Trouble> {
        let outcome = self.call(&["delete-generic-password", "-a", self.account()?, "-s", name], None)?;
        match answer::check(&outcome) {
            Ok(()) => Ok(true),
            Err(Missing::Item) => Ok(false),
            Err(Missing::Answer(trouble)) => Err(trouble),
        }
    }

    fn modified(&self, name: &str) -> Result<Option<Timestamp>, Trouble> {
        let outcome = self.call(&["find-generic-password", "-a", self.account()?, "-s", name], None)?;
        match answer::check(&outcome) {
            Ok(()) => Ok(answer::modified(&outcome.output)),
            Err(Missing::Item) => Ok(None),
            Err(Missing::Answer(trouble)) => Err(trouble),
        }
    }
}
