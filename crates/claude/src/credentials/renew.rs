//! A login with another pair of tokens in it: everything else about it stays to the letter.

use clauth_durable::DocumentError;
use clauth_host::Secret;
use jiff::Timestamp;

use super::{AccountPart, Found, LOGIN};

/// The keys of a login that a refresh changes (facts §3.2).
const PAIR: [&str; 5] = ["accessToken", "refreshToken", "expiresAt", "refreshTokenExpiresAt", "scopes"];

/// What a refresh brought.
pub struct Renewal {
    /// The access token.
    pub access: Secret,
    /// The refresh token; `None` when the former one stays good.
    pub refresh: Option<Secret>,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// When the login itself ends; `None` for as before.
    pub refresh_expires_at: Option<Timestamp>,
    /// What it may do; `None` for as before.
    pub scopes: Option<Vec<String>>,
}

impl AccountPart {
    /// The same login after a refresh. Plan and tier are not in a refresh's answer and stay.
    ///
    /// # Errors
    /// There is no login object to put it into.
    pub fn renewed(&self, renewal: &Renewal) -> Result<Self, DocumentError> {
        let mut document = self.0.clone();
        document.set(&[LOGIN, "accessToken"], &renewal.access.expose())?;
        if let Some(refresh) = &renewal.refresh {
            document.set(&[LOGIN, "refreshToken"], &refresh.expose())?;
        }
        document.set(&[LOGIN, "expiresAt"], &renewal.expires_at.as_millisecond())?;
        if let Some(end) = renewal.refresh_expires_at {
            document.set(&[LOGIN, "refreshTokenExpiresAt"], &end.as_millisecond())?;
        }
        if let Some(scopes) = renewal.scopes.as_ref().filter(|scopes| !self.has_scopes(scopes)) {
            document.set(&[LOGIN, "scopes"], scopes)?;
        }
        Ok(Self::of(document))
    }

    /// This login with the tokens, ends and scopes of `other`, a later generation of it.
    ///
    /// # Errors
    /// There is no login object to put them into.
    pub fn with_pair_of(&self, other: &Self) -> Result<Self, DocumentError> {
        let mut document = self.0.clone();
        for key in PAIR {
            match other.0.raw(&[LOGIN, key]) {
                Some(raw) => document.set_raw(&[LOGIN, key], raw)?,
                None => drop(document.remove(&[LOGIN, key])),
            }
        }
        Ok(Self::of(document))
    }

    /// Whether it names just these scopes, in whatever order.
    fn has_scopes(&self, scopes: &[String]) -> bool {
        let Found::Login(login) = self.login() else { return false };
        let sorted = |scopes: &[String]| {
            let mut sorted = scopes.to_vec();
            sorted.sort_unstable();
            sorted
        };
        sorted(&login.scopes) == sorted(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = r#"{"claudeAiOauth": {"accessToken": "a1", "refreshToken": "r1", "expiresAt": 1,
        "scopes": ["x", "y"], "subscriptionType": "max", "future": 1.10}, "organizationUuid": "o", "designOauth": {}}"#;

    fn part(text: &str) -> AccountPart {
        AccountPart::parse(text.as_bytes().to_vec()).expect("JSON")
    }

    fn text(part: &AccountPart) -> String {
        String::from_utf8(part.bytes().to_vec()).expect("text")
    }

    fn renewal(refresh: Option<&str>, scopes: Option<&[&str]>, end: Option<i64>) -> Renewal {
        Renewal {
            access: Secret::new("a2"),
            refresh: refresh.map(Secret::new),
            expires_at: Timestamp::from_millisecond(200_000_000_001).expect("a time"),
            refresh_expires_at: end.map(|end| Timestamp::from_millisecond(end).expect("a time")),
            scopes: scopes.map(|all| all.iter().map(|scope| (*scope).to_owned()).collect()),
        }
    }

    #[test]
    fn a_refresh_changes_the_pair_and_nothing_else() {
        let same = OLD.replace("a1", "a2").replace("\"expiresAt\": 1,", "\"expiresAt\": 200000000001,");
        for (name, renewal, expected) in [
            ("rotated", renewal(Some("r2"), None, None), same.replace("r1", "r2")),
            ("the former token stays", renewal(None, None, None), same.clone()),
            ("the same scopes in another order", renewal(None, Some(&["y", "x"]), None), same.clone()),
        ] {
            assert_eq!(text(&part(OLD).renewed(&renewal).expect("a login")), expected, "{name}");
        }
        let Found::Login(login) =
            part(OLD).renewed(&renewal(None, Some(&["x"]), Some(300_000_000_002))).expect("a login").login()
        else {
            panic!("a login")
        };
        assert_eq!(login.scopes, ["x"]);
        assert_eq!(login.refresh_expires_at.map(Timestamp::as_millisecond), Some(300_000_000_002));
    }

    #[test]
    fn a_pair_moves_into_a_copy_with_other_keys() {
        let newer = part(OLD).renewed(&renewal(Some("r2"), None, None)).expect("a login");
        let other = part(&OLD.replace("1.10", "\"mine\""));
        let moved = text(&other.with_pair_of(&newer).expect("a login"));
        assert_eq!(moved, text(&newer).replace("1.10", "\"mine\""));
    }
}
