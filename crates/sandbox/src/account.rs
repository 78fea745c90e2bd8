//! Invented accounts, readable from a token's family.
//!
//! A family's name is the account's code and a serial: `A` is Alice's first sign-in, `AB` her second; `AXP` is Alice in
//! organization P (same e-mail, same account), `AXPB` her second sign-in there.

use std::path::Path;

use serde_json::{Value, json};

use crate::json::Object;
use crate::marker::MARKER;
use crate::{disk, json};

/// Letters of serials; `X` marks an organization and `Y`, `Z` are left to the server's own sign-ins.
const SERIALS: &[u8] = b"BCDEFGHIJKLMNOPQRSTUVW";

/// One Claude account in one organization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What every token family of this account begins with: `A`, or `AXP` in organization P.
    pub code: String,
    /// The account's id, the same in all its organizations.
    pub account_uuid: String,
    /// The e-mail address, the same in all its organizations.
    pub email: String,
    /// The name shown.
    pub display_name: String,
    /// The organization's id.
    pub organization_uuid: String,
    /// The organization's name.
    pub organization_name: String,
    /// `max`, `pro`, `team`, …, as `subscriptionType` has it.
    pub plan: String,
    /// `default_claude_max_20x` and the like.
    pub tier: String,
}

impl Account {
    /// Alice, Max 20x.
    #[must_use]
    pub fn a() -> Self {
        Self::new('A')
    }

    /// Bob, Pro.
    #[must_use]
    pub fn b() -> Self {
        Self::new('B')
    }

    /// Carol, Max 5x.
    #[must_use]
    pub fn c() -> Self {
        Self::new('C')
    }

    /// The account of a letter, A to W.
    ///
    /// # Panics
    /// Another letter.
    #[must_use]
    pub fn new(letter: char) -> Self {
        let letter = letter.to_ascii_uppercase();
        assert!(('A'..='W').contains(&letter), "accounts have the letters A to W, not {letter:?}");
        let (name, plan, tier) = match letter {
            'A' => ("Alice", "max", "default_claude_max_20x"),
            'B' => ("Bob", "pro", "default_claude_ai"),
            'C' => ("Carol", "max", "default_claude_max_5x"),
            'D' => ("Dave", "pro", "default_claude_ai"),
            _ => ("User", "pro", "default_claude_ai"),
        };
        let display_name = if name == "User" { format!("User {letter}") } else { name.to_owned() };
        let email = format!("{}@example.invalid", display_name.to_lowercase().replace(' ', "-"));
        let number = u32::from(letter) - u32::from('A') + 1;
        Self {
            code: letter.to_string(),
            account_uuid: format!("{number:08}-acc0-4000-8000-{number:012}"),
            organization_uuid: format!("{number:08}-face-4000-8000-{number:012}"),
            organization_name: format!("{email}'s Organization"),
            display_name,
            email,
            plan: plan.to_owned(),
            tier: tier.to_owned(),
        }
    }

    /// The same e-mail and account in the organization of a letter, A to Z, on a team plan.
    ///
    /// # Panics
    /// Another letter.
    #[must_use]
    pub fn with_organization(&self, letter: char) -> Self {
        let letter = letter.to_ascii_uppercase();
        assert!(letter.is_ascii_uppercase(), "organizations have the letters A to Z, not {letter:?}");
        let number = u32::from(letter) - u32::from('A') + 1;
        Self {
            code: format!("{}X{letter}", &self.code[..1]),
            organization_uuid: format!("{number:08}-0fab-4000-8000-{number:012}"),
            organization_name: format!("Organization {letter}"),
            plan: "team".to_owned(),
            tier: "default_claude_max_5x".to_owned(),
            ..self.clone()
        }
    }

    /// The account of a code or of a family, if it names one.
    #[must_use]
    pub fn of_family(family: &str) -> Option<Self> {
        let mut letters = family.chars();
        let letter = letters.next().filter(|letter| ('A'..='W').contains(letter))?;
        let account = Self::new(letter);
        match (letters.next(), letters.next()) {
            (Some('X'), Some(organization)) if organization.is_ascii_uppercase() => {
                Some(account.with_organization(organization))
            }
            (Some('X'), _) => None,
            _ => Some(account),
        }
    }

