//! OpenRouter: the limit of a key, and the credits of its account, which not every key may ask for.

use serde_json::Value;

use super::{Kind, LARGEST, ProviderAnswer, ProviderBalance, object};
use crate::usage::number;
use crate::{LookupError, UsageWindow};

pub(super) const KIND: Kind = Kind {
    title: "OpenRouter",
    hosts: &["openrouter.ai"],
    paths: &["/api/v1/key", "/api/v1/credits"],
    bare: false,
    parse,
};

/// What everything is counted in.
const CURRENCY: &str = "USD";

fn parse(_: &str, bodies: &[Option<Value>]) -> Result<ProviderAnswer, LookupError> {
    let key = object(bodies)?.get("data").filter(|data| data.is_object()).ok_or(LookupError::Unparsable)?;
    let figure = |key: &Value, name: &str| key.get(name).and_then(number).filter(|figure| figure.abs() < LARGEST);
    let limit = figure(key, "limit").filter(|limit| *limit > 0.0);
    let left = figure(key, "limit_remaining");
    let window = limit.zip(left).map(|(limit, left)| {
        let (id, label) = reset(key.get("limit_reset").and_then(Value::as_str));
        let percent = ((limit - left) / limit * 100.0).clamp(0.0, 100.0);
        UsageWindow { id: id.into(), label: label.into(), percent, resets_at: None, binding: false }
    });
    let money = |label: &str, amount: f64| ProviderBalance {
        label: label.to_owned(),
        amount,
        currency: Some(CURRENCY.to_owned()),
    };
    let credits = bodies.get(1).and_then(Option::as_ref).and_then(|body| body.get("data"));
    let credits = credits.and_then(|data| Some(figure(data, "total_credits")? - figure(data, "total_usage")?));
    let balances = [
        credits.map(|credits| money("credits", credits)),
        limit.and(left).map(|left| money("left of the key's limit", left)),
    ];
    let plan = key.get("is_free_tier").and_then(Value::as_bool).filter(|free| *free).map(|_| "free tier".to_owned());
    Ok(ProviderAnswer {
        windows: window.into_iter().collect(),
        balances: balances.into_iter().flatten().collect(),
        plan,
    })
}

/// The window of a key's limit by how often it begins anew.
fn reset(often: Option<&str>) -> (&'static str, &'static str) {
    match often {
        Some("daily") => ("1d", "1d"),
        Some("weekly") => ("7d", "7d"),
        Some("monthly") => ("1mo", "1 month"),
        _ => ("key", "key"),
    }
}
