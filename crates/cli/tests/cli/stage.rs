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

impl Stage {
    /// A program of the user's own: a script of the system's shell, in its words.
    #[cfg(unix)]
    pub(crate) fn script(&self, name: &str, sh: &str, _cmd: &str) -> std::path::PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.world.home().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{sh}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("its mode");
        path
    }

    /// A program of the user's own: a script of the system's shell, in its words.
    #[cfg(windows)]
    pub(crate) fn script(&self, name: &str, _sh: &str, cmd: &str) -> std::path::PathBuf {
        let path = self.world.home().join(name).with_extension("cmd");
        std::fs::write(&path, format!("@echo off\r\n{}\r\n", cmd.replace('\n', "\r\n"))).expect("a script");
        path
    }
}

/// Whether links can be made here. Wine 8 answers that one was made, and makes none.
#[cfg(windows)]
#[expect(clippy::print_stdout, reason = "a skipped test says so")]
fn has_links() -> bool {
    let name = format!("clauth-link-{}-{:?}", std::process::id(), std::thread::current().id());
    let link = std::env::temp_dir().join(name.replace(['(', ')'], ""));
    let made = std::os::windows::fs::symlink_file("nothing", &link);
    let there = std::fs::symlink_metadata(&link).is_ok_and(|meta| meta.is_symlink());
    let _ = std::fs::remove_file(&link);
    if !there {
        println!("skipped: under Wine: what is made of links, since CreateSymbolicLinkW makes none: {made:?}");
    }
    there
}

#[cfg(unix)]
fn has_links() -> bool {
    true
}

/// What `CLAUTH_LINKS` may say here.
pub(crate) fn modes() -> &'static [&'static str] {
    if has_links() { &["real", "copy"] } else { &["copy"] }
}

/// What most sessions here are made of: links, where there are any.
pub(crate) fn usual() -> &'static str {
    modes()[0]
}

/// Kills a process that the test started, so that it cleans nothing up.
#[cfg(unix)]
pub(crate) fn kill(pid: u32) {
    let pid = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("killed");
}

/// Kills a process that the test started, so that it cleans nothing up.
#[cfg(windows)]
pub(crate) fn kill(pid: u32) {
    let root = std::env::var_os("SystemRoot").expect("a system");
    let mut command = Command::new(Path::new(&root).join("System32").join("taskkill.exe"));
    let output = command.args(["/F", "/PID", &pid.to_string()]).output().expect("taskkill");
    assert!(output.status.success(), "{output:?}");
}

/// Runs a command to its end.
#[track_caller]
pub(crate) fn finish(command: Command) -> Output {
    let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy().into_owned()).collect();
    let output = run(command, DEADLINE);
    assert!(!output.timed_out, "`clauth {}` hangs: {output:?}", words.join(" "));
    output
}
