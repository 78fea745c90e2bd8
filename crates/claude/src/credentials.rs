//! The credential object (facts §1.2): several independent credentials in one JSON object, of which some belong to the
//! account and some to the machine.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;

use clauth_durable::{Document, DocumentError};
use clauth_host::{Fingerprint, Secret};
use jiff::Timestamp;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Keys that belong to the account of the login.
const ACCOUNT: [&str; 5] =
    ["claudeAiOauth", "organizationUuid", "trustedDeviceToken", "enterpriseGateway", "designOauth"];

/// Keys that belong to the machine; the live copy stays through every switch.
const MACHINE: [&str; 6] =
    ["mcpOAuth", "mcpOAuthClientConfig", "mcpXaaIdp", "mcpXaaIdpConfig", "pluginSecrets", "coworkRemoteDevice"];

/// Account keys that carry refresh tokens of their own, and so have no place in a bearer copy (L2).
const RENEWABLE: [&str; 2] = ["enterpriseGateway", "designOauth"];

const LOGIN: &str = "claudeAiOauth";

/// To whom a top-level key belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyClass {
    /// To the account: it travels with the login.
    Account,
    /// To the machine: it stays.
    Machine,
    /// Not known. It travels, since a key lost costs one sign-in and a key leaked mixes two accounts.
    Unknown,
}

/// To whom `key` belongs.
#[must_use]
pub fn class_of(key: &str) -> KeyClass {
    if ACCOUNT.contains(&key) {
        KeyClass::Account
    } else if MACHINE.contains(&key) {
        KeyClass::Machine
    } else {
        KeyClass::Unknown
    }
}

/// What an object holds by way of a login.
#[derive(Clone)]
pub enum Found {
    /// A login.
    Login(Login),
    /// A block with blank tokens: signed out.
    Blank,
    /// No block.
    Absent,
    /// A block whose tokens cannot be read.
    Malformed,
}

/// A login's tokens and what stands beside them.
#[derive(Clone)]
pub struct Login {
    /// The access token.
    pub access: Secret,
    /// The refresh token; `None` when it is absent, null or blank.
    pub refresh: Option<Secret>,
    /// When the access token ends.
    pub expires_at: Option<Timestamp>,
    /// When the login itself ends; set at sign-in.
    pub refresh_expires_at: Option<Timestamp>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// The plan, as it was at sign-in.
    pub subscription: Option<String>,
    /// The rate limit tier, as it was at sign-in.
    pub tier: Option<String>,
    /// The client that it was issued to.
    pub client_id: Option<String>,
}

impl Login {
    /// The access token's fingerprint.
    #[must_use]
    pub fn access_print(&self) -> Fingerprint {
        self.access.fingerprint()
    }

    /// The refresh token's fingerprint.
    #[must_use]
    pub fn refresh_print(&self) -> Option<Fingerprint> {
        self.refresh.as_ref().map(Secret::fingerprint)
    }
}

/// The whole object.
#[derive(Clone)]
pub struct Credentials(Document);

