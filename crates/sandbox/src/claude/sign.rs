//! Signing in and out, as `/login`, `/logout` and `claude auth` leave the files.

use serde_json::{Value, json};

use super::client::Call;
use super::credentials::{ACCOUNT_KEYS, Held, Trouble};
use super::process::Claude;
use super::state::CLEARED_AT_LOGOUT;
use crate::account::next_family;
use crate::json::{object, text};
use crate::{Account, Login, Pair, time};

impl Claude {
    /// Signs in as an account: a new family, asked of the server if there is one. Keys of the login before go, machine
    /// keys stay, and `oauthAccount` names the account.
    ///
    /// # Errors
    /// A lock that stays held, or a file that cannot be written.
    pub fn sign_in(&mut self, account: &Account) -> Result<Login, Trouble> {
        let family = next_family(&self.dirs.home, account).map_err(|e| Trouble::Io(self.dirs.home.clone(), e))?;
        let login = Login::new(account, Pair::new(&family, 1));
        let login = self.exchange_code(&login).unwrap_or(login);
        self.store_login(&login)?;
        Ok(login)
    }

    /// Stores a given login as a sign-in does.
    ///
    /// # Errors
    /// A lock that stays held, or a file that cannot be written.
    pub fn store_login(&mut self, login: &Login) -> Result<(), Trouble> {
        let fresh = object(login.credentials());
        self.change_credentials(|document| {
            document.retain(|key, _| !ACCOUNT_KEYS.contains(&key.as_str()));
            document.extend(fresh);
            true
        })?;
        self.held = Some(Held::read(&self.dirs));
        self.change_state(|state| {
            state.insert("oauthAccount".to_owned(), login.account.oauth_account());
            state.insert("hasCompletedOnboarding".to_owned(), json!(true));
        })
    }

    /// Signs out: tries to revoke the refresh token, then removes what belongs to the account from both files.
    ///
    /// # Errors
    /// A lock that stays held, or a file that cannot be written.
    pub fn sign_out(&mut self) -> Result<(), Trouble> {
        let oauth = Held::read(&self.dirs).oauth.unwrap_or_default();
        if let (Some(token), Some(url)) = (text(&oauth, "refreshToken"), &self.token_url) {
            let url = url.replace("/v1/oauth/token", "/v1/oauth/revoke");
            let body = json!({ "token": token });
            let _ = Call { method: "POST", url: &url, bearer: None, agent: "axios/1.15.2", body: Some(&body) }.send();
        }
        self.change_credentials(|document| {
            document.retain(|key, _| !ACCOUNT_KEYS.contains(&key.as_str()));
            true
        })?;
        self.held = Some(Held::read(&self.dirs));
        self.change_state(|state| state.retain(|key, _| !CLEARED_AT_LOGOUT.contains(&key.as_str())))
    }

    /// Exchanges a code that names the family; nothing without an answer, and the sign-in goes on offline.
    fn exchange_code(&self, login: &Login) -> Option<Login> {
        let code = format!("FAKE-CODE-{}", login.pair.family);
        let body = json!({ "grant_type": "authorization_code", "code": code, "state": "FAKE-STATE" });
        let (status, answer) = self.post_token(&body).ok()?;
        let pair = Pair::of(answer["access_token"].as_str()?).filter(|_| status == 200)?;
        let now = time::now_ms();
        let in_seconds = |value: &Value| value.as_u64().map(|seconds| now + seconds * 1000);
        Some(Login {
            account: login.account.clone(),
            pair,
            expires_at: in_seconds(&answer["expires_in"])?,
            refresh_expires_at: in_seconds(&answer["refresh_token_expires_in"]),
        })
    }
}
