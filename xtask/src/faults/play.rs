//! A throw-away home that can be put back as it was, and what may be asked of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail, ensure};
use clauth_sandbox::world::{Entry, Snapshot, holders};
use clauth_sandbox::{Account, Pair, Server, World};
use serde_json::Value;

use super::cases::Case;
use crate::process;

/// What every refresh token of the sandbox begins with.
const REFRESH: &str = "sk-ant-ort01-";

/// What an interrupted switch leaves that had not begun.
const NOTHING_DONE: &str =
    r#"{"schema":1,"done":"switch","from":null,"to":null,"at":"2026-11-20T10:00:00Z","tokens":[],"temps":[]}"#;

/// A home, its server, and a copy of the home as it was kept last.
pub(super) struct Play {
    pub(super) world: World,
    server: Server,
    program: PathBuf,
    kept: PathBuf,
}

impl Play {
    pub(super) fn begin(program: &Path) -> anyhow::Result<Self> {
        let world = World::create("faults").context("no throw-away home")?;
        world.seed_mcp();
        let kept = world.home().with_extension("kept");
        let server = Server::try_start().context("no loopback port")?;
        Ok(Self { world, server, program: program.into(), kept })
    }

    /// A sign-in with Claude Code.
    pub(super) fn sign_in(&self, account: &Account) {
        self.server.know(&self.world.sign_in(account));
    }

    /// Puts a script into the way as `claude`.
    pub(super) fn put_claude(&self, script: &str) -> anyhow::Result<()> {
        let path = self.world.home().join("bin/claude");
        std::fs::write(&path, script)?;
        Ok(std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?)
    }

    /// The clauth of a case, in this home alone.
    pub(super) fn command(&self, case: &Case) -> Command {
        let mut command = self.world.command(&self.program, Some(&self.server));
        command.args(case.words).env("CLAUTH_LINKS", case.links);
        command
    }

    /// Runs clauth, which must succeed.
    pub(super) fn must(&self, words: &[&str]) -> anyhow::Result<()> {
        let output = self.world.clauth(&self.program, Some(&self.server), words);
        if output.code != Some(0) {
            bail!("`clauth {}` ended with {:?}: {}", words.join(" "), output.code, output.stderr.trim());
        }
        Ok(())
    }

