//! One account as the other tool keeps it: understood whole before anything is written.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clauth_claude::{AccountPart, Credentials, Found, StateFile};
use clauth_host::Secret;
use serde_json::Value;

use crate::profile::{AccountKey, Known};
use crate::text;

/// What stands for an account.
pub(super) enum Held {
    /// A signed-in login.
    Login(AccountPart),
    /// A long-lived token of `claude setup-token`.
    Token(Secret),
    /// A key of the API.
    Key(Secret),
    /// Nothing: the tool kept none, or keeps it where only it can read.
    Nothing,
}

/// One account.
pub(super) struct Row {
    /// How a person finds it in the other tool.
    pub(super) label: String,
    /// The other tool's number for it.
    pub(super) slot: String,
    pub(super) alias: Option<String>,
    pub(super) email: Option<String>,
    /// Whose it is, unproven.
    pub(super) known: Option<Known>,
    pub(super) held: Held,
    pub(super) disabled: bool,
}

/// What the other tool says of an account.
pub(super) struct Said<'v> {
    pub(super) slot: String,
    pub(super) entry: &'v Value,
    /// The state file that was kept with it.
    pub(super) config: Option<Vec<u8>>,
    /// Its credential, as text.
    pub(super) credential: Option<Secret>,
}

impl Row {
    /// Understands what is said of an account, or says what is wrong with it. No value is ever repeated.
    pub(super) fn of(said: Said<'_>) -> Result<Self, String> {
        let text = |key: &str| said.entry.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let email = text("email").map(str::to_owned);
        let shown = email.as_deref().map_or_else(String::new, |email| format!(" ({})", text::shown(email)));
        let label = format!("account {}{shown}", text::shown(&said.slot));
        let bad = |what: &str| format!("{label}: {what}");
        if !said.entry.is_object() {
            return Err(bad("it is no object"));
        }
        let known = match said.config {
            None => None,
            Some(bytes) => Known::of_state(&StateFile::parse(bytes).map_err(|_| bad("its kept config is no JSON"))?),
        };
        let known = known.or_else(|| {
            let key = AccountKey {
                account: text("uuid")?.to_owned(),
                organization: text("organizationUuid").map(str::to_owned),
            };
            let organization = text("organizationName").map(str::to_owned);
            Some(Known::told(key, email.clone(), organization))
        });
        let held = match said.credential {
            None => Held::Nothing,
            Some(credential) => understand(&credential).map_err(bad)?,
        };
        Ok(Self {
            alias: text("alias").map(str::to_owned),
            email: known.as_ref().and_then(|known| known.email.clone()).or(email),
            disabled: said.entry.get("disabled").and_then(Value::as_bool) == Some(true),
            slot: said.slot,
            label,
            known,
            held,
        })
    }
}

/// The text of an encoded credential.
pub(super) fn decoded(bytes: &[u8]) -> Result<Secret, &'static str> {
    let text: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let text = STANDARD.decode(text).map_err(|_| "its credential is no base64")?;
    String::from_utf8(text).map(|text| Secret::new(&text)).map_err(|_| "its credential is no text")
}

/// What a credential's text is: Claude Code's object, or a bare token or key.
fn understand(credential: &Secret) -> Result<Held, &'static str> {
    let text = credential.expose().trim();
    if text.is_empty() {
        return Ok(Held::Nothing);
    }
    if text.starts_with('{') {
        let object = Credentials::parse(text.as_bytes().to_vec()).map_err(|_| "its credential is no JSON object")?;
        return match object.login() {
            Found::Login(login) if login.refresh.is_none() => Err("its login has no refresh token"),
            Found::Login(_) => Ok(Held::Login(object.account())),
            Found::Blank | Found::Absent => Ok(Held::Nothing),
            Found::Malformed => Err("its login has no tokens that can be read"),
        };
    }
    let is_key = |text: &str| text.len() < 512 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    match text {
        text if is_key(text) && text.starts_with("sk-ant-oat") => Ok(Held::Token(Secret::new(text))),
        text if text.starts_with("sk-ant-ort") => Err("its credential is a refresh token alone"),
        text if is_key(text) && text.starts_with("sk-") => Ok(Held::Key(Secret::new(text))),
        // A text that is base64 of what it should be.
        text => match decoded(text.as_bytes()) {
            Ok(inner) if inner.expose().trim_start().starts_with(['{', 's']) => understand(&inner),
            _ => Err("its credential is neither Claude Code's object nor a key"),
        },
    }
}
