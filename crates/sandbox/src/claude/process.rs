//! One `claude` process as a value: its directories, its servers, its memory; and its start and end.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::VERSION;
use super::client::{Answer, Call};
use super::credentials::{Held, Trouble};
use super::locks::Patience;
use super::paths::Dirs;
use super::variant::Variant;
use crate::json::{self, text};
use crate::marker::{is_marked, refuse_unmarked};
use crate::server::Server;
use crate::{disk, entropy, time};

/// A `claude` process, whether it is one of its own or lives inside a test.
#[derive(Debug)]
pub struct Claude {
    pub(super) dirs: Dirs,
    pub(super) api: Option<String>,
    pub(super) token_url: Option<String>,
    pub(super) variants: Vec<Variant>,
    pub(super) patience: Patience,
    pub(super) session: String,
    pub(super) cwd: PathBuf,
    pub(super) held: Option<Held>,
    /// A setup token in its environment, used for the whole session instead of the stored login (facts §2.1).
    pub(super) given: Option<String>,
    registered: Option<Registration>,
}

/// The files of a running session, removed with it.
#[derive(Debug)]
struct Registration([PathBuf; 2]);

impl Drop for Registration {
    fn drop(&mut self) {
        for path in &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Claude {
    /// A process with these directories, no server, and the real client's patience.
    ///
    /// # Panics
    /// A home without the sandbox marker.
    #[must_use]
    pub fn at(dirs: Dirs) -> Self {
        refuse_unmarked(&dirs.home);
        Self {
            cwd: dirs.home.clone(),
            dirs,
            api: None,
            token_url: None,
            variants: Vec::new(),
            patience: Patience::REFRESH,
            session: entropy::uuid(),
            held: None,
            given: None,
            registered: None,
        }
    }

    /// A process of this environment: directories as in [`Dirs::of_env`], the server at `FAKE_ANTHROPIC_URL` or
    /// `CLAUTH_API_URL` and `CLAUTH_TOKEN_URL`, variants from `FAKE_CLAUDE`.
    ///
    /// # Errors
    /// What is wrong with the environment, in words.
    pub(super) fn of_env(env: &dyn Fn(&str) -> Option<OsString>) -> Result<Self, String> {
        let dirs = Dirs::of_env(env).ok_or("no home")?;
        if !is_marked(&dirs.home) {
            return Err(format!("{} is no sandbox; this is not Claude Code", dirs.home.display()));
        }
        let known = |name: &str| env(name).and_then(|value| value.into_string().ok()).filter(|value| !value.is_empty());
        let mut claude = Self::at(dirs);
        claude.api = known("FAKE_ANTHROPIC_URL").or_else(|| known("CLAUTH_API_URL"));
        claude.token_url = match known("FAKE_ANTHROPIC_URL") {
            Some(base) => Some(token_url(&base)),
            None => known("CLAUTH_TOKEN_URL").or_else(|| claude.api.as_deref().map(token_url)),
        };
        claude.variants = Variant::list(&known("FAKE_CLAUDE").unwrap_or_default())
            .map_err(|name| format!("FAKE_CLAUDE: {name} is no variant"))?;
        claude.given = known("CLAUDE_CODE_OAUTH_TOKEN");
        claude.cwd = std::env::current_dir().unwrap_or_else(|_| claude.dirs.home.clone());
        Ok(claude)
    }

    /// The same process, speaking to a server.
    #[must_use]
    pub fn on(self, server: &Server) -> Self {
        Self { api: Some(server.url()), token_url: Some(server.token_url()), ..self }
    }

    /// The same process with one more difference from the real one.
    #[must_use]
    pub fn with(mut self, variant: Variant) -> Self {
        self.variants.push(variant);
        self
    }

    /// The same process with another patience for held refresh locks; [`Patience::NONE`] holds for all its locks.
    #[must_use]
    pub fn patient(self, patience: Patience) -> Self {
        Self { patience, ..self }
    }

    /// The same process started in another directory, which names its transcripts.
    #[must_use]
    pub fn started_in(self, cwd: &Path) -> Self {
        Self { cwd: cwd.to_path_buf(), ..self }
    }

    /// Its directories.
    #[must_use]
    pub fn dirs(&self) -> &Dirs {
        &self.dirs
    }

    /// Its session's id.
    #[must_use]
    pub fn session_id(&self) -> &str {
        &self.session
    }

    pub(super) fn is(&self, variant: &Variant) -> bool {
        self.variants.contains(variant)
    }

    /// Starts a session: reads the login, registers `sessions/<pid>.json` and its key file, counts the start and sets
    /// `oauthAccount` right in the state file.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn start(&mut self) -> Result<(), Trouble> {
        self.held = Some(Held::read(&self.dirs));
        let directory = self.dirs.config.join("sessions");
        let failed = |error| Trouble::Io(directory.clone(), error);
        disk::ensure_private_dir(&directory).map_err(failed)?;
        disk::write_in_place(&self.dirs.config.join(".last-cleanup"), time::iso(time::now_ms()).as_bytes(), 0o600)
            .map_err(failed)?;
        let pid = std::process::id();
        let files = [directory.join(format!("{pid}.json")), directory.join(format!("{pid}.{}.key", entropy::hex(8)))];
        let now = time::now_ms();
        let entry = json!({
            "pid": pid, "sessionId": self.session, "cwd": self.cwd.to_string_lossy(), "startedAt": now,
            "procStart": proc_start(), "version": VERSION, "kind": "interactive", "entrypoint": "cli",
            "pidDomain": pid_domain(), "messagingSocketPath": self.dirs.config.join(format!("sessions/{pid}.sock")).to_string_lossy(),
            "status": "idle", "updatedAt": now,
        });
        disk::replace(&files[0], entry.to_string().as_bytes(), 0o600).map_err(failed)?;
        disk::replace(&files[1], format!("FAKE-MESSAGING-{}", entropy::hex(16)).as_bytes(), 0o600).map_err(failed)?;
        self.registered = Some(Registration(files));
        self.count_start()
    }

    /// Ends the session: its registration is removed.
    pub fn stop(&mut self) {
        self.registered = None;
    }

    /// Forgets the registration, so that it stays behind as after a crash.
    pub(super) fn crash(&mut self) {
        std::mem::forget(self.registered.take());
    }

    /// Asks the API; nothing without a server, or without an answer.
    pub(super) fn ask(&self, path: &str, bearer: &str) -> Option<Answer> {
        let url = format!("{}{path}", self.api.as_deref()?);
        let agent = format!("claude-code/{VERSION}");
        Call { method: "GET", url: &url, bearer: Some(bearer), agent: &agent, body: None }.send().ok()
    }

    /// What `claude auth status` prints, from the files alone.
    #[must_use]
    pub fn status(&self) -> serde_json::Value {
        if self.given.is_some() {
            return json!({ "loggedIn": true, "authMethod": "oauth_token", "apiProvider": "firstParty" });
        }
        let oauth = Held::read(&self.dirs).oauth.unwrap_or_default();
        if text(&oauth, "accessToken").is_none() {
            return json!({ "loggedIn": false, "authMethod": "none", "apiProvider": "firstParty" });
        }
        let state = disk::object(&self.dirs.state).ok().flatten().unwrap_or_default();
        let account = json::object(state.get("oauthAccount").cloned().unwrap_or_default());
        json!({
            "loggedIn": true, "authMethod": "claude.ai", "apiProvider": "firstParty",
            "email": account.get("emailAddress"), "orgId": account.get("organizationUuid"),
            "orgName": account.get("organizationName"), "subscriptionType": oauth.get("subscriptionType"),
            "planTier": oauth.get("rateLimitTier"), "configDirectory": self.dirs.config.to_string_lossy(),
            "loginExpiresAt": oauth.get("refreshTokenExpiresAt"),
        })
    }
}

/// The token endpoint of a base address.
fn token_url(base: &str) -> String {
    format!("{}/v1/oauth/token", base.trim_end_matches('/'))
}

/// The process's start: field 22 of its `stat` where there is one, else the moment of asking.
pub(super) fn proc_start() -> String {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The second field is the name in brackets, which may hold spaces: count from behind it.
    let start = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(19));
    start.map_or_else(|| time::now_ms().to_string(), ToOwned::to_owned)
}

/// The namespace that pids count in. The field was seen; its content is a guess.
pub(super) fn pid_domain() -> String {
    std::fs::read_link("/proc/self/ns/pid")
        .map_or_else(|_| "host".to_owned(), |link| link.to_string_lossy().into_owned())
}
