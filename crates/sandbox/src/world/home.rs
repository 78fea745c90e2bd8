//! The home itself: made, marked, removed.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::claude::{Claude, Dirs, KEYCHAIN};
use crate::marker::{MARKER, is_marked, refuse_unmarked};
use crate::server::Server;
use crate::world::{DEADLINE, Output, Running, child};
use crate::{disk, entropy};

/// What a user of Claude Code has in `settings.json`: their own layout and numbers included.
const SETTINGS: &str =
    "{\n    \"model\": \"opus\",\n    \"env\": { \"MINE\": \"1\" },\n    \"futureNumber\": 1.10\n}\n";

/// A state file as a few starts without a login leave it.
const STATE: &str = r#"{
  "numStartups": 3,
  "installMethod": "native",
  "theme": "dark",
  "hasCompletedOnboarding": true,
  "userID": "fake0000000000000000000000000000000000000000000000000000000000ff",
  "mcpServers": { "my-tools": { "command": "npx", "args": ["-y", "@example/mcp-server"] } },
  "projects": { "/home/u/proj": { "hasTrustDialogAccepted": true, "allowedTools": [] } }
}
"#;

/// Where requests go when there is no server: the discard port, on which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";

/// A throw-away home with a Claude Code home in it; removed when dropped.
#[derive(Debug)]
pub struct World {
    home: PathBuf,
    kept: bool,
}

