//! A throw-away home and the program in it.

use std::path::Path;
use std::process::Command;

use clauth_sandbox::world::{DEADLINE, Snapshot, changes, run};
use clauth_sandbox::{Account, Output, Running, Server, World};
use serde_json::Value;

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_clauth");

/// A home, and whoever answers for Anthropic in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) server: Option<Server>,
}

impl Stage {
    pub(crate) fn new(name: &str) -> Self {
        // Every test runs under the loosest mask there is: modes must not depend on it.
        #[cfg(unix)]
        rustix::process::umask(rustix::fs::Mode::empty());
        let world = World::create_in(Path::new("/dev/shm"), name).unwrap_or_else(|_| World::new(name));
        Self { world, server: None }
    }

    pub(crate) fn with_server(name: &str) -> Self {
        Self { server: Some(Server::start()), ..Self::new(name) }
    }

    /// a and b captured, b's login live.
    pub(crate) fn two(name: &str) -> Self {
        Self::new(name).populated()
    }

    /// a and b captured and proven, b's login live.
    pub(crate) fn two_with_server(name: &str) -> Self {
        Self::with_server(name).populated()
    }

    fn populated(self) -> Self {
        for (account, name) in [(Account::a(), "a"), (Account::b(), "b")] {
            self.sign_in(&account);
            self.ok(&["capture", name]);
        }
        self
    }

    pub(crate) fn sign_in(&self, account: &Account) {
        let login = self.world.sign_in(account);
        if let Some(server) = &self.server {
            server.know(&login);
        }
    }

    /// The program with these words, not yet run.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.command(Path::new(PROGRAM), self.server.as_ref());
        command.args(words);
        command
    }

    /// Runs the program.
    #[track_caller]
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        finish(self.command(words))
    }

    /// Runs the program, which has to succeed.
    #[track_caller]
    pub(crate) fn ok(&self, words: &[&str]) {
        let _ = self.run(words).success();
    }

    /// Runs the program with `--json`, and answers its document.
    #[track_caller]
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let words: Vec<&str> = words.iter().copied().chain(["--json"]).collect();
        self.run(&words).json()
    }

    /// A running `claude` with more variables.
    pub(crate) fn claude(&self, env: &[(&str, &Path)]) -> Running {
        let program = self.world.home().join("bin").join(if cfg!(windows) { "claude.exe" } else { "claude" });
        if !program.exists() {
            let _ = self.world.install_claude(Path::new(PROGRAM)).expect("a claude");
        }
        let mut command = self.world.command(&program, self.server.as_ref());
        command.arg("session").envs(env.iter().copied());
        Running::start(command)
    }

    /// What changed since `before`, but for locks.
    pub(crate) fn changes(&self, before: &Snapshot) -> Vec<String> {
        let mut changes = changes(before, &self.world.snapshot());
        changes.retain(|change| !change.contains(".clauth/locks") && !change.ends_with(".clauth/.lock"));
        changes
    }

    /// The login in a profile's slot, in words.
    pub(crate) fn slot(&self, name: &str) -> String {
        self.world.login_at(&self.world.root().join("profiles").join(name).join("credentials.json"))
    }
}

impl Stage {
    /// Lets the access token of a parked login be at its end.
    pub(crate) fn expire(&self, name: &str) {
        let slot = self.world.root().join("profiles").join(name).join("credentials.json");
        self.world.edit_json(&slot, |object| object["claudeAiOauth"]["expiresAt"] = 1_700_000_000_000_u64.into());
    }
}

/// Runs a command to its end.
pub(crate) fn finish(command: Command) -> Output {
    let output = run(command, DEADLINE);
    assert!(!output.timed_out, "it hangs: {output:?}");
    output
}
