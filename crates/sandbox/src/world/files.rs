//! What a test puts into a home and reads from it.

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::{Snapshot, World, snapshot};
use crate::json::{Object, line, object};
use crate::login::describe;
use crate::{Account, Login, disk};

impl World {
    /// Signs in with Claude Code's `/login`, without a server: a new family at generation 1 in the credentials (other
    /// keys stay), `oauthAccount` in the state file, each under its lock. Each home counts for itself: two homes on one
    /// server take their logins from [`Server::issue`](crate::Server::issue), or their families would be the same.
    ///
    /// # Panics
    /// A lock stays held, or a file cannot be written.
    pub fn sign_in(&self, account: &Account) -> Login {
        self.claude().sign_in(account).expect("a sign-in in the sandbox")
    }

    /// Stores a given login as a sign-in does: for ends and generations of one's own choice.
    ///
    /// # Panics
    /// A lock stays held, or a file cannot be written.
    pub fn store_login(&self, login: &Login) {
        self.claude().store_login(login).expect("a sign-in in the sandbox");
    }

    /// Puts a login to an MCP server, a plugin's secret and an unknown key beside the login (facts §8.1).
    ///
    /// # Panics
    /// The credentials cannot be changed.
    pub fn seed_mcp(&self) {
        self.edit_json(&self.dirs().stored(), |document| {
            document.extend(object(json!({
                "mcpOAuth": { "example-server|0123456789abcdef": {
                    "serverName": "example-server", "serverUrl": "https://mcp.example.invalid/mcp",
                    "clientId": "FAKE-MCP-CLIENT", "accessToken": "FAKE-MCP-ACCESS",
                    "refreshToken": "FAKE-MCP-REFRESH", "expiresAt": 1_795_100_000_000_u64, "scope": "read",
                } },
                "pluginSecrets": { "demo-plugin": { "apiKey": "FAKE-PLUGIN-SECRET" } },
                "futureSharedKey": { "keep": true },
            })));
        });
    }

    /// The JSON in a file; null if it is missing or no JSON.
    #[must_use]
    pub fn read_json(&self, path: &Path) -> Value {
        let bytes = std::fs::read(path).unwrap_or_default();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    /// Changes a JSON object in a file, made if missing, by temp and rename and without any lock.
    ///
    /// # Panics
    /// The file cannot be parsed or written.
    pub fn edit_json(&self, path: &Path, edit: impl FnOnce(&mut Object)) {
        let mut document = disk::object(path).expect("a JSON object").unwrap_or_default();
        edit(&mut document);
        disk::replace(path, &line(&document), 0o600).expect("a writable directory");
    }

    /// The live login, as [`World::login_at`] words it.
    #[must_use]
    pub fn live(&self) -> String {
        self.login_at(&self.dirs().stored())
    }

    /// The login in a credentials document at `path`, as [`describe`] words it; also `missing` and `torn`.
    #[must_use]
    pub fn login_at(&self, path: &Path) -> String {
        match disk::object(path) {
            Ok(Some(document)) => describe(&Value::Object(document)),
            Ok(None) => "missing".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => "torn".to_owned(),
            Err(error) => format!("unreadable: {error}"),
        }
    }

    /// Whom `oauthAccount` in `~/.claude.json` names: an account's code (`A`, `AXP`), `none`, or `stranger`.
    #[must_use]
    pub fn identity(&self) -> String {
        let state = self.read_json(&self.state_path());
        let Some(block) = state["oauthAccount"].as_object() else { return "none".to_owned() };
        let names = |account: &Account| {
            block.get("accountUuid") == Some(&json!(account.account_uuid))
                && block.get("organizationUuid") == Some(&json!(account.organization_uuid))
        };
        let known = ('A'..='W').flat_map(|letter| {
            let own = Account::new(letter);
            let teams: Vec<_> = ('A'..='Z').map(|letter| own.with_organization(letter)).collect();
            std::iter::once(own).chain(teams)
        });
        known.into_iter().find(names).map_or_else(|| "stranger".to_owned(), |account| account.code)
    }

    /// Everything in the home.
    ///
    /// # Panics
    /// Something cannot be read.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        snapshot(self.home()).expect("a readable home")
    }
}
