//! The refresh, step by step as seen on the real client.
//!
//! `.oauth_refresh.lock` → legacy lock → owner file → re-read, and no request if the login changed → POST →
//! `.storage-write.lock` → compare-and-swap on the refresh token → temp and rename → release in the order storage,
//! owner file, legacy, primary.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::client::Call;
use super::credentials::{Held, Trouble};
use super::locks::{LEGACY_STALE, Lock, LockError, Patience, REFRESH_STALE};
use super::process::{Claude, pid_domain, proc_start};
use super::variant::Variant;
use crate::json::{Object, object, text};
use crate::login::{Pair, SCOPES};
use crate::{disk, time};

/// Claude Code's public client id (facts §3.1).
const CLIENT_ID: &str = "9d1c250a-e61b-44d9-88ed-5944d1962f5e";
/// The scopes that it asks for (`observed.md`).
const REQUESTED: &str =
    "user:profile user:inference user:sessions:claude_code user:mcp_servers user:file_upload user:plugins";

/// What became of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// A new pair is stored.
    Renewed(Pair),
    /// No request was made: somebody else had changed the login meanwhile, and it is used from now on.
    Adopted,
    /// A new pair came, but another login stood in the file by then: the pair is lost.
    Dropped,
    /// The server refused the token for good; the dead marker is stored unless another login stood there by then.
    Dead,
    /// A lock stayed held.
    Busy(PathBuf),
    /// The login has no refresh token: it is never refreshed.
    Bearer,
    /// There is no login, or a blank one.
    NoLogin,
    /// The process died (`crash-holding-lock`); its locks and its registration stay behind.
    Crashed,
    /// No answer, an answer that says nothing about the token, or a file that cannot be written.
    Failed(String),
}

/// A new pair, however it came about.
struct Fresh {
    access: String,
    refresh: Option<String>,
    expires_at: u64,
    login_ends_at: Option<u64>,
    scopes: Vec<String>,
}

/// How new pairs are had.
type Exchange = dyn Fn(&Claude, &str) -> Result<Fresh, Refreshed>;

/// The two refresh locks and the owner file beside them, released in the real client's order.
struct Hold {
    owner: PathBuf,
    legacy: Lock,
    primary: Lock,
}

impl Hold {
    fn release(self) {
        let _ = std::fs::remove_file(&self.owner);
        drop(self.legacy);
        drop(self.primary);
    }

    fn abandon(self) {
        self.legacy.abandon();
        self.primary.abandon();
    }
}

impl Claude {
    /// Refreshes the stored login now, over the network, as if its access token had just ended.
    pub fn refresh_now(&mut self) -> Refreshed {
        self.follow();
        self.refresh(&over_network)
    }

    /// Writes the next generation exactly as a refresh would, without asking anybody; locks are tried once. For tests
    /// that rotate at each step of something else. A server accepts such a pair when it first sees it.
    pub fn rotate_offline(&mut self) -> Refreshed {
        self.follow();
        let patience = std::mem::replace(&mut self.patience, Patience::NONE);
        let outcome = self.refresh(&offline);
        self.patience = patience;
        outcome
    }

    /// Refreshes the login in memory.
    pub(super) fn refresh_login(&mut self) -> Refreshed {
        self.refresh(&over_network)
    }

    fn refresh(&mut self, exchange: &Exchange) -> Refreshed {
        let login = self.held.clone().unwrap_or_else(|| Held::read(&self.dirs)).oauth.unwrap_or_default();
        if text(&login, "accessToken").is_none() {
            return Refreshed::NoLogin;
        }
        let Some(sent) = text(&login, "refreshToken") else { return Refreshed::Bearer };
        let hold = match self.hold() {
            Ok(hold) => hold,
            Err(LockError::Held(path)) => return Refreshed::Busy(path),
            Err(error) => return Refreshed::Failed(error.to_string()),
        };
        let outcome = self.refresh_held(hold.is_some(), &login, sent, exchange);
        match (hold, &outcome) {
            (Some(hold), Refreshed::Crashed) => hold.abandon(),
            (Some(hold), _) => hold.release(),
            (None, _) => {}
        }
        match outcome {
            Refreshed::Crashed => self.crash(),
            _ => self.held = Some(Held::read(&self.dirs)),
        }
        outcome
    }

    /// Both refresh locks and the owner file; nothing where the variant takes none. A held legacy lock releases the
    /// primary before the next try.
    fn hold(&self) -> Result<Option<Hold>, LockError> {
        if self.is(&Variant::NoLocks) {
            return Ok(None);
        }
        self.patience.run(|| {
            let primary = Lock::take(&self.dirs.refresh_lock(), REFRESH_STALE)?;
            let legacy = Lock::take(&self.dirs.legacy_lock(), LEGACY_STALE)?;
            let owner = self.dirs.secure.join(".oauth_refresh.lock.owner");
            let document = json!({
                "pid": std::process::id(), "procStart": proc_start(), "pidDomain": "host", "pidSpace": pid_domain(),
                "lockBirthtimeMs": birth(&self.dirs.refresh_lock()),
                "legacyLockBirthtimeMs": birth(&self.dirs.legacy_lock()),
            });
            disk::replace(&owner, document.to_string().as_bytes(), 0o644)
                .map_err(|error| LockError::Io(owner.clone(), error))?;
            Ok(Some(Hold { owner, legacy, primary }))
        })
    }

