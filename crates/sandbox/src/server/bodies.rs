//! The bodies of facts §4.1, §4.5 and §8.5–§8.8.

use serde_json::{Value, json};

use crate::time::{DAY, iso};
use crate::{Account, Pair};

/// The error for a dead or spent refresh token.
pub(super) fn invalid_grant() -> Value {
    json!({ "error": "invalid_grant", "error_description": "Refresh token not found or invalid" })
}

/// The throttle of the token and usage endpoints.
pub(super) fn throttled() -> Value {
    json!({ "error": { "type": "rate_limit_error", "message": "Rate limited. Please try again later." } })
}

/// A refused access token.
pub(super) fn unauthorized(code: &str) -> Value {
    let message = match code {
        "token_revoked" => "OAuth token has been revoked",
        _ => "OAuth token has expired. Please obtain a new token or refresh your existing token.",
    };
    json!({ "type": "error", "error": { "type": "authentication_error", "message": message,
        "details": { "error_visibility": "user_facing", "error_code": code } } })
}

/// An error in the API's own envelope.
pub(super) fn refused(kind: &str, message: &str) -> Value {
    json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_FAKE" })
}

/// A request that is not understood.
pub(super) fn malformed() -> Value {
    refused("invalid_request_error", "Invalid request format")
}

/// A token reply; `refresh_ends_in` in seconds.
pub(super) fn tokens(account: &Account, pair: &Pair, expires_in: u64, refresh_ends_in: u64) -> Value {
    json!({
        "token_type": "Bearer", "access_token": pair.access(), "refresh_token": pair.refresh(),
        "expires_in": expires_in, "refresh_token_expires_in": refresh_ends_in,
        "scope": crate::login::SCOPES.join(" "),
        "organization": { "uuid": account.organization_uuid, "name": account.organization_name },
        "account": { "uuid": account.account_uuid, "email_address": account.email },
    })
}

/// A usage reading: 47 % of five hours, 12 % of the week, 88 % of one model's week.
pub(super) fn usage(now: u64) -> Value {
    let microseconds = |ms: u64| iso(ms).replace('Z', "668+00:00");
    let text = USAGE.replace("SESSION", &microseconds(now + DAY / 8)).replace("WEEK", &microseconds(now + 5 * DAY));
    serde_json::from_str(&text).unwrap_or_default()
}

const USAGE: &str = r#"{
    "five_hour": { "utilization": 47.0, "resets_at": "SESSION",
        "limit_dollars": null, "used_dollars": null, "remaining_dollars": null },
    "seven_day": { "utilization": 12.0, "resets_at": "WEEK",
        "limit_dollars": null, "used_dollars": null, "remaining_dollars": null },
    "seven_day_oauth_apps": null, "seven_day_opus": null, "seven_day_sonnet": null, "seven_day_cowork": null,
    "iguana_necktie": null, "cinder_cove": null,
    "extra_usage": { "is_enabled": true, "monthly_limit": 2000, "used_credits": 245, "utilization": 12.25,
        "currency": "USD", "decimal_places": 2, "credits_ever_enabled": true, "daily": null, "weekly": null },
    "limits": [
        { "kind": "session", "group": "session", "percent": 47, "severity": "normal", "resets_at": "SESSION",
            "scope": null, "is_active": false },
        { "kind": "weekly_all", "group": "weekly", "percent": 12, "severity": "normal", "resets_at": "WEEK",
            "scope": null, "is_active": false },
        { "kind": "weekly_scoped", "group": "weekly", "percent": 88, "severity": "warning", "resets_at": "WEEK",
            "scope": { "model": { "id": null, "display_name": "Fable" }, "surface": null }, "is_active": true }
    ],
    "spend": { "enabled": true, "percent": 32,
        "used": { "amount_minor": 320, "currency": "USD", "exponent": 2 },
        "limit": { "amount_minor": 1000, "currency": "USD", "exponent": 2 } }
}"#;

/// An answer of the model.
pub(super) fn message() -> Value {
    json!({ "id": "msg_FAKE", "type": "message", "role": "assistant", "model": "claude-opus-5",
        "content": [{ "type": "text", "text": "hello from the sandbox" }], "stop_reason": "end_turn",
        "usage": { "input_tokens": 5, "output_tokens": 6 } })
}

/// The unified rate-limit headers of such an answer.
pub(super) fn limits(now: u64) -> Vec<(String, String)> {
    let (session, week) = ((now + DAY / 8) / 1000, (now + 5 * DAY) / 1000);
    [
        ("status", "allowed".to_owned()),
        ("reset", session.to_string()),
        ("representative-claim", "five_hour".to_owned()),
        ("5h-status", "allowed".to_owned()),
        ("5h-reset", session.to_string()),
        ("5h-utilization", "0.47".to_owned()),
        ("7d-status", "allowed".to_owned()),
        ("7d-reset", week.to_string()),
        ("7d-utilization", "0.12".to_owned()),
        ("fallback-percentage", "0.5".to_owned()),
    ]
    .map(|(name, value)| (format!("anthropic-ratelimit-unified-{name}"), value))
    .to_vec()
}

/// A page of the status service.
pub(super) fn status(path: &str, indicator: &str, incidents: &[Value]) -> Value {
    let page = json!({ "id": "FAKEPAGE", "name": "Claude", "url": "https://status.claude.com" });
    let description = if indicator == "none" { "All Systems Operational" } else { "Partial System Outage" };
    let status = json!({ "indicator": indicator, "description": description });
    if path.ends_with("/status.json") {
        json!({ "page": page, "status": status })
    } else if path.ends_with("/incidents.json") {
        json!({ "page": page, "incidents": incidents })
    } else {
        json!({ "page": page, "status": status, "incidents": incidents, "components": [] })
    }
}
