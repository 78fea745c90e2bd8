//! `identity.json`: which account a profile is, and by what proof (O3).

use clauth_claude::{Identity, StateFile};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What tells accounts apart: never the e-mail, never a token (O3).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AccountKey {
    /// The account's UUID.
    pub account: String,
    /// The organization's UUID: one account may belong to several.
    pub organization: Option<String>,
}

/// How an identity came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Read from the state file, which may lag behind the credential.
    StateFile,
    /// The server said so for this very token.
    Endpoint,
}

/// Whose login a profile's login is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) key: AccountKey,
    pub(crate) email: Option<String>,
    pub(crate) organization_name: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) proof: Proof,
    /// The exact text of the `oauthAccount` block that describes this account, if one was seen.
    pub(crate) block: Option<String>,
}

/// The file, of which a value of another type counts as none.
#[derive(Deserialize)]
struct File<'a> {
    account_uuid: Option<Value>,
    organization_uuid: Option<Value>,
    email: Option<Value>,
    organization_name: Option<Value>,
    plan: Option<Value>,
    proven: Option<Value>,
    #[serde(borrow)]
    block: Option<&'a RawValue>,
}

impl Known {
    /// The identity that the state file names, unproven.
    pub(crate) fn of_state(state: &StateFile) -> Option<Self> {
        let identity = state.identity()?;
        Some(Self {
            key: AccountKey::of(&identity),
            email: identity.email,
            organization_name: identity.organization_name,
            plan: None,
            proof: Proof::StateFile,
            block: state.block().map(str::to_owned),
        })
    }

    /// An identity that another tool states, unproven and without a block.
    pub(crate) fn told(key: AccountKey, email: Option<String>, organization_name: Option<String>) -> Self {
        Self { key, email, organization_name, plan: None, proof: Proof::StateFile, block: None }
    }

    /// The identity that the server names for a token; `state`'s block is kept when it says the same.
    pub(crate) fn of_answer(answer: &clauth_anthropic::ProfileAnswer, state: Option<&Self>) -> Self {
        let key = AccountKey { account: answer.account_uuid.clone(), organization: answer.organization_uuid.clone() };
        let block = state.filter(|known| known.key == key).and_then(|known| known.block.clone());
        Self {
            key,
            email: answer.email.clone(),
            organization_name: answer.organization_name.clone(),
            plan: clauth_anthropic::plan_label(answer),
            proof: Proof::Endpoint,
            block,
        }
    }

    /// Whether the server confirmed it.
    pub(crate) fn proven(&self) -> bool {
        self.proof == Proof::Endpoint
    }

    /// The block to put into the state file while this account is live: the proven one, or none.
    pub(crate) fn proven_block(&self) -> Option<&str> {
        self.block.as_deref().filter(|_| self.proven())
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        // Read at once, and not one by one: looking commands read as many identities as there are profiles.
        let file: File<'_> = serde_json::from_slice(bytes).ok()?;
        let text = |value: Option<Value>| match value {
            Some(Value::String(text)) if !text.trim().is_empty() => Some(text),
            _ => None,
        };
        Some(Self {
            key: AccountKey { account: text(file.account_uuid)?, organization: text(file.organization_uuid) },
            email: text(file.email),
            organization_name: text(file.organization_name),
            plan: text(file.plan),
            proof: if file.proven == Some(Value::Bool(true)) { Proof::Endpoint } else { Proof::StateFile },
            block: file.block.map(RawValue::get).filter(|raw| raw.starts_with('{')).map(str::to_owned),
        })
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let by = if self.proven() { "endpoint" } else { "state_file" };
        let head = serde_json::json!({
            "schema": 1, "account_uuid": self.key.account, "organization_uuid": self.key.organization,
            "email": self.email, "organization_name": self.organization_name, "plan": self.plan,
            "proven": self.proven(), "by": by,
        });
        crate::json::with_raw(&head, "block", self.block.as_deref().unwrap_or("null"))
    }
}

impl AccountKey {
    /// The key in an identity block.
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        Self { account: identity.account_uuid.clone(), organization: identity.organization_uuid.clone() }
    }

    /// Whether both may mean one account: equal accounts, and organizations equal where both are known.
    #[must_use]
    pub fn agrees(&self, other: &Self) -> bool {
        self.account == other.account
            && match (&self.organization, &other.organization) {
                (Some(a), Some(b)) => a == b,
                _ => true,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(account: &str, organization: Option<&str>) -> AccountKey {
        AccountKey { account: account.into(), organization: organization.map(str::to_owned) }
    }

    #[test]
    fn an_identity_survives_the_file() {
        let known = Known {
            key: key("acc", Some("org")),
            email: Some("a@example.com".into()),
            organization_name: None,
            plan: Some("Max 5x".into()),
            proof: Proof::Endpoint,
            block: Some("{\"accountUuid\":\"acc\", \"n\": 1.10}".into()),
        };
        assert_eq!(Known::read(&known.bytes()), Some(known.clone()));
        let unproven = Known { proof: Proof::StateFile, block: None, ..known };
        assert_eq!(Known::read(&unproven.bytes()), Some(unproven.clone()));
        assert_eq!(unproven.proven_block(), None);
    }

    #[test]
    fn one_account_in_two_organizations_is_two_accounts() {
        assert!(!key("a", Some("x")).agrees(&key("a", Some("y"))));
        assert!(key("a", Some("x")).agrees(&key("a", None)));
        assert!(!key("a", None).agrees(&key("b", None)));
    }
}
