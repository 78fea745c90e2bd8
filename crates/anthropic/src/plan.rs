//! A plan's name (facts §4.2). What is not known has none: a guess would be believed.

use crate::ProfileAnswer;

/// The plan of an account.
#[must_use]
pub fn plan_label(answer: &ProfileAnswer) -> Option<String> {
    let kind = answer.organization_type.as_deref();
    let free = matches!(kind, Some("claude_free" | "free"));
    if let Some(name) = answer.plan_display_name.as_deref().filter(|name| !free && is_sane(name)) {
        return Some(name.to_owned());
    }
    let tier = answer.rate_limit_tier.as_deref();
    match kind {
        Some("claude_max") => Some(max(tier)),
        Some("claude_pro") => Some("Pro".into()),
        Some("claude_team" | "claude_teams") => Some("Team".into()),
        Some("claude_enterprise") => Some("Enterprise".into()),
        Some("claude_free" | "free") => Some("Free".into()),
        Some(kind) if kind.contains("ultra") => Some("Ultra".into()),
        Some(_) => None,
        None if answer.has_max == Some(true) => Some(max(tier)),
        None if answer.has_pro == Some(true) => Some("Pro".into()),
        None => None,
    }
}

/// The plan that a login says it was signed in with.
#[must_use]
pub fn plan_of_login(subscription: Option<&str>, tier: Option<&str>) -> Option<String> {
    match subscription? {
        "max" => Some(max(tier)),
        "pro" => Some("Pro".into()),
        "team" => Some("Team".into()),
        "enterprise" => Some("Enterprise".into()),
        "free" => Some("Free".into()),
        _ => None,
    }
}

/// `Max`, with the multiplier that a tier such as `default_claude_max_20x` ends with.
fn max(tier: Option<&str>) -> String {
    let factor = tier.and_then(|tier| tier.rsplit('_').next()).filter(|last| {
        last.strip_suffix('x').is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    factor.map_or_else(|| "Max".into(), |factor| format!("Max {factor}"))
}

fn is_sane(name: &str) -> bool {
    (1..=40).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || " .+-".contains(c))
}

#[cfg(test)]
mod tests;
