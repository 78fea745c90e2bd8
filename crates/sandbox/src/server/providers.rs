//! The bodies of facts §4.7 and §8.12: what providers behind `ANTHROPIC_BASE_URL` answer, by the path they are asked at.

use serde_json::{Value, json};

/// The body at a path; none where no provider is asked so.
pub(super) fn body(path: &str) -> Option<Value> {
    Some(match path.split('?').next().unwrap_or_default() {
        "/user/balance" => json!({ "is_available": true, "balance_infos": [
            { "currency": "USD", "total_balance": "110.00", "granted_balance": "10.00", "topped_up_balance": "100.00" } ] }),
        "/api/monitor/usage/quota/limit" => json!({ "code": 200, "msg": "Operation successful", "success": true,
            "data": { "level": "pro", "limits": [
                { "type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 12, "nextResetTime": 4_102_444_800_000_u64 },
                { "type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 40, "nextResetTime": 4_102_444_800_000_u64 },
                { "type": "TIME_LIMIT", "unit": 5, "number": 1, "usage": 1000, "currentValue": 250, "remaining": 750,
                  "percentage": 25, "nextResetTime": 4_102_444_800_000_u64 } ] } }),
        "/v1/users/me/balance" => json!({ "code": 0, "data": { "available_balance": 49.59, "voucher_balance": 46.59,
            "cash_balance": 3.0 }, "scode": "0x0", "status": true }),
        "/v1/token_plan/remains" => json!({ "model_remains": [ { "model_name": "general",
            "start_time": 4_102_426_800_000_u64, "end_time": 4_102_444_800_000_u64, "current_interval_status": 1,
            "current_interval_remaining_percent": 38, "weekly_end_time": 4_102_444_800_000_u64,
            "current_weekly_status": 1, "current_weekly_remaining_percent": 69 } ],
            "base_resp": { "status_code": 0, "status_msg": "success" } }),
        "/api/v1/key" => json!({ "data": { "label": "sk-or-FAKE", "limit": 20, "limit_remaining": 5.5,
            "limit_reset": "monthly", "usage": 30.1, "is_free_tier": false } }),
        "/api/v1/credits" => json!({ "data": { "total_credits": 25.5, "total_usage": 30.1 } }),
        _ => return None,
    })
}