    /// The family of this account's sign-in number `serial`, counted from 0.
    #[must_use]
    pub fn family(&self, serial: usize) -> String {
        let mut rest = serial;
        let mut letters = Vec::new();
        while rest > 0 {
            letters.insert(0, char::from(SERIALS[(rest - 1) % SERIALS.len()]));
            rest = (rest - 1) / SERIALS.len();
        }
        format!("{}{}", self.code, letters.iter().collect::<String>())
    }

    /// The `oauthAccount` block of the state file.
    #[must_use]
    pub fn oauth_account(&self) -> Value {
        json!({
            "accountUuid": self.account_uuid,
            "emailAddress": self.email,
            "organizationUuid": self.organization_uuid,
            "organizationName": self.organization_name,
            "organizationType": format!("claude_{}", self.plan),
            "organizationRateLimitTier": self.tier,
            "userRateLimitTier": null,
            "organizationRole": "admin",
            "workspaceRole": null,
            "displayName": self.display_name,
            "seatTier": null,
            "billingType": "stripe_subscription",
            "hasExtraUsageEnabled": false,
            "accountCreatedAt": "2025-01-02T03:04:05.000000Z",
            "subscriptionCreatedAt": "2025-02-03T04:05:06.000000Z",
        })
    }

    /// What `/api/oauth/profile` answers for this account.
    #[must_use]
    pub fn profile(&self) -> Value {
        json!({
            "account": {
                "uuid": self.account_uuid, "full_name": format!("{} Example", self.display_name),
                "display_name": self.display_name, "email": self.email, "created_at": "2025-01-02T03:04:05.000000Z",
                "has_claude_max": self.plan == "max", "has_claude_pro": self.plan == "pro",
            },
            "organization": {
                "uuid": self.organization_uuid, "name": self.organization_name,
                "organization_type": format!("claude_{}", self.plan), "billing_type": "stripe_subscription",
                "rate_limit_tier": self.tier, "seat_tier": null, "has_extra_usage_enabled": false,
                "subscription_status": "active", "subscription_created_at": "2025-02-03T04:05:06.000000Z",
            },
        })
    }
}

/// The `oauthAccount` block that Claude Code makes of a profile answer; nothing if that names no account.
pub(crate) fn block_of(profile: &Value) -> Option<Object> {
    let (account, organization) = (&profile["account"], &profile["organization"]);
    account["uuid"].as_str()?;
    Some(json::object(json!({
        "accountUuid": account["uuid"],
        "emailAddress": account["email"],
        "organizationUuid": organization["uuid"],
        "organizationName": organization["name"],
        "organizationType": organization["organization_type"],
        "organizationRateLimitTier": organization["rate_limit_tier"],
        "displayName": account["display_name"],
        "seatTier": organization["seat_tier"],
        "billingType": organization["billing_type"],
        "hasExtraUsageEnabled": organization["has_extra_usage_enabled"],
        "accountCreatedAt": account["created_at"],
        "subscriptionCreatedAt": organization["subscription_created_at"],
    })))
}

/// The family of the next sign-in of `account` made in `home`. The home's marker file keeps count, so that all
/// processes in that home share one count.
pub(crate) fn next_family(home: &Path, account: &Account) -> std::io::Result<String> {
    let marker = home.join(MARKER);
    let mut register = std::fs::read_to_string(&marker)?;
    let serial = register.lines().filter(|line| *line == account.code).count();
    register.extend([account.code.as_str(), "\n"]);
    disk::replace(&marker, register.as_bytes(), 0o600)?;
    Ok(account.family(serial))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_names_its_account() {
        for account in [Account::a(), Account::b(), Account::new('W'), Account::a().with_organization('P')] {
            let mut seen = std::collections::BTreeSet::new();
            for serial in 0..1000 {
                let family = account.family(serial);
                assert_eq!(Account::of_family(&family).as_ref(), Some(&account), "{family}");
                assert!(seen.insert(family), "{serial}");
            }
        }
    }

    #[test]
    fn organizations_share_the_account_alone() {
        let (home, work) = (Account::a(), Account::a().with_organization('P'));
        assert_eq!((&home.account_uuid, &home.email), (&work.account_uuid, &work.email));
        assert_ne!(home.organization_uuid, work.organization_uuid);
        assert_eq!(work.organization_uuid, Account::b().with_organization('P').organization_uuid);
        assert_eq!(Account::of_family("AX"), None);
        assert_eq!(Account::of_family(""), None);
    }
}
