//! Throw-away homes with profiles in them, made by the very program that is measured.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, bail};
use clauth_sandbox::{Account, Server, World};
use serde_json::{Value, json};

/// Three homes: one with few profiles, one with as few in which nothing is switched, one with many.
pub(super) struct Stage {
    program: PathBuf,
    server: Server,
    few: World,
    calm: World,
    many: World,
    turn: Cell<usize>,
    /// When the five hours of the status line end, in seconds since 1970.
    reset: u64,
}

/// Profiles of the small home.
const FEW: usize = 3;

/// So many different inputs lie there for status lines that run at the same time.
const HANDED: usize = 1000;

/// Seconds for which a child sleeps that is there longer than a moment.
pub(super) const NAP: &str = "0.2";

/// Profiles of the large home.
pub(super) const MANY: usize = 50;

impl Stage {
    /// Makes the homes with `program capture`, on a fake server that confirms whose login each is.
    pub(super) fn set(program: &Path) -> anyhow::Result<Self> {
        let server = Server::try_start().context("no loopback port for the fake server")?;
        let few = home(program, &server, FEW)?;
        let calm = home(program, &server, FEW)?;
        let many = home(program, &server, MANY)?;
        let reset = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs() + 3 * 3600;
        Ok(Self { program: program.into(), server, few, calm, many, turn: Cell::new(0), reset })
    }

    /// `clauth which` in the small home.
    pub(super) fn which(&self) -> Command {
        self.command(&self.few, &["which"])
    }

    /// `clauth list` in the large home.
    pub(super) fn list(&self) -> Command {
        self.command(&self.many, &["list"])
    }

    /// `clauth usage --offline` in the large home.
    pub(super) fn usage(&self) -> Command {
        self.command(&self.many, &["usage", "--offline"])
    }

    /// `clauth statusline` in the calm home, handed what Claude Code hands over; each time with other figures, so that they
    /// are worth storing.
    pub(super) fn statusline(&self) -> anyhow::Result<Command> {
        let turn = self.turn.replace(self.turn.get() + 1);
        let session = self.calm.claude_dir().join("projects").join("-w");
        let (transcript, input) = (session.join("s.jsonl"), session.join("handed.json"));
        if !transcript.exists() {
            fs::create_dir_all(&session)?;
            fs::write(&transcript, "{}\n")?;
        }
        let input = input.with_extension((turn % HANDED).to_string());
        fs::write(&input, self.handed(&transcript, turn).to_string())?;
        let mut command = self.command(&self.calm, &["statusline"]);
        command.stdin(fs::File::open(&input)?);
        Ok(command)
    }

    /// What Claude Code hands over (facts §8.9), with figures of this turn.
    fn handed(&self, transcript: &Path, turn: usize) -> Value {
        json!({
            "session_id": "0c1f6a52", "transcript_path": transcript, "cwd": "/w",
            "model": {"id": "m", "display_name": "Opus"},
            "rate_limits": {
                "five_hour": {"used_percentage": turn % 100, "resets_at": self.reset},
                "seven_day": {"used_percentage": 41.2, "resets_at": self.reset + 200_000},
            },
        })
    }

    /// `clauth switch` in the small home, to another profile each time.
    pub(super) fn switch(&self) -> Command {
        let turn = self.turn.replace(self.turn.get() + 1);
        self.command(&self.few, &["switch", &name(turn % (FEW - 1))])
    }

    /// `clauth start` of a profile that is not live, with [`Stage::nothing`] for its `claude`.
    pub(super) fn start(&self) -> Command {
        let mut command = self.command(&self.few, &["start", &name(FEW - 1)]);
        command.env("CLAUTH_CLAUDE", "/bin/true").env("CLAUTH_LINKS", "real");
        command
    }

    /// `echo`, by itself.
    pub(super) fn echo(&self) -> Command {
        let mut command = self.few.command(Path::new("/bin/echo"), None);
        command.arg("here");
        command
    }

    /// `clauth start` with that for its `claude`.
    pub(super) fn start_echo(&self) -> Command {
        let mut command = self.start();
        command.arg("here").env("CLAUTH_CLAUDE", "/bin/echo");
        command
    }

    /// `sleep`, by itself.
    pub(super) fn while_asleep(&self) -> Command {
        let mut command = self.few.command(Path::new("/bin/sleep"), None);
        command.arg(NAP);
        command
    }

    /// `clauth start` with that for its `claude`.
    pub(super) fn start_asleep(&self) -> Command {
        let mut command = self.start();
        command.arg(NAP).env("CLAUTH_CLAUDE", "/bin/sleep");
        command
    }

    /// The Claude Code home of the large home, for whoever fills it.
    pub(super) fn large_home(&self) -> PathBuf {
        self.many.claude_dir()
    }

    /// `clauth start` in the large home with a `claude` that sleeps; its tree, and a file that is there once it runs.
    pub(super) fn sleeper(&self, links: &str) -> anyhow::Result<(Command, PathBuf, PathBuf)> {
        let script = self.many.home().join("sleeps");
        fs::write(&script, "#!/bin/sh\n: > \"$BEGUN\"\nexec sleep 600\n")?;
        make_runnable(&script)?;
        let begun = self.many.home().join("begun");
        if begun.exists() {
            fs::remove_file(&begun)?;
        }
        let profile = name(1);
        let mut command = self.command(&self.many, &["start", &profile]);
        command.env("CLAUTH_CLAUDE", script).env("CLAUTH_LINKS", links).env("BEGUN", &begun);
        Ok((command, self.many.root().join("profiles").join(profile).join("runtime"), begun))
    }

    /// One more home with so many profiles.
    pub(super) fn another(&self, profiles: usize) -> anyhow::Result<World> {
        home(&self.program, &self.server, profiles)
    }

    /// clauth in a home.
    pub(super) fn in_home(&self, world: &World, words: &[&str]) -> Command {
        self.command(world, words)
    }

    /// A folder on the same disk as the homes.
    pub(super) fn folder(&self) -> PathBuf {
        self.few.home().join("baseline")
    }

    /// A command that does nothing, with the environment of the others.
    pub(super) fn nothing(&self) -> Command {
        self.few.command(Path::new("true"), None)
    }

    fn command(&self, world: &World, words: &[&str]) -> Command {
        let mut command = world.command(&self.program, None);
        command.args(words);
        command
    }
}

#[cfg(unix)]
pub(super) fn make_runnable(path: &Path) -> std::io::Result<()> {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))
}

#[cfg(not(unix))]
pub(super) fn make_runnable(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// A home with so many profiles, made with `program capture`.
pub(super) fn home(program: &Path, server: &Server, profiles: usize) -> anyhow::Result<World> {
    let world = World::create("bench").context("no throw-away home")?;
    for index in 0..profiles {
        world.store_login(&server.issue(&account(index)));
        let output = world.clauth(program, Some(server), &["capture", &name(index)]);
        if output.code != Some(0) {
            bail!("`clauth capture {}` failed: {}", name(index), output.stderr.trim());
        }
    }
    Ok(world)
}

fn name(index: usize) -> String {
    format!("profile-{index:02}")
}

/// Fifty people are as many as letters and organizations give.
fn account(index: usize) -> Account {
    let letter = |index: usize, letters: &[u8]| char::from(letters[index % letters.len()]);
    let person = Account::new(letter(index, b"ABCDEFGHIJ"));
    person.with_organization(letter(index / 10, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_profile_has_an_account_of_its_own() {
        let codes: BTreeSet<_> = (0..MANY).map(|index| account(index).code).collect();
        assert_eq!(codes.len(), MANY);
    }
}
