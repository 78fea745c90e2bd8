//! Where the demo plays: a marked home, a fake Anthropic on loopback, and this very program as `clauth` and `claude`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use clauth_sandbox::world::{DEADLINE, run};
use clauth_sandbox::{Account, Output, Running, Server, World};

use super::platform;

/// The stage, and how the play has gone so far.
pub(super) struct Stage<'o> {
    out: &'o mut dyn Write,
    world: World,
    server: Server,
    program: PathBuf,
    step: usize,
    failed: usize,
    /// The signal that was sent to end it; 0 for none.
    signal: Arc<AtomicUsize>,
}

impl<'o> Stage<'o> {
    pub(super) fn set(out: &'o mut dyn Write, world: World, signal: Arc<AtomicUsize>) -> io::Result<Self> {
        let program = std::env::current_exe()?;
        world.install_claude(&program)?;
        let mut stage = Self { out, world, server: Server::start(), program, step: 0, failed: 0, signal };
        let home = stage.world.home().display().to_string();
        stage.say(&format!(
            "A throw-away home: {home}\nThree accounts, a fake Claude Code, a fake Anthropic on loopback."
        ))?;
        Ok(stage)
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str) -> io::Result<()> {
        self.step += 1;
        self.say(&format!("\n{}. {title}", self.step))
    }

    /// Says something, unless a signal was sent: then the story ends here.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        if self.is_over() {
            return Err(io::Error::other("a signal ended the demonstration"));
        }
        writeln!(self.out, "{text}")
    }

    fn is_over(&self) -> bool {
        self.signal.load(Ordering::Relaxed) != 0
    }

    /// A program on this stage.
    fn command(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = self.world.command(program, Some(&self.server));
        command.args(words);
        platform::apart(&mut command);
        command
    }

    /// Somebody signs in with Claude Code, as every user does.
    pub(super) fn sign_in(&mut self, account: &Account) -> io::Result<()> {
        self.say(&format!("   $ claude auth login          (in the browser: {})", account.email))?;
        let login = self.world.sign_in(account);
        self.server.know(&login);
        Ok(())
    }

    /// Runs `clauth` with these words and shows what it prints.
    pub(super) fn clauth(&mut self, words: &[&str]) -> io::Result<Output> {
        self.say(&format!("   $ clauth {}", words.join(" ")))?;
        let output = run(self.command(&self.program, words), DEADLINE);
        for line in output.stdout.lines().chain(output.stderr.lines()) {
            self.say(&format!("     {line}"))?;
        }
        Ok(output)
    }

    /// Runs `clauth`, which has to succeed, and shows what it prints.
    pub(super) fn runs(&mut self, words: &[&str]) -> io::Result<()> {
        let output = self.clauth(words)?;
        if output.code == Some(0) {
            return Ok(());
        }
        self.check("the command succeeds", false)
    }

    /// Runs `clauth` unseen, for a check.
    pub(super) fn ask(&self, words: &[&str]) -> serde_json::Value {
        let output = run(self.command(&self.program, words), DEADLINE);
        serde_json::from_str(&output.stdout).unwrap_or_default()
    }

    /// Runs `clauth` and ends it at the n-th thing that it does to a file. False if it came to its end before that, or the
    /// story is over.
    pub(super) fn clauth_killed(&mut self, words: &[&str], at: usize) -> bool {
        let mut command = self.command(&self.program, words);
        command.env(crate::CRASH_AT, at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        !self.is_over() && command.status().is_ok_and(|status| !status.success())
    }

    /// A running `claude` in the home.
    pub(super) fn claude(&mut self) -> io::Result<Running> {
        self.say("   $ claude                     (left running)")?;
        let claude = if cfg!(windows) { "claude.exe" } else { "claude" };
        Ok(Running::start(self.command(&self.world.home().join("bin").join(claude), &["session"])))
    }

    /// The live login in words: `A2` is the second generation of A's.
    pub(super) fn live(&self) -> String {
        self.world.live()
    }

    /// The files in which a login's refresh token stands, of those that a `claude` reads.
    pub(super) fn readable_copies(&self, generation: &str) -> usize {
        let token = format!("sk-ant-ort01-FAKE-{generation}");
        let holders = clauth_sandbox::world::holders(&self.world.snapshot(), &token);
        holders.iter().filter(|path| path.starts_with(".claude/")).count()
    }

    /// Whether the fake Anthropic saw a used-up refresh token.
    pub(super) fn harmed(&self) -> bool {
        self.server.reused() > 0 || !self.server.revoked().is_empty()
    }

    /// Checks a claim and tells it.
    pub(super) fn check(&mut self, claim: &str, holds: bool) -> io::Result<()> {
        if !holds {
            self.failed += 1;
        }
        self.say(&format!("   {} {claim}", if holds { "ok:" } else { "FAILED:" }))
    }

    pub(super) fn close(mut self) -> io::Result<bool> {
        match self.failed {
            0 => self.say("\nEvery step did what it says. The home is removed.")?,
            failed => self.say(&format!("\n{failed} checks failed."))?,
        }
        Ok(self.failed == 0)
    }
}
