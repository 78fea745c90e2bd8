//! `GET /api/oauth/profile`: whose a token is (facts §4.2).

use std::time::Duration;

use clauth_host::Secret;
use serde_json::Value;

use crate::http::With;
use crate::text::clean;
use crate::{Client, LookupError};

/// Whose a token is. Fields that the server left out, or sent in another shape, are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileAnswer {
    /// The account's UUID.
    pub account_uuid: String,
    /// The account's e-mail.
    pub email: Option<String>,
    /// The organization's UUID.
    pub organization_uuid: Option<String>,
    /// The organization's name.
    pub organization_name: Option<String>,
    /// `claude_max`, `claude_pro`, …: open-ended.
    pub organization_type: Option<String>,
    /// `default_claude_max_5x`, …: open-ended.
    pub rate_limit_tier: Option<String>,
    /// The plan's name in words, on newer servers.
    pub plan_display_name: Option<String>,
    /// `active`, `trialing`, `canceled`, …: open-ended.
    pub subscription_status: Option<String>,
    /// The account has Max.
    pub has_max: Option<bool>,
    /// The account has Pro.
    pub has_pro: Option<bool>,
}

impl Client<'_> {
    /// Whose `access` is.
    ///
    /// # Errors
    /// See [`LookupError`].
    pub fn profile(&self, access: &Secret, deadline: Duration) -> Result<ProfileAnswer, LookupError> {
        let url = format!("{}/api/oauth/profile", self.endpoints().api);
        let with = With { secret: Some(access), ..With::default() };
        parse(&self.get(&url, with, deadline)?).ok_or(LookupError::Unparsable)
    }
}

/// An answer without an account names nobody.
fn parse(body: &[u8]) -> Option<ProfileAnswer> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text =
        |object: &str, key: &str| body.get(object)?.get(key)?.as_str().map(clean).filter(|text| !text.is_empty());
    let flag = |key: &str| body.get("account")?.get(key)?.as_bool();
    Some(ProfileAnswer {
        account_uuid: text("account", "uuid")?,
        email: text("account", "email"),
        organization_uuid: text("organization", "uuid"),
        organization_name: text("organization", "name"),
        organization_type: text("organization", "organization_type"),
        rate_limit_tier: text("organization", "rate_limit_tier"),
        plan_display_name: text("organization", "plan_display_name"),
        subscription_status: text("organization", "subscription_status"),
        has_max: flag("has_claude_max"),
        has_pro: flag("has_claude_pro"),
    })
}

#[cfg(test)]
mod tests;
