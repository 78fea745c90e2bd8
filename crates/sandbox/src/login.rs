//! Logins and their tokens: which family, which generation.

use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::Account;
use crate::json::{Object, object, text};
use crate::time::{DAY, now_ms};

/// What a subscription login may do, as Claude Code stores it.
pub(crate) const SCOPES: [&str; 5] =
    ["user:file_upload", "user:inference", "user:mcp_servers", "user:profile", "user:sessions:claude_code"];

/// The pair of tokens of one generation of one family; prints as `A2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pair {
    /// The family, capital letters: one sign-in.
    pub family: String,
    /// Counted from 1; each refresh makes the next.
    pub generation: u32,
}

impl Pair {
    /// The pair of a family and a generation.
    #[must_use]
    pub fn new(family: &str, generation: u32) -> Self {
        Self { family: family.to_owned(), generation }
    }

    /// `sk-ant-oat01-FAKE-A2`.
    #[must_use]
    pub fn access(&self) -> String {
        format!("sk-ant-oat01-FAKE-{self}")
    }

    /// `sk-ant-ort01-FAKE-A2`.
    #[must_use]
    pub fn refresh(&self) -> String {
        format!("sk-ant-ort01-FAKE-{self}")
    }

    /// The pair that a refresh of this one brings.
    #[must_use]
    pub fn next(&self) -> Self {
        Self { family: self.family.clone(), generation: self.generation + 1 }
    }

    /// The pair that a token belongs to, access or refresh; nothing if it is none of ours.
    #[must_use]
    pub fn of(token: &str) -> Option<Self> {
        let name = token.split_once("FAKE-")?.1;
        let digits = name.find(|letter: char| !letter.is_ascii_uppercase())?;
        let (family, generation) = name.split_at(digits);
        (!family.is_empty()).then_some(())?;
        Some(Self { family: family.to_owned(), generation: generation.parse().ok()? })
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.family, self.generation)
    }
}

/// A complete login, as the server hands it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Whose it is.
    pub account: Account,
    /// Its tokens.
    pub pair: Pair,
    /// The access token's end, milliseconds since the epoch.
    pub expires_at: u64,
    /// The login's own end, milliseconds since the epoch; a refresh does not extend it. Older versions store none.
    pub refresh_expires_at: Option<u64>,
}

impl Login {
    /// A login that ends in 30 days, its access token in six hours.
    #[must_use]
    pub fn new(account: &Account, pair: Pair) -> Self {
        let now = now_ms();
        Self { account: account.clone(), pair, expires_at: now + DAY / 4, refresh_expires_at: Some(now + 30 * DAY) }
    }

    /// The same login with its access token's end at `ms`.
    #[must_use]
    pub fn expiring_at(self, ms: u64) -> Self {
        Self { expires_at: ms, ..self }
    }

    /// The same login with its own end at `ms`, or left out.
    #[must_use]
    pub fn ending_at(self, ms: Option<u64>) -> Self {
        Self { refresh_expires_at: ms, ..self }
    }

    /// The `claudeAiOauth` object.
    #[must_use]
    pub fn oauth(&self) -> Value {
        let mut oauth = json!({
            "accessToken": self.pair.access(),
            "refreshToken": self.pair.refresh(),
            "expiresAt": self.expires_at,
            "refreshTokenExpiresAt": self.refresh_expires_at,
            "scopes": SCOPES,
            "subscriptionType": self.account.plan,
            "rateLimitTier": self.account.tier,
        });
        if let (None, Some(entries)) = (self.refresh_expires_at, oauth.as_object_mut()) {
            entries.shift_remove("refreshTokenExpiresAt");
        }
        oauth
    }

    /// A whole credentials document that holds this login alone.
    #[must_use]
    pub fn credentials(&self) -> Value {
        json!({ "claudeAiOauth": self.oauth(), "organizationUuid": self.account.organization_uuid })
    }
}

/// The login in a credentials document, in words: `A2`; `A2 bearer` without a refresh token; `blank` for the dead
/// marker; `none` without a login; `mixed A1/B1` where the two tokens are not of one generation; `foreign` if the
/// access token is none of ours.
#[must_use]
pub fn describe(credentials: &Value) -> String {
    let Some(oauth) = credentials["claudeAiOauth"].as_object() else { return "none".to_owned() };
    describe_oauth(oauth)
}

/// [`describe`] for the `claudeAiOauth` object itself.
pub(crate) fn describe_oauth(oauth: &Object) -> String {
    let Some(access) = text(oauth, "accessToken") else { return "blank".to_owned() };
    let Some(access) = Pair::of(access) else { return "foreign".to_owned() };
    match text(oauth, "refreshToken").map(Pair::of) {
        None => format!("{access} bearer"),
        Some(Some(refresh)) if refresh == access => access.to_string(),
        Some(Some(refresh)) => format!("mixed {access}/{refresh}"),
        Some(None) => "foreign".to_owned(),
    }
}

/// The first 8 hexadecimal digits of a text's SHA-256: what clauth shows instead of a token.
#[must_use]
pub fn fingerprint(token: &str) -> String {
    Sha256::digest(token).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The `claudeAiOauth` object of a credentials document.
pub(crate) fn oauth_of(credentials: &Object) -> Option<Object> {
    credentials.get("claudeAiOauth").filter(|oauth| oauth.is_object()).cloned().map(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_tell_family_and_generation() {
        for (token, pair) in [
            ("sk-ant-oat01-FAKE-A2", Some(Pair::new("A", 2))),
            ("sk-ant-ort01-FAKE-AXPB17", Some(Pair::new("AXPB", 17))),
            ("sk-ant-oat01-FAKE-SETUP", None),
            ("sk-ant-oat01-FAKE-SETUP-A1", None),
            ("sk-ant-oat01-FAKE-7", None),
            ("", None),
        ] {
            assert_eq!(Pair::of(token), pair, "{token}");
        }
        let pair = Pair::new("AB", 9);
        assert_eq!((Pair::of(&pair.access()), Pair::of(&pair.refresh())), (Some(pair.clone()), Some(pair)));
    }

    #[test]
    fn documents_in_words() {
        let login = Login::new(&Account::a(), Pair::new("A", 2)).credentials();
        let oauth =
            |access: &str, refresh: Value| json!({"claudeAiOauth": {"accessToken": access, "refreshToken": refresh}});
        for (name, document, words) in [
            ("full", login, "A2"),
            ("bearer copy", oauth("sk-ant-oat01-FAKE-A2", Value::Null), "A2 bearer"),
            ("dead", oauth("", json!("")), "blank"),
            ("signed out", json!({"mcpOAuth": {}}), "none"),
            ("mixed", oauth("sk-ant-oat01-FAKE-A2", json!("sk-ant-ort01-FAKE-B1")), "mixed A2/B1"),
            ("not ours", oauth("sk-other", Value::Null), "foreign"),
            ("an array", json!([]), "none"),
        ] {
            assert_eq!(describe(&document), words, "{name}");
        }
    }

    #[test]
    fn fingerprints_are_short_hashes() {
        assert_eq!(fingerprint("abc"), "ba7816bf");
    }

    #[test]
    fn the_logins_end_may_be_left_out() {
        let login = Login::new(&Account::a(), Pair::new("A", 1));
        assert!(login.oauth().get("refreshTokenExpiresAt").is_some());
        assert!(login.ending_at(None).oauth().get("refreshTokenExpiresAt").is_none());
    }
}