impl Credentials {
    /// Takes the object in.
    ///
    /// # Errors
    /// Not one JSON object.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        Document::parse(bytes).map(Self)
    }

    /// An object without anything.
    #[must_use]
    pub fn empty() -> Self {
        Self(Document::empty())
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The login in it.
    #[must_use]
    pub fn login(&self) -> Found {
        login(&self.0)
    }

    /// The account's keys and the unknown ones, each with its exact text.
    #[must_use]
    pub fn account(&self) -> AccountPart {
        let mut part = Document::empty();
        for key in self.0.keys().iter().filter(|key| class_of(key) != KeyClass::Machine) {
            if let Some(raw) = self.0.raw(&[key]) {
                // The text was taken out of a valid document, so it is valid.
                let _ = part.set_raw(&[key], raw);
            }
        }
        AccountPart::of(part)
    }

    /// This object with another account in it (W4): machine keys stay as they are here, present or absent; of the rest
    /// exactly what `part` has.
    ///
    /// # Errors
    /// Cannot happen for a part that was parsed.
    pub fn with_account(&self, part: &AccountPart) -> Result<Self, DocumentError> {
        let mut document = self.0.clone();
        let incoming = part.0.keys();
        let repeated = repeated(&self.0);
        for key in self.0.keys() {
            // Of a key that stands twice only the last would be replaced, and the login before it stay.
            if class_of(&key) != KeyClass::Machine && (!incoming.contains(&key) || repeated.contains(&key)) {
                document.remove(&[&key]);
            }
        }
        for key in incoming {
            if let Some(raw) = part.0.raw(&[&key]) {
                document.set_raw(&[&key], raw)?;
            }
        }
        Ok(Self(document))
    }

    /// This object with the machine keys of `other`, present or absent, each with its exact text (W4).
    ///
    /// # Errors
    /// Cannot happen for objects that were parsed.
    pub fn with_machine_of(&self, other: &Self) -> Result<Self, DocumentError> {
        let mut document = self.0.clone();
        for key in self.machine_keys().iter().filter(|key| other.0.raw(&[key]).is_none()) {
            document.remove(&[key]);
        }
        Self(document).adding_machine_of(other, |_| true)
    }

    /// This object with those machine keys of `other` that it has not.
    ///
    /// # Errors
    /// Cannot happen for objects that were parsed.
    pub fn with_more_machine_of(&self, other: &Self) -> Result<Self, DocumentError> {
        self.clone().adding_machine_of(other, |key| self.0.raw(&[key]).is_none())
    }

    fn adding_machine_of(mut self, other: &Self, takes: impl Fn(&str) -> bool) -> Result<Self, DocumentError> {
        for key in other.machine_keys().iter().filter(|key| takes(key)) {
            if let Some(raw) = other.0.raw(&[key])
                && self.0.raw(&[key]) != Some(raw)
            {
                self.0.set_raw(&[key], raw)?;
            }
        }
        Ok(self)
    }

    /// Whether both have the same machine keys, each with the same text.
    #[must_use]
    pub fn same_machine(&self, other: &Self) -> bool {
        let all = |one: &Self, two: &Self| one.machine_keys().iter().all(|key| one.0.raw(&[key]) == two.0.raw(&[key]));
        all(self, other) && all(other, self)
    }

    fn machine_keys(&self) -> Vec<String> {
        let mut keys = self.0.keys();
        keys.retain(|key| class_of(key) == KeyClass::Machine);
        keys
    }
}

/// The account's keys and the unknown ones alone: what a slot or a loan keeps.
///
/// It never changes, so its login is read once: who looks at all profiles asks each for it again and again.
#[derive(Clone)]
pub struct AccountPart(Document, OnceLock<Found>);

impl AccountPart {
    fn of(document: Document) -> Self {
        Self(document, OnceLock::new())
    }

    /// Takes a part in; machine keys that got into it are dropped, and of a key that stands twice the last stays.
    ///
    /// # Errors
    /// Not one JSON object.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        let mut document = Document::parse(bytes)?;
        for key in document.keys() {
            if class_of(&key) == KeyClass::Machine {
                document.remove(&[&key]);
            }
        }
        for key in repeated(&document) {
            let last = document.raw(&[&key]).map(str::to_owned);
            document.remove(&[&key]);
            document.set_raw(&[&key], last.as_deref().unwrap_or("null"))?;
        }
        Ok(Self::of(document))
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// The login in it.
    #[must_use]
    pub fn login(&self) -> Found {
        self.1.get_or_init(|| login(&self.0)).clone()
    }

    /// What is in it beside its login and that one's organization, with the text: other keys, and a refresh token that no
    /// access token stands by.
    #[must_use]
    pub fn beside_login(&self) -> Vec<(String, String)> {
        let refresh = |_: &&str| {
            let token = self.0.get::<String>(&[LOGIN, "refreshToken"]).unwrap_or_default();
            matches!(self.login(), Found::Blank) && !token.trim().is_empty()
        };
        let keys = self.0.keys();
        let others = keys.iter().map(String::as_str).filter(|key| ![LOGIN, "organizationUuid"].contains(key));
        let all = others.chain(Some(LOGIN).filter(refresh));
        let texts = all.filter_map(|key| Some((key.to_owned(), self.0.raw(&[key])?.to_owned())));
        texts.filter(|(_, text)| text != "null").collect()
    }