impl World {
    /// Makes a home under the system's temporary directory.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::create(name).expect("a home in the temporary directory")
    }

    /// Makes a home under the system's temporary directory: markers in the home and in `.clauth`, `.claude` with
    /// `projects/` and `settings.json`, and `.claude.json` without a login. Directories are 0700.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create(name: &str) -> io::Result<Self> {
        Self::create_in(&Self::base(), name)
    }

    /// Where [`World::create`] makes homes.
    #[must_use]
    pub fn base() -> PathBuf {
        std::env::temp_dir()
    }

    /// Makes a home under an existing directory.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create_in(base: &Path, name: &str) -> io::Result<Self> {
        // Links on the way (`/var` on macOS) would hide equal paths; Windows' canonical form breaks programs.
        // A path without a drive, which Wine has too, is no absolute one there.
        let base = if cfg!(unix) { std::fs::canonicalize(base)? } else { std::path::absolute(base)? };
        let home = base.join(format!("clauth-{name}-{}-{}", std::process::id(), entropy::hex(8)));
        disk::ensure_private_dir(&home)?;
        disk::replace(&home.join(MARKER), b"", 0o600)?;
        let world = Self { home, kept: false };
        for directory in [world.root(), world.claude_dir().join("projects"), world.home.join("bin")] {
            disk::ensure_private_dir(&directory)?;
        }
        disk::replace(&world.root().join(MARKER), b"", 0o600)?;
        disk::replace(&world.claude_dir().join("settings.json"), SETTINGS.as_bytes(), 0o644)?;
        disk::replace(&world.state_path(), STATE.as_bytes(), 0o600)?;
        Ok(world)
    }

    /// Leaves the directory behind at the end; returns it.
    pub fn keep(&mut self) -> &Path {
        self.kept = true;
        &self.home
    }

    /// The home.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// `~/.claude`.
    #[must_use]
    pub fn claude_dir(&self) -> PathBuf {
        self.home.join(".claude")
    }

    /// `~/.claude/.credentials.json`.
    #[must_use]
    pub fn credentials_path(&self) -> PathBuf {
        self.dirs().credentials()
    }

    /// `~/.claude.json`.
    #[must_use]
    pub fn state_path(&self) -> PathBuf {
        self.home.join(".claude.json")
    }

    /// `~/.clauth`.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.home.join(".clauth")
    }

    /// Makes this a home with a Keychain: from now on the fake `claude` keeps its credentials as items, and a program gets
    /// a fake `security` whose behaviour [`World::keychain_mode`] sets. Answers the tool's path.
    ///
    /// # Panics
    /// It cannot be made.
    pub fn with_keychain(&self) -> PathBuf {
        disk::ensure_private_dir(&self.home.join(KEYCHAIN)).expect("a directory for items");
        let tool = self.home.join("bin").join("security");
        disk::replace(&tool, include_bytes!("security.bash"), 0o700).expect("a tool");
        tool
    }

    /// What the fake `security` does from now on: `locked`, `denied`, `hang`, `hang-write`, `truncate`, `lie`, or `well`.
    ///
    /// # Panics
    /// It cannot be set.
    pub fn keychain_mode(&self, mode: &str) {
        disk::replace(&self.home.join(".security-mode"), mode.as_bytes(), 0o600).expect("a mode");
    }

    /// The words that each call of the fake `security` was given, one call a line.
    #[must_use]
    pub fn keychain_calls(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.home.join(".security-log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    /// The directories and locks of plain `claude` here.
    #[must_use]
    pub fn dirs(&self) -> Dirs {
        Dirs::of_home(&self.home)
    }

    /// A `claude` in this process, on the plain home.
    #[must_use]
    pub fn claude(&self) -> Claude {
        Claude::at(self.dirs())
    }

    /// A `claude` in this process whose `CLAUDE_CONFIG_DIR` is `config`.
    #[must_use]
    pub fn claude_in(&self, config: &Path) -> Claude {
        Claude::at(Dirs::of_config(&self.home, config))
    }

    /// The whole environment of a program in this home. Without a server every address leads to a closed port. `PATH`
    /// begins with `~/bin`.
    #[must_use]
    pub fn env(&self, server: Option<&Server>) -> Vec<(OsString, OsString)> {
        let base = server.map_or_else(|| NOWHERE.to_owned(), Server::url);
        let system = if cfg!(windows) { std::env::var_os("SystemRoot") } else { None };
        let bin = self.home.join("bin");
        let path = match &system {
            Some(root) => std::env::join_paths([bin, Path::new(root).join("System32")]),
            None => std::env::join_paths([bin, PathBuf::from("/usr/bin"), PathBuf::from("/bin")]),
        };
        let mut env: Vec<(OsString, OsString)> = vec![
            ("HOME".into(), self.home.clone().into()),
            ("USERPROFILE".into(), self.home.clone().into()),
            ("PATH".into(), path.unwrap_or_default()),
            ("CLAUTH_API_URL".into(), base.clone().into()),
            ("CLAUTH_STATUS_URL".into(), base.clone().into()),
            ("CLAUTH_PROVIDERS_URL".into(), base.clone().into()),
            ("CLAUTH_TOKEN_URL".into(), format!("{base}/v1/oauth/token").into()),
            ("TZ".into(), "UTC".into()),
            ("LC_ALL".into(), "C.UTF-8".into()),
            ("NO_COLOR".into(), "1".into()),
        ];
        let security = self.home.join("bin").join("security");
        if security.is_file() {
            env.push(("USER".into(), "tester".into()));
            env.push(("CLAUTH_CREDENTIALS".into(), "keychain".into()));
            env.push(("CLAUTH_SECURITY".into(), security.into()));
        }
        // Sockets do not work on Windows without it.
        env.extend(system.map(|root| ("SystemRoot".into(), root)));
        env
    }

    /// A command with exactly [`World::env`], this home as its directory and an empty stdin.
    ///
    /// # Panics
    /// The home lost its marker.
    #[must_use]
    pub fn command(&self, program: &Path, server: Option<&Server>) -> Command {
        refuse_unmarked(&self.home);
        let mut command = Command::new(program);
        command.env_clear().envs(self.env(server)).current_dir(&self.home).stdin(Stdio::null());
        command
    }

    /// Runs a program to its end, at most [`DEADLINE`].
    ///
    /// # Panics
    /// It cannot be started.
    pub fn clauth(&self, program: &Path, server: Option<&Server>, args: &[&str]) -> Output {
        let mut command = self.command(program, server);
        command.args(args);
        child::run(command, DEADLINE)
    }

    /// Puts a program into `~/bin` as `claude` and returns its path.
    ///
    /// # Errors
    /// It cannot be linked (copied on Windows), or is there already.
    pub fn install_claude(&self, program: &Path) -> io::Result<PathBuf> {
        let name = self.home.join("bin").join("claude");
        disk::program(program, &name)?;
        Ok(if cfg!(windows) { name.with_extension("exe") } else { name })
    }

    /// Starts `program session`, driven over stdin: a running `claude`.
    ///
    /// # Panics
    /// It does not come up.
    #[must_use]
    pub fn session(&self, program: &Path, server: Option<&Server>) -> Running {
        let mut command = self.command(program, server);
        command.arg("session");
        Running::start(command)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if !self.kept && is_marked(&self.home) {
            let _ = disk::remove_tree(&self.home);
        }
    }
}
