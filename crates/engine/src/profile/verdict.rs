//! `verdict.json`: what is known against a login. It counts only while the profile still holds the very token that it
//! names, so any newer login lifts it by itself.

use clauth_durable::Document;
use clauth_host::Fingerprint;
use jiff::Timestamp;

use super::State;

/// Something known against one generation of a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The refresh token (the access token, where there is none) that it is about.
    pub(crate) token: Fingerprint,
    /// The state it puts the profile into; [`State::Ok`] for a mere remark.
    pub(crate) state: State,
    /// Why, in words for a person.
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    /// A later login may have come of it, which nobody could confirm: its refresh token is not to be presented (L6).
    pub(crate) doubted: bool,
}

impl Verdict {
    pub(crate) fn read(bytes: Vec<u8>) -> Option<Self> {
        let document = Document::parse(bytes).ok()?;
        Some(Self {
            token: Fingerprint::parse(&document.get::<String>(&["token"])?)?,
            state: State::parse(&document.get::<String>(&["state"])?)?,
            reason: document.get::<String>(&["reason"])?,
            at: document.get::<String>(&["at"])?.parse().ok()?,
            doubted: document.get::<bool>(&["doubted"]) == Some(true),
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut verdict = serde_json::json!({
            "schema": 1, "token": self.token.full(), "state": self.state.word(), "reason": self.reason, "at": self.at.to_string(),
        });
        if self.doubted {
            verdict["doubted"] = true.into();
        }
        crate::json::bytes(&verdict)
    }
}
