//! The state file (facts §1.4): who is signed in, and what is bound to that account.

use clauth_durable::{Document, DocumentError};

const IDENTITY: &str = "oauthAccount";

/// Every key that belongs to the account that is signed in; all others belong to the machine or the user.
pub const ACCOUNT_KEYS: &[&str] = &[
    IDENTITY,
    "primaryApiKey",
    "customApiKeyResponses",
    "cachedUsageUtilization",
    "overageCreditGrantCache",
    "passesEligibilityCache",
    "passesLastSeenRemaining",
    "cachedExtraUsageDisabledReason",
    "cachedArtifactRoster",
    "artifactRosterDenied",
    "groveConfigCache",
    "promoStartupStatusCache",
    "metricsStatusCache",
    "metricsStatusCacheByPrincipal",
    "clientDataCache",
    "clientDataCacheSlots",
    "cachedGrowthBookFeatures",
    "cachedGrowthBookFeaturesAt",
    "cachedExperimentFeatures",
    "cachedExperimentData",
    "orgModelDefaultCache",
    "lastSeenOrgDefaultUpdatedAt",
    "modelAccessCache",
    "additionalModelCostsCache",
    "additionalModelOptionsCache",
    "additionalModelOptionsAnsweredAt",
    "autoCompactWindowsCache",
    "githubWebConnectionStatusCache",
    "startupPrefetchedAt",
];

/// Those of them that somebody gave: no server can be asked for them again, so whoever drops them keeps them elsewhere.
const GIVEN: [&str; 2] = ["primaryApiKey", "customApiKeyResponses"];

/// Who a state file says is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's UUID.
    pub account_uuid: String,
    /// The organization's UUID.
    pub organization_uuid: Option<String>,
    /// The account's e-mail.
    pub email: Option<String>,
    /// The organization's name.
    pub organization_name: Option<String>,
}

/// A state file.
#[derive(Clone)]
pub struct StateFile(Document);

impl StateFile {
    /// Takes a state file in.
    ///
    /// # Errors
    /// Not one JSON object.
    pub fn parse(bytes: Vec<u8>) -> Result<Self, DocumentError> {
        Document::parse(bytes).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }

    /// Who is signed in; `None` without a block, or when it names no account.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        // The file may be large, so that it is walked once.
        let block = Document::parse(self.block()?.as_bytes().to_vec()).ok()?;
        let text = |key: &str| block.get::<String>(&[key]).filter(|text| !text.trim().is_empty());
        Some(Identity {
            account_uuid: text("accountUuid")?,
            organization_uuid: text("organizationUuid"),
            email: text("emailAddress"),
            organization_name: text("organizationName"),
        })
    }

    /// The exact text of `oauthAccount`.
    #[must_use]
    pub fn block(&self) -> Option<&str> {
        self.0.raw(&[IDENTITY])
    }

    /// Without `oauthAccount`; everything else to the byte.
    #[must_use]
    pub fn without_identity(&self) -> Self {
        let mut document = self.0.clone();
        document.remove(&[IDENTITY]);
        Self(document)
    }

    /// With this `oauthAccount`, or none, and without every other key that belongs to an account.
    ///
    /// # Errors
    /// `block` is no JSON.
    pub fn with_identity(&self, block: Option<&str>) -> Result<Self, DocumentError> {
        let mut document = self.0.clone();
        let stale: Vec<&str> =
            ACCOUNT_KEYS.iter().filter(|key| **key != IDENTITY || block.is_none()).copied().collect();
        document.remove_members(&stale);
        if let Some(block) = block {
            document.set_raw(&[IDENTITY], block)?;
        }
        Ok(Self(document))
    }

    /// What somebody gave for the account that is signed in, as an object of its own; `None` without any.
    #[must_use]
    pub fn given(&self) -> Option<Vec<u8>> {
        // The file may be large, so that it is walked once.
        let members = self.0.members(&[])?;
        let value = |key: &&str| members.iter().rfind(|(name, _)| name == key).map(|(_, value)| *value);
        let values: Vec<(&str, &str)> = GIVEN.iter().filter_map(|key| Some((*key, value(key)?))).collect();
        let mut object = Document::empty();
        object.set_members(&[], &values).ok().filter(|()| !values.is_empty())?;
        Some(object.into_bytes())
    }

    /// With what [`Self::given`] once took out.
    ///
    /// # Errors
    /// `given` is no JSON object.
    pub fn with_given(&self, given: Vec<u8>) -> Result<Self, DocumentError> {
        let given = Document::parse(given)?;
        let values: Vec<(&str, &str)> = GIVEN.iter().filter_map(|key| Some((*key, given.raw(&[key])?))).collect();
        let mut document = self.0.clone();
        document.set_members(&[], &values)?;
        Ok(Self(document))
    }
}

#[cfg(test)]
mod tests;
