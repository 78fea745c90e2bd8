//! What of a state file is the account's, by the facts on Claude Code and not by clauth's own list.

use clauth_sandbox::world::{Entry, Snapshot};
use serde_json::Value;

/// Keys that tell who is signed in, or that are kept for that account (facts §1.4).
const ACCOUNTS: [&str; 29] = [
    "oauthAccount",
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

/// The lines of a printed state file that are nobody's account: entries at the first level begin with two blanks.
pub(crate) fn lines(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut ours = false;
    for line in text.lines() {
        if let Some(entry) = line.strip_prefix("  \"") {
            ours = ACCOUNTS.iter().any(|key| entry.strip_prefix(key).is_some_and(|rest| rest.starts_with('"')));
        } else if !line.starts_with(' ') {
            ours = false;
        }
        if !ours {
            kept.push(line.trim_end_matches(','));
        }
    }
    kept
}

/// Whom the state file names: an account's and an organization's id.
pub(crate) fn named(state: &Value) -> Option<(&str, &str)> {
    let block = &state["oauthAccount"];
    Some((block["accountUuid"].as_str()?, block["organizationUuid"].as_str().unwrap_or_default()))
}

/// Whether the home's state file names nobody.
pub(crate) fn names_nobody(picture: &Snapshot) -> bool {
    match picture.get(".claude.json") {
        Some(Entry::File(_, bytes)) => named(&serde_json::from_slice(bytes).unwrap_or_default()).is_none(),
        _ => true,
    }
}