    /// From the re-read to the write.
    fn refresh_held(&self, locked: bool, login: &Object, sent: &str, exchange: &Exchange) -> Refreshed {
        if locked && Held::read(&self.dirs).oauth.unwrap_or_default().get("refreshToken") != login.get("refreshToken") {
            return Refreshed::Adopted;
        }
        if self.is(&Variant::CrashHoldingLock) {
            return Refreshed::Crashed;
        }
        for variant in &self.variants {
            if let Variant::HoldLock(time) = variant {
                std::thread::sleep(*time);
            }
        }
        match exchange(self, sent) {
            Ok(fresh) => self.store(login, sent, &fresh),
            Err(Refreshed::Dead) => self.store_dead(sent),
            Err(other) => other,
        }
    }

    fn store(&self, login: &Object, sent: &str, fresh: &Fresh) -> Refreshed {
        let swap = |document: &mut Object| {
            let stored = object(document.get("claudeAiOauth").cloned().unwrap_or_default());
            let unchanged = stored.get("refreshToken").and_then(Value::as_str) == Some(sent);
            if !unchanged && !self.is(&Variant::NoCas) {
                return false;
            }
            let mut next = if self.is(&Variant::NoCas) { login.clone() } else { stored };
            next.insert("accessToken".to_owned(), json!(fresh.access));
            next.insert("refreshToken".to_owned(), json!(fresh.refresh.as_deref().unwrap_or(sent)));
            next.insert("expiresAt".to_owned(), json!(fresh.expires_at));
            if let Some(end) = fresh.login_ends_at {
                next.insert("refreshTokenExpiresAt".to_owned(), json!(end));
            }
            next.insert("scopes".to_owned(), json!(fresh.scopes));
            document.insert("claudeAiOauth".to_owned(), Value::Object(next));
            true
        };
        match (self.change_credentials(swap), Pair::of(&fresh.access)) {
            (Ok(true), Some(pair)) => Refreshed::Renewed(pair),
            (Ok(true), None) => Refreshed::Failed("the new token is none of the sandbox's".to_owned()),
            (Ok(false), _) => Refreshed::Dropped,
            (Err(Trouble::Busy(path)), _) => Refreshed::Busy(path),
            (Err(trouble), _) => Refreshed::Failed(trouble.to_string()),
        }
    }

    /// Writes the dead marker, unless another refresh token is stored by now.
    fn store_dead(&self, sent: &str) -> Refreshed {
        let bury = |document: &mut Object| {
            let Some(oauth) = document.get_mut("claudeAiOauth").and_then(Value::as_object_mut) else { return false };
            if oauth.get("refreshToken").and_then(Value::as_str) != Some(sent) {
                return false;
            }
            oauth.insert("accessToken".to_owned(), json!(""));
            oauth.insert("refreshToken".to_owned(), json!(""));
            oauth.insert("expiresAt".to_owned(), json!(0));
            true
        };
        match self.change_credentials(bury) {
            Ok(_) => Refreshed::Dead,
            Err(Trouble::Busy(path)) => Refreshed::Busy(path),
            Err(trouble) => Refreshed::Failed(trouble.to_string()),
        }
    }

    /// Posts to the token endpoint and returns status and body.
    pub(super) fn post_token(&self, body: &Value) -> Result<(u16, Value), String> {
        let url = self.token_url.as_deref().ok_or("no token endpoint")?;
        let call = Call { method: "POST", url, bearer: None, agent: "axios/1.15.2", body: Some(body) };
        let answer = call.send().map_err(|error| error.to_string())?;
        Ok((answer.status, answer.body))
    }
}

/// The exchange with the token endpoint.
fn over_network(claude: &Claude, sent: &str) -> Result<Fresh, Refreshed> {
    let body =
        json!({ "grant_type": "refresh_token", "refresh_token": sent, "client_id": CLIENT_ID, "scope": REQUESTED });
    let (status, answer) = claude.post_token(&body).map_err(Refreshed::Failed)?;
    if answer["error"] == "invalid_grant" {
        return Err(Refreshed::Dead);
    }
    let access = answer["access_token"].as_str().filter(|_| status == 200);
    let access = access.ok_or_else(|| Refreshed::Failed(format!("the token endpoint answered {status}")))?;
    let now = time::now_ms();
    let in_seconds = |key: &str| answer[key].as_u64().map(|seconds| now + seconds * 1000);
    Ok(Fresh {
        access: access.to_owned(),
        refresh: answer["refresh_token"].as_str().map(ToOwned::to_owned),
        expires_at: in_seconds("expires_in").unwrap_or(now),
        login_ends_at: in_seconds("refresh_token_expires_in"),
        scopes: answer["scope"].as_str().unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect(),
    })
}

/// The next generation, out of thin air.
fn offline(_: &Claude, sent: &str) -> Result<Fresh, Refreshed> {
    let pair = Pair::of(sent).ok_or_else(|| Refreshed::Failed("the token is none of the sandbox's".to_owned()))?.next();
    Ok(Fresh {
        access: pair.access(),
        refresh: Some(pair.refresh()),
        expires_at: time::now_ms() + time::DAY / 3,
        login_ends_at: None,
        scopes: SCOPES.map(ToOwned::to_owned).to_vec(),
    })
}

/// When a lock directory was made, in milliseconds.
fn birth(path: &Path) -> u64 {
    let found = std::fs::metadata(path);
    found.and_then(|found| found.created().or_else(|_| found.modified())).map_or(0, time::of)
}
