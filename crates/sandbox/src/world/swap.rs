//! A claude-swap store, and its export, as that tool leaves them.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::World;
use crate::Login;

impl World {
    /// Where the tool keeps its store in this home.
    #[must_use]
    pub fn swap_dir(&self) -> PathBuf {
        if cfg!(any(target_os = "macos", windows)) {
            return self.home().join(".claude-swap-backup");
        }
        self.home().join(".local").join("share").join("claude-swap")
    }

    /// Makes a store with these accounts, numbered from 1, in this order.
    ///
    /// # Panics
    /// A file cannot be written.
    pub fn swap_store(&self, logins: &[Login]) {
        let dir = self.swap_dir();
        for part in ["credentials", "configs"] {
            std::fs::create_dir_all(dir.join(part)).expect("a store");
        }
        let mut accounts = serde_json::Map::new();
        for (at, login) in logins.iter().enumerate() {
            let (slot, account) = ((at + 1).to_string(), &login.account);
            let sealed = encode(login.credentials().to_string().as_bytes());
            self.swap_credential(&slot, &account.email, &sealed);
            let config = json!({"oauthAccount": account.oauth_account()});
            let path = dir.join("configs").join(format!(".claude-config-{slot}-{}.json", account.email));
            std::fs::write(path, config.to_string()).expect("a config");
            let entry = json!({
                "email": account.email, "uuid": account.account_uuid, "organizationUuid": account.organization_uuid,
                "organizationName": account.organization_name,
            });
            accounts.insert(slot, entry);
        }
        let order: Vec<usize> = (1..=logins.len()).collect();
        self.swap_list(&json!({"sequence": order, "accounts": accounts}));
    }

    /// Writes the store's list.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn swap_list(&self, list: &Value) {
        std::fs::create_dir_all(self.swap_dir()).expect("a store");
        std::fs::write(self.swap_dir().join("sequence.json"), list.to_string()).expect("a list");
    }

    /// Writes what the store keeps as an account's credential.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn swap_credential(&self, slot: &str, email: &str, sealed: &str) {
        let path = self.swap_dir().join("credentials").join(format!(".creds-{slot}-{email}.enc"));
        std::fs::write(path, sealed).expect("a credential");
    }

    /// The export of these accounts.
    #[must_use]
    pub fn swap_export(logins: &[Login]) -> Value {
        let account = |(at, login): (usize, &Login)| {
            json!({
                "number": at + 1, "email": login.account.email, "uuid": login.account.account_uuid,
                "organizationUuid": login.account.organization_uuid, "organizationName": login.account.organization_name,
                "credentials": login.credentials(), "config": {"oauthAccount": login.account.oauth_account()},
                "alias": Value::Null,
            })
        };
        let accounts: Vec<Value> = logins.iter().enumerate().map(account).collect();
        json!({"version": 1, "encrypted": false, "accounts": accounts})
    }
}

/// Base64 with padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * at) & 63) as usize];
            text.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    text
}
