//! `.claude.json`: read-modify-write under its lock, with a backup, numbers re-printed.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::credentials::Trouble;
use super::locks::{Lock, Patience, STATE_STALE};
use super::process::Claude;
use super::variant::Variant;
use crate::account::block_of;
use crate::json::{Object, pretty, text};
use crate::{disk, entropy, time};

/// Backups kept in `<config home>/backups/` (facts §1.4).
const BACKUPS: usize = 5;
/// How long a torn state file stays torn.
const TORN: Duration = Duration::from_millis(400);

/// What a logout clears in the state file (facts §1.4).
pub(super) const CLEARED_AT_LOGOUT: [&str; 10] = [
    "oauthAccount",
    "additionalModelOptionsCache",
    "additionalModelCostsCache",
    "modelAccessCache",
    "orgModelDefaultCache",
    "lastSeenOrgDefaultUpdatedAt",
    "clientDataCache",
    "clientDataCacheSlots",
    "autoCompactWindowsCache",
    "cachedUsageUtilization",
];

impl Claude {
    /// Rewrites the state file as Claude Code does at any moment: re-read, one counter changed, numbers re-printed.
    ///
    /// # Errors
    /// The lock stays held, or the file cannot be parsed or written.
    pub fn rewrite_state(&self) -> Result<(), Trouble> {
        self.change_state(|state| {
            let count = state.get("promptQueueUseCount").and_then(Value::as_u64).unwrap_or(0);
            state.insert("promptQueueUseCount".to_owned(), json!(count + 1));
        })
    }

    /// Counts a start; sets `oauthAccount` right if the profile endpoint answers (absent and wrong blocks both).
    pub(super) fn count_start(&self) -> Result<(), Trouble> {
        let block = if self.is(&Variant::NoFill) { None } else { self.own_block() };
        self.change_state(|state| {
            let count = state.get("numStartups").and_then(Value::as_u64).unwrap_or(0);
            state.insert("numStartups".to_owned(), json!(count + 1));
            let Some(block) = block else { return };
            let known = state.get("oauthAccount").and_then(Value::as_object);
            let same = |key: &str| known.is_some_and(|known| known.get(key) == block.get(key));
            if !same("accountUuid") || !same("organizationUuid") {
                state.insert("oauthAccount".to_owned(), Value::Object(block));
            }
        })
    }

    /// The block that the profile endpoint names for the login in memory.
    fn own_block(&self) -> Option<Object> {
        let oauth = self.held.as_ref()?.oauth.as_ref()?;
        let answer = self.ask("/api/oauth/profile", text(oauth, "accessToken")?)?;
        if answer.status == 200 { block_of(&answer.body) } else { None }
    }

    /// Changes the state file under its lock. A missing file is made; one that cannot be parsed is kept as a copy and
    /// left as it is.
    pub(super) fn change_state(&self, edit: impl FnOnce(&mut Object)) -> Result<(), Trouble> {
        let path = &self.dirs.state;
        let failed = |error| Trouble::Io(path.clone(), error);
        disk::ensure_private_dir(&self.dirs.config).map_err(failed)?;
        let patience = if self.patience == Patience::NONE { &Patience::NONE } else { &Patience::WRITE };
        let _lock = match self.is(&Variant::NoLocks) {
            true => None,
            false => Some(Lock::wait(&self.dirs.state_lock(), STATE_STALE, patience)?),
        };
        let mut state = match disk::object(path) {
            Ok(found) => found.unwrap_or_default(),
            Err(error) => {
                let _ = self.back_up("corrupted");
                return Err(failed(error));
            }
        };
        edit(&mut state);
        self.back_up("backup").map_err(failed)?;
        self.write_state(&pretty(&state)).map_err(failed)
    }

    /// Temp and rename beside the file that a link there leads to; or in place, torn for a while.
    fn write_state(&self, bytes: &[u8]) -> io::Result<()> {
        let target = disk::referent(&self.dirs.state);
        let mode = fs::metadata(&target).map_or(0o600, |found| disk::mode(&found));
        if self.is(&Variant::TornState) {
            let (first, second) = bytes.split_at(bytes.len() / 2);
            disk::write_in_place(&target, first, mode)?;
            std::thread::sleep(TORN);
            return disk::append(&target, second);
        }
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let temp = target.with_file_name(format!("{name}.tmp.{}.{}", std::process::id(), entropy::hex(8)));
        disk::replace_via(&temp, &target, bytes, mode)
    }

    /// Copies the state file to `backups/.claude.json.<kind>.<ms>` and drops the oldest copies.
    fn back_up(&self, kind: &str) -> io::Result<()> {
        let bytes = match fs::read(&self.dirs.state) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let directory = self.dirs.config.join("backups");
        disk::ensure_private_dir(&directory)?;
        let prefix = format!(".claude.json.{kind}.");
        disk::replace(&directory.join(format!("{prefix}{}", time::now_ms())), &bytes, 0o600)?;
        drop_oldest(&directory, &prefix)
    }
}

fn drop_oldest(directory: &Path, prefix: &str) -> io::Result<()> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let name = entry?.file_name();
        if name.to_string_lossy().starts_with(prefix) {
            names.push(name);
        }
    }
    names.sort();
    for name in names.iter().rev().skip(BACKUPS) {
        fs::remove_file(directory.join(name))?;
    }
    Ok(())
}