    /// Runs clauth so that it ends at the first of its operations after which `is_there`. The locks that it held go: they are
    /// known by what a copy of the home does not keep.
    pub(super) fn crash(&self, words: &[&str], is_there: impl Fn() -> bool) -> anyhow::Result<()> {
        self.keep()?;
        for at in 1.. {
            let mut command = self.world.command(&self.program, Some(&self.server));
            command.args(words).env(clauth::CRASH_AT, at.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
            ensure!(!command.status()?.success(), "`clauth {}` was never interrupted there", words.join(" "));
            if is_there() {
                break;
            }
            self.restore()?;
        }
        self.unlock()
    }

    /// Removes every lock directory, and the records of who holds them.
    fn unlock(&self) -> anyhow::Result<()> {
        let (home, claude) = (self.world.home(), self.world.claude_dir());
        let theirs = [".oauth_refresh.lock", ".storage-write.lock"].map(|name| claude.join(name));
        let beside = [".claude.lock", ".claude.json.lock"].map(|name| home.join(name));
        for lock in theirs.iter().chain(&beside).filter(|lock| lock.is_dir()) {
            std::fs::remove_dir(lock)?;
        }
        for entry in std::fs::read_dir(self.world.root().join("locks"))?.flatten().filter(|entry| entry.path().is_dir())
        {
            std::fs::remove_dir_all(entry.path())?;
        }
        Ok(())
    }

    /// Keeps a copy of the home, times and modes included.
    pub(super) fn keep(&self) -> anyhow::Result<()> {
        copy(self.world.home(), &self.kept)
    }

    /// Puts the home back as it was kept.
    pub(super) fn restore(&self) -> anyhow::Result<()> {
        copy(&self.kept, self.world.home())
    }

    /// Leaves the journal of a switch behind that did not come to its first step.
    pub(super) fn interrupt(&self) -> anyhow::Result<()> {
        let journal = self.world.root().join("journal");
        std::fs::create_dir_all(&journal)?;
        Ok(std::fs::write(journal.join("open.json"), NOTHING_DONE)?)
    }

    /// Finishes what was interrupted, as any acting command does, and says what state that led to.
    pub(super) fn settle(&self) -> anyhow::Result<String> {
        let listed = self.list()?;
        if let Some(name) = listed["accounts"][0]["name"].as_str() {
            let words = ["order", name, "1"];
            let output = self.world.clauth(&self.program, Some(&self.server), &words);
            // What it finished was the removal or the renaming of that very profile.
            let gone = output.code == Some(2) && output.stderr.contains("finished the");
            if output.code != Some(0) && !gone {
                bail!("`clauth {}` ended with {:?}: {}", words.join(" "), output.code, output.stderr.trim());
            }
        } else {
            self.must(&["capture", "a"])?;
        }
        let listed = self.list()?;
        let accounts = listed["accounts"].as_array().into_iter().flatten();
        let accounts: Vec<_> =
            accounts.map(|account| format!("{} {}", account["name"], account["custodian"])).collect();
        Ok(format!("live {}, active {}, {}", self.world.live(), listed["active"], accounts.join(", ")))
    }

    /// What an ended session has left, if anything.
    pub(super) fn left(&self) -> Option<PathBuf> {
        let profiles = std::fs::read_dir(self.world.root().join("profiles")).into_iter().flatten().flatten();
        let left = |profile: std::fs::DirEntry| {
            ["runtime", "sessions", "base"].map(|name| profile.path().join(name)).into_iter().find(|path| path.exists())
        };
        profiles.filter_map(left).next()
    }

    /// Whether the file is there that a busy session writes, in its tree or in the home; the home alone for `at_home`.
    pub(super) fn has_notes(&self, at_home: bool) -> bool {
        let tree = self.world.root().join("profiles/a/runtime");
        let found = |dir: &Path| std::fs::read_to_string(dir.join("notes.md")).is_ok_and(|text| text == "mine\n");
        found(&self.world.claude_dir()) || (!at_home && found(&tree))
    }

    fn list(&self) -> anyhow::Result<Value> {
        let output = self.world.clauth(&self.program, Some(&self.server), &["list", "--json"]);
        serde_json::from_str(&output.stdout)
            .with_context(|| format!("`clauth list --json` printed {:?}", output.stdout))
    }

    /// The newest refresh token of each family that stands anywhere in the home.
    pub(super) fn tokens(&self) -> BTreeSet<String> {
        let mut newest: Vec<Pair> = Vec::new();
        for token in self.world.snapshot().values().flat_map(refresh_tokens) {
            match newest.iter_mut().find(|pair| pair.family == token.family) {
                Some(pair) if pair.generation >= token.generation => {}
                Some(pair) => *pair = token,
                None => newest.push(token),
            }
        }
        newest.iter().map(Pair::refresh).collect()
    }

    /// What is broken in the home as it stands, if anything is.
    pub(super) fn damage(&self, tokens: &BTreeSet<String>) -> Option<String> {
        let world = &self.world;
        for path in [world.credentials_path(), world.state_path(), world.claude_dir().join("settings.json")] {
            if !world.read_json(&path).is_object() {
                return Some(format!("{} does not parse", path.display()));
            }
        }
        let picture: Snapshot = world.snapshot();
        let lost = tokens.iter().find(|token| holders(&picture, token).is_empty());
        if let Some(lost) = lost {
            return Some(format!("{lost} is lost"));
        }
        let (live, identity) = (world.live(), world.identity());
        (identity != "none" && !live.starts_with(&identity)).then(|| format!("{live} is live, but {identity} is named"))
    }
}

impl Drop for Play {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.kept);
    }
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("cannot remove {}", to.display()))?;
    }
    process::run(Command::new("cp").arg("-a").arg(from).arg(to))
}

fn refresh_tokens(entry: &Entry) -> Vec<Pair> {
    let Entry::File(_, bytes) = entry else { return Vec::new() };
    let text = String::from_utf8_lossy(bytes);
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with(REFRESH)).filter_map(Pair::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_tokens_are_found_in_text() {
        let text = br#"{"accessToken":"sk-ant-oat01-FAKE-A2","refreshToken":"sk-ant-ort01-FAKE-A2"}"#;
        assert_eq!(refresh_tokens(&Entry::File(0o600, text.to_vec())), [Pair::new("A", 2)]);
        assert_eq!(refresh_tokens(&Entry::Dir(0o700)), []);
    }
}
