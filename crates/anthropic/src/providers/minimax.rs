//! MiniMax: what remains of an interval and of a week, for each kind of model.

use serde_json::Value;

use super::{Kind, ProviderAnswer, code, object, refused};
use crate::text::clean;
use crate::usage::{percent, time};
use crate::{LookupError, UsageWindow};

pub(super) const KIND: Kind =
    Kind { title: "MiniMax", hosts: &["api.minimax.io"], paths: &["/v1/token_plan/remains"], bare: false, parse };

/// What its text models are counted as.
const TEXT: &str = "general";

fn parse(_: &str, bodies: &[Option<Value>]) -> Result<ProviderAnswer, LookupError> {
    let body = object(bodies)?;
    let code = code(body.get("base_resp").and_then(|said| said.get("status_code")));
    if code.is_some_and(|code| code != 0) {
        return Err(refused(code, &[1004, 2049], &[1002]));
    }
    let models = body.get("model_remains").and_then(Value::as_array).ok_or(LookupError::Unparsable)?;
    let mut windows: Vec<UsageWindow> = Vec::new();
    for window in models.iter().flat_map(of_model).flatten() {
        if windows.iter().all(|known| known.id != window.id) {
            windows.push(window);
        }
    }
    Ok(ProviderAnswer { windows, ..ProviderAnswer::default() })
}

/// The two windows of a model.
fn of_model(model: &Value) -> [Option<UsageWindow>; 2] {
    let name = model.get("model_name").and_then(Value::as_str).map(clean).filter(|name| !name.is_empty());
    let name = name.filter(|name| !name.eq_ignore_ascii_case(TEXT));
    let window = |span: String, remaining: &str, end: &str| {
        let used = 100.0 - model.get(remaining).and_then(percent)?;
        let (id, label) = match &name {
            None => (span.clone(), span),
            Some(name) => (format!("{span}:{}", name.to_lowercase()), format!("{span} {name}")),
        };
        Some(UsageWindow { id, label, percent: used, resets_at: model.get(end).and_then(time), binding: false })
    };
    [
        window(interval(model), "current_interval_remaining_percent", "end_time"),
        window("7d".into(), "current_weekly_remaining_percent", "weekly_end_time"),
    ]
}

/// How long an interval is; five hours where that is not said.
fn interval(model: &Value) -> String {
    let at = |key: &str| model.get(key).and_then(time);
    let hours = at("start_time").zip(at("end_time")).map(|(start, end)| end.duration_since(start).as_hours());
    match hours {
        Some(hours @ 1..=24) => format!("{hours}h"),
        _ => "5h".into(),
    }
}
