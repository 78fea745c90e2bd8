//! The bodies of facts §4.7 and §8.12: what providers behind `ANTHROPIC_BASE_URL` answer, by the path they are asked at.

use serde_json::Value;

/// Path and body.
const BODIES: [(&str, &str); 6] = [
    (
        "/user/balance",
        r#"{ "is_available": true, "balance_infos": [
            { "currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00" } ] }"#,
    ),
    (
        "/api/monitor/usage/quota/limit",
        r#"{ "code": 200, "msg": "Operation successful", "success": true, "data": { "level": "pro", "limits": [
            { "type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 12, "nextResetTime": 4102444800000 },
            { "type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 40, "nextResetTime": 4102444800000 },
            { "type": "TIME_LIMIT", "unit": 5, "number": 1, "usage": 1000, "currentValue": 250, "remaining": 750,
              "percentage": 25, "nextResetTime": 4102444800000 } ] } }"#,
    ),
    (
        "/v1/users/me/balance",
        r#"{ "code": 0, "data": { "available_balance": 49.59, "voucher_balance": 46.59, "cash_balance": 3.0 },
            "scode": "0x0", "status": true }"#,
    ),
    (
        "/v1/token_plan/remains",
        r#"{ "model_remains": [ { "model_name": "general", "start_time": 4102426800000, "end_time": 4102444800000,
            "current_interval_status": 1, "current_interval_remaining_percent": 38, "weekly_end_time": 4102444800000,
            "current_weekly_status": 1, "current_weekly_remaining_percent": 69 } ],
            "base_resp": { "status_code": 0, "status_msg": "success" } }"#,
    ),
    (
        "/api/v1/key",
        r#"{ "data": { "label": "sk-or-FAKE", "limit": 20, "limit_remaining": 5.5, "limit_reset": "monthly", "usage": 30.1,
            "is_free_tier": false } }"#,
    ),
    ("/api/v1/credits", r#"{ "data": { "total_credits": 25.5, "total_usage": 30.1 } }"#),
];

/// The body at a path; none where no provider is asked so.
pub(super) fn body(path: &str) -> Option<Value> {
    let path = path.split('?').next().unwrap_or_default();
    let (_, body) = BODIES.iter().find(|(known, _)| *known == path)?;
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_is_json() {
        for (path, _) in BODIES {
            assert!(body(&format!("{path}?detail=1")).is_some_and(|body| body.is_object()), "{path}");
        }
        assert!(body("/elsewhere").is_none());
    }
}
