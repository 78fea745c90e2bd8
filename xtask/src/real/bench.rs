//! One throw-away home with the real client in it, and a fake Anthropic under Anthropic's names.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use clauth_sandbox::{Account, Login, Output, Route, Server, World, now_ms, world};
use serde_json::Value;

use super::inside::Args;
use super::session::Session;

/// How long the client may take for one answer; it starts slowly on a busy machine, and waits up to 8 s for a lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Home, server, and the TLS front between the client and the server.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) server: Server,
    front: Child,
    folder: PathBuf,
    program: PathBuf,
}

impl Bench {
    /// A fresh home without a login.
    pub(super) fn open(args: &Args) -> anyhow::Result<Self> {
        let world = World::create("real").context("no throw-away home")?;
        world.install_claude(&args.folder.join("claude")).context("the client cannot be linked")?;
        world.seed_mcp();
        let server = Server::try_start().context("no loopback port")?;
        let port = server.url().rsplit(':').next().unwrap_or_default().to_owned();
        let front = Command::new("python3").arg(&args.front).arg(&args.folder).arg(port).stdin(Stdio::null()).spawn();
        let front = front.context("cannot start the TLS front")?;
        let bench = Self { world, server, front, folder: args.folder.clone(), program: args.program.clone() };
        let up = (0..200).any(|_| {
            thread::sleep(Duration::from_millis(50));
            TcpStream::connect(("127.0.0.1", 443)).is_ok()
        });
        ensure!(up, "the TLS front does not come up");
        Ok(bench)
    }

    /// Signs in as `account`, as Claude Code leaves it on disk. An `expired` access token makes the client refresh.
    pub(super) fn sign_in(&self, account: &Account, expired: bool) -> Login {
        let mut login = self.server.issue(account);
        if expired {
            login = login.expiring_at(now_ms() - 60_000);
            self.server.know(&login);
        }
        self.world.store_login(&login);
        login
    }

    /// Runs clauth, which must succeed, and returns what it printed.
    pub(super) fn clauth(&self, words: &[&str]) -> anyhow::Result<String> {
        let output = self.try_clauth(words);
        if output.code != Some(0) {
            bail!("`clauth {}` ended with {:?}: {}", words.join(" "), output.code, output.stderr.trim());
        }
        Ok(output.stdout)
    }

    /// Runs clauth with a text on its standard input; it must succeed.
    pub(super) fn clauth_given(&self, words: &[&str], text: &str) -> anyhow::Result<()> {
        let input = self.world.home().join("input");
        std::fs::write(&input, text)?;
        let mut command = self.world.command(&self.program, Some(&self.server));
        command.args(words).stdin(std::fs::File::open(&input)?);
        let output = world::run(command, PATIENCE);
        std::fs::remove_file(&input)?;
        ensure!(output.code == Some(0), "`clauth {}`: {}", words.join(" "), output.stderr.trim());
        Ok(())
    }

    /// The hosts that the model's requests went to since they were last forgotten.
    pub(super) fn hosts(&self) -> Vec<String> {
        let hosts: BTreeSet<_> = self.server.requests_to(Route::Messages).into_iter().map(|r| r.host).collect();
        hosts.into_iter().collect()
    }

    /// Runs clauth, however it ends.
    pub(super) fn try_clauth(&self, words: &[&str]) -> Output {
        self.world.clauth(&self.program, Some(&self.server), words)
    }

    /// Runs clauth with something on its standard input; it must succeed.
    pub(super) fn give(&self, words: &[&str], text: &str) -> anyhow::Result<()> {
        let mut command = self.world.command(&self.program, Some(&self.server));
        let mut child = command.args(words).stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
        child.stdin.take().context("no stdin")?.write_all(text.as_bytes())?;
        ensure!(child.wait()?.success(), "`clauth {}` failed", words.join(" "));
        Ok(())
    }

    /// The client with its words, in the home and nowhere else.
    pub(super) fn claude(&self, words: &[&str]) -> Command {
        self.beside_client(&self.world.home().join("bin/claude"), words)
    }

    /// `clauth start` as a profile, with the client's words.
    pub(super) fn start(&self, links: &str, profile: &str, words: &[&str]) -> Command {
        let words: Vec<&str> = ["start", profile].iter().chain(words).copied().collect();
        let mut command = self.beside_client(&self.program, &words);
        command.env("CLAUTH_LINKS", links);
        command
    }

    /// A program in whose environment the client finds the fake.
    fn beside_client(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = self.world.command(program, Some(&self.server));
        command.args(words).env("NODE_EXTRA_CA_CERTS", self.folder.join("ca.pem"));
        for name in ["DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "IS_SANDBOX"] {
            command.env(name, "1");
        }
        command
    }

    /// Asks the model one question; says which login paid for it, as `A1`.
    pub(super) fn ask(&self) -> anyhow::Result<String> {
        self.server.forget_requests();
        let output = world::run(self.claude(&["-p", "hi", "--model", "haiku"]), PATIENCE);
        ensure!(
            output.code == Some(0),
            "`claude -p` ended with {:?}: {} {}",
            output.code,
            output.stdout,
            output.stderr
        );
        self.bearer()
    }

    /// The one login that the model's requests carried since they were last forgotten.
    pub(super) fn bearer(&self) -> anyhow::Result<String> {
        let bearers: BTreeSet<_> =
            self.server.requests_to(Route::Messages).into_iter().filter_map(|r| r.bearer).collect();
        match bearers.into_iter().collect::<Vec<_>>().as_slice() {
            [one] => Ok(one.clone()),
            others => bail!("the requests carried {others:?}, not one login"),
        }
    }

    /// The e-mail address that `claude auth status` names.
    pub(super) fn identity(&self) -> anyhow::Result<String> {
        let output = world::run(self.claude(&["auth", "status"]), PATIENCE);
        let status: Value = serde_json::from_str(&output.stdout)
            .with_context(|| format!("`claude auth status` printed {:?} {:?}", output.stdout, output.stderr))?;
        Ok(status["email"].as_str().unwrap_or("nobody").to_owned())
    }

    /// A session that stays open over several turns.
    pub(super) fn session(&self) -> anyhow::Result<Session<'_>> {
        Session::start(self, self.claude(&super::session::TURNS))
    }

    /// The same as a profile, in a config directory of its own.
    pub(super) fn session_of(&self, links: &str, profile: &str) -> anyhow::Result<Session<'_>> {
        Session::start(self, self.start(links, profile, &super::session::TURNS))
    }

    /// The login in a profile's slot, as `A1` or `A1 bearer`.
    pub(super) fn slot(&self, profile: &str) -> String {
        self.world.login_at(&self.world.root().join("profiles").join(profile).join("credentials.json"))
    }

    /// Nothing was lost: no spent token was presented, no family is revoked, and what belongs to no account still
    /// stands in the credentials.
    pub(super) fn ensure_clean(&self) -> anyhow::Result<()> {
        ensure!(self.server.reused() == 0, "a spent refresh token was presented");
        ensure!(self.server.revoked().is_empty(), "revoked: {:?}", self.server.revoked());
        let credentials = self.world.read_json(&self.world.credentials_path());
        for key in ["mcpOAuth", "pluginSecrets", "futureSharedKey"] {
            ensure!(credentials.get(key).is_some(), "`{key}` is gone from the credentials");
        }
        Ok(())
    }

    /// The newest login of `login`'s family, as the server knows it.
    pub(super) fn newest(&self, login: &Login) -> String {
        format!("{}{}", login.pair.family, self.server.generation(&login.pair.family))
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let _ = self.front.kill();
        let _ = self.front.wait();
    }
}