    /// The organization of the login.
    #[must_use]
    pub fn organization_uuid(&self) -> Option<String> {
        self.0.get::<String>(&["organizationUuid"]).filter(|uuid| !uuid.trim().is_empty())
    }

    /// The same login without its refresh token (L2), and without what has one of its own.
    #[must_use]
    pub fn bearer(&self) -> Self {
        let mut document = self.0.clone();
        document.remove(&[LOGIN, "refreshToken"]);
        for key in RENEWABLE {
            document.remove(&[key]);
        }
        Self::of(document)
    }

    /// Whether both say the same: the same keys in any order, each with the same text.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        let (keys, others) = (self.0.keys(), other.0.keys());
        keys.len() == others.len() && keys.iter().all(|key| self.0.raw(&[key]) == other.0.raw(&[key]))
    }

    /// Whether it is a login without a refresh token.
    #[must_use]
    pub fn is_bearer(&self) -> bool {
        matches!(self.login(), Found::Login(login) if login.refresh.is_none())
    }
}

fn login(document: &Document) -> Found {
    let Some(raw) = document.raw(&[LOGIN]) else { return Found::Absent };
    // Valid JSON that no value can hold, such as 1e999, is a login that cannot be read; not the absence of one.
    let Ok(block) = serde_json::from_str::<Value>(raw) else { return Found::Malformed };
    let Value::Object(block) = block else {
        return if block.is_null() { Found::Absent } else { Found::Malformed };
    };
    let text = |key: &str| block.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let no_text = |key: &str| block.get(key).is_some_and(|value| !value.is_string() && !value.is_null());
    if no_text("accessToken") || no_text("refreshToken") {
        return Found::Malformed;
    }
    let Some(access) = text("accessToken") else { return Found::Blank };
    let scopes = block.get("scopes").and_then(Value::as_array);
    Found::Login(Login {
        access: Secret::new(access),
        refresh: text("refreshToken").map(Secret::new),
        expires_at: block.get("expiresAt").and_then(time),
        refresh_expires_at: block.get("refreshTokenExpiresAt").and_then(time),
        scopes: scopes
            .map_or_else(Vec::new, |all| all.iter().filter_map(|scope| scope.as_str().map(str::to_owned)).collect()),
        subscription: text("subscriptionType").map(str::to_owned),
        tier: text("rateLimitTier").map(str::to_owned),
        client_id: text("clientId").map(str::to_owned),
    })
}

/// The keys that stand twice or more.
fn repeated(document: &Document) -> Vec<String> {
    struct Repeated;
    impl<'de> Visitor<'de> for Repeated {
        type Value = Vec<String>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let (mut seen, mut repeated) = (BTreeSet::new(), Vec::new());
            while let Some((key, IgnoredAny)) = map.next_entry::<String, _>()? {
                if !seen.insert(key.clone()) && !repeated.contains(&key) {
                    repeated.push(key);
                }
            }
            Ok(repeated)
        }
    }
    let bytes = document.bytes();
    let body = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    serde_json::Deserializer::from_slice(body).deserialize_map(Repeated).unwrap_or_default()
}

/// Milliseconds since the epoch; seconds, and digits in a string, are understood too.
fn time(value: &Value) -> Option<Timestamp> {
    /// No millisecond time of a login is so small (March 1973), and no second time so large (year 5138).
    const SMALLEST_MILLISECONDS: i64 = 100_000_000_000;
    #[expect(clippy::cast_possible_truncation, reason = "a fraction of a millisecond, or a time beyond all calendars")]
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64))?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    match number {
        ..=0 => None,
        1..SMALLEST_MILLISECONDS => Timestamp::from_second(number).ok(),
        _ => Timestamp::from_millisecond(number).ok(),
    }
}

mod renew;

pub use renew::Renewal;

#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;
