//! A tree as clauth 0.4.0 leaves it: its live file is a link into the tree, its modes are whatever the umask left, and
//! nothing in it says whose a login is.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::World;
use crate::Login;

/// Its answer to every option that a profile has, with the comments that it writes itself.
const CONFIG: &str = "# clauth profile config\n\n# base_url = \"https://api.anthropic.com\"\n\n\
    # api_key = \"sk-ant-...\"\n\nkick_timer = true\n\nfallback_threshold = 100.0\n\n[env]\nHTTP_PROXY = \"http://proxy.invalid\"\n";

/// A session of 0.4.0, alive until it is dropped.
#[derive(Debug)]
pub struct OldSession {
    _lock: File,
}

impl World {
    /// Makes a tree of 0.4.0 with these profiles. The live credential is a link to the slot of `active`; the state file
    /// goes on naming whoever signed in last, which 0.4.0 never changes.
    ///
    /// # Panics
    /// A file cannot be written, or there is a tree already.
    pub fn old_tree(&self, profiles: &[(&str, Login)], active: Option<&str>) {
        let root = self.root();
        for file in [".lock", ".completions_installed"] {
            write(&root.join(file), b"");
        }
        let names: Vec<String> = profiles.iter().map(|(name, _)| format!("    \"{name}\",\n")).collect();
        let names = names.concat();
        let marker = active.map_or_else(String::new, |name| format!("active_profile = \"{name}\"\n"));
        let kicks: Vec<String> = profiles.iter().map(|(name, _)| format!("\"{name}\" = 1795000000000\n")).collect();
        let list = format!(
            "{marker}profiles = [\n{names}]\nfallback_chain = [\n{names}]\n\n[last_kick_at]\n{}\n[learned_intervals_ms]\n{}",
            kicks.concat(),
            kicks.concat()
        );
        write(&root.join("profiles.toml"), list.as_bytes());
        for (name, login) in profiles {
            let directory = root.join("profiles").join(name);
            std::fs::create_dir_all(&directory).expect("a profile");
            write(&directory.join("config.toml"), CONFIG.as_bytes());
            write(&directory.join("usage_cache.json"), br#"{"five_hour":{"utilization":12.5,"resets_at":null}}"#);
            write(&directory.join("credentials.json"), &pretty(&modelled(login)));
        }
        if let Some(name) = active {
            self.old_link(name);
        }
    }

    /// Links the live credential to a profile's slot, as every switch of 0.4.0 does; what stood there is gone.
    ///
    /// # Panics
    /// The link cannot be made.
    pub fn old_link(&self, name: &str) {
        let live = self.credentials_path();
        let _ = std::fs::remove_file(&live);
        link(&self.old_slot(name), &live);
    }

    /// Puts a plain file with the same bytes in the place of the link, as 0.4.0 does when its window is closed.
    ///
    /// # Panics
    /// There is no login.
    pub fn old_detach(&self) {
        let live = self.credentials_path();
        let bytes = std::fs::read(&live).expect("a live login");
        std::fs::remove_file(&live).expect("a link");
        write(&live, &bytes);
    }

    /// Writes a login into a slot as 0.4.0 does: only the keys that it knows, and no 0600.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn old_store(&self, name: &str, login: &Login) {
        write(&self.old_slot(name), &pretty(&modelled(login)));
    }

    /// Writes the active marker as 0.4.0 does.
    ///
    /// # Panics
    /// There is no list of profiles.
    pub fn old_mark(&self, name: &str) {
        let path = self.root().join("profiles.toml");
        let text = std::fs::read_to_string(&path).expect("a list");
        let rest: Vec<&str> = text.lines().filter(|line| !line.starts_with("active_profile")).collect();
        write(&path, format!("active_profile = \"{name}\"\n{}\n", rest.join("\n")).as_bytes());
    }

    /// A `clauth start` of 0.4.0 that runs: its tree, and its holder's lock.
    ///
    /// # Panics
    /// A file cannot be written or locked.
    #[must_use]
    pub fn old_session(&self, name: &str) -> OldSession {
        let profile = self.root().join("profiles").join(name);
        let tree = profile.join("runtime");
        std::fs::create_dir_all(&tree).expect("a tree");
        link(&self.old_slot(name), &tree.join(".credentials.json"));
        write(&tree.join("settings.json"), b"{}");
        write(&tree.join(".claude.json"), b"{\"numStartups\": 3}");
        std::fs::create_dir_all(profile.join("sessions")).expect("a directory");
        let lock = File::create(profile.join("sessions").join("999999")).expect("a holder");
        lock.lock().expect("a free lock");
        OldSession { _lock: lock }
    }

    fn old_slot(&self, name: &str) -> PathBuf {
        self.root().join("profiles").join(name).join("credentials.json")
    }
}

/// What 0.4.0 knows of a login; everything else is lost when it writes one.
fn modelled(login: &Login) -> Value {
    let oauth = login.oauth();
    let known = ["accessToken", "refreshToken", "expiresAt", "scopes", "subscriptionType"];
    let kept = known.iter().map(|key| ((*key).to_owned(), oauth[*key].clone())).collect();
    json!({"claudeAiOauth": Value::Object(kept)})
}

fn pretty(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("JSON")
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).expect("a writable home");
}

#[cfg(unix)]
fn link(target: &Path, link: &Path) {
    std::os::unix::fs::symlink(target, link).expect("a link");
}

/// Without the right to make links 0.4.0 copies.
#[cfg(windows)]
fn link(target: &Path, link: &Path) {
    if std::os::windows::fs::symlink_file(target, link).is_err() {
        std::fs::copy(target, link).expect("a copy");
    }
}
