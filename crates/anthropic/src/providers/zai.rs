//! Z.ai: how much of a coding plan's windows is used. An answer with status 200 may still be an error.

use serde_json::Value;

use super::{Kind, ProviderAnswer, code, object, refused};
use crate::text::clean;
use crate::usage::{number, percent, time};
use crate::{LookupError, UsageWindow};

pub(super) const KIND: Kind = Kind {
    title: "Z.ai",
    hosts: &["api.z.ai", "open.bigmodel.cn"],
    paths: &["/api/monitor/usage/quota/limit"],
    bare: true,
    parse,
};

fn parse(_: &str, bodies: &[Option<Value>]) -> Result<ProviderAnswer, LookupError> {
    let body = object(bodies)?;
    if body.get("success").and_then(Value::as_bool) == Some(false) {
        return Err(refused(code(body.get("code")), &[401, 1000, 1001, 1002, 1003, 1004], &[429, 1302]));
    }
    let data = body.get("data").filter(|data| data.is_object()).ok_or(LookupError::Unparsable)?;
    let mut windows: Vec<UsageWindow> = Vec::new();
    for window in data.get("limits").and_then(Value::as_array).into_iter().flatten().filter_map(of_limit) {
        if windows.iter().all(|known| known.id != window.id) {
            windows.push(window);
        }
    }
    let plan = data.get("level").and_then(Value::as_str).map(clean).filter(|level| !level.is_empty());
    if windows.is_empty() && plan.is_none() {
        return Err(LookupError::Unparsable);
    }
    Ok(ProviderAnswer { windows, plan, ..ProviderAnswer::default() })
}

fn of_limit(limit: &Value) -> Option<UsageWindow> {
    let kind = limit.get("type").and_then(Value::as_str).map(clean).filter(|kind| !kind.is_empty())?;
    let span = span(code(limit.get("unit")), code(limit.get("number")));
    let (id, label) = match kind.as_str() {
        "TOKENS_LIMIT" => (span.clone(), span),
        "TIME_LIMIT" => (format!("{span}:tools"), format!("{span} tools")),
        other => {
            let word = other.trim_end_matches("_LIMIT").to_lowercase().replace('_', " ");
            (format!("{span}:{word}"), format!("{span} {word}"))
        }
    };
    let figure = |key: &str| limit.get(key).and_then(number);
    let counted =
        || Some((figure("currentValue")? / figure("usage").filter(|all| *all > 0.0)? * 100.0).clamp(0.0, 100.0));
    let percent = limit.get("percentage").and_then(percent).or_else(counted)?;
    Some(UsageWindow { id, label, percent, resets_at: limit.get("nextResetTime").and_then(time), binding: false })
}

/// A window's length by its unit (facts §4.7): 3 is hours, 5 months, 6 weeks.
fn span(unit: Option<i64>, number: Option<i64>) -> String {
    let number = number.unwrap_or(1).clamp(1, 999);
    match unit {
        Some(3) => format!("{number}h"),
        Some(5) => format!("{number}mo"),
        Some(6) => format!("{}d", number * 7),
        _ => "limit".into(),
    }
}
